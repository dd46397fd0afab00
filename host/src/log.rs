//! One line to stderr per notable event.

use std::io::Write;

/// Writes a line, with control characters escaped: parts of it may come from clients or disks.
pub(crate) fn line(text: &str) {
    let mut out = String::with_capacity(text.len() + 10);
    out.push_str("tidegate: ");
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    // A closed stderr must not take the server down.
    let _ = std::io::stderr().write_all(out.as_bytes());
}

/// `log!("opened {name}")`: formats and writes one line.
macro_rules! log {
    ($($arg:tt)*) => { $crate::log::line(&format!($($arg)*)) };
}
pub(crate) use log;
