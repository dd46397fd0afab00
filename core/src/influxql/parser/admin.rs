//! Users, grants, subscriptions, continuous queries and running queries.

use alloc::boxed::Box;
use alloc::format;

use super::cursor::Parser;
use super::select::TargetRule;
use crate::influxql::ast::{
    CreateContinuousQuery, CreateSubscription, CreateUser, DatabaseGrant, DropContinuousQuery,
    DropSubscription, KillQuery, Privilege, Select, SetPassword, Statement, SubscriptionMode,
};
use crate::influxql::duration::{format_duration, parse_duration};
use crate::influxql::error::ParseError;
use crate::influxql::token::Token;

impl Parser<'_> {
    /// Reads what follows CREATE USER.
    pub(super) fn create_user(&mut self) -> Result<CreateUser, ParseError> {
        let name = self.identifier()?;
        self.expect(Token::With)?;
        self.expect(Token::Password)?;
        let password = self.string()?;
        let admin = self.take(Token::With);
        if admin {
            self.expect(Token::All)?;
            self.expect(Token::Privileges)?;
        }
        Ok(CreateUser {
            name,
            password,
            admin,
        })
    }

    /// Reads what follows SET PASSWORD FOR.
    pub(super) fn set_password(&mut self) -> Result<SetPassword, ParseError> {
        let user = self.identifier()?;
        self.expect(Token::Equal)?;
        Ok(SetPassword {
            user,
            password: self.string()?,
        })
    }

    /// Reads what follows GRANT.
    pub(super) fn grant(&mut self) -> Result<Statement, ParseError> {
        self.grant_or_revoke(Token::To)
    }

    /// Reads what follows REVOKE.
    pub(super) fn revoke(&mut self) -> Result<Statement, ParseError> {
        self.grant_or_revoke(Token::From)
    }

    /// GRANT and REVOKE differ in the word before the user.
    fn grant_or_revoke(&mut self, preposition: Token) -> Result<Statement, ParseError> {
        let granting = preposition == Token::To;
        let privilege = self.privilege()?;
        let found = self.next();
        if found.token == Token::On {
            let database = self.identifier()?;
            self.expect(preposition)?;
            let grant = DatabaseGrant {
                privilege,
                database,
                user: self.identifier()?,
            };
            let statement = if granting {
                Statement::Grant
            } else {
                Statement::Revoke
            };
            return Ok(statement(grant));
        }
        // Without a database it is about being an admin, which only ALL can mean.
        if privilege != Privilege::All {
            return Err(ParseError::expected(&found, &["ON"]));
        }
        if found.token != preposition {
            return Err(ParseError::expected(&found, &["ON", preposition.as_str()]));
        }
        let user = self.identifier()?;
        Ok(if granting {
            Statement::GrantAdmin { user }
        } else {
            Statement::RevokeAdmin { user }
        })
    }

    fn privilege(&mut self) -> Result<Privilege, ParseError> {
        let found = self.next();
        match found.token {
            Token::Read => Ok(Privilege::Read),
            Token::Write => Ok(Privilege::Write),
            Token::All => {
                self.take(Token::Privileges);
                Ok(Privilege::All)
            }
            _ => Err(ParseError::expected(
                &found,
                &["READ", "WRITE", "ALL [PRIVILEGES]"],
            )),
        }
    }

    /// Reads what follows KILL QUERY.
    pub(super) fn kill_query(&mut self) -> Result<KillQuery, ParseError> {
        Ok(KillQuery {
            query_id: self.uint64()?,
            host: self.on_database()?,
        })
    }

    /// Reads what follows CREATE SUBSCRIPTION.
    pub(super) fn create_subscription(&mut self) -> Result<CreateSubscription, ParseError> {
        let DropSubscription {
            name,
            database,
            retention_policy,
        } = self.drop_subscription()?;
        self.expect(Token::Destinations)?;
        let found = self.next();
        let mode = match found.token {
            Token::All => SubscriptionMode::All,
            Token::Any => SubscriptionMode::Any,
            _ => return Err(ParseError::expected(&found, &["ALL", "ANY"])),
        };
        let destinations = self.strings()?;
        Ok(CreateSubscription {
            name,
            database,
            retention_policy,
            mode,
            destinations,
        })
    }

    /// Reads what follows DROP SUBSCRIPTION.
    pub(super) fn drop_subscription(&mut self) -> Result<DropSubscription, ParseError> {
        let name = self.identifier()?;
        self.expect(Token::On)?;
        let database = self.identifier()?;
        let found = self.raw();
        if found.token != Token::Dot {
            return Err(ParseError::expected(&found, &["."]));
        }
        Ok(DropSubscription {
            name,
            database,
            retention_policy: self.identifier()?,
        })
    }

    /// Reads what follows CREATE CONTINUOUS QUERY.
    pub(super) fn create_continuous_query(&mut self) -> Result<CreateContinuousQuery, ParseError> {
        let name = self.identifier()?;
        self.expect(Token::On)?;
        let database = self.identifier()?;
        let (resample_every_ns, resample_for_ns) = if self.take(Token::Resample) {
            self.resample()?
        } else {
            (0, 0)
        };
        self.expect(Token::Begin)?;
        self.expect(Token::Select)?;
        let select = self.select(TargetRule::Required)?;
        if !select.is_raw() {
            self.require_interval(&select)?;
        }
        self.expect(Token::End)?;
        let query = CreateContinuousQuery {
            name,
            database,
            select: Box::new(select),
            resample_every_ns,
            resample_for_ns,
        };
        check_resample(&query)?;
        Ok(query)
    }

    /// An aggregate needs windows. The error points at the last token of the SELECT.
    fn require_interval(&mut self, select: &Select) -> Result<(), ParseError> {
        let interval = select.group_by_interval();
        if interval.is_ok_and(|ns| ns != 0) {
            return Ok(());
        }
        self.back();
        self.back();
        let found = self.next();
        match interval {
            Ok(_) => Err(ParseError::expected(&found, &["GROUP BY time(...)"])),
            Err(text) => Err(ParseError::expected(&found, &["GROUP BY time(...)", text])),
        }
    }

    /// Reads EVERY and FOR, of which one must be there.
    fn resample(&mut self) -> Result<(i64, i64), ParseError> {
        let every_ns = if self.take(Token::Every) {
            self.finite_duration()?
        } else {
            0
        };
        let for_ns = if self.take(Token::For) {
            self.finite_duration()?
        } else {
            0
        };
        if every_ns == 0 && for_ns == 0 {
            return Err(ParseError::expected(&self.next(), &["EVERY", "FOR"]));
        }
        Ok((every_ns, for_ns))
    }

    fn finite_duration(&mut self) -> Result<i64, ParseError> {
        let found = self.next();
        if found.token != Token::DurationValue {
            return Err(ParseError::expected(&found, &["duration"]));
        }
        parse_duration(&found.text).map_err(|text| ParseError::invalid(text, found.pos))
    }

    /// Reads what follows DROP CONTINUOUS QUERY.
    pub(super) fn drop_continuous_query(&mut self) -> Result<DropContinuousQuery, ParseError> {
        let name = self.identifier()?;
        self.expect(Token::On)?;
        Ok(DropContinuousQuery {
            name,
            database: self.identifier()?,
        })
    }
}

/// A resampled span must hold a whole window.
///
/// Source: influxql 1.4 `CreateContinuousQueryStatement.validate`.
fn check_resample(query: &CreateContinuousQuery) -> Result<(), ParseError> {
    let interval = query.select.group_by_interval().map_err(ParseError::rule)?;
    let least = interval.max(query.resample_every_ns);
    if query.resample_for_ns == 0 || least <= query.resample_for_ns {
        return Ok(());
    }
    Err(ParseError::rule(format!(
        "FOR duration must be >= GROUP BY time duration: must be a minimum of {}, got {}",
        format_duration(least),
        format_duration(query.resample_for_ns)
    )))
}
