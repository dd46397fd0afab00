//! Databases and retention policies.

use alloc::format;

use super::cursor::Parser;
use crate::influxql::ast::{
    AlterRetentionPolicy, CreateDatabase, CreateRetentionPolicy, DropRetentionPolicy,
    RetentionOptions,
};
use crate::influxql::error::ParseError;
use crate::influxql::token::Token;

impl Parser<'_> {
    /// Reads what follows CREATE DATABASE.
    pub(super) fn create_database(&mut self) -> Result<CreateDatabase, ParseError> {
        let name = self.identifier()?;
        if !self.take(Token::With) {
            return Ok(CreateDatabase {
                name,
                retention: None,
            });
        }
        let found = self.next();
        if !matches!(
            found.token,
            Token::Duration
                | Token::Name
                | Token::Replication
                | Token::Shard
                | Token::Future
                | Token::Past
        ) {
            let expected = ["DURATION", "NAME", "REPLICATION", "SHARD", "FUTURE", "PAST"];
            return Err(ParseError::expected(&found, &expected));
        }
        self.back();
        let mut options = RetentionOptions::default();
        if self.take(Token::Duration) {
            options.duration_ns = Some(self.duration_or_inf()?);
        }
        if self.take(Token::Replication) {
            options.replication = Some(self.replication()?);
        }
        if self.take(Token::Shard) {
            self.expect(Token::Duration)?;
            options.shard_duration_ns = Some(self.duration_or_inf()?);
        }
        options.future_limit_ns = self.optional_limit(Token::Future)?;
        options.past_limit_ns = self.optional_limit(Token::Past)?;
        if self.take(Token::Name) {
            options.name = Some(self.identifier()?);
        }
        Ok(CreateDatabase {
            name,
            retention: Some(options),
        })
    }

    /// Reads what follows CREATE RETENTION POLICY.
    pub(super) fn create_retention_policy(&mut self) -> Result<CreateRetentionPolicy, ParseError> {
        let name = self.identifier()?;
        self.expect(Token::On)?;
        let database = self.identifier()?;
        self.expect(Token::Duration)?;
        let duration_ns = self.duration_or_inf()?;
        self.expect(Token::Replication)?;
        Ok(CreateRetentionPolicy {
            name,
            database,
            duration_ns,
            replication: self.replication()?,
            shard_duration_ns: if self.take(Token::Shard) {
                self.shard_duration()?
            } else {
                0
            },
            default: self.take(Token::Default),
            future_limit_ns: self.optional_limit(Token::Future)?.unwrap_or(0),
            past_limit_ns: self.optional_limit(Token::Past)?.unwrap_or(0),
        })
    }

    /// Reads what follows ALTER RETENTION POLICY.
    pub(super) fn alter_retention_policy(&mut self) -> Result<AlterRetentionPolicy, ParseError> {
        let found = self.next();
        let name = match found.token {
            Token::Default => "default".into(),
            Token::Identifier => found.text,
            _ => return Err(ParseError::expected(&found, &["identifier"])),
        };
        self.expect(Token::On)?;
        let database = self.identifier()?;
        let mut options = RetentionOptions::default();
        while self.alter_option(&mut options)? {}
        Ok(AlterRetentionPolicy {
            name,
            database,
            options,
        })
    }

    /// Reads one option, of which each may come once and one must. `false` if none follows.
    fn alter_option(&mut self, options: &mut RetentionOptions) -> Result<bool, ParseError> {
        let found = self.next();
        let seen = match found.token {
            Token::Duration => options.duration_ns.is_some(),
            Token::Replication => options.replication.is_some(),
            Token::Shard => options.shard_duration_ns.is_some(),
            Token::Default => options.default,
            Token::Future => options.future_limit_ns.is_some(),
            Token::Past => options.past_limit_ns.is_some(),
            _ if *options == RetentionOptions::default() => {
                let expected = [
                    "DURATION",
                    "REPLICATION",
                    "SHARD",
                    "DEFAULT",
                    "FUTURE",
                    "PAST",
                ];
                return Err(ParseError::expected(&found, &expected));
            }
            _ => {
                self.back();
                return Ok(false);
            }
        };
        if seen {
            let text = format!("found duplicate {} option", found.token.as_str());
            return Err(ParseError::invalid(text, found.pos));
        }
        match found.token {
            Token::Duration => options.duration_ns = Some(self.duration_or_inf()?),
            Token::Replication => options.replication = Some(self.replication()?),
            Token::Shard => options.shard_duration_ns = Some(self.shard_duration()?),
            Token::Future => options.future_limit_ns = Some(self.write_limit()?),
            Token::Past => options.past_limit_ns = Some(self.write_limit()?),
            _ => options.default = true,
        }
        Ok(true)
    }

    /// Reads what follows DROP RETENTION POLICY.
    pub(super) fn drop_retention_policy(&mut self) -> Result<DropRetentionPolicy, ParseError> {
        let name = self.identifier()?;
        self.expect(Token::On)?;
        Ok(DropRetentionPolicy {
            name,
            database: self.identifier()?,
        })
    }

    /// Reads what follows SHARD. A shard must end some time.
    fn shard_duration(&mut self) -> Result<i64, ParseError> {
        self.expect(Token::Duration)?;
        let found = self.next();
        if found.token == Token::Inf {
            return Err(ParseError::invalid(
                "invalid duration INF for shard duration",
                found.pos,
            ));
        }
        self.back();
        self.duration_or_inf()
    }

    fn optional_limit(&mut self, which: Token) -> Result<Option<i64>, ParseError> {
        if self.take(which) {
            self.write_limit().map(Some)
        } else {
            Ok(None)
        }
    }

    fn write_limit(&mut self) -> Result<i64, ParseError> {
        self.expect(Token::Limit)?;
        self.duration_or_inf()
    }
}
