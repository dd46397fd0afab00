//! The SHOW statements with clauses, DELETE and DROP SERIES.

use alloc::boxed::Box;

use super::cursor::Parser;
use crate::influxql::ast::{
    CardinalityKind, KeyFilter, SeriesFilter, ShowCardinality, ShowMeasurements,
    ShowMeasurementsOn, ShowScope, ShowTagValues, Source, Statement,
};
use crate::influxql::error::ParseError;
use crate::influxql::token::{Pos, Token};

impl Parser<'_> {
    /// Reads what follows SHOW SERIES.
    pub(super) fn show_series(&mut self) -> Result<Statement, ParseError> {
        // EXACT without CARDINALITY is let through, as upstream does.
        let exact = self.take(Token::Exact);
        if self.take(Token::Cardinality) {
            return self.cardinality(CardinalityKind::Series, exact);
        }
        let mut scope = self.scope_from()?;
        scope.condition = self.condition()?;
        self.finish_scope(&mut scope)?;
        Ok(Statement::ShowSeries(scope))
    }

    /// Reads what follows SHOW MEASUREMENT EXACT or SHOW MEASUREMENT CARDINALITY.
    pub(super) fn show_measurement_cardinality(
        &mut self,
        exact: bool,
    ) -> Result<Statement, ParseError> {
        if exact {
            self.expect(Token::Cardinality)?;
        }
        self.cardinality(CardinalityKind::Measurement, exact)
    }

    /// Reads what follows SHOW TAG KEY or SHOW FIELD KEY.
    pub(super) fn show_key_cardinality(
        &mut self,
        kind: CardinalityKind,
    ) -> Result<Statement, ParseError> {
        let exact = self.take(Token::Exact);
        let found = self.next();
        if found.token != Token::Cardinality {
            let expected: &[_] = if exact {
                &["CARDINALITY"]
            } else {
                &["EXACT", "CARDINALITY"]
            };
            return Err(ParseError::expected(&found, expected));
        }
        self.cardinality(kind, exact)
    }

    /// Reads what follows SHOW MEASUREMENTS.
    pub(super) fn show_measurements(&mut self) -> Result<Statement, ParseError> {
        let on = if self.take(Token::On) {
            Some(self.show_measurements_on()?)
        } else {
            None
        };
        let mut filter = None;
        if self.take(Token::With) {
            self.expect(Token::Measurement)?;
            let found = self.next();
            if !matches!(found.token, Token::Equal | Token::Matches) {
                return Err(ParseError::expected(&found, &["=", "=~"]));
            }
            filter = Some(self.source(false)?);
        }
        let mut scope = ShowScope {
            condition: self.condition()?,
            ..ShowScope::default()
        };
        self.finish_scope(&mut scope)?;
        Ok(Statement::ShowMeasurements(Box::new(ShowMeasurements {
            on,
            filter,
            scope,
        })))
    }

    fn show_measurements_on(&mut self) -> Result<ShowMeasurementsOn, ParseError> {
        let part = |parser: &mut Self| {
            let found = parser.next();
            match found.token {
                Token::Identifier => Ok(Some(found.text)),
                Token::Multiply => Ok(None),
                _ => Err(ParseError::expected(&found, &["identifier or *"])),
            }
        };
        let database = part(self)?;
        let retention_policy = if self.take(Token::Dot) {
            Some(part(self)?)
        } else {
            None
        };
        Ok(ShowMeasurementsOn {
            database,
            retention_policy,
        })
    }

    /// Reads what follows SHOW TAG KEYS.
    pub(super) fn show_tag_keys(&mut self) -> Result<Statement, ParseError> {
        let mut scope = self.scope_from()?;
        let mut keys = None;
        if self.take(Token::With) {
            self.back();
            keys = Some(self.with_key()?);
        }
        scope.condition = self.condition()?;
        self.finish_scope(&mut scope)?;
        scope.slimit = self.optional_count(Token::Slimit)?;
        scope.soffset = self.optional_count(Token::Soffset)?;
        Ok(Statement::ShowTagKeys { keys, scope })
    }

    /// Reads what follows SHOW TAG VALUES.
    pub(super) fn show_tag_values(&mut self) -> Result<Statement, ParseError> {
        let exact = self.take(Token::Exact);
        if exact {
            self.expect(Token::Cardinality)?;
        }
        let counted = exact || self.take(Token::Cardinality);
        let mut scope = self.scope_from()?;
        let keys = self.with_key()?;
        if counted {
            let kind = CardinalityKind::TagValues(keys);
            return self.finish_cardinality(kind, exact, scope);
        }
        scope.condition = self.condition()?;
        self.finish_scope(&mut scope)?;
        Ok(Statement::ShowTagValues(ShowTagValues { keys, scope }))
    }

    /// Reads what follows SHOW FIELD KEYS.
    pub(super) fn show_field_keys(&mut self) -> Result<Statement, ParseError> {
        let mut scope = ShowScope::default();
        if self.take(Token::On) {
            // Upstream forgets to look at the error: whatever stands here is skipped.
            scope.database = self.identifier().ok();
        }
        scope.sources = self.optional_from()?;
        self.finish_scope(&mut scope)?;
        Ok(Statement::ShowFieldKeys(scope))
    }

    /// Reads WITH KEY and its operator and operand.
    fn with_key(&mut self) -> Result<KeyFilter, ParseError> {
        self.expect(Token::With)?;
        self.expect(Token::Key)?;
        let found = self.next();
        match found.token {
            Token::In => {
                self.expect(Token::LeftParen)?;
                let keys = self.identifiers()?;
                self.expect(Token::RightParen)?;
                Ok(KeyFilter::In(keys))
            }
            Token::Equal => Ok(KeyFilter::Equal(self.identifier()?)),
            Token::NotEqual => Ok(KeyFilter::NotEqual(self.identifier()?)),
            Token::Matches | Token::NotMatches => match self.optional_regex()? {
                Some(pattern) if found.token == Token::Matches => Ok(KeyFilter::Matches(pattern)),
                Some(pattern) => Ok(KeyFilter::NotMatches(pattern)),
                None => Err(ParseError::expected(&self.next(), &["regex"])),
            },
            _ => Err(ParseError::expected(&found, &["IN", "=", "=~"])),
        }
    }

    /// Reads the clauses after CARDINALITY.
    fn cardinality(&mut self, kind: CardinalityKind, exact: bool) -> Result<Statement, ParseError> {
        let scope = self.scope_from()?;
        self.finish_cardinality(kind, exact, scope)
    }

    fn finish_cardinality(
        &mut self,
        kind: CardinalityKind,
        exact: bool,
        mut scope: ShowScope,
    ) -> Result<Statement, ParseError> {
        scope.condition = self.condition()?;
        let dimensions = self.dimensions()?;
        scope.limit = self.optional_count(Token::Limit)?;
        scope.offset = self.optional_count(Token::Offset)?;
        Ok(Statement::ShowCardinality(Box::new(ShowCardinality {
            kind,
            exact,
            scope,
            dimensions,
        })))
    }

    /// Reads ON and FROM.
    fn scope_from(&mut self) -> Result<ShowScope, ParseError> {
        let database = self.on_database()?;
        Ok(ShowScope {
            database,
            sources: self.optional_from()?,
            ..ShowScope::default()
        })
    }

    /// Reads ORDER BY, LIMIT and OFFSET.
    fn finish_scope(&mut self, scope: &mut ShowScope) -> Result<(), ParseError> {
        scope.sort = self.order_by()?;
        scope.limit = self.optional_count(Token::Limit)?;
        scope.offset = self.optional_count(Token::Offset)?;
        Ok(())
    }

    /// Reads what follows DELETE.
    pub(super) fn delete(&mut self) -> Result<Statement, ParseError> {
        self.series_filter(false).map(Statement::Delete)
    }

    /// Reads what follows DROP SERIES, which spans all retention policies.
    pub(super) fn drop_series(&mut self) -> Result<Statement, ParseError> {
        self.series_filter(true).map(Statement::DropSeries)
    }

    fn series_filter(&mut self, every_policy: bool) -> Result<SeriesFilter, ParseError> {
        let found = self.next();
        let mut filter = SeriesFilter::default();
        if found.token == Token::From {
            filter.sources = self.sources(false)?;
            refuse_qualified(&filter.sources, every_policy)?;
        } else {
            self.back();
        }
        filter.condition = self.condition()?;
        if filter.condition.is_none() && filter.sources.is_empty() {
            return Err(ParseError::expected(&found, &["FROM", "WHERE"]));
        }
        Ok(filter)
    }
}

/// The database is that of the request. Of several breaches upstream tells the last.
fn refuse_qualified(sources: &[Source], every_policy: bool) -> Result<(), ParseError> {
    for source in sources.iter().rev() {
        let Source::Measurement(measurement) = source else {
            continue;
        };
        let text = if every_policy && !measurement.retention_policy.is_empty() {
            "retention policy not supported"
        } else if !measurement.database.is_empty() {
            "database not supported"
        } else {
            continue;
        };
        return Err(ParseError::invalid(text, Pos::default()));
    }
    Ok(())
}
