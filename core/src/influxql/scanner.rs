//! Text to tokens.
//!
//! Source: influxql 1.4 `Scanner`, whose habits reach the user through error positions: a
//! string is said to start one character early, a bad escape at its escaped character, and
//! `ab"c"` is the name `c`.

use alloc::string::String;

use super::reader::{EOF, Reader, Slot};
use super::token::{Lexeme, Pos, Token, lookup};

pub(super) struct Scanner<'a> {
    reader: Reader<'a>,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            reader: Reader::new(text),
        }
    }

    /// The character after the last token.
    pub(super) fn peek(&mut self) -> char {
        self.reader.peek()
    }

    /// Reads the next token, white space and comments included.
    pub(super) fn scan(&mut self) -> Lexeme {
        let first = self.reader.read();
        match first.ch {
            ' ' | '\t' | '\n' => self.whitespace(first),
            '_' | '"' | 'a'..='z' | 'A'..='Z' => {
                self.reader.unread();
                self.name(first.start, true)
            }
            '0'..='9' => self.number(first),
            '\'' => {
                let (token, pos, text) = self.string();
                Lexeme {
                    token,
                    pos,
                    text,
                    start: first.start,
                }
            }
            '.' => {
                let digit = self.reader.read().ch.is_ascii_digit();
                self.reader.unread();
                if digit {
                    self.number(first)
                } else {
                    bare(Token::Dot, first)
                }
            }
            '$' => self.bound_parameter(first),
            _ => self.symbol(first),
        }
    }

    /// Reads `/pattern/`, in which only `\/` is an escape.
    pub(super) fn scan_regex(&mut self) -> Lexeme {
        let Slot { pos, .. } = self.reader.current();
        let open = self.reader.read();
        let mut text = String::new();
        let token = loop {
            if open.ch != '/' {
                break Token::BadRegex;
            }
            match self.reader.read().ch {
                '/' => break Token::Regex,
                EOF | '\n' => break Token::BadRegex,
                '\\' => match self.reader.read().ch {
                    '/' => text.push('/'),
                    EOF => break Token::BadRegex,
                    _ => {
                        self.reader.unread();
                        text.push('\\');
                    }
                },
                ch => text.push(ch),
            }
        };
        if token == Token::BadRegex {
            text.clear();
        }
        Lexeme {
            token,
            pos,
            text,
            start: open.start,
        }
    }

    fn whitespace(&mut self, first: Slot) -> Lexeme {
        let mut text = String::from(first.ch);
        loop {
            match self.reader.read().ch {
                EOF => break,
                ch if is_whitespace(ch) => text.push(ch),
                _ => {
                    self.reader.unread();
                    break;
                }
            }
        }
        Lexeme {
            token: Token::Whitespace,
            pos: first.pos,
            text,
            start: first.start,
        }
    }

    fn name(&mut self, start: usize, keywords: bool) -> Lexeme {
        let Slot { pos, .. } = self.reader.read();
        self.reader.unread();
        let mut text = String::new();
        loop {
            match self.reader.read().ch {
                EOF => break,
                '"' => {
                    let (token, string_pos, text) = self.string();
                    if token == Token::String {
                        return Lexeme {
                            token: Token::Identifier,
                            pos,
                            text,
                            start,
                        };
                    }
                    return Lexeme {
                        token,
                        pos: string_pos,
                        text,
                        start,
                    };
                }
                ch if is_name(ch) => {
                    text.push(ch);
                    self.bare_name(&mut text);
                }
                _ => {
                    self.reader.unread();
                    break;
                }
            }
        }
        let token = if keywords {
            lookup(&text)
        } else {
            Token::Identifier
        };
        if token != Token::Identifier {
            text.clear();
        }
        Lexeme {
            token,
            pos,
            text,
            start,
        }
    }

    /// Reads the rest of a bare name. The end of the text is read with it: that is why an
    /// error at the end points one character further after a name than after a number.
    fn bare_name(&mut self, text: &mut String) {
        loop {
            match self.reader.read().ch {
                EOF => return,
                ch if is_name(ch) => text.push(ch),
                _ => {
                    self.reader.unread();
                    return;
                }
            }
        }
    }

    /// Reads a string whose opening quote, of either kind, is the current character.
    fn string(&mut self) -> (Token, Pos, String) {
        self.reader.unread();
        let Slot { pos, .. } = self.reader.current();
        let quote = self.reader.read().ch;
        let mut text = String::new();
        loop {
            match self.reader.read().ch {
                ch if ch == quote => return (Token::String, pos, text),
                EOF | '\n' => return (Token::BadString, pos, text),
                '\\' => match self.reader.read().ch {
                    'n' => text.push('\n'),
                    ch @ ('\\' | '"' | '\'') => text.push(ch),
                    ch => {
                        let text = String::from_iter(['\\', ch]);
                        return (Token::BadEscape, self.reader.current().pos, text);
                    }
                },
                ch => text.push(ch),
            }
        }
    }

    /// Reads an integer, a number or a duration. The first digit or the dot is current.
    fn number(&mut self, first: Slot) -> Lexeme {
        self.reader.unread();
        let mut text = String::new();
        self.run_of(&mut text, |ch| ch.is_ascii_digit());
        let token = if self.reader.read().ch == '.' {
            let digit = self.reader.read().ch;
            if digit.is_ascii_digit() {
                text.push('.');
                text.push(digit);
                self.run_of(&mut text, |ch| ch.is_ascii_digit());
            } else {
                self.reader.unread();
            }
            Token::Number
        } else {
            self.reader.unread();
            let digits = text.len();
            self.run_of(&mut text, is_unit);
            if text.len() == digits {
                Token::Integer
            } else {
                self.run_of(&mut text, |ch| is_unit(ch) || ch.is_ascii_digit());
                Token::DurationValue
            }
        };
        Lexeme {
            token,
            pos: first.pos,
            text,
            start: first.start,
        }
    }

    fn run_of(&mut self, text: &mut String, accept: fn(char) -> bool) {
        loop {
            let ch = self.reader.read().ch;
            if !accept(ch) {
                self.reader.unread();
                return;
            }
            text.push(ch);
        }
    }

    fn bound_parameter(&mut self, first: Slot) -> Lexeme {
        let name = self.name(first.start, false);
        let token = match name.token {
            Token::Identifier => Token::BoundParameter,
            bad => bad,
        };
        let text = alloc::format!("${}", name.text);
        Lexeme {
            token,
            pos: first.pos,
            text,
            start: first.start,
        }
    }

    fn symbol(&mut self, first: Slot) -> Lexeme {
        let token = match first.ch {
            EOF => Token::Eof,
            '+' => Token::Add,
            '-' => self.minus(),
            '*' => Token::Multiply,
            '/' => self.slash(),
            '%' => Token::Modulo,
            '&' => Token::BitAnd,
            '|' => Token::BitOr,
            '^' => Token::BitXor,
            '=' => self.either(Token::Equal, &[('~', Token::Matches)]),
            '!' => {
                let both = [('=', Token::NotEqual), ('~', Token::NotMatches)];
                self.either(Token::Illegal, &both)
            }
            '>' => self.either(Token::Greater, &[('=', Token::GreaterEqual)]),
            '<' => {
                let both = [('=', Token::LessEqual), ('>', Token::NotEqual)];
                self.either(Token::Less, &both)
            }
            '(' => Token::LeftParen,
            ')' => Token::RightParen,
            ',' => Token::Comma,
            ';' => Token::Semicolon,
            ':' => self.either(Token::Colon, &[(':', Token::DoubleColon)]),
            _ => Token::Illegal,
        };
        let mut lexeme = bare(token, first);
        if token == Token::Illegal && first.ch != '/' {
            lexeme.text.push(first.ch);
        }
        lexeme
    }

    fn either(&mut self, alone: Token, followed: &[(char, Token)]) -> Token {
        let ch = self.reader.read().ch;
        if let Some(&(_, token)) = followed.iter().find(|&&(next, _)| next == ch) {
            return token;
        }
        self.reader.unread();
        alone
    }

    fn minus(&mut self) -> Token {
        if self.reader.read().ch != '-' {
            self.reader.unread();
            return Token::Subtract;
        }
        while !matches!(self.reader.read().ch, '\n' | EOF) {}
        Token::Comment
    }

    fn slash(&mut self) -> Token {
        if self.reader.read().ch != '*' {
            self.reader.unread();
            return Token::Divide;
        }
        let mut star = false;
        loop {
            match self.reader.read().ch {
                EOF => return Token::Illegal,
                '/' if star => return Token::Comment,
                ch => star = ch == '*',
            }
        }
    }
}

fn bare(token: Token, at: Slot) -> Lexeme {
    Lexeme {
        token,
        pos: at.pos,
        text: String::new(),
        start: at.start,
    }
}

/// White space between tokens. Other Unicode spaces are illegal characters.
pub(super) const fn is_whitespace(ch: char) -> bool {
    matches!(ch, ' ' | '\t' | '\n')
}

/// A character of a bare name; the first one may not be a digit.
pub(super) const fn is_name(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || ch == '_'
}

/// A letter of a duration's unit.
const fn is_unit(ch: char) -> bool {
    ch.is_ascii_alphabetic() || ch == '\u{b5}'
}
