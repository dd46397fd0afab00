//! Prints statements and expressions the way upstream's `String()` does.
//!
//! Two habits of upstream are kept although the text then does not say all: numbers have three
//! decimals, and SHOW TAG KEYS leaves out its WITH KEY.

mod admin;
mod expr;
mod select;
mod show;
mod statement;

use core::fmt;

/// Prints ` WORD n`, unless n is 0.
pub(super) fn count(f: &mut fmt::Formatter<'_>, word: &str, number: u64) -> fmt::Result {
    if number == 0 {
        return Ok(());
    }
    write!(f, " {word} {number}")
}

/// Prints the items, with `, ` between them.
pub(super) fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = T>,
) -> fmt::Result {
    for (i, item) in items.into_iter().enumerate() {
        let separator = if i == 0 { "" } else { ", " };
        write!(f, "{separator}{item}")?;
    }
    Ok(())
}
