//! JSON Web Tokens that somebody signed who knows the shared secret.
//!
//! Source: influxdb 1.12 `services/httpd.authenticate` and golang-jwt 4.5 `Parser.Parse`, in
//! their order of checks and with their texts.

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};
use tidegate_core::http::Base64;

const EXPIRED: &str = "Token is expired";
const NOT_YET: &str = "Token is not valid yet";
const BEFORE_ISSUED: &str = "Token used before issued";
const BAD_SIGNATURE: &str = "signature is invalid";
/// For JSON that is broken somewhere inside, where upstream quotes its parser.
const MALFORMED: &str = "token is malformed";

/// Methods that upstream knows, and does not take.
const OTHER_METHODS: [&str; 11] = [
    "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "EdDSA",
    "none",
];

/// The user that a token names; the error is the text of the 401. `now_s` is seconds since the
/// epoch.
pub(super) fn user_of(token: &[u8], secret: &[u8], now_s: i64) -> Result<String, String> {
    let parts: Vec<&[u8]> = token.split(|&byte| byte == b'.').collect();
    let Ok([head, claims, signature]) = <[&[u8]; 3]>::try_from(parts) else {
        return Err("token contains an invalid number of segments".into());
    };
    let signed = token.len() - signature.len() - 1;
    let signed = token.get(..signed).unwrap_or_default();
    let head = object(head, "unexpected end of JSON input")?;
    let claims = object(claims, "EOF")?;
    let method = match head.get("alg") {
        Some(Value::String(method)) => method.as_str(),
        _ => return Err("signing method (alg) is unspecified.".into()),
    };
    let verify = match method {
        "HS256" => verify::<Sha256>,
        "HS384" => verify::<Sha384>,
        "HS512" => verify::<Sha512>,
        other if OTHER_METHODS.contains(&other) => {
            return Err(format!("unexpected signing method: {other}"));
        }
        _ => return Err("signing method (alg) is unavailable.".into()),
    };
    // A signature that is wrong is told rather than a time that is.
    verify(secret, signed, &decode(signature)?)?;
    in_time(&claims, now_s)?;
    if !claims.get("exp").is_some_and(|exp| number(exp) > Some(0.0)) {
        return Err("token expiration required".into());
    }
    match claims.get("username") {
        Some(Value::String(name)) if name.is_empty() => Err("token must contain a username".into()),
        Some(Value::String(name)) => Ok(name.clone()),
        _ => Err("username in token must be a string".into()),
    }
}

fn decode(part: &[u8]) -> Result<Vec<u8>, String> {
    let illegal = |at| format!("illegal base64 data at input byte {at}");
    Base64::UrlUnpadded.decode(part).map_err(illegal)
}

/// The object in a part. What follows it does not matter, as with upstream's claims.
fn object(part: &[u8], empty: &str) -> Result<Map<String, Value>, String> {
    let bytes = decode(part)?;
    let Some(&first) = bytes.trim_ascii_start().first() else {
        return Err(empty.into());
    };
    if !b"{[\"-0123456789tfn".contains(&first) {
        let letter = char::from(first);
        return Err(format!(
            "invalid character {} looking for beginning of value",
            quoted(letter)
        ));
    }
    let mut values = serde_json::Deserializer::from_slice(&bytes).into_iter();
    let kind = match values.next() {
        Some(Ok(Value::Object(object))) => return Ok(object),
        Some(Ok(Value::Null)) => return Ok(Map::new()),
        Some(Ok(Value::Array(_))) => "array",
        Some(Ok(Value::String(_))) => "string",
        Some(Ok(Value::Number(_))) => "number",
        Some(Ok(Value::Bool(_))) => "bool",
        _ => return Err(MALFORMED.into()),
    };
    Err(format!(
        "json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    ))
}

/// A character as Go quotes it.
fn quoted(letter: char) -> String {
    match letter {
        '\'' => r"'\''".into(),
        '\u{7}' => r"'\a'".into(),
        '\u{8}' => r"'\b'".into(),
        '\u{b}' => r"'\v'".into(),
        '\u{c}' => r"'\f'".into(),
        '\\' => r"'\\'".into(),
        ..'\u{20}' | '\u{7f}' => format!("'\\x{:02x}'", letter as u32),
        '\u{80}'..='\u{a0}' | '\u{ad}' => format!("'\\u{:04x}'", letter as u32),
        letter => format!("'{letter}'"),
    }
}

fn verify<D: EagerHash>(secret: &[u8], signed: &[u8], signature: &[u8]) -> Result<(), String> {
    let mac = Hmac::<D>::new_from_slice(secret).map_err(|_| BAD_SIGNATURE.to_owned())?;
    let mac = mac.chain_update(signed);
    // Takes as long wherever the two differ.
    mac.verify_slice(signature)
        .map_err(|_| BAD_SIGNATURE.to_owned())
}

/// The last complaint counts, as upstream's overwrite each other.
fn in_time(claims: &Map<String, Value>, now_s: i64) -> Result<(), String> {
    let holds = |name: &str, holds: fn(i64, i64) -> bool| match claims.get(name) {
        None => true,
        Some(value) => match number(value) {
            // Zero is as good as absent.
            Some(0.0) => true,
            // Whole seconds count; what no clock ever shows holds for nothing.
            Some(time) if time.abs() < 9e18 => holds(now_s, time as i64),
            _ => false,
        },
    };
    let mut complaint = None;
    if !holds("exp", |now, end| now < end) {
        complaint = Some(EXPIRED);
    }
    if !holds("iat", |now, start| now >= start) {
        complaint = Some(BEFORE_ISSUED);
    }
    if !holds("nbf", |now, start| now >= start) {
        complaint = Some(NOT_YET);
    }
    complaint.map_or(Ok(()), |text| Err(text.into()))
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"sesame";
    const NOW_S: i64 = 1_700_000_000;

    /// Base64 as tokens have it.
    fn encode(bytes: &[u8]) -> String {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let group = |group: &[u8]| {
            let bits = (0..3).fold(0, |bits, at| {
                bits << 8 | u32::from(group.get(at).copied().unwrap_or(0))
            });
            let letter = move |at| char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize]);
            (0..=group.len()).map(letter).collect::<String>()
        };
        bytes.chunks(3).map(group).collect()
    }

    fn signed(head: &str, claims: &str) -> String {
        let text = format!("{}.{}", encode(head.as_bytes()), encode(claims.as_bytes()));
        let mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("a key");
        let mac = mac.chain_update(text.as_bytes()).finalize();
        format!("{text}.{}", encode(&mac.into_bytes()))
    }

    fn read(token: &str) -> Result<String, String> {
        user_of(token.as_bytes(), SECRET, NOW_S)
    }

    #[test]
    fn claims_are_judged_in_upstreams_order() {
        let later = NOW_S + 1;
        for (claims, verdict) in [
            (format!(r#"{{"username":"w","exp":{later}}}"#), Ok("w")),
            (format!(r#"{{"username":"w","exp":{later}.9}}"#), Ok("w")),
            (
                format!(r#"{{"username":"w","exp":{later},"nbf":{NOW_S}}}"#),
                Ok("w"),
            ),
            (format!(r#"{{"username":"w","exp":{later}}} x"#), Ok("w")),
            (format!(r#"{{"username":"w","exp":{NOW_S}}}"#), Err(EXPIRED)),
            (r#"{"username":"w","exp":-1}"#.into(), Err(EXPIRED)),
            (r#"{"username":"w","exp":"x"}"#.into(), Err(EXPIRED)),
            (r#"{"username":"w","exp":null}"#.into(), Err(EXPIRED)),
            (r#"{"username":"w","exp":1e300}"#.into(), Err(EXPIRED)),
            (
                r#"{"username":"w","exp":0}"#.into(),
                Err("token expiration required"),
            ),
            (
                r#"{"username":"w"}"#.into(),
                Err("token expiration required"),
            ),
            ("null".into(), Err("token expiration required")),
            (format!(r#"{{"exp":9,"nbf":{later}}}"#), Err(NOT_YET)),
            (format!(r#"{{"exp":9,"iat":{later}}}"#), Err(BEFORE_ISSUED)),
            (
                format!(r#"{{"exp":{later}}}"#),
                Err("username in token must be a string"),
            ),
            (
                format!(r#"{{"exp":{later},"username":5}}"#),
                Err("username in token must be a string"),
            ),
            (
                format!(r#"{{"exp":{later},"username":""}}"#),
                Err("token must contain a username"),
            ),
            ("{".into(), Err(MALFORMED)),
            (String::new(), Err("EOF")),
            (
                "[1]".into(),
                Err("json: cannot unmarshal array into Go value of type map[string]interface {}"),
            ),
        ] {
            let read = read(&signed(r#"{"alg":"HS256","typ":"JWT"}"#, &claims));
            let expected = verdict.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(read, expected, "{claims}");
        }
    }

    #[test]
    fn only_what_the_secret_signed_counts() {
        let claims = format!(r#"{{"username":"w","exp":{}}}"#, NOW_S + 1);
        let good = signed(r#"{"alg":"HS256"}"#, &claims);
        assert_eq!(read(&good), Ok("w".into()));
        let bad = |text: &str| Err::<String, String>(text.into());
        let wrong = user_of(good.as_bytes(), b"sesame2", NOW_S);
        assert_eq!(wrong, bad(BAD_SIGNATURE));
        let cut = good.rsplit_once('.').expect("a dot").0;
        assert_eq!(read(&format!("{cut}.")), bad(BAD_SIGNATURE));
        assert_eq!(
            read(cut),
            bad("token contains an invalid number of segments")
        );
        let expired = signed(r#"{"alg":"HS256"}"#, r#"{"exp":1}"#);
        let (text, _) = expired.rsplit_once('.').expect("a dot");
        assert_eq!(read(&format!("{text}.AAAA")), bad(BAD_SIGNATURE));
    }

    #[test]
    fn other_methods_are_refused_by_name() {
        for (head, text) in [
            (r#"{"alg":"none"}"#, "unexpected signing method: none"),
            (r#"{"alg":"RS256"}"#, "unexpected signing method: RS256"),
            (r#"{"alg":"HS999"}"#, "signing method (alg) is unavailable."),
            (r#"{"alg":256}"#, "signing method (alg) is unspecified."),
            ("{}", "signing method (alg) is unspecified."),
        ] {
            let claims = format!(r#"{{"username":"w","exp":{}}}"#, NOW_S + 1);
            assert_eq!(read(&signed(head, &claims)), Err(text.into()), "{head}");
        }
    }

    #[test]
    fn garbage_is_named() {
        for (token, text) in [
            ("", "token contains an invalid number of segments"),
            ("a.b.c.d", "token contains an invalid number of segments"),
            ("a.b.c", "illegal base64 data at input byte 0"),
            ("e30.a!.c", "illegal base64 data at input byte 1"),
            (
                "abcd.e30.c",
                "invalid character 'i' looking for beginning of value",
            ),
            (
                "AA.e30.c",
                r"invalid character '\x00' looking for beginning of value",
            ),
            ("..", "unexpected end of JSON input"),
            ("e30..", "EOF"),
        ] {
            assert_eq!(read(token), Err(text.into()), "{token}");
        }
    }
}
