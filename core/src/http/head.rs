//! The request as far as it is decided on before its body: method, path, query string, headers.

/// A request's head, borrowed from the host.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// `GET`, `POST` ... as it came.
    pub method: &'a str,
    /// What stands before `?`, not decoded.
    pub path: &'a str,
    /// What stands after `?`, not decoded; empty if nothing does.
    pub query: &'a str,
    /// Names in any case, and values.
    pub headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Head<'a> {
    /// All values of a header, in order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let named = move |header: &&(&str, &[u8])| header.0.eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|&(_, value)| value)
    }

    /// The first value of a header, without the spaces around it; empty if there is none.
    pub fn get(&self, name: &str) -> &'a [u8] {
        self.all(name).next().unwrap_or_default().trim_ascii()
    }

    /// The length of the body, if the head states it.
    pub fn content_length(&self) -> Option<u64> {
        core::str::from_utf8(self.get("Content-Length"))
            .ok()?
            .parse()
            .ok()
    }
}
