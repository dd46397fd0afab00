//! In which format to answer.

use super::head::Head;

/// The formats of query answers and errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// The default.
    #[default]
    Json,
    /// Comma-separated values, asked for as `application/csv`.
    Csv,
    /// The same, asked for as `text/csv`.
    TextCsv,
    /// MessagePack.
    MsgPack,
}

impl Format {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Json, "application/json"),
        (Self::Csv, "application/csv"),
        (Self::TextCsv, "text/csv"),
        (Self::MsgPack, "application/x-msgpack"),
    ];

    /// The format of highest quality among those asked for; JSON if none is known.
    ///
    /// Source: influxdb 1.12 `services/httpd.NewResponseWriter`, `parseAccept`.
    pub fn negotiate(head: &Head<'_>) -> Self {
        let mut best = (0.0, None);
        let clauses = head
            .all("Accept")
            .flat_map(|value| value.split(|&byte| byte == b','));
        for clause in clauses.filter_map(|clause| core::str::from_utf8(clause).ok()) {
            let mut parts = clause.split(';');
            let media = parts.next().unwrap_or_default().trim();
            let quality = parts.find_map(quality).unwrap_or(1.0);
            // Only a strictly better clause displaces an earlier one: the order of upstream's
            // stable sort. Nothing is refused for a quality of zero.
            if (best.1.is_none() || quality > best.0)
                && let Some(format) = Self::of(media)
            {
                best = (quality, Some(format));
            }
        }
        best.1.unwrap_or_default()
    }

    fn of(media: &str) -> Option<Self> {
        let (kind, sub) = if media == "*" {
            ("*", "*")
        } else {
            media.split_once('/')?
        };
        let matches = |(_, full): &&(Self, &str)| {
            let (this, other) = full.split_once('/').unwrap_or_default();
            (kind == "*" || kind.eq_ignore_ascii_case(this))
                && (sub == "*" || sub.eq_ignore_ascii_case(other))
        };
        Self::ALL.iter().find(matches).map(|&(format, _)| format)
    }

    /// The media type.
    pub const fn content_type(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// The value of a `q` parameter; 0 if it is not a number.
fn quality(parameter: &str) -> Option<f64> {
    let (name, value) = parameter.split_once('=')?;
    let named = name.trim().eq_ignore_ascii_case("q");
    named.then(|| value.trim().parse().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &str) -> Format {
        let headers = [("accept", accept.as_bytes())];
        Format::negotiate(&Head {
            method: "GET",
            path: "/",
            query: "",
            headers: &headers,
        })
    }

    #[test]
    fn the_best_known_type_is_taken() {
        for (accept, format) in [
            ("", Format::Json),
            ("text/html", Format::Json),
            ("*/*", Format::Json),
            ("text/*", Format::TextCsv),
            ("application/csv", Format::Csv),
            ("application/x-msgpack", Format::MsgPack),
            ("text/html, text/csv;q=0.5", Format::TextCsv),
            ("*/*;q=0.1, application/x-msgpack;q=0.5", Format::MsgPack),
            ("text/csv, application/json", Format::TextCsv),
            ("text/csv;q=x, application/json;q=0.1", Format::Json),
        ] {
            assert_eq!(negotiated(accept), format, "{accept}");
        }
    }

    #[test]
    fn content_types_stand_at_their_format() {
        for (format, content_type) in Format::ALL {
            assert_eq!(format.content_type(), content_type);
        }
    }
}
