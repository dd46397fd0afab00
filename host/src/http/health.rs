//! `/health` when there is something to tell: upstream's shape, a check per database concerned.

use tidegate_core::http::{Answer, INFLUXDB_VERSION, json_string};

/// A check, in upstream's terms.
pub(super) struct Check {
    /// The database.
    pub name: String,
    pub message: String,
    /// Whether it cannot serve.
    pub fails: bool,
}

/// Puts the checks into an answer that says that all is well. One that fails makes it a 503, as
/// upstream's.
pub(super) fn tell(answer: &mut Answer, checks: &[Check]) {
    if answer.status != 200 || checks.is_empty() {
        return;
    }
    let fails = checks.iter().any(|check| check.fails);
    let mut body = b"{\"checks\":[".to_vec();
    for (index, check) in checks.iter().enumerate() {
        body.extend_from_slice(if index == 0 { b"{" } else { b",{" });
        member(&mut body, "message", &check.message);
        body.push(b',');
        member(&mut body, "name", &format!("database {:?}", check.name));
        body.push(b',');
        member(&mut body, "status", status(check.fails));
        body.push(b'}');
    }
    body.extend_from_slice(b"],");
    let message = if fails {
        "not every database is served"
    } else {
        "ready for queries and writes"
    };
    for (name, value) in [
        ("message", message),
        ("name", "influxdb"),
        ("status", status(fails)),
        ("version", INFLUXDB_VERSION),
    ] {
        member(&mut body, name, value);
        body.push(if name == "version" { b'}' } else { b',' });
    }
    answer.body = body;
    if fails {
        answer.status = 503;
    }
}

fn status(fails: bool) -> &'static str {
    if fails { "fail" } else { "pass" }
}

fn member(body: &mut Vec<u8>, name: &str, value: &str) {
    json_string(body, name.as_bytes());
    body.push(b':');
    json_string(body, value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(checks: &[Check]) -> (u16, String) {
        let mut answer = Answer {
            status: 200,
            headers: Vec::new(),
            body: b"well".to_vec(),
        };
        tell(&mut answer, checks);
        (
            answer.status,
            String::from_utf8(answer.body).expect("UTF-8"),
        )
    }

    fn check(name: &str, fails: bool) -> Check {
        Check {
            name: name.into(),
            message: "m".into(),
            fails,
        }
    }

    #[test]
    fn a_database_that_is_not_served_makes_it_fail_and_damage_does_not() {
        assert_eq!(told(&[]), (200, "well".into()));
        let (code, body) = told(&[check("a", false)]);
        let expected = format!(
            r#"{{"checks":[{{"message":"m","name":"database \"a\"","status":"pass"}}],"message":"ready for queries and writes","name":"influxdb","status":"pass","version":"{INFLUXDB_VERSION}"}}"#
        );
        assert_eq!((code, body), (200, expected));
        let (code, body) = told(&[check("a", false), check("b", true)]);
        assert_eq!(code, 503);
        assert!(
            body.contains(r#""message":"not every database is served""#),
            "{body}"
        );
        assert!(
            body.contains(r#""name":"influxdb","status":"fail""#),
            "{body}"
        );
    }
}
