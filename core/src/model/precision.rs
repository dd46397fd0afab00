//! The unit of the timestamps in a body.

/// The unit a client counts its timestamps in; nanoseconds inside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// `n`, `ns` or absent.
    #[default]
    Nanosecond,
    /// `u`, `us` in v2.
    Microsecond,
    /// `ms`.
    Millisecond,
    /// `s`.
    Second,
    /// `m`, v1 only.
    Minute,
    /// `h`, v1 only.
    Hour,
}

impl Precision {
    /// Nanoseconds in one unit.
    pub const fn nanoseconds(self) -> i64 {
        match self {
            Self::Nanosecond => 1,
            Self::Microsecond => 1_000,
            Self::Millisecond => 1_000_000,
            Self::Second => 1_000_000_000,
            Self::Minute => 60_000_000_000,
            Self::Hour => 3_600_000_000_000,
        }
    }

    /// The `precision` parameter of `/write`; `None` for what upstream refuses.
    ///
    /// Source: influxdb 1.12 `services/httpd.serveWriteV1`.
    pub fn from_v1(text: &str) -> Option<Self> {
        Some(match text {
            "" | "n" | "ns" => Self::Nanosecond,
            "u" => Self::Microsecond,
            "ms" => Self::Millisecond,
            "s" => Self::Second,
            "m" => Self::Minute,
            "h" => Self::Hour,
            _ => return None,
        })
    }

    /// The `precision` parameter of `/api/v2/write`; `None` for what upstream refuses.
    ///
    /// Source: influxdb 1.12 `services/httpd.serveWriteV2`.
    pub fn from_v2(text: &str) -> Option<Self> {
        Some(match text {
            "" | "ns" => Self::Nanosecond,
            "us" => Self::Microsecond,
            "ms" => Self::Millisecond,
            "s" => Self::Second,
            _ => return None,
        })
    }

    /// The byte that crosses the guest boundary.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The inverse of [`code`](Self::code).
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Nanosecond,
            1 => Self::Microsecond,
            2 => Self::Millisecond,
            3 => Self::Second,
            4 => Self::Minute,
            5 => Self::Hour,
            _ => return None,
        })
    }
}
