//! Values of bound parameters: the JSON object in `params`.

use alloc::string::String;
use alloc::vec::Vec;

use crate::influxql::{BindValue, Params};

/// Parses the object; an empty text is none.
///
/// A value is a string, a number, a boolean, or an object that names the type of its only
/// member: `{"regex": "c.*"}`, `{"identifier": "cpu"}`, `{"duration": "1h"}` ...
///
/// # Errors
///
/// The text of a 400.
///
/// Source: influxdb 1.12 `services/httpd.serveQuery`, influxql 1.4 `BindValue`.
pub(super) fn parse(text: &str) -> Result<Params, String> {
    let mut params = Params::new();
    if text.is_empty() {
        return Ok(params);
    }
    let mut json = Json { rest: text };
    match json.object(true) {
        Some(members) => {
            for (name, value) in members {
                params.insert(name, value.bind()?);
            }
            Ok(params)
        }
        None => Err(alloc::format!(
            "error parsing query parameters: invalid JSON object at character {}",
            text.len() - json.rest.len() + 1
        )),
    }
}

enum Value {
    Null,
    Boolean(bool),
    /// As written.
    Number(String),
    String(String),
    Object(Vec<(String, Self)>),
}

impl Value {
    fn bind(self) -> Result<BindValue, String> {
        Ok(match self {
            Self::Boolean(value) => BindValue::Boolean(value),
            Self::String(value) => BindValue::String(value),
            Self::Number(text) if text.contains('.') => match text.parse() {
                Ok(value) => BindValue::Number(value),
                Err(_) => return Err(unusable(&text)),
            },
            Self::Number(text) => match text.parse() {
                Ok(value) => BindValue::Integer(value),
                Err(_) => return Err(unusable(&text)),
            },
            Self::Object(members) => match <[_; 1]>::try_from(members) {
                Ok([(kind, value)]) => typed(&kind, value)?,
                Err(_) => BindValue::Error(
                    "bound object parameter value must have exactly one entry".into(),
                ),
            },
            Self::Null => BindValue::Error("unable to bind parameter with type <nil>".into()),
        })
    }
}

fn typed(kind: &str, value: Value) -> Result<BindValue, String> {
    Ok(match (kind, value) {
        ("ident" | "identifier", Value::String(text)) => BindValue::Identifier(text),
        ("regex", Value::String(text)) => BindValue::Regex(text),
        ("string", Value::String(text)) => BindValue::String(text),
        ("float" | "number", Value::Number(text)) => match text.parse() {
            Ok(value) => BindValue::Number(value),
            Err(_) => return Err(unusable(&text)),
        },
        ("int" | "integer", value @ Value::Number(_)) => value.bind()?,
        ("duration", Value::String(text)) => match crate::influxql::parse_duration(&text) {
            Ok(duration) => BindValue::Duration(duration),
            Err(error) => BindValue::Error(error),
        },
        ("duration", Value::Number(text)) => match text.parse() {
            Ok(duration) => BindValue::Duration(duration),
            Err(_) => return Err(unusable(&text)),
        },
        (kind, _) => BindValue::Error(alloc::format!("unable to bind as {kind}")),
    })
}

fn unusable(number: &str) -> String {
    alloc::format!("error parsing json value: {number} is out of range")
}

struct Json<'a> {
    rest: &'a str,
}

impl Json<'_> {
    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> Option<()> {
        self.skip();
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn object(&mut self, nested: bool) -> Option<Vec<(String, Value)>> {
        let mut members = Vec::new();
        self.eat("{")?;
        if self.eat("}").is_some() {
            return Some(members);
        }
        loop {
            self.skip();
            let name = self.string()?;
            self.eat(":")?;
            members.push((name, self.value(nested)?));
            if self.eat(",").is_none() {
                self.eat("}")?;
                return Some(members);
            }
        }
    }

    /// Objects may stand in the outer one only, so nothing nests deeply.
    fn value(&mut self, nested: bool) -> Option<Value> {
        self.skip();
        Some(match self.rest.chars().next()? {
            '"' => Value::String(self.string()?),
            '{' if nested => Value::Object(self.object(false)?),
            't' => self.eat("true").map(|()| Value::Boolean(true))?,
            'f' => self.eat("false").map(|()| Value::Boolean(false))?,
            'n' => self.eat("null").map(|()| Value::Null)?,
            _ => {
                let number =
                    |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
                let end = self.rest.find(|c| !number(c)).unwrap_or(self.rest.len());
                let (number, rest) = self.rest.split_at(end);
                number.parse::<f64>().ok()?;
                self.rest = rest;
                Value::Number(number.into())
            }
        })
    }

    fn string(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut chars = self.rest.strip_prefix('"')?.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => out.push(match chars.next()? {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\x08',
                    'f' => '\x0c',
                    'u' => unicode(&mut chars)?,
                    c @ ('"' | '\\' | '/') => c,
                    _ => return None,
                }),
                c if c < ' ' => return None,
                c => out.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(out)
    }
}

/// Four digits, or twice four for a pair; half a pair becomes the replacement character.
fn unicode(chars: &mut core::str::Chars<'_>) -> Option<char> {
    let four = |chars: &mut core::str::Chars<'_>| {
        (0..4).try_fold(0, |code, _| Some(code * 16 + chars.next()?.to_digit(16)?))
    };
    let code = four(chars)?;
    let mut ahead = chars.clone();
    if (0xd800..0xdc00).contains(&code)
        && ahead.next() == Some('\\')
        && ahead.next() == Some('u')
        && let Some(low @ 0xdc00..0xe000) = four(&mut ahead)
    {
        *chars = ahead;
        return char::from_u32(0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00));
    }
    Some(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_types() {
        let text = r#" {"a": 3, "b":-1.5,"c":"\u00e9\n\ud83d\ude00\ud83d","d":true,
            "e":{"regex":"c.*"},"f":{"duration":"1h"},"g":{"float":2}} "#;
        let params = parse(text).unwrap();
        assert_eq!(params["a"], BindValue::Integer(3));
        assert_eq!(params["b"], BindValue::Number(-1.5));
        assert_eq!(
            params["c"],
            BindValue::String("\u{e9}\n\u{1f600}\u{fffd}".into())
        );
        assert_eq!(params["d"], BindValue::Boolean(true));
        assert_eq!(params["e"], BindValue::Regex("c.*".into()));
        assert_eq!(params["f"], BindValue::Duration(3_600_000_000_000));
        assert_eq!(params["g"], BindValue::Number(2.0));
    }

    #[test]
    fn what_is_not_an_object_is_refused_with_its_place() {
        for text in [
            "[",
            "{",
            "{\"a\"}",
            "{\"a\":{\"b\":{}}}",
            "{\"a\":1e}",
            "\"",
            "{\"a\":\"\\u12\"}",
        ] {
            let error = parse(text).unwrap_err();
            assert!(
                error.starts_with("error parsing query parameters: "),
                "{text}: {error}"
            );
        }
        assert!(parse("{\"a\":99999999999999999999}").is_err());
    }
}
