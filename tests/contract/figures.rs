//! What the servers count.

use serde_json::Value;

use crate::on_every_host;

#[test]
fn upstreams_readers_find_their_numbers() {
    on_every_host("figures", |server| {
        let mut client = server.client().expect("connection");
        let name = server.face.name();
        let answer = client
            .post("/write?db=d", b"cpu v=1 1\nbad")
            .expect("answer");
        assert_eq!(answer.status, 400);
        for body in [&b"cpu v=2 2\ncpu v=3 3"[..], b"cpu v=\"s\" 4\ncpu v=5 5"] {
            client.post("/write?db=d", body).expect("answer");
        }
        client.get("/ping").expect("answer");
        client.get("/status").expect("answer");
        client.get("/nowhere").expect("answer");
        server.query("d", "SELECT * FROM cpu").expect("answer");
        let text = client.get("/debug/vars").expect("answer").text();
        let vars: Value = serde_json::from_str(&text).expect("JSON");
        let vars = vars.as_object().expect("object");
        let mut modules = vars.values().filter(|module| module["name"] == "httpd");
        let httpd = &modules.next().expect("httpd")["values"];
        for (counter, value) in [
            ("writeReq", 3),
            ("writeReqActive", 0),
            ("pointsWrittenOK", 4),
            ("pointsWrittenDropped", 1),
            ("pointsWrittenFail", 1),
            ("writeReqBytes", 13 + 19 + 21),
            ("clientError", 3),
            ("serverError", 0),
            ("authFail", 0),
            ("statusReq", 1),
            ("promWriteReq", 0),
            ("recoveredPanics", 0),
        ] {
            assert_eq!(httpd[counter], value, "{name} {counter}: {text}");
        }
        for counter in ["pingReq", "queryReq", "queryRespBytes", "req"] {
            assert!(
                httpd[counter].as_u64() > Some(0),
                "{name} {counter}: {text}"
            );
        }
        let write = &vars["write"]["values"];
        assert_eq!(
            (&write["req"], &write["pointReq"]),
            (&3.into(), &5.into()),
            "{name}"
        );
        assert!(vars["system"]["uptime"].is_u64(), "{name}: {text}");
        prometheus(&client.get("/metrics").expect("answer").text(), name);
    });
}

/// Every sample has a type, stands once, and is a number.
fn prometheus(text: &str, name: &str) {
    let mut types = std::collections::BTreeMap::new();
    let mut samples = std::collections::BTreeSet::new();
    for line in text.lines() {
        if let Some(typed) = line.strip_prefix("# TYPE ") {
            let (metric, kind) = typed.split_once(' ').expect("a type");
            assert!(types.insert(metric, kind).is_none(), "{name}: {line}");
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect("a value");
        let metric = sample.split('{').next().expect("a name");
        assert!(types.contains_key(metric), "{name}: {line}");
        assert!(samples.insert(sample), "{name}: {line}");
        value.parse::<f64>().expect("a number");
    }
    assert!(
        samples.contains("tidegate_points_written_total"),
        "{name}: {text}"
    );
    assert!(
        text.contains("tidegate_points_written_total 4\n"),
        "{name}: {text}"
    );
}
