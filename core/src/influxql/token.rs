//! The tokens of the language: names, keywords and operator precedence.

/// Declares [`Token`], the text of each token in errors, and the keyword table.
macro_rules! tokens {
    (
        plain { $($(#[$pdoc:meta])* $plain:ident => $ptext:literal,)* }
        keyword { $($keyword:ident => $ktext:literal,)* }
    ) => {
        /// One lexical class.
        ///
        /// Source: influxql 1.4 `Token`; the texts are what its errors print.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Token {
            $($(#[$pdoc])* $plain,)*
            $($keyword,)*
        }

        impl Token {
            /// The text of the token in errors; empty for those upstream left without one.
            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$plain => $ptext,)*
                    $(Self::$keyword => $ktext,)*
                }
            }
        }

        const KEYWORDS: &[(&str, Token)] = &[$(($ktext, Token::$keyword),)*];
    };
}

tokens! {
    plain {
        /// A character that starts nothing.
        Illegal => "ILLEGAL",
        /// The end of the text, or a NUL in it.
        Eof => "EOF",
        /// A run of white space.
        Whitespace => "WS",
        /// `-- ...` or `/* ... */`.
        Comment => "",
        /// A bare or double-quoted name.
        Identifier => "IDENT",
        /// `$name`.
        BoundParameter => "",
        /// Digits with a decimal point.
        Number => "NUMBER",
        /// Digits alone.
        Integer => "",
        /// Digits directly followed by letters.
        DurationValue => "DURATIONVAL",
        /// Text in single quotes.
        String => "STRING",
        /// A quote that is not closed on its line.
        BadString => "BADSTRING",
        /// A backslash before a character that needs none.
        BadEscape => "BADESCAPE",
        /// `/pattern/`.
        Regex => "REGEX",
        /// A pattern that is not closed on its line.
        BadRegex => "",
        Add => "+",
        Subtract => "-",
        Multiply => "*",
        Divide => "/",
        Modulo => "%",
        BitAnd => "&",
        BitOr => "|",
        BitXor => "^",
        Equal => "=",
        NotEqual => "!=",
        Matches => "=~",
        NotMatches => "!~",
        Less => "<",
        LessEqual => "<=",
        Greater => ">",
        GreaterEqual => ">=",
        LeftParen => "(",
        RightParen => ")",
        Comma => ",",
        Colon => ":",
        DoubleColon => "::",
        Semicolon => ";",
        Dot => ".",
    }
    keyword {
        True => "TRUE",
        False => "FALSE",
        And => "AND",
        Or => "OR",
        In => "IN",
        All => "ALL",
        Alter => "ALTER",
        Analyze => "ANALYZE",
        Any => "ANY",
        As => "AS",
        Asc => "ASC",
        Begin => "BEGIN",
        By => "BY",
        Cardinality => "CARDINALITY",
        Create => "CREATE",
        Continuous => "CONTINUOUS",
        Database => "DATABASE",
        Databases => "DATABASES",
        Default => "DEFAULT",
        Delete => "DELETE",
        Desc => "DESC",
        Destinations => "DESTINATIONS",
        Diagnostics => "DIAGNOSTICS",
        Distinct => "DISTINCT",
        Drop => "DROP",
        Duration => "DURATION",
        End => "END",
        Every => "EVERY",
        Exact => "EXACT",
        Explain => "EXPLAIN",
        Field => "FIELD",
        For => "FOR",
        From => "FROM",
        Future => "FUTURE",
        Grant => "GRANT",
        Grants => "GRANTS",
        Group => "GROUP",
        Groups => "GROUPS",
        Inf => "INF",
        Insert => "INSERT",
        Into => "INTO",
        Key => "KEY",
        Keys => "KEYS",
        Kill => "KILL",
        Limit => "LIMIT",
        Measurement => "MEASUREMENT",
        Measurements => "MEASUREMENTS",
        Name => "NAME",
        Offset => "OFFSET",
        On => "ON",
        Order => "ORDER",
        Password => "PASSWORD",
        Past => "PAST",
        Policy => "POLICY",
        Policies => "POLICIES",
        Privileges => "PRIVILEGES",
        Queries => "QUERIES",
        Query => "QUERY",
        Read => "READ",
        Replication => "REPLICATION",
        Resample => "RESAMPLE",
        Retention => "RETENTION",
        Revoke => "REVOKE",
        Select => "SELECT",
        Series => "SERIES",
        Set => "SET",
        Show => "SHOW",
        Shard => "SHARD",
        Shards => "SHARDS",
        Slimit => "SLIMIT",
        Soffset => "SOFFSET",
        Stats => "STATS",
        Subscription => "SUBSCRIPTION",
        Subscriptions => "SUBSCRIPTIONS",
        Tag => "TAG",
        To => "TO",
        User => "USER",
        Users => "USERS",
        Values => "VALUES",
        Verbose => "VERBOSE",
        Where => "WHERE",
        With => "WITH",
        Write => "WRITE",
    }
}

/// The keyword that `word` spells, in any case, or [`Token::Identifier`].
///
/// Source: influxql 1.4 `Lookup`.
pub(super) fn lookup(word: &str) -> Token {
    KEYWORDS
        .iter()
        .find(|(text, _)| text.eq_ignore_ascii_case(word))
        .map_or(Token::Identifier, |&(_, token)| token)
}

/// Where a token starts. Both count from zero; errors print them from one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pos {
    /// Line of the query text.
    pub line: u32,
    /// Character (not byte) of the line.
    pub char: u32,
}

/// A token as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) pos: Pos,
    /// The text of names, numbers and strings, unescaped; empty for the rest.
    pub(super) text: alloc::string::String,
    /// Byte offset of its first character in the query text.
    pub(super) start: usize,
}

impl Lexeme {
    pub(super) const EMPTY: Self = Self {
        token: Token::Illegal,
        pos: Pos { line: 0, char: 0 },
        text: alloc::string::String::new(),
        start: 0,
    };

    /// What an error says it found: the text if there is one, else the name of the token.
    pub(super) fn found(&self) -> alloc::string::String {
        if self.text.is_empty() {
            return self.token.as_str().into();
        }
        self.text.clone()
    }
}
