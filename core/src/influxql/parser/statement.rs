//! Which statement it is: the first words.

use alloc::boxed::Box;
use alloc::string::String;

use super::cursor::Parser;
use super::select::TargetRule;
use crate::influxql::ast::{CardinalityKind, Statement};
use crate::influxql::error::ParseError;
use crate::influxql::token::Token;

impl Parser<'_> {
    /// Reads one statement.
    pub(super) fn statement(&mut self) -> Result<Statement, ParseError> {
        let found = self.next();
        match found.token {
            Token::Select => Ok(Statement::Select(Box::new(
                self.select(TargetRule::Optional)?,
            ))),
            Token::Delete => self.delete(),
            Token::Show => self.show(),
            Token::Create => self.create(),
            Token::Drop => self.drop(),
            Token::Explain => Ok(Statement::Explain(Box::new(self.explain()?))),
            Token::Grant => self.grant(),
            Token::Revoke => self.revoke(),
            Token::Alter => {
                self.expect(Token::Retention)?;
                self.expect(Token::Policy)?;
                self.alter_retention_policy()
                    .map(Statement::AlterRetentionPolicy)
            }
            Token::Set => {
                self.expect(Token::Password)?;
                self.expect(Token::For)?;
                self.set_password().map(Statement::SetPassword)
            }
            Token::Kill => {
                self.expect(Token::Query)?;
                self.kill_query().map(Statement::KillQuery)
            }
            _ => Err(ParseError::expected(
                &found,
                &[
                    "SELECT", "DELETE", "SHOW", "CREATE", "DROP", "EXPLAIN", "GRANT", "REVOKE",
                    "ALTER", "SET", "KILL",
                ],
            )),
        }
    }

    fn show(&mut self) -> Result<Statement, ParseError> {
        let found = self.next();
        match found.token {
            Token::Continuous => {
                self.expect(Token::Queries)?;
                Ok(Statement::ShowContinuousQueries)
            }
            Token::Databases => Ok(Statement::ShowDatabases),
            Token::Diagnostics => Ok(Statement::ShowDiagnostics {
                module: self.optional_module()?,
            }),
            Token::Field => self.show_field(),
            Token::Grants => {
                self.expect(Token::For)?;
                Ok(Statement::ShowGrants {
                    user: self.identifier()?,
                })
            }
            Token::Measurement => self.show_measurement(),
            Token::Measurements => self.show_measurements(),
            Token::Queries => Ok(Statement::ShowQueries),
            Token::Retention => {
                self.expect(Token::Policies)?;
                Ok(Statement::ShowRetentionPolicies {
                    database: self.on_database()?,
                })
            }
            Token::Series => self.show_series(),
            Token::Shard => {
                self.expect(Token::Groups)?;
                Ok(Statement::ShowShardGroups)
            }
            Token::Shards => Ok(Statement::ShowShards),
            Token::Stats => Ok(Statement::ShowStats {
                module: self.optional_module()?,
            }),
            Token::Subscriptions => Ok(Statement::ShowSubscriptions),
            Token::Tag => self.show_tag(),
            Token::Users => Ok(Statement::ShowUsers),
            _ => Err(ParseError::expected(
                &found,
                &[
                    "CONTINUOUS",
                    "DATABASES",
                    "DIAGNOSTICS",
                    "FIELD",
                    "GRANTS",
                    "MEASUREMENT",
                    "MEASUREMENTS",
                    "QUERIES",
                    "RETENTION",
                    "SERIES",
                    "SHARD",
                    "SHARDS",
                    "STATS",
                    "SUBSCRIPTIONS",
                    "TAG",
                    "USERS",
                ],
            )),
        }
    }

    fn show_field(&mut self) -> Result<Statement, ParseError> {
        let found = self.next();
        match found.token {
            Token::Key => self.show_key_cardinality(CardinalityKind::FieldKey),
            Token::Keys => self.show_field_keys(),
            _ => Err(ParseError::expected(&found, &["KEY", "KEYS"])),
        }
    }

    fn show_measurement(&mut self) -> Result<Statement, ParseError> {
        let found = self.next();
        match found.token {
            Token::Exact => self.show_measurement_cardinality(true),
            Token::Cardinality => self.show_measurement_cardinality(false),
            _ => Err(ParseError::expected(&found, &["EXACT", "CARDINALITY"])),
        }
    }

    fn show_tag(&mut self) -> Result<Statement, ParseError> {
        let found = self.next();
        match found.token {
            Token::Key => self.show_key_cardinality(CardinalityKind::TagKey),
            Token::Keys => self.show_tag_keys(),
            Token::Values => self.show_tag_values(),
            _ => Err(ParseError::expected(&found, &["KEY", "KEYS", "VALUES"])),
        }
    }

    /// Reads FOR and the name of a module, if it comes next.
    fn optional_module(&mut self) -> Result<String, ParseError> {
        if self.take(Token::For) {
            self.string()
        } else {
            Ok(String::new())
        }
    }

    fn create(&mut self) -> Result<Statement, ParseError> {
        let found = self.next();
        match found.token {
            Token::Continuous => {
                self.expect(Token::Query)?;
                self.create_continuous_query()
                    .map(Statement::CreateContinuousQuery)
            }
            Token::Database => self.create_database().map(Statement::CreateDatabase),
            Token::User => self.create_user().map(Statement::CreateUser),
            Token::Retention => {
                self.expect(Token::Policy)?;
                self.create_retention_policy()
                    .map(Statement::CreateRetentionPolicy)
            }
            Token::Subscription => self
                .create_subscription()
                .map(Statement::CreateSubscription),
            _ => Err(ParseError::expected(
                &found,
                &[
                    "CONTINUOUS",
                    "DATABASE",
                    "USER",
                    "RETENTION",
                    "SUBSCRIPTION",
                ],
            )),
        }
    }

    fn drop(&mut self) -> Result<Statement, ParseError> {
        let found = self.next();
        match found.token {
            Token::Continuous => {
                self.expect(Token::Query)?;
                self.drop_continuous_query()
                    .map(Statement::DropContinuousQuery)
            }
            Token::Database => self.identifier().map(Statement::DropDatabase),
            Token::Measurement => self.identifier().map(Statement::DropMeasurement),
            Token::Retention => {
                self.expect(Token::Policy)?;
                self.drop_retention_policy()
                    .map(Statement::DropRetentionPolicy)
            }
            Token::Series => self.drop_series(),
            Token::Shard => self.uint64().map(Statement::DropShard),
            Token::Subscription => self.drop_subscription().map(Statement::DropSubscription),
            Token::User => self.identifier().map(Statement::DropUser),
            _ => Err(ParseError::expected(
                &found,
                &[
                    "CONTINUOUS",
                    "DATABASE",
                    "MEASUREMENT",
                    "RETENTION",
                    "SERIES",
                    "SHARD",
                    "SUBSCRIPTION",
                    "USER",
                ],
            )),
        }
    }
}
