//! Several shards and policies, and data that is no UTF-8.

use super::store::Store;

#[test]
fn a_field_has_one_type_for_all_shards() {
    let mut store = Store::new(100);
    store.write(
        "autogen",
        b"m v=1.5 1\nm v=7i 101\nm v=true 201\nm v=8u 301\n",
    );
    let rows = |text: &str| store.ask(text, 10);
    let answer = |name: &str, rows: &str| {
        std::format!("[{{\"name\":\"m\",\"columns\":[\"time\",\"{name}\"],\"values\":[{rows}]}}]")
    };
    assert_eq!(
        rows("SELECT v FROM m"),
        answer("v", "[1,1.5],[101,7],[301,8]")
    );
    assert_eq!(
        rows("SELECT v FROM m WHERE time > 99"),
        answer("v", "[101,7],[301,8]")
    );
    assert_eq!(rows("SELECT v::boolean FROM m"), answer("v", "[201,true]"));
    assert_eq!(
        rows("SELECT v::integer FROM m"),
        answer("v", "[1,1],[101,7],[301,8]")
    );
    assert_eq!(rows("SELECT v FROM m WHERE v = true"), "[]");
    assert_eq!(
        rows("SELECT v FROM m WHERE time > 200 AND time < 300"),
        answer("v", "[201,true]")
    );
    let types = "[\"v\",\"boolean\"],[\"v\",\"float\"],[\"v\",\"integer\"],[\"v\",\"unsigned\"]";
    let keys = "\"columns\":[\"fieldKey\",\"fieldType\"]";
    let expected = std::format!("[{{\"name\":\"m\",{keys},\"values\":[{types}]}}]");
    assert_eq!(rows("SHOW FIELD KEYS"), expected);
    let error = "type error: v::unsigned + w::integer: cannot use + between an integer and \
                 unsigned, an explicit cast is required";
    let mut store = Store::new(100);
    store.write("autogen", b"m v=1u,w=1i 1\n");
    assert_eq!(store.ask("SELECT v + w FROM m", 1), error);
    assert_eq!(
        store.ask("SELECT v + 1 AS v FROM m", 1),
        answer("v", "[1,2]")
    );
}

#[test]
fn policies_are_read_one_at_a_time_by_select_and_together_by_show() {
    let mut store = Store::new(100);
    store.write("autogen", b"m,a=1 v=1 1\nm,a=2 v=2 150\n");
    store.write("short", b"m,a=3 v=3 1\nn,a=4 v=3 1\n");
    let rows = |text: &str| store.ask(text, 10);
    let one = "[{\"name\":\"m\",\"columns\":[\"time\",\"v\"],\"values\":[[1,3]]}]";
    for text in [
        "SELECT v FROM short.m",
        "SELECT v FROM d.short.m",
        "SELECT v FROM short./m/",
    ] {
        assert_eq!(rows(text), one, "{text}");
    }
    let both = "[{\"name\":\"m\",\"columns\":[\"time\",\"v\"],\"values\":[[1,1],[1,3],[150,2]]}]";
    assert_eq!(rows("SELECT v FROM m, short.m"), both);
    let all =
        "[{\"columns\":[\"key\"],\"values\":[[\"m,a=1\"],[\"m,a=2\"],[\"m,a=3\"],[\"n,a=4\"]]}]";
    assert_eq!(rows("SHOW SERIES"), all);
    let short = "[{\"columns\":[\"key\"],\"values\":[[\"m,a=3\"]]}]";
    assert_eq!(rows("SHOW SERIES FROM short.m"), short);
    assert_eq!(
        rows("SHOW SERIES FROM nope.m"),
        "retention policy not found: nope"
    );
    let late = "[{\"columns\":[\"key\"],\"values\":[[\"m,a=2\"]]}]";
    assert_eq!(rows("SHOW SERIES WHERE time > 120"), late);
    let count = "[{\"columns\":[\"cardinality estimation\"],\"values\":[[4]]}]";
    assert_eq!(rows("SHOW SERIES CARDINALITY"), count);
}

#[test]
fn what_is_not_built_says_so() {
    let store = Store::new(100);
    for (text, error) in [
        ("SELECT mean(v) FROM m", "mean() is not supported yet"),
        (
            "SELECT DISTINCT v FROM m",
            "distinct() is not supported yet",
        ),
        (
            "SELECT mean(v) FROM m GROUP BY time(1m)",
            "mean() is not supported yet",
        ),
        (
            "SELECT v FROM (SELECT v FROM m)",
            "sub-queries are not supported yet",
        ),
        ("SELECT v INTO n FROM m", "INTO is not supported yet"),
        ("SELECT v FROM m fill(1)", "fill() is not supported yet"),
        ("SELECT v FROM m tz('UTC')", "tz() is not supported yet"),
        ("EXPLAIN SELECT v FROM m", "EXPLAIN is not supported yet"),
        (
            "SELECT v FROM a..m, b..m",
            "sources in several databases are not supported",
        ),
        (
            "SELECT v FROM m WHERE abs(v) > 1",
            "abs() is not supported yet",
        ),
    ] {
        assert_eq!(store.ask(text, 1), error, "{text}");
    }
}

#[test]
fn bytes_that_are_no_text_pass_through() {
    let mut store = Store::new(100);
    store.write("autogen", b"m,a=\xff \xfe=\"\xfd\" 1\n");
    let mut cursor = store.open("SELECT * FROM m GROUP BY a").expect("legal");
    let mut bytes = std::vec::Vec::new();
    assert!(!cursor.fetch(&store.view(), 9, &mut bytes));
    for byte in [b'\xff', b'\xfe', b'\xfd'] {
        assert!(bytes.contains(&byte), "{bytes:?}");
    }
}

#[test]
fn of_overlapping_shards_the_newest_value_counts_and_rows_stay_in_order() {
    let mut store = Store::new(100);
    store.write(
        "autogen",
        b"m,a=1 v=1,w=1 10\nm,a=1 v=2 110\nm,a=2 v=3 20\nm,a=1 v=4 320\n",
    );
    store.set_shard_ns(300);
    store.write("autogen", b"m,a=1 v=5 10\nm,a=1 v=6 105\nm,a=0 v=7 115\n");
    store.set_shard_ns(20);
    store.write("autogen", b"m,a=1 v=8,x=1i 105\nm,a=1 x=2i 110\n");
    let series = |rows: &[&str]| {
        let head = "{\"name\":\"m\",\"columns\":[\"time\",\"a\",\"v\",\"w\",\"x\"]";
        std::format!("[{head},\"values\":[{}]}}]", rows.join(","))
    };
    let mut expected = [
        "[10,\"1\",5,1,null]",
        "[20,\"2\",3,null,null]",
        "[105,\"1\",8,null,1]",
        "[110,\"1\",2,null,2]",
        "[115,\"0\",7,null,null]",
        "[320,\"1\",4,null,null]",
    ];
    for rows_max in [1, 2, 100] {
        assert_eq!(store.ask("SELECT * FROM m", rows_max), series(&expected));
    }
    let between = store.ask("SELECT * FROM m WHERE time > 10 AND time < 110", 1);
    assert_eq!(between, series(&expected[1..3]));
    let filtered = store.ask("SELECT * FROM m WHERE v > 4 AND a = '1'", 1);
    assert_eq!(
        filtered,
        series(&[expected[0], expected[2]]),
        "what is hidden does not count"
    );
    expected.reverse();
    let backwards = store.ask("SELECT * FROM m ORDER BY time DESC", 1);
    assert_eq!(backwards, series(&expected));
}
