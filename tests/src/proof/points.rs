//! Reading stored points out of `/query` answers.

use std::collections::BTreeMap;

use serde_json::Value;

/// Points of one answer: (series name and tags, time in ns) to its values by column.
pub type Points = BTreeMap<(String, i64), BTreeMap<String, String>>;

/// The points of a `SELECT ... GROUP BY *` with `epoch=ns`.
///
/// # Errors
/// What is wrong: no JSON, an error inside, or the same point twice.
pub fn points_of(body: &[u8]) -> Result<Points, String> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let mut points = Points::new();
    for result in array(&answer, "results") {
        if let Some(error) = result.get("error") {
            return Err(error.to_string());
        }
        for series in array(result, "series") {
            add_series(series, &mut points)?;
        }
    }
    Ok(points)
}

fn add_series(series: &Value, points: &mut Points) -> Result<(), String> {
    let mut name = series["name"].as_str().unwrap_or_default().to_owned();
    for (key, value) in series["tags"].as_object().into_iter().flatten() {
        // A tag that a series does not bear shows as an empty one.
        if value.as_str() != Some("") {
            name.push_str(&format!(",{key}={}", value.as_str().unwrap_or_default()));
        }
    }
    let columns = array(series, "columns");
    for row in array(series, "values") {
        let cells = row.as_array().ok_or("a row is no list")?;
        let time = cells.first().and_then(Value::as_i64).ok_or("no time")?;
        let values = columns.iter().zip(cells).skip(1);
        let values = values.filter(|(_, cell)| !cell.is_null());
        let values = values
            .map(|(column, cell)| {
                (
                    column.as_str().unwrap_or_default().to_owned(),
                    cell.to_string(),
                )
            })
            .collect();
        if points.insert((name.clone(), time), values).is_some() {
            return Err(format!("{name} at {time} is stored twice"));
        }
    }
    Ok(())
}

fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::points_of;

    #[test]
    fn rows_become_points_and_a_repeated_one_is_an_error() {
        let body = |rows: &str| {
            format!(
                r#"{{"results":[{{"series":[{{"name":"m","tags":{{"a":"","b":"x"}},
                "columns":["time","f","g"],"values":[{rows}]}}]}}]}}"#
            )
        };
        let points = points_of(body("[1,2.5,null],[2,3,true]").as_bytes()).expect("points");
        assert_eq!(points.len(), 2);
        let first = &points[&("m,b=x".to_owned(), 1)];
        assert_eq!(first.len(), 1);
        assert_eq!(first["f"], "2.5");
        assert!(points_of(body("[1,2,3],[1,2,3]").as_bytes()).is_err());
        assert!(points_of(br#"{"results":[{"error":"no"}]}"#).is_err());
    }
}
