//! Characters with positions, and the three-character window that lets the scanner step back.
//!
//! Positions in errors follow from how far the scanner has looked ahead, so the window keeps
//! upstream's exact bookkeeping: the end of the text is a character of its own, read once at
//! its place and ever after one further.
//!
//! Source: influxql 1.4 `reader`.

use super::token::Pos;

/// Stands for the end of the text. A NUL in the text ends it too, as it does upstream.
pub(super) const EOF: char = '\0';

#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) ch: char,
    pub(super) pos: Pos,
    /// Byte offset in the text.
    pub(super) start: usize,
}

const NOTHING: Slot = Slot {
    ch: EOF,
    pos: Pos { line: 0, char: 0 },
    start: 0,
};

pub(super) struct Reader<'a> {
    text: &'a str,
    next: usize,
    pos: Pos,
    ended: bool,
    window: [Slot; 3],
    last: usize,
    unread: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            next: 0,
            pos: Pos { line: 0, char: 0 },
            ended: false,
            window: [NOTHING; 3],
            last: 0,
            unread: 0,
        }
    }

    /// Reads a character. `\r` and `\r\n` are read as `\n`.
    pub(super) fn read(&mut self) -> Slot {
        if self.unread > 0 {
            self.unread -= 1;
            return self.current();
        }
        let start = self.next;
        let ch = self.decode();
        self.last = (self.last + 1) % self.window.len();
        self.window[self.last] = Slot {
            ch,
            pos: self.pos,
            start,
        };
        if ch == '\n' {
            self.pos.line = self.pos.line.saturating_add(1);
            self.pos.char = 0;
        } else if !self.ended {
            self.pos.char = self.pos.char.saturating_add(1);
        }
        self.ended |= ch == EOF;
        self.current()
    }

    /// Steps back over the last character read.
    pub(super) fn unread(&mut self) {
        self.unread += 1;
    }

    /// The last character read and not stepped back over.
    pub(super) fn current(&self) -> Slot {
        let len = self.window.len();
        // At most two are stepped back over: `len` keeps the sum positive.
        self.window[(self.last + 2 * len - self.unread.min(len)) % len]
    }

    /// The character that would be read next. The end, once seen, stays read.
    pub(super) fn peek(&mut self) -> char {
        let ch = self.read().ch;
        if ch != EOF {
            self.unread();
        }
        ch
    }

    fn decode(&mut self) -> char {
        let rest = self.text.get(self.next..).unwrap_or("");
        let Some(ch) = rest.chars().next() else {
            return EOF;
        };
        self.next += ch.len_utf8();
        if ch != '\r' {
            return ch;
        }
        if rest.as_bytes().get(1) == Some(&b'\n') {
            self.next += 1;
        }
        '\n'
    }
}
