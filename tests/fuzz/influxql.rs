//! Statements.

use tidegate_core::influxql::parse_query;
use tidegate_tests::fuzz::Target;
use tidegate_tests::r#gen::Rng;
use tidegate_tests::proof::fixtures;

/// What is parsed is printed, and what is printed is parsed to the same.
pub(crate) struct Influxql;

impl Target for Influxql {
    fn corpus(&self) -> Vec<Vec<u8>> {
        let files = ["query.jsonl", "query-ddl-in-order.jsonl"];
        let rows = files.iter().flat_map(|file| fixtures::rows(file));
        rows.map(|row| row.need("q").as_bytes().to_vec()).collect()
    }

    fn tokens(&self) -> &'static [&'static [u8]] {
        &[
            b"SELECT ",
            b" FROM ",
            b" WHERE ",
            b" GROUP BY ",
            b" ORDER BY time DESC",
            b" LIMIT 1",
            b"time",
            b"now()",
            b" AND ",
            b" OR ",
            b" =~ /a/",
            b" !~ /b/",
            b"(",
            b")",
            b"'",
            b"\"",
            b"\\",
            b"/",
            b"--",
            b"/*",
            b"*/",
            b";",
            b",",
            b"::field",
            b"1h",
            b"9223372036854775808",
            b"1.5",
            b"*",
            b" fill(",
            b" tz('UTC')",
            b"..",
            b"$p",
            b"mean(",
            b" INTO ",
            b"\n",
        ]
    }

    fn read(&mut self, _: &mut Rng, input: &[u8]) -> bool {
        let text = String::from_utf8_lossy(input);
        let Ok(statements) = parse_query(&text) else {
            return false;
        };
        for parsed in &statements {
            let printed = parsed.statement.to_string();
            // A password is never printed, an empty name is printed as nothing, and one behind
            // DISTINCT without its quotes, as upstream does (influxql `Measurement.String`,
            // `Distinct.String`).
            let bare = printed.contains("DISTINCT ") && text.contains('"');
            if printed.contains("[REDACTED]") || text.contains("\"\"") || bare {
                continue;
            }
            let again = parse_query(&printed);
            let again = again.unwrap_or_else(|error| panic!("printed as {printed}: {error}"));
            let [again] = &again[..] else {
                panic!("one statement is printed as several: {printed}");
            };
            assert_eq!(again.statement.to_string(), printed);
        }
        !statements.is_empty()
    }
}
