//! Queries: what they show is what was written, and it counts as promised once they are
//! answered.

use std::collections::HashMap;

use tidegate_core::query::batch::{Cell, Event, Reader};

use super::hits::Hit;
use super::life::Wait;
use super::observe::{observe, points_of, policy};
use super::trace::{of_key, of_value};
use super::world::World;

/// Value by place.
type Values = HashMap<u64, u64>;

impl World {
    /// Asks for something; answered once what it saw is durable.
    pub(super) fn query(&mut self) -> Result<(), String> {
        if self.lots.one_in(2) {
            let measurement = format!("own{}", self.lots.below(3));
            return self.select(&measurement);
        }
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        let Ok(executed) = life.engine.execute(self.now_ns, "SHOW RETENTION POLICIES") else {
            return Ok(());
        };
        let mut rows = Vec::new();
        if let Some(cursor) = executed.cursor {
            let fetched = life.engine.fetch(cursor, 1 + self.lots.index(3), &mut rows);
            if fetched.map_err(|misuse| misuse.to_string())? {
                let closed = life.engine.close(cursor);
                closed.map_err(|misuse| misuse.to_string())?;
            }
        }
        self.trace.bytes(&rows);
        let seen = observe(&mut life.engine, self.now_ns)?;
        if seen.content.mark() != self.history.content.mark() {
            return Err("WRONG: a query sees something else than was written".into());
        }
        self.wait_for_answer(executed.ticket.0, self.history.records.len());
        Ok(())
    }

    /// All of a measurement, in small steps, with a write now and then in between.
    fn select(&mut self, measurement: &str) -> Result<(), String> {
        let Some(life) = &mut self.life else {
            return Ok(());
        };
        let text = format!("SELECT * FROM \"{measurement}\" GROUP BY *");
        let Ok(executed) = life.engine.execute(self.now_ns, &text) else {
            return Ok(());
        };
        let view = life.engine.view(self.now_ns);
        let owner = policy(view.default_policy);
        let all = points_of(&view, owner, measurement.as_bytes());
        let expected: Values = all
            .into_iter()
            .map(|point| (point.key, point.value))
            .collect();
        let count = self.history.records.len();
        let mut answer = Vec::new();
        if let Some(cursor) = executed.cursor {
            let rows_max = 1 + self.lots.index(20);
            loop {
                let Some(life) = &mut self.life else {
                    return Ok(());
                };
                let more = life.engine.fetch(cursor, rows_max, &mut answer);
                if !more.map_err(|misuse| misuse.to_string())? {
                    break;
                }
                if self.lots.one_in(6) {
                    let body = self.clients.body(self.now_ns, &mut self.hits);
                    self.write(&body)?;
                }
            }
        }
        self.trace.bytes(&answer);
        self.hits.note(Hit::Select);
        let shown = understand(&answer, owner)?;
        if shown != expected {
            let missing = expected
                .iter()
                .filter(|(key, value)| shown.get(key) != Some(value));
            return Err(format!(
                "WRONG: {text} shows {} values instead of {}; {} are missing or differ",
                shown.len(),
                expected.len(),
                missing.count()
            ));
        }
        self.wait_for_answer(executed.ticket.0, count);
        Ok(())
    }

    fn wait_for_answer(&mut self, ticket: u64, count: usize) {
        self.wait(Wait {
            ticket,
            count,
            since_step: self.step,
            is_query: true,
        });
    }
}

/// An answer as values by place.
fn understand(answer: &[u8], owner: u64) -> Result<Values, String> {
    let mut values = Values::new();
    let (mut key, mut columns) = (Vec::new(), Vec::new());
    for event in Reader::new(answer) {
        match event.map_err(|malformed| malformed.to_string())? {
            Event::Series(series) => {
                key = series.name.unwrap_or_default().to_vec();
                for (name, value) in series.tags() {
                    key.push(b',');
                    key.extend_from_slice(name);
                    key.push(b'=');
                    key.extend_from_slice(value);
                }
                columns = series.columns.map(<[u8]>::to_vec).collect();
            }
            Event::Row(cells) => {
                let mut time_ns = 0;
                for (name, cell) in columns.iter().zip(cells) {
                    if let Cell::Time(time) = cell {
                        time_ns = time;
                    } else if let Some(value) = value_of(&cell) {
                        values.insert(of_key(owner, &key, time_ns, name), value);
                    }
                }
            }
            Event::Message(..) => {}
            Event::Error(text) => return Err(String::from_utf8_lossy(text).into_owned()),
        }
    }
    Ok(values)
}

fn value_of(cell: &Cell<'_>) -> Option<u64> {
    use tidegate_core::model::Value;
    let value = match cell {
        Cell::Float(value) => Value::Float(*value),
        Cell::Integer(value) => Value::Integer(*value),
        Cell::Unsigned(value) => Value::Unsigned(*value),
        Cell::Boolean(value) => Value::Boolean(*value),
        Cell::String(bytes) => Value::String(bytes),
        Cell::Null | Cell::Time(_) | Cell::List(_) => return None,
    };
    Some(of_value(&value))
}
