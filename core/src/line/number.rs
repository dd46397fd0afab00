//! Numbers and booleans, as upstream accepts them.

use alloc::boxed::Box;

use super::decimal;
use super::error::LineErrorKind;
use super::swar::read_digits;

/// A numeric field value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Float(f64),
    Integer(i64),
    Unsigned(u64),
}

/// As many digits never leave the range of `i64`.
const INTEGER_DIGITS_SAFE: usize = 18;

/// As many digits, leading zeros not counted, never wrap 64 bits.
const FLOAT_DIGITS_SAFE: usize = 19;

/// Reads the number at `at`, which ends at a comma, a space or the end of `line`; gives its
/// value and the offset behind it.
///
/// Errors: the offset of the fault and its kind.
///
/// Source: influxdb 1.12 `models.scanNumber`.
#[inline(always)]
pub(super) fn scan(
    line: &[u8],
    at: usize,
    unsigned: bool,
) -> Result<(Number, usize), (usize, LineErrorKind)> {
    if let Some((number, end)) = quick(line, at)
        && matches!(line.get(end), None | Some(b',' | b' '))
    {
        return Ok((number, end));
    }
    scan_with_care(line, at, unsigned)
}

/// Reads what [`integer`] or [`float`] reads; gives the offset behind it, and behind the `i`.
#[inline(always)]
fn quick(bytes: &[u8], at: usize) -> Option<(Number, usize)> {
    if let Some((value, end)) = short_integer(bytes, at) {
        return Some((Number::Integer(value), end + 1));
    }
    let run = Run::read(bytes, at)?;
    if bytes.get(run.end) == Some(&b'i') {
        return Some((Number::Integer(run.integer()?), run.end + 1));
    }
    run.float(bytes)
        .map(|(value, end)| (Number::Float(value), end))
}

/// Reads `[-]digits`, at most 18, behind which an `i` stands; gives the offset of the `i`.
#[inline(always)]
pub(super) fn integer(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    if let Some(found) = short_integer(bytes, at) {
        return Some(found);
    }
    let run = Run::read(bytes, at)?;
    if bytes.get(run.end) != Some(&b'i') {
        return None;
    }
    Some((run.integer()?, run.end))
}

/// Reads `[-]digits[.digits]`, at most 19 digits from the first that is not zero; gives the
/// offset behind them.
#[inline(always)]
pub(super) fn float(bytes: &[u8], at: usize) -> Option<(f64, usize)> {
    Run::read(bytes, at)?.float(bytes)
}

/// One or two digits before an `i`, by a guess, since those are the most: a branch that is
/// predicted beats a chain of dependent steps.
#[inline(always)]
fn short_integer(bytes: &[u8], at: usize) -> Option<(i64, usize)> {
    let [first, second, third] = bytes.get(at..)?.first_chunk()?;
    let (ten, one) = (first.wrapping_sub(b'0'), second.wrapping_sub(b'0'));
    if ten >= 10 {
        return None;
    }
    if one < 10 && *third == b'i' {
        return Some((i64::from(ten) * 10 + i64::from(one), at + 2));
    }
    (*second == b'i').then_some((i64::from(ten), at + 1))
}

/// A run of digits behind an optional sign.
struct Run {
    negative: bool,
    start: usize,
    end: usize,
    /// Wraps beyond 19 digits.
    value: u64,
}

impl Run {
    #[inline(always)]
    fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let negative = *bytes.get(at)? == b'-';
        let start = at + usize::from(negative);
        let mut value = 0;
        let end = read_digits(bytes, start, &mut value);
        Some(Self {
            negative,
            start,
            end,
            value,
        })
    }

    #[inline(always)]
    fn integer(&self) -> Option<i64> {
        let value = self.value as i64;
        (1..=INTEGER_DIGITS_SAFE)
            .contains(&(self.end - self.start))
            .then_some(if self.negative {
                value.wrapping_neg()
            } else {
                value
            })
    }

    /// Takes the point and the digits behind it on top.
    #[inline(always)]
    fn float(self, bytes: &[u8]) -> Option<(f64, usize)> {
        let Self {
            negative,
            start,
            mut end,
            mut value,
        } = self;
        let mut digits = end - start;
        let mut fraction = 0;
        if bytes.get(end) == Some(&b'.') {
            let point = end + 1;
            end = read_digits(bytes, point, &mut value);
            fraction = end - point;
            digits += fraction;
        }
        if digits > FLOAT_DIGITS_SAFE {
            digits -= leading_zeros(bytes.get(start..end).unwrap_or_default());
        }
        // None at all, too many, or nothing but many zeros.
        if digits == 0 || digits > FLOAT_DIGITS_SAFE {
            return None;
        }
        let value = decimal::to_double(value, fraction)?;
        Some((if negative { -value } else { value }, end))
    }
}

/// The zeros before the first other digit, the point not counted.
#[cold]
fn leading_zeros(text: &[u8]) -> usize {
    let before = text.iter().take_while(|&&byte| matches!(byte, b'0' | b'.'));
    before.filter(|&&byte| byte == b'0').count()
}

/// Every number the quick readers do not take, and every fault.
#[cold]
#[inline(never)]
fn scan_with_care(
    line: &[u8],
    start: usize,
    unsigned: bool,
) -> Result<(Number, usize), (usize, LineErrorKind)> {
    let (shape, end) = shape(line, start).map_err(|at| (at, LineErrorKind::InvalidNumber))?;
    let text = line.get(start..end).unwrap_or_default();
    let invalid = Err((start, LineErrorKind::InvalidNumber));
    let digits = text.len()
        - usize::from(shape.suffix == Some(b'i'))
        - usize::from(shape.point)
        - usize::from(text.first() == Some(&b'-'));
    if digits == 0 || shape.suffix.is_some() && (shape.point || shape.exponent) {
        return invalid;
    }
    let Some(suffix) = shape.suffix else {
        return match parse_float(text) {
            Some(value) => Ok((Number::Float(value), end)),
            None => Err((start, LineErrorKind::InvalidFloat)),
        };
    };
    let Some((&last, text)) = text.split_last() else {
        return invalid;
    };
    if last != suffix || suffix == b'u' && (!unsigned || text.first() == Some(&b'-')) {
        return invalid;
    }
    let copy = || Box::from(text);
    let number = if suffix == b'i' {
        let value = parse_integer(text).ok_or_else(|| LineErrorKind::IntegerOutOfRange(copy()));
        value.map(Number::Integer)
    } else {
        let value = parse_unsigned(text).ok_or_else(|| LineErrorKind::UnsignedOutOfRange(copy()));
        value.map(Number::Unsigned)
    };
    number
        .map(|number| (number, end))
        .map_err(|kind| (start, kind))
}

#[derive(Default)]
struct Shape {
    suffix: Option<u8>,
    point: bool,
    exponent: bool,
}

/// Checks each byte of a number; the error is the offset of one that cannot stand there.
fn shape(line: &[u8], start: usize) -> Result<(Shape, usize), usize> {
    let mut shape = Shape::default();
    let mut at = start;
    if line.get(at) == Some(&b'-') {
        at += 1;
        if at == line.len() {
            return Err(start);
        }
    }
    let mut before = 0;
    while let Some(&byte) = line.get(at) {
        match byte {
            b',' | b' ' => break,
            b'0'..=b'9' => {}
            b'i' | b'u' if at > start && shape.suffix.is_none() => shape.suffix = Some(byte),
            b'.' if !shape.point => shape.point = true,
            b'e' | b'E' if at > start => shape.exponent = true,
            b'+' | b'-' if matches!(before, b'e' | b'E') => {}
            _ => return Err(at),
        }
        before = byte;
        at += 1;
    }
    Ok((shape, at))
}

/// A float of any length; `None` for what has no value or an infinite one.
fn parse_float(text: &[u8]) -> Option<f64> {
    let value: f64 = fast_float2::parse(text).ok()?;
    value.is_finite().then_some(value)
}

/// Digits with an optional minus sign; `None` beyond 64 bits.
pub(super) fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let magnitude = parse_unsigned(digits)?;
    if negative {
        0i64.checked_sub_unsigned(magnitude)
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// Digits; `None` beyond 64 bits.
fn parse_unsigned(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, &byte| {
        value
            .checked_mul(10)?
            .checked_add(u64::from(byte.wrapping_sub(b'0')))
    })
}

/// The ten spellings of true and false.
///
/// Source: influxdb 1.12 `models.scanBoolean`.
pub(super) fn parse_boolean(text: &[u8]) -> Option<bool> {
    match text {
        b"t" | b"T" | b"true" | b"True" | b"TRUE" => Some(true),
        b"f" | b"F" | b"false" | b"False" | b"FALSE" => Some(false),
        _ => None,
    }
}
