//! `/health`, in upstream's shape: a check for everything there is to tell.

use alloc::string::String;
use alloc::vec::Vec;

use super::ack::AckLevel;
use super::answer::Answer;
use super::route::Site;
use super::text::json_string;
use super::version::INFLUXDB_VERSION;

/// Something a person should know, in upstream's terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// What it is about.
    pub name: String,
    /// What there is to know.
    pub message: String,
    /// Whether requests fail for it.
    pub fails: bool,
}

impl HealthCheck {
    /// Tells that writes are promised less than most people expect, if they are.
    pub(super) fn of_acks(site: &Site) -> Option<Self> {
        let keeps_nothing = site.ack_levels == [AckLevel::Memory];
        let message = match site.ack {
            AckLevel::Durable => return None,
            AckLevel::Memory if keeps_nothing => {
                "storage keeps points in memory only: they are lost when the process ends"
            }
            AckLevel::Memory => {
                "writes that ask for nothing else are acknowledged once they are in memory: \
                 a crash may lose them"
            }
            AckLevel::Wal => {
                "writes that ask for nothing else are acknowledged once the operating system \
                 has them: a loss of power may lose them"
            }
        };
        Some(Self {
            name: alloc::format!("acknowledgement level {:?}", site.ack.word()),
            message: message.into(),
            fails: false,
        })
    }
}

impl Answer {
    /// Makes this the answer to `/health`. A check that fails makes it a 503, as upstream's.
    ///
    /// Source: influxdb 1.12 `services/httpd.serveHealth`.
    pub fn tell_health(&mut self, site: &Site, checks: impl IntoIterator<Item = HealthCheck>) {
        let checks: Vec<_> = HealthCheck::of_acks(site)
            .into_iter()
            .chain(checks)
            .collect();
        let fails = checks.iter().any(|check| check.fails);
        let body = &mut self.body;
        body.clear();
        body.extend_from_slice(b"{\"checks\":[");
        for (index, check) in checks.iter().enumerate() {
            body.extend_from_slice(if index == 0 { b"{" } else { b",{" });
            member(body, "message", &check.message);
            body.push(b',');
            member(body, "name", &check.name);
            body.push(b',');
            member(body, "status", status(check.fails));
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
            member(body, name, value);
            body.push(if name == "version" { b'}' } else { b',' });
        }
        if fails {
            self.status = 503;
        }
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

    fn told(site: &Site, checks: &[HealthCheck]) -> (u16, String) {
        let mut answer = Answer {
            status: 200,
            headers: Vec::new(),
            body: b"before".to_vec(),
        };
        answer.tell_health(site, checks.iter().cloned());
        let body = String::from_utf8(answer.body).expect("UTF-8");
        (answer.status, body)
    }

    fn check(name: &str, fails: bool) -> HealthCheck {
        HealthCheck {
            name: alloc::format!("database {name:?}"),
            message: "m".into(),
            fails,
        }
    }

    #[test]
    fn a_database_that_is_not_served_makes_it_fail_and_damage_does_not() {
        let site = Site::default();
        let (code, body) = told(&site, &[check("a", false)]);
        let expected = alloc::format!(
            r#"{{"checks":[{{"message":"m","name":"database \"a\"","status":"pass"}}],"message":"ready for queries and writes","name":"influxdb","status":"pass","version":"{INFLUXDB_VERSION}"}}"#
        );
        assert_eq!((code, body), (200, expected));
        let (code, body) = told(&site, &[check("a", false), check("b", true)]);
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

    #[test]
    fn a_server_that_promises_less_than_durable_says_so() {
        let told_of = |ack, ack_levels| {
            let site = Site {
                ack,
                ack_levels,
                ..Site::default()
            };
            let (code, body) = told(&site, &[]);
            assert_eq!(code, 200, "{body}");
            body
        };
        assert!(told_of(AckLevel::Durable, &AckLevel::ALL).starts_with(r#"{"checks":[],"#));
        for (ack, part) in [
            (AckLevel::Wal, "loss of power"),
            (AckLevel::Memory, "a crash"),
        ] {
            let body = told_of(ack, &AckLevel::ALL);
            assert!(body.contains(part), "{body}");
            let name = alloc::format!(r#"acknowledgement level \"{}\""#, ack.word());
            assert!(body.contains(&name), "{body}");
        }
        let body = told_of(AckLevel::Memory, &[AckLevel::Memory]);
        assert!(body.contains("in memory only"), "{body}");
    }
}
