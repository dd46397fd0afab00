//! Who a request says it comes from.

use alloc::vec::Vec;
use core::fmt;

use super::base64::Base64;
use super::head::Head;
use super::params::Params;

/// Credentials as a request brings them; checking them is the host's.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A name, possibly empty, and a password.
    User {
        /// Not necessarily UTF-8.
        name: Vec<u8>,
        /// In clear; never printed.
        password: Vec<u8>,
    },
    /// A JSON Web Token.
    Bearer(Vec<u8>),
}

impl Credentials {
    /// The text of the 401 to a request without credentials, or with some that nobody reads.
    pub const UNREADABLE: &'static str = "unable to parse authentication credentials";

    /// Takes the credentials from the parameters `u` and `p` if neither is empty, else from the
    /// header. `params` are those of the address: a form is never asked.
    ///
    /// Source: influxdb 1.12 `services/httpd.parseCredentials`, Go `net/http.Request.BasicAuth`.
    pub fn of(head: &Head<'_>, params: &Params) -> Option<Self> {
        let (name, password) = (params.get("u"), params.get("p"));
        if !name.is_empty() && !password.is_empty() {
            return Some(Self::User {
                name: name.into(),
                password: password.into(),
            });
        }
        let value = head.get("Authorization");
        let mut words = value.split(|&byte| byte == b' ');
        let found = match (words.next(), words.next(), words.next()) {
            (Some(b"Bearer"), Some(token), None) => Some(Self::Bearer(token.into())),
            (Some(b"Token"), Some(pair), None) => Self::pair(pair),
            _ => None,
        };
        found.or_else(|| {
            let (scheme, rest) = value.split_at_checked(BASIC.len())?;
            let pair = scheme.eq_ignore_ascii_case(BASIC).then_some(rest)?;
            Self::pair(&Base64::Padded.decode(pair).ok()?)
        })
    }

    /// `name:password`; the password may hold more colons.
    fn pair(text: &[u8]) -> Option<Self> {
        let colon = text.iter().position(|&byte| byte == b':')?;
        let (name, rest) = text.split_at(colon);
        Some(Self::User {
            name: name.into(),
            password: rest.get(1..).unwrap_or_default().into(),
        })
    }
}

const BASIC: &[u8] = b"basic ";

/// Without what is secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User { .. } => "User",
            Self::Bearer(_) => "Bearer",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, header: &str) -> Option<Credentials> {
        let headers = [("authorization", header.as_bytes())];
        let head = Head {
            method: "GET",
            path: "/",
            query,
            headers: &headers,
        };
        Credentials::of(&head, &Params::parse(query.as_bytes()))
    }

    fn user(name: &str, password: &str) -> Option<Credentials> {
        Some(Credentials::User {
            name: name.into(),
            password: password.into(),
        })
    }

    #[test]
    fn parameters_come_before_the_header_and_only_as_a_pair() {
        assert_eq!(read("u=a&p=b%20c", "Basic dzpwdw=="), user("a", "b c"));
        for query in ["u=a", "p=b", "u=&p=b", "u=a&p=", ""] {
            assert_eq!(read(query, "Basic dzpwdw=="), user("w", "pw"), "{query}");
        }
    }

    #[test]
    fn schemes_are_told_apart_as_upstream_does() {
        let bearer = Some(Credentials::Bearer(b"a.b.c".to_vec()));
        for (header, expected) in [
            ("Token w:p:w", user("w", "p:w")),
            ("Token :", user("", "")),
            ("basic dzpwdw==", user("w", "pw")),
            ("BASIC OnB3", user("", "pw")),
            ("Bearer a.b.c", bearer),
            // Spaces around a header's value are no part of it.
            ("Bearer ", None),
            ("bearer a.b.c", None),
            ("token w:pw", None),
            ("Token w", None),
            ("Token  w:pw", None),
            ("Token w:p w", None),
            ("Basic !!!", None),
            ("Basic dw==", None),
            ("Basic  dzpwdw==", None),
            ("Digest x", None),
            ("", None),
        ] {
            assert_eq!(read("", header), expected, "{header}");
        }
    }

    #[test]
    fn what_is_secret_is_not_printed() {
        let text = alloc::format!("{:?}", read("u=name&p=secret", ""));
        assert!(!text.contains("secret") && !text.contains("name"), "{text}");
    }
}
