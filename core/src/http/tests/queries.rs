//! Several statements, errors, chunks, and what engines are handed.

use alloc::string::String;
use alloc::vec::Vec;

use super::world::{World, ask, query, series};
use crate::http::accept::Format;
use crate::http::render::{Epoch, Grouping, Renderer};
use crate::http::{Databases, Decision, Head, Site, decide};
use crate::ids::Lsn;
use crate::query::batch::Cell;

const DATABASES: &str = r#"{"name":"databases","columns":["name"],"values":[["d"]]}"#;

#[test]
fn after_an_error_the_rest_is_not_executed() {
    let mut world = World::new();
    let body = query(
        &mut world,
        "POST",
        "db=d&q=SHOW+DATABASES%3BSELECT+nofunc(v)+FROM+x%3BDROP+DATABASE+d",
    );
    let expected = alloc::format!(
        r#"{{"results":[{{"statement_id":0,"series":[{DATABASES}]}},{{"statement_id":1,"error":"undefined function nofunc()"}},{{"statement_id":2,"error":"not executed"}}]}}"#
    );
    assert_eq!(body.trim_end(), expected);
    assert!(Databases::exists(&mut world, "d"));
}

#[test]
fn no_statement_at_all_is_an_empty_object() {
    assert_eq!(query(&mut World::new(), "GET", "q=%3b"), "{}\n");
    assert_eq!(query(&mut World::new(), "GET", "q=%3b&chunked=true"), "");
    assert_eq!(
        query(&mut World::new(), "GET", "q=+"),
        "{\"error\":\"missing required parameter \\\"q\\\"\"}\n"
    );
}

#[test]
fn databases_are_created_once_and_dropped() {
    let mut world = World::new();
    let ok = "{\"results\":[{\"statement_id\":0}]}\n";
    let error = |text: &str| {
        alloc::format!("{{\"results\":[{{\"statement_id\":0,\"error\":\"{text}\"}}]}}\n")
    };
    for (statement, answer) in [
        ("CREATE+DATABASE+e", ok.into()),
        ("CREATE+DATABASE+e", ok.into()),
        (
            "CREATE+DATABASE+e+WITH+DURATION+3d",
            error("retention policy conflicts with an existing policy"),
        ),
        (
            "CREATE+DATABASE+f+WITH+DURATION+30m",
            error("retention policy duration must be at least 1h0m0s"),
        ),
        ("CREATE+DATABASE+%22a/b%22", error("invalid name")),
        ("CREATE+DATABASE+%22a%E2%80%8Bb%22", error("invalid name")),
        ("DROP+DATABASE+nope", ok.into()),
        ("DROP+RETENTION+POLICY+a+ON+nope", ok.into()),
        (
            "SHOW+RETENTION+POLICIES+ON+nope",
            error("database not found: nope"),
        ),
        ("SHOW+SERIES", error("database name required")),
        ("DROP+MEASUREMENT+m", error("database not found: ")),
        ("SHOW+USERS", error("unsupported statement: SHOW USERS")),
    ] {
        let statement = alloc::format!("q={statement}");
        assert_eq!(query(&mut world, "POST", &statement), answer, "{statement}");
    }
    let long = alloc::format!("q=CREATE+DATABASE+{}", "x".repeat(256));
    assert_eq!(query(&mut world, "POST", &long), error("name too long"));
    assert_eq!(world.databases, ["d", "e"]);
    assert_eq!(world.executed, ["e: CREATE DATABASE e WITH DURATION 3d"]);
    assert_eq!(world.waited, []);
    query(&mut world, "POST", "q=DROP+DATABASE+d");
    assert_eq!(world.databases, ["e"]);
}

#[test]
fn engines_get_the_text_unless_parameters_are_worked_in() {
    let mut world = World::new();
    let sent = |world: &mut World, text: &str| {
        query(world, "POST", text);
        world.executed.pop().unwrap()
    };
    assert_eq!(
        sent(&mut world, "q=+select+v++FROM+%22d%22..m+%3b"),
        "d: select v  FROM \"d\"..m"
    );
    assert_eq!(
        sent(&mut world, "db=d&rp=r&q=select+v+from+m"),
        "d: SELECT v FROM r.m"
    );
    assert_eq!(
        sent(
            &mut world,
            "db=d&q=select+v+from+m+where+a=$a&params=%7B%22a%22:%22x'%22%7D"
        ),
        "d: SELECT v FROM m WHERE a = 'x\\''"
    );
    assert_eq!(world.waited, [Lsn(1), Lsn(1), Lsn(1)]);
}

#[test]
fn a_list_over_all_databases_is_one_series() {
    let mut world = World::new();
    world.databases.push("e".into());
    assert_eq!(
        query(&mut world, "POST", "q=SHOW+SHARD+GROUPS"),
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"shard groups\",\
         \"columns\":[\"database\"],\"values\":[[\"d\"],[\"e\"]]}]}]}\n"
    );
}

#[test]
fn chunks_by_series_are_not_marked_as_partial() {
    assert_eq!(
        query(
            &mut World::new(),
            "POST",
            "db=d&chunked=true&chunk_size=1&q=SHOW+TAG+KEYS"
        ),
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"cpu\",\"columns\":[\"tagKey\"],\
         \"values\":[[\"host\"],[\"rack\"]]}]}]}\n\
         {\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"mem\",\"columns\":[\"tagKey\"],\
         \"values\":[[\"host\"],[\"rack\"]]}]}]}\n"
    );
}

#[test]
fn an_error_amid_rows_is_told_in_every_format() {
    let text = query(
        &mut World::new(),
        "POST",
        "db=d&epoch=s&q=SELECT+breaks+FROM+x",
    );
    assert_eq!(
        text,
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"name\":\"x\",\
         \"columns\":[\"time\",\"breaks\"],\"values\":[[1767225600,true]]}],\
         \"error\":\"shard 1: gone\"}]}\n"
    );
    let mut world = World::new();
    let text = query(
        &mut world,
        "POST",
        "db=d&epoch=s&chunked=true&q=SELECT+breaks+FROM+x",
    );
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].ends_with("\"partial\":true}],\"partial\":true}]}"),
        "{text}"
    );
    assert_eq!(
        lines[1],
        "{\"results\":[{\"statement_id\":0,\"error\":\"shard 1: gone\"}]}"
    );
    assert_eq!((world.open_cursors(), world.closed), (0, 1));
}

#[test]
fn pieces_of_a_huge_answer_stay_small() {
    let mut world = World::new();
    world.huge_rows = 300_000;
    let head = Head {
        method: "GET",
        path: "/query",
        query: "db=d&q=SELECT+huge+FROM+x",
        headers: &[],
    };
    let Decision::Query(plan) = decide(&head, &Site::default(), &mut world, "") else {
        panic!()
    };
    let mut run = plan.begin(b"").unwrap();
    let (mut piece, mut total, mut largest) = (Vec::new(), 0, 0);
    while run.next_piece(&mut world, &mut piece) {
        largest = largest.max(piece.len());
        total += piece.len();
        piece.clear();
    }
    assert!(total > 8_000_000 && largest < 64_000, "{total} {largest}");
}

#[test]
fn an_aborted_query_closes_its_cursor() {
    let mut world = World::new();
    world.huge_rows = 10_000;
    let head = Head {
        method: "GET",
        path: "/query",
        query: "db=d&q=SELECT+huge+FROM+x",
        headers: &[],
    };
    let Decision::Query(plan) = decide(&head, &Site::default(), &mut world, "") else {
        panic!()
    };
    let mut run = plan.begin(b"").unwrap();
    let mut piece = Vec::new();
    assert!(run.next_piece(&mut world, &mut piece));
    assert_eq!(world.open_cursors(), 1);
    run.abort(&mut world);
    assert_eq!(world.open_cursors(), 0);
    assert!(!run.next_piece(&mut world, &mut piece));
}

#[test]
fn an_asynchronous_query_runs_and_answers_nothing() {
    let mut world = World::new();
    let head = Head {
        method: "POST",
        path: "/query",
        query: "q=CREATE+DATABASE+e&async=true",
        headers: &[],
    };
    let answer = ask(&mut world, &head, b"");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(world.databases, ["d", "e"]);
}

#[test]
fn the_form_counts_before_the_address_and_gzip_of_nothing_is_ignored() {
    let mut world = World::new();
    let form = [(
        "content-type",
        &b"application/x-www-form-urlencoded; charset=utf-8"[..],
    )];
    let head = Head {
        method: "POST",
        path: "/query",
        query: "q=bad",
        headers: &form,
    };
    let answer = ask(&mut world, &head, b"q=SHOW+DATABASES");
    assert_eq!(answer.status, 200);
    let gzip = [("Content-Encoding", &b"gzip"[..])];
    for (method, path) in [("GET", "/query"), ("POST", "/query"), ("GET", "/ping")] {
        let head = Head {
            method,
            path,
            query: "q=SHOW+DATABASES",
            headers: &gzip,
        };
        assert!(ask(&mut world, &head, b"").status < 300);
    }
}

fn rendered(format: Format, batches: &[Vec<u8>]) -> String {
    let mut renderer = Renderer::new(format, false, Epoch::Text, None, batches.len());
    let mut out = Vec::new();
    for (id, batch) in batches.iter().enumerate() {
        renderer.begin(&mut out, id, Grouping::Statement);
        renderer.events(&mut out, batch).unwrap();
        renderer.end(&mut out, None);
    }
    renderer.finish(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn csv_prints_a_header_where_columns_change() {
    let text = |text: &'static str| Cell::String(text.as_bytes());
    let row = |cells: &[Cell<'static>]| [cells.to_vec()];
    let mut two = series(
        Some("a,b"),
        &[("z", "1"), ("h", "x y"), ("e", "")],
        &["v"],
        &row(&[text(" s")]),
    );
    two.extend(series(None, &[], &["v"], &row(&[Cell::Null])));
    two.extend(series(
        Some("m"),
        &[],
        &["v", "w"],
        &row(&[Cell::Float(1e-7), text("a\"b\n")]),
    ));
    let empty = Vec::new();
    let last = series(
        Some("m"),
        &[],
        &["v", "w"],
        &row(&[Cell::Float(1e21), Cell::Unsigned(3)]),
    );
    assert_eq!(
        rendered(Format::Csv, &[two, empty, last]),
        "name,tags,v\n\"a,b\",\"h=x\\ y,z=1\",\" s\"\n,,\n\nname,tags,v,w\n\
         m,,0.0000001,\"a\"\"b\n\"\n\nname,tags,v,w\nm,,1000000000000000000000,3\n"
    );
}

#[test]
fn json_leaves_out_what_is_empty_and_sorts_tags() {
    let list = [b"x".to_vec()];
    let mut destinations = Vec::new();
    crate::query::batch::Writer::new(&mut destinations).list(list.iter().map(|s| &s[..]));
    let batch = series(Some(""), &[("b", "<"), ("a", "")], &["time"], &[]);
    assert_eq!(
        rendered(Format::Json, &[batch]),
        "{\"results\":[{\"statement_id\":0,\"series\":[{\"tags\":{\"a\":\"\",\"b\":\"\\u003c\"},\
         \"columns\":[\"time\"]}]}]}\n"
    );
}
