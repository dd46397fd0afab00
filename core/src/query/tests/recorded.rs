//! Answers that servers of upstream gave for the data set in `fixtures/data.lp`.
//!
//! A row of a fixture is a statement and, behind a tab, the series of its answer as JSON, or
//! the text of its error.

use std::string::String;
use std::vec::Vec;

use super::store::{Store, WEEK_NS};

const DATA: &[u8] = include_bytes!("fixtures/data.lp");

fn assert_answers(fixture: &str, count_min: usize) {
    let mut store = Store::new(WEEK_NS);
    store.write("autogen", DATA);
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in fixture.lines() {
        let (statement, expected) = line.split_once('\t').expect("two columns");
        for rows_max in [1, 7, 10_000] {
            let found = store.ask(statement, rows_max);
            if found != expected {
                let cut = |text: &str| text.chars().take(400).collect::<String>();
                wrong.push(std::format!(
                    "{statement}\n {}\n {}",
                    cut(&found),
                    cut(expected)
                ));
                break;
            }
        }
        count += 1;
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= count_min, "{count}");
}

#[test]
fn answers_equal_those_of_upstream_1_12() {
    assert_answers(include_str!("fixtures/recorded-1.12.tsv"), 65);
}

#[test]
fn answers_equal_those_of_upstream_1_6() {
    assert_answers(include_str!("fixtures/recorded-1.6.tsv"), 100);
}
