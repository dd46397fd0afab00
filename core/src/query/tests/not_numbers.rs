//! Arithmetic can make what is no number; it never leaves the query.

use std::format;
use std::vec::Vec;

use super::super::batch::{Cell, Event, Reader};
use super::super::open;
use super::store::Store;
use crate::influxql::parse_query;

/// The bits of a NaN are the processor's choice: its sign differs between x86 and ARM, and between
/// a constant folded by a compiler and the same computed.
#[test]
fn no_expression_gives_a_float_cell_that_is_no_number() {
    let mut store = Store::new(1_000);
    let values = ["0", "-0", "1.5", "-3", "5e-324", "1.7e308", "-1.7e308"];
    let mut body = Vec::new();
    for (time, (a, b)) in values
        .iter()
        .flat_map(|a| values.map(|b| (a, b)))
        .enumerate()
    {
        body.extend_from_slice(format!("m a={a},b={b},n={time}i {time}\n").as_bytes());
    }
    store.write("autogen", &body);
    let (mut nulls, mut infinite) = (0, 0);
    for outer in ["+", "-", "*", "/", "%"] {
        for inner in ["+", "-", "*", "/", "%"] {
            for last in ["a", "n", "0", "1.5", "(b * 9 * b)"] {
                let text = format!("SELECT a * a * 9 {outer} b {inner} {last} FROM m");
                let parsed = parse_query(&text).expect("a query");
                let mut cursor = open(&parsed[0].statement, &store.view()).expect("a cursor");
                let mut rows = Vec::new();
                while cursor.fetch(&store.view(), 7, &mut rows) {}
                for event in Reader::new(&rows) {
                    let Event::Row(cells) = event.expect("well formed") else {
                        continue;
                    };
                    for cell in cells {
                        nulls += u32::from(cell == Cell::Null);
                        if let Cell::Float(value) = cell {
                            assert!(!value.is_nan(), "{text}");
                            infinite += u32::from(value.is_infinite());
                        }
                    }
                }
            }
        }
    }
    assert!(nulls > 100 && infinite > 100, "{nulls} {infinite}");
}
