//! An engine that puts every call, and what came of it, on a tape if there is one.

use std::ops::Deref;

use tidegate_core::engine::{
    Config, Effect, Engine, Executed, FileInfo, Misuse, Outcome, Phase, WriteError, WriteReport,
    WriteRequest, encode_effect, encode_executed, encode_listing, encode_written,
};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{CursorId, EffectId};
use tidegate_core::query::View;
use tidegate_core::query::batch::{Cell, Event, Reader};

use crate::trace::{self, Call, Covered, Tape, phase_code};

/// What is asked besides, now and then, since worlds ask little of the query language. Changes
/// nothing. `%` by zero makes NaN, which is shown as null; `HUGE` squared is infinite.
const QUERIES: [&str; 13] = [
    "SELECT * FROM /.*/",
    "SELECT * FROM /.*/ GROUP BY *",
    "SELECT n / idle, idle - n * 3, n % 7, load FROM own1 GROUP BY * ORDER BY time DESC LIMIT 20",
    "SELECT load % 0, load - load % 0 FROM own1, own2",
    "SELECT load * HUGE * HUGE, (load + 1) * HUGE * HUGE * 0 FROM own1, own2",
    "SELECT note FROM own2 WHERE note =~ /xx$/ OR up = true SLIMIT 3",
    "SELECT f * 2, i % 3, f / i FROM cpu, mem WHERE f > 0.5 OR i < 3",
    "SHOW SERIES LIMIT 30",
    "SHOW MEASUREMENTS",
    "SHOW TAG VALUES WITH KEY = host",
    "SHOW FIELD KEYS",
    "SELECT nonsense FROM",
    "ALTER RETENTION POLICY nowhere ON d DURATION 1d",
];
/// The code of a call out of turn.
const MISUSE: u32 = 2;

/// What queries need of an engine.
pub(super) trait Asked {
    fn execute(&mut self, now_ns: i64, statement: &str) -> Result<Executed, String>;
    fn fetch(&mut self, id: CursorId, rows_max: usize, out: &mut Vec<u8>) -> Result<bool, Misuse>;
    fn view(&self, now_ns: i64) -> View<'_>;
}

macro_rules! asked {
    ($engine:ty) => {
        impl Asked for $engine {
            fn execute(&mut self, now_ns: i64, statement: &str) -> Result<Executed, String> {
                <$engine>::execute(self, now_ns, statement)
            }

            fn fetch(
                &mut self,
                id: CursorId,
                rows_max: usize,
                out: &mut Vec<u8>,
            ) -> Result<bool, Misuse> {
                <$engine>::fetch(self, id, rows_max, out)
            }

            fn view(&self, now_ns: i64) -> View<'_> {
                Engine::view(self, now_ns)
            }
        }
    };
}

asked!(Engine);
asked!(Taped);

/// See the module. What only looks goes to the engine directly, whatever changes it through here.
#[derive(Debug)]
pub(super) struct Taped {
    engine: Engine,
    tape: Tape,
    recovered: bool,
}

impl Deref for Taped {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Taped {
    pub(super) fn open(config: Config, listing: &[FileInfo], tape: Tape) -> Self {
        let mut params = Vec::new();
        config.encode(&mut params);
        encode_listing(listing, &mut params);
        let taped = Self {
            engine: Engine::open(config, listing),
            tape,
            recovered: listing.is_empty(),
        };
        taped.note_report(&Call::Open { params: &params }, Ok(()));
        taped
    }

    pub(super) fn write(
        &mut self,
        request: &WriteRequest,
        body: &[u8],
    ) -> Result<WriteReport, WriteError> {
        let result = self.engine.write(request, body);
        if self.tape.is_on() {
            let (mut params, mut output) = (Vec::new(), Vec::new());
            request.encode(&mut params);
            encode_written(&result, &mut output);
            let params = &params;
            self.note(&Call::Write { params, body }, 0, &output, &[]);
            self.tape
                .covers(match result.as_ref().map(|report| report.outcome) {
                    Ok(Outcome::Written) => Covered::Written,
                    Ok(Outcome::Partial) => Covered::Partial,
                    Ok(Outcome::NothingParsed) => Covered::NothingParsed,
                    Ok(Outcome::RetentionPolicyNotFound) | Err(_) => Covered::Refused,
                });
            self.ask_besides(request.now_ns);
        }
        result
    }

    pub(super) fn execute(&mut self, now_ns: i64, statement: &str) -> Result<Executed, String> {
        let accepted = self.engine.accepted_lsn();
        let result = self.engine.execute(now_ns, statement);
        if self.tape.is_on() {
            let mut output = Vec::new();
            encode_executed(&result, &mut output);
            let text = statement.as_bytes();
            self.note(&Call::Execute { now_ns, text }, 0, &output, &[]);
            match &result {
                Ok(executed) if executed.cursor.is_some() => self.tape.covers(Covered::Cursor),
                Ok(executed) if executed.ticket > accepted => self.tape.covers(Covered::Change),
                Ok(_) => {}
                Err(_) => self.tape.covers(Covered::Denied),
            }
        }
        result
    }

    pub(super) fn fetch(
        &mut self,
        id: CursorId,
        rows_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<bool, Misuse> {
        let from = out.len();
        let result = self.engine.fetch(id, rows_max, out);
        let call = Call::Fetch {
            cursor: id.0,
            rows_max: rows_max as u32,
        };
        match &result {
            Ok(more) => self.note(&call, u32::from(*more), &out[from..], &[]),
            Err(misuse) => self.note(&call, MISUSE, misuse.to_string().as_bytes(), &[]),
        }
        if result == Ok(true) {
            self.tape.covers(Covered::MoreRows);
        }
        result
    }

    pub(super) fn close(&mut self, id: CursorId) -> Result<(), Misuse> {
        let result = self.engine.close(id);
        let text = result.map_err(|misuse| misuse.to_string()).err();
        self.tape.covers(match text {
            None => Covered::Closed,
            Some(_) => Covered::Misuse,
        });
        let code = if text.is_none() { 0 } else { MISUSE };
        let call = Call::Close { cursor: id.0 };
        self.note(&call, code, text.unwrap_or_default().as_bytes(), &[]);
        result
    }

    pub(super) fn poll_effect(&mut self) -> Option<Effect> {
        let effect = self.engine.poll_effect();
        let Some(known) = &effect else {
            self.note(&Call::Poll { id: 0, length: 0 }, 0, &[], &[]);
            return None;
        };
        let bytes = self.engine.effect_bytes(known.id());
        let (id, length) = (known.id().0, bytes.len() as u32);
        let record = encode_effect(known);
        self.note(&Call::Poll { id, length }, 1, &record, bytes);
        self.tape.covers(if bytes.is_empty() {
            Covered::Effect
        } else {
            Covered::Persist
        });
        effect
    }

    pub(super) fn complete(
        &mut self,
        id: EffectId,
        result: Result<(), StorageFault>,
    ) -> Result<(), Misuse> {
        let was = self.phase();
        let told = self.engine.complete(id, result);
        let (id, fault) = (id.0, code_of(result.err()));
        self.note_report(&Call::Complete { id, fault }, told);
        if fault != 0 && told.is_ok() {
            self.tape.covers(Covered::Fault);
        }
        if self.phase() == Phase::Poisoned && was != Phase::Poisoned {
            self.tape.covers(Covered::Poisoned);
        }
        told
    }

    pub(super) fn supply(
        &mut self,
        id: EffectId,
        result: Result<&[u8], StorageFault>,
    ) -> Result<(), Misuse> {
        let told = self.engine.supply(id, result);
        let (id, fault) = (id.0, code_of(result.err()));
        let bytes = result.unwrap_or_default();
        self.note_report(&Call::Supply { id, fault, bytes }, told);
        self.tape.covers(if fault == 0 {
            Covered::Supplied
        } else {
            Covered::ReadFault
        });
        if !self.recovered && self.phase() == Phase::Running {
            self.recovered = true;
            self.tape.covers(Covered::Replay);
            let report = self.recovery();
            if report.points_relogged > 0 {
                self.tape.covers(Covered::Relogged);
            }
            if !report.damage.is_empty() {
                self.tape.covers(Covered::Damage);
            }
        }
        told
    }

    fn note(&self, call: &Call<'_>, code: u32, output: &[u8], bytes: &[u8]) {
        if !self.tape.is_on() {
            return;
        }
        let engine = &self.engine;
        let lsns = [
            engine.accepted_lsn().0,
            engine.submitted_lsn().0,
            engine.durable_lsn().0,
        ];
        let outcome = trace::Outcome {
            code,
            output,
            bytes,
            phase: phase_code(engine.phase()),
            lsns,
        };
        self.tape.note(call, &outcome);
    }

    /// A call that may change what opening found.
    fn note_report(&self, call: &Call<'_>, result: Result<(), Misuse>) {
        if !self.tape.is_on() {
            return;
        }
        let (mut output, mut code) = (Vec::new(), 0);
        match result {
            Ok(()) => self.engine.recovery().encode(&mut output),
            Err(misuse) => {
                self.tape.covers(Covered::Misuse);
                code = MISUSE;
                output.extend_from_slice(misuse.to_string().as_bytes());
            }
        }
        let refusal = self.engine.refusal().unwrap_or_default();
        self.note(call, code, &output, refusal.as_bytes());
    }

    /// Something that the world does not ask for.
    fn ask_besides(&mut self, now_ns: i64) {
        match self.tape.draw(24) {
            0 => {
                let unknown = EffectId(u64::MAX - 1);
                assert!(
                    self.complete(unknown, Ok(())).is_err(),
                    "nobody gave it out"
                );
            }
            1 => assert!(self.close(CursorId(u32::MAX)).is_err(), "nobody opened it"),
            2..6 => {
                let text = QUERIES[self.tape.draw(QUERIES.len())];
                // InfluxQL has no exponents.
                let text = text.replace("HUGE", &format!("{}.0", "9".repeat(200)));
                let executed = self.execute(now_ns, &text);
                let Some(cursor) = executed.ok().and_then(|executed| executed.cursor) else {
                    return;
                };
                let rows_max = 1 + self.tape.draw(40);
                for _ in 0..6 {
                    let mut rows = Vec::new();
                    let more = self.fetch(cursor, rows_max, &mut rows);
                    self.cover_cells(&rows);
                    if more != Ok(true) {
                        return;
                    }
                }
                assert_eq!(self.close(cursor), Ok(()), "it was open");
            }
            _ => {}
        }
    }

    fn cover_cells(&self, rows: &[u8]) {
        for event in Reader::new(rows) {
            let Ok(Event::Row(cells)) = event else {
                continue;
            };
            for cell in cells {
                match cell {
                    Cell::Float(value) => {
                        self.tape.covers(Covered::Float);
                        if value.is_infinite() {
                            self.tape.covers(Covered::Infinite);
                        }
                    }
                    Cell::Unsigned(_) => self.tape.covers(Covered::Unsigned),
                    Cell::String(_) => self.tape.covers(Covered::Text),
                    _ => {}
                }
            }
        }
    }
}

fn code_of(fault: Option<StorageFault>) -> u32 {
    fault.map_or(0, |fault| u32::from(fault.code()))
}
