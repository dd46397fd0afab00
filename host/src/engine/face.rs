//! What the rest of the host needs of an engine.

use tidegate_core::engine::{
    Config, Effect, Executed, FileInfo, Phase, RecoveryReport, WriteError, WriteReport,
    WriteRequest,
};
use tidegate_core::fault::StorageFault;
use tidegate_core::ids::{CursorId, EffectId, Lsn};

/// The instance trapped, or we called it out of turn. It is to be dropped, and the database
/// opened again from its log: nothing it holds can be trusted.
#[derive(Debug)]
pub(crate) struct Died(pub String);

/// The calls of `tidegate_core::engine::Engine`, each of which may end the instance.
pub(crate) trait EngineFace: Send {
    /// Opens the one engine of this instance.
    fn open(&mut self, config: &Config, files: &[FileInfo]) -> Result<(), Died>;

    /// Where the engine is in its life.
    fn phase(&mut self) -> Result<Phase, Died>;

    /// Why opening was refused.
    fn refusal(&mut self) -> Result<String, Died>;

    /// What opening found.
    fn recovery(&mut self) -> Result<RecoveryReport, Died>;

    /// Room for `length` bytes of a body, or of a segment: to be filled at once.
    fn input(&mut self, length: usize) -> Result<&mut [u8], Died>;

    /// Writes the first `length` bytes of the input.
    fn write(
        &mut self,
        request: &WriteRequest,
        length: usize,
    ) -> Result<Result<WriteReport, WriteError>, Died>;

    /// Carries out a statement.
    fn execute(&mut self, now_ns: i64, statement: &str) -> Result<Result<Executed, String>, Died>;

    /// Appends the next rows of a cursor; whether there are more.
    fn fetch(&mut self, cursor: CursorId, rows_max: u32, out: &mut Vec<u8>) -> Result<bool, Died>;

    /// Closes a cursor before its end.
    fn close(&mut self, cursor: CursorId) -> Result<(), Died>;

    /// The next effect, if any.
    fn poll(&mut self) -> Result<Option<Effect>, Died>;

    /// Appends the `length` bytes of a persist in flight.
    fn effect_bytes(&mut self, id: EffectId, length: usize, out: &mut Vec<u8>) -> Result<(), Died>;

    /// Reports a persist, delete or quarantine.
    fn complete(&mut self, id: EffectId, result: Result<(), StorageFault>) -> Result<(), Died>;

    /// Answers a read with the first `length` bytes of the input.
    fn supply(&mut self, id: EffectId, result: Result<usize, StorageFault>) -> Result<(), Died>;

    /// The last LSN that is durable.
    fn durable(&mut self) -> Result<Lsn, Died>;
}
