//! One number for everything that happened, and one for a point.

use tidegate_core::model::Value;

/// Folds what happens into 64 bits. Not for storage, not against an adversary.
///
/// Source: ours, after the multiply-and-fold of wyhash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace(u64);

impl Trace {
    /// Everything so far as one number.
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Folds a number in.
    pub fn number(&mut self, number: u64) {
        let wide =
            u128::from(self.0 ^ 0x9e37_79b9_7f4a_7c15) * u128::from(number ^ 0xd1b5_4a32_d192_ed03);
        self.0 = (wide as u64) ^ ((wide >> 64) as u64) ^ number.rotate_left(31);
    }

    /// Folds bytes in, their length included.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        let chunks = bytes.chunks(8);
        chunks.for_each(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.number(u64::from_le_bytes(word));
        });
    }
}

/// The number of a text.
pub(super) fn of_bytes(bytes: &[u8]) -> u64 {
    let mut trace = Trace::default();
    trace.bytes(bytes);
    trace.value()
}

/// The number of a place that holds one value.
pub(super) fn of_key(policy: u64, series: &[u8], time_ns: i64, field: &[u8]) -> u64 {
    let mut trace = Trace::default();
    trace.number(policy);
    trace.bytes(series);
    trace.number(time_ns as u64);
    trace.bytes(field);
    trace.value()
}

/// The number of a value: its type and every bit.
pub(super) fn of_value(value: &Value<'_>) -> u64 {
    let mut trace = Trace::default();
    trace.number(u64::from(value.field_type().code()));
    match value {
        Value::Float(float) => trace.number(float.to_bits()),
        Value::Integer(integer) => trace.number(*integer as u64),
        Value::Unsigned(unsigned) => trace.number(*unsigned),
        Value::Boolean(boolean) => trace.number(u64::from(*boolean)),
        Value::String(bytes) => trace.bytes(bytes),
    }
    trace.value()
}

#[cfg(test)]
mod tests {
    use super::{Trace, of_bytes, of_key, of_value};
    use tidegate_core::model::Value;

    #[test]
    fn order_length_and_type_tell_traces_apart() {
        let (mut left, mut right) = (Trace::default(), Trace::default());
        left.number(1);
        left.number(2);
        right.number(2);
        right.number(1);
        assert_ne!(left, right);
        assert_ne!(of_bytes(b""), of_bytes(b"\0"));
        assert_ne!(of_bytes(b"a\0"), of_bytes(b"a"));
        assert_ne!(of_key(1, b"ab", 0, b"c"), of_key(1, b"a", 0, b"bc"));
        assert_ne!(of_value(&Value::Integer(1)), of_value(&Value::Unsigned(1)));
        assert_ne!(of_value(&Value::Float(0.0)), of_value(&Value::Float(-0.0)));
    }
}
