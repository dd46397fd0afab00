//! Acknowledgement levels: what a request asks for, and what it is promised.

use alloc::string::String;
use alloc::vec::Vec;

use super::head::Head;
use super::params::Params;
use super::route::Site;
use crate::model::Quoted;

/// Names a level, in a request and in its answer.
pub(super) const HEADER: &str = "X-Tidegate-Ack";

/// Names a level in the query string, for clients that cannot set headers.
const PARAMETER: &str = "ack";

/// What an acknowledged write survives; each level includes those before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum AckLevel {
    /// Nothing but the life of the process: the points are in the engine.
    Memory,
    /// The end of the process: the points are in the log, which the operating system has yet to
    /// bring to the disk.
    Wal,
    /// A loss of power: the log is synced.
    #[default]
    Durable,
}

impl AckLevel {
    /// All levels, the weakest first.
    pub const ALL: [Self; 3] = [Self::Memory, Self::Wal, Self::Durable];

    /// As people and headers write it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Wal => "wal",
            Self::Durable => "durable",
        }
    }

    /// The inverse of [`word`](Self::word), in any case.
    ///
    /// # Errors
    ///
    /// What is wrong, and which levels there are.
    pub fn parse(word: &[u8]) -> Result<Self, String> {
        let level = |level: &Self| word.eq_ignore_ascii_case(level.word().as_bytes());
        Self::ALL.into_iter().find(level).ok_or_else(|| {
            let given = Quoted(word);
            alloc::format!("invalid acknowledgement level {given} (use memory, wal or durable)")
        })
    }

    /// What a write is promised: the weakest level of this site that is no weaker than any that
    /// the request names, be it in the head or in the query string.
    ///
    /// # Errors
    ///
    /// A status and a text: 400 for a word that is no level. 501 for a level beyond what the
    /// storage of this site can keep: the points are not taken, since less would be given than
    /// was asked for, and no 4xx, on which agents drop their batch.
    pub(super) fn promised(
        head: &Head<'_>,
        params: &Params,
        site: &Site,
    ) -> Result<Self, (u16, String)> {
        let words = head.all(HEADER).chain([params.get(PARAMETER)]);
        let words: Vec<&[u8]> = words
            .map(<[u8]>::trim_ascii)
            .filter(|word| !word.is_empty())
            .collect();
        let mut asked = None;
        for word in words {
            let level = Self::parse(word).map_err(|text| (400, text))?;
            asked = asked.max(Some(level));
        }
        let least = asked.unwrap_or(site.ack);
        let given = site.ack_levels.iter().find(|&&level| level >= least);
        given.copied().ok_or_else(|| {
            let most = site.ack_levels.last().copied().unwrap_or(Self::Memory);
            let text = alloc::format!(
                "acknowledgement level {:?} cannot be given: the storage of this server keeps \
                 points no safer than {:?}; nothing was written",
                least.word(),
                most.word()
            );
            (501, text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promised(
        headers: &[(&str, &[u8])],
        query: &str,
        site: &Site,
    ) -> Result<AckLevel, (u16, String)> {
        let head = Head {
            method: "POST",
            path: "/write",
            query,
            headers,
        };
        AckLevel::promised(&head, &Params::parse(query.as_bytes()), site)
    }

    #[test]
    fn levels_are_ordered_by_what_they_survive() {
        use AckLevel::{Durable, Memory, Wal};
        assert!(Memory < Wal && Wal < Durable);
        assert_eq!(AckLevel::default(), Durable);
        for level in AckLevel::ALL {
            assert_eq!(AckLevel::parse(level.word().as_bytes()), Ok(level));
        }
        assert_eq!(AckLevel::parse(b"WAL"), Ok(Wal));
        for word in [&b""[..], b"dur", b"durable ", b"forwarded", b"0", b"\xff"] {
            let text = AckLevel::parse(word).expect_err("no level");
            assert!(text.contains("use memory, wal or durable"), "{text}");
        }
    }

    #[test]
    fn the_strongest_level_that_a_request_names_counts_and_the_sites_if_it_names_none() {
        use AckLevel::{Durable, Memory, Wal};
        for ack in AckLevel::ALL {
            let site = Site {
                ack,
                ..Site::default()
            };
            for (header, query, level) in [
                ("", "", ack),
                ("  ", "ack=", ack),
                ("wal", "", Wal),
                (" Memory ", "db=d", Memory),
                ("", "db=d&ack=memory", Memory),
                ("memory", "ack=wal", Wal),
                ("durable", "ack=memory", Durable),
                ("memory", "ack=%64urable", Durable),
            ] {
                let headers = [("x-tidegate-ack", header.as_bytes())];
                assert_eq!(
                    promised(&headers, query, &site),
                    Ok(level),
                    "{header:?} {query}"
                );
            }
        }
        let twice = [
            ("X-Tidegate-Ack", &b"wal"[..]),
            ("X-Tidegate-Ack", b"memory"),
        ];
        assert_eq!(promised(&twice, "", &Site::default()), Ok(Wal));
        for (header, query) in [("wal, durable", ""), ("x", "ack=wal"), ("wal", "ack=x")] {
            let headers = [("X-Tidegate-Ack", header.as_bytes())];
            let refused = promised(&headers, query, &Site::default());
            assert_eq!(
                refused.map_err(|(status, _)| status),
                Err(400),
                "{header} {query}"
            );
        }
    }

    #[test]
    fn never_less_is_given_than_was_asked_for() {
        for levels in [
            &[AckLevel::Memory][..],
            &[AckLevel::Durable],
            &[AckLevel::Memory, AckLevel::Durable],
            &AckLevel::ALL,
        ] {
            let most = levels[levels.len() - 1];
            for asked in AckLevel::ALL {
                let query = alloc::format!("ack={}", asked.word());
                let levels: &'static [AckLevel] = alloc::boxed::Box::leak(levels.into());
                let site = Site {
                    ack: most,
                    ack_levels: levels,
                    ..Site::default()
                };
                match promised(&[], &query, &site) {
                    Ok(level) => assert!(level >= asked && levels.contains(&level)),
                    Err((status, text)) => {
                        assert!(asked > most);
                        assert_eq!(status, 501);
                        assert!(text.contains(asked.word()) && text.contains(most.word()));
                    }
                }
                assert_eq!(promised(&[], "", &site), Ok(most));
            }
        }
    }
}
