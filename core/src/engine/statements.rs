//! Statements about this database: changes to its catalog here, questions in `query`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::{Engine, Executed, Misuse, Phase};
use crate::ids::CursorId;
use crate::influxql::{
    AlterRetentionPolicy, CreateRetentionPolicy, RetentionOptions, Statement, parse_query,
};
use crate::meta::{Alteration, CatalogError, Change, PolicySpec};
use crate::model::Duration;
use crate::planted::{Planted, planted};
use crate::query::batch::{Cell, Writer};
use crate::query::{self, Cursor, ShardView, View};

impl Engine {
    /// Carries out one statement that concerns this database.
    ///
    /// Shape: the text of one statement; `now_ns` is the request's clock reading.
    ///
    /// # Errors
    ///
    /// Upstream's text for the statement's `error` in the answer.
    pub fn execute(&mut self, now_ns: i64, statement: &str) -> Result<Executed, String> {
        match self.phase() {
            Phase::Running => {}
            Phase::Opening => return Err("the database is being opened, retry later".into()),
            Phase::Poisoned => return Err("storage failed, retry later".into()),
            Phase::Refused => return Err(self.refusal().unwrap_or_default().into()),
        }
        let parsed = parse_query(statement).map_err(|error| error.to_string())?;
        let Some(parsed) = parsed.first() else {
            return Err("no statement".into());
        };
        let cursor = match &parsed.statement {
            Statement::CreateDatabase(create) => {
                self.create_first(create.retention.as_ref())?;
                None
            }
            Statement::CreateRetentionPolicy(create) => {
                let changes = self.catalog.plan_create(&spec(create), create.default);
                self.change(changes)?;
                None
            }
            Statement::AlterRetentionPolicy(alter) => {
                self.alter(alter)?;
                None
            }
            Statement::DropRetentionPolicy(drop) => {
                let changes = self.catalog.plan_drop(&drop.name);
                self.change(Ok(changes))?;
                None
            }
            Statement::ShowRetentionPolicies { .. } => Some(self.show_policies()),
            asked => Some(query::open(asked, &self.view(now_ns))?),
        };
        let cursor = cursor.map(|cursor| self.keep(cursor));
        let is_early = planted(match cursor {
            Some(_) => Planted::QueryTicketEarly,
            None => Planted::StatementTicketEarly,
        });
        let ticket = if is_early {
            self.durable_lsn()
        } else {
            self.accepted_lsn()
        };
        Ok(Executed { cursor, ticket })
    }

    /// Appends the next batch of a cursor's rows, about `rows_max` of them, in the form of
    /// `query::batch`; `false` when that was the last, which also closes the cursor.
    ///
    /// # Errors
    ///
    /// [`Misuse::UnknownCursor`].
    pub fn fetch(
        &mut self,
        id: CursorId,
        rows_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Misuse> {
        let mut cursor = self.cursors.remove(&id).ok_or(Misuse::UnknownCursor)?;
        let more = cursor.fetch(&self.view(0), rows_max, out);
        if more {
            self.cursors.insert(id, cursor);
        }
        Ok(more)
    }

    /// Closes a cursor before its end.
    ///
    /// # Errors
    ///
    /// [`Misuse::UnknownCursor`].
    pub fn close(&mut self, id: CursorId) -> Result<(), Misuse> {
        self.cursors
            .remove(&id)
            .map(|_| ())
            .ok_or(Misuse::UnknownCursor)
    }

    fn keep(&mut self, cursor: Cursor) -> CursorId {
        self.cursors_opened = self.cursors_opened.wrapping_add(1);
        let id = CursorId(self.cursors_opened);
        self.cursors.insert(id, cursor);
        id
    }

    /// What a query at `now_ns` sees, whether it is durable or not: for tests and tools that
    /// compare all of it.
    pub fn view(&self, now_ns: i64) -> View<'_> {
        let shards = self.slots.iter().filter_map(|slot| {
            let (policy, group) = self.catalog.group_of(slot.shard.id)?;
            Some(ShardView {
                id: slot.shard.id,
                policy,
                start_ns: group.start_ns,
                end_ns: group.end_ns,
                index: &slot.shard.index,
                cache: &slot.shard.cache,
            })
        });
        View {
            now_ns,
            default_policy: self.catalog.default_policy(),
            policies: self
                .catalog
                .policies()
                .iter()
                .map(|policy| policy.name.as_str())
                .collect(),
            shards: shards.collect(),
        }
    }

    /// CREATE DATABASE as far as it concerns an engine: the first policy of a new database, or
    /// the comparison with what an existing one has.
    fn create_first(&mut self, options: Option<&RetentionOptions>) -> Result<(), String> {
        let is_new = self.catalog.policies().is_empty() && self.catalog.default_policy().is_empty();
        let changes = match options {
            None if is_new => self.catalog.plan_create_first(&PolicySpec::autogen()),
            None => Ok(Vec::new()),
            Some(options) => self.catalog.plan_create_first(&spec_of_options(options)),
        };
        self.change(changes)
    }

    fn alter(&mut self, alter: &AlterRetentionPolicy) -> Result<(), String> {
        let options = &alter.options;
        let alteration = Alteration {
            duration_ns: options.duration_ns,
            shard_group_duration_ns: options.shard_duration_ns,
            replica_n: options.replication,
            future_limit_ns: options.future_limit_ns,
            past_limit_ns: options.past_limit_ns,
        };
        let changes = self
            .catalog
            .plan_alter(&alter.name, &alteration, options.default);
        self.change(changes)
    }

    /// Logs and makes changes to the catalog.
    fn change(&mut self, changes: Result<Vec<Change>, CatalogError>) -> Result<(), String> {
        let changes = changes.map_err(|error| error.to_string())?;
        if changes.is_empty() {
            return Ok(());
        }
        self.open_record();
        let Some(log) = &mut self.log else {
            return Err("the log is not open".into());
        };
        for change in &changes {
            if !(planted(Planted::DropUnlogged) && matches!(change, Change::DropPolicy(_))) {
                self.recorder.put_change(log, change);
            }
            self.catalog.apply(change);
        }
        self.recorder.finish(log);
        self.drop_slots();
        Ok(())
    }

    /// Source: influxdb 1.12 `services/meta`, columns of SHOW RETENTION POLICIES.
    fn show_policies(&self) -> Cursor {
        let columns = [
            "name",
            "duration",
            "shardGroupDuration",
            "replicaN",
            "futureWriteLimit",
            "pastWriteLimit",
            "default",
        ];
        let mut batch = Vec::new();
        let mut writer = Writer::new(&mut batch);
        writer.series(
            None,
            core::iter::empty(),
            columns.iter().map(|name| name.as_bytes()),
        );
        for policy in self.catalog.policies() {
            let text = |ns: i64| format!("{}", Duration(ns));
            let [duration, group] = [policy.duration_ns, policy.shard_group_duration_ns].map(text);
            let [future, past] = [policy.future_limit_ns, policy.past_limit_ns].map(text);
            let is_default = policy.name == self.catalog.default_policy();
            writer.row(columns.len());
            for cell in [
                Cell::String(policy.name.as_bytes()),
                Cell::String(duration.as_bytes()),
                Cell::String(group.as_bytes()),
                Cell::Integer(i64::from(policy.replica_n)),
                Cell::String(future.as_bytes()),
                Cell::String(past.as_bytes()),
                Cell::Boolean(is_default),
            ] {
                writer.cell(&cell);
            }
        }
        Cursor::ready(batch)
    }
}

fn spec(create: &CreateRetentionPolicy) -> PolicySpec {
    PolicySpec {
        name: create.name.clone(),
        duration_ns: create.duration_ns,
        shard_group_duration_ns: Some(create.shard_duration_ns),
        replica_n: create.replication,
        future_limit_ns: create.future_limit_ns,
        past_limit_ns: create.past_limit_ns,
    }
}

fn spec_of_options(options: &RetentionOptions) -> PolicySpec {
    let autogen = PolicySpec::autogen();
    PolicySpec {
        name: options.name.clone().unwrap_or(autogen.name),
        duration_ns: options.duration_ns.unwrap_or(autogen.duration_ns),
        shard_group_duration_ns: options.shard_duration_ns,
        replica_n: options.replication.unwrap_or(autogen.replica_n),
        future_limit_ns: options.future_limit_ns.unwrap_or(0),
        past_limit_ns: options.past_limit_ns.unwrap_or(0),
    }
}
