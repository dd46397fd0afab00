//! `blocks`: what values cost in a block, in bytes and in time, beside the rows of the cache.

use std::collections::BTreeMap;
use std::time::Instant;

use tidegate_core::block::{
    Block, BlockWriter, FieldRef, HEADER_BYTES, Identity, Merge, MergeStep, Need, Opening, Part,
    Scan, Step, Wanted, WriterConfig,
};
use tidegate_core::ids::ShardId;
use tidegate_core::model::{Value, row};
use tidegate_tests::r#gen::devops::{Devops, Order, Shape, Values};

/// A row: its time and the bits of its ten values.
type Row = (i64, Vec<u64>);

/// Points of a shape by series, in order of time.
type Points = BTreeMap<String, Vec<Row>>;

fn points(values: Values, hosts: usize, count: usize) -> Points {
    let shape = Shape {
        hosts,
        values,
        order: Order::RoundRobin,
    };
    let (mut body, mut points) = (Vec::new(), Points::new());
    Devops::new(shape, 1).body(count, &mut body);
    let text = String::from_utf8(body).expect("ASCII");
    for line in text.lines() {
        let mut parts = line.split(' ');
        let mut part = || parts.next().expect("three parts");
        let (key, fields, time) = (part(), part(), part());
        let bits = fields.split(',').map(|field| {
            let text = field.split('=').nth(1).expect("a value");
            match text.strip_suffix('i') {
                Some(integer) => integer.parse::<i64>().expect("an integer") as u64,
                None => text.parse::<f64>().expect("a float").to_bits(),
            }
        });
        let row = (time.parse().expect("a time"), bits.collect());
        points.entry(key.to_owned()).or_default().push(row);
    }
    points
}

const fn value(bits: u64, is_float: bool) -> Value<'static> {
    if is_float {
        Value::Float(f64::from_bits(bits))
    } else {
        Value::Integer(bits as i64)
    }
}

const fn identity(generation: u64) -> Identity {
    Identity {
        node_id: 1,
        shard: ShardId(1),
        generation,
        salt: 5,
    }
}

fn put(part: &Part<'_>, out: &mut Vec<u8>) {
    if part.is_last {
        out[..part.bytes.len()].copy_from_slice(part.bytes);
    } else {
        out.extend_from_slice(part.bytes);
    }
}

fn take(writer: &mut BlockWriter, out: &mut Vec<u8>) {
    while let Some(part) = writer.part() {
        put(&part, out);
        writer.advance();
    }
}

/// A block of the rows that `keep` picks by their place in their series.
fn write(
    points: &Points,
    is_float: bool,
    generation: u64,
    keep: impl Fn(usize) -> bool,
) -> Vec<u8> {
    let mut writer = BlockWriter::new(identity(generation), WriterConfig::default());
    let kind = value(0, is_float).field_type();
    let fields: Vec<FieldRef> = (0..10)
        .map(|field| writer.field(format!("usage_{field}").as_bytes(), kind))
        .collect();
    let mut out = vec![0; HEADER_BYTES];
    for (key, rows) in points {
        writer.series(key.as_bytes()).expect("in order");
        for (_, (time, bits)) in rows.iter().enumerate().filter(|(at, _)| keep(*at)) {
            let mut values = [(fields[0], Value::Integer(0)); 10];
            for (place, (&field, &bits)) in values.iter_mut().zip(fields.iter().zip(bits)) {
                *place = (field, value(bits, is_float));
            }
            writer.row(*time, &values).expect("in order");
        }
        take(&mut writer, &mut out);
    }
    writer.finish();
    while writer.step() {
        take(&mut writer, &mut out);
    }
    take(&mut writer, &mut out);
    out
}

fn read(bytes: &[u8], need: Need) -> &[u8] {
    let start = need.offset as usize;
    &bytes[start..start + need.length]
}

fn open(bytes: &[u8], generation: u64) -> Block {
    let mut opening = Opening::new(1, ShardId(1), generation, bytes.len() as u64);
    while let Some(need) = opening.need() {
        opening.supply(read(bytes, need));
    }
    opening.finish().expect("a block")
}

/// Reads all values and counts them.
fn scan(bytes: &[u8], block: &Block) -> usize {
    let (mut scan, mut count) = (Scan::new(Wanted::default()), 0);
    loop {
        match scan.step(block) {
            Step::Read(need) => scan.supply(read(bytes, need)),
            Step::More => {}
            Step::Rows => {
                let rows = scan.rows().expect("rows");
                let places = |column| rows.values(column).count();
                count += rows.columns().iter().map(places).sum::<usize>();
            }
            Step::End => return count,
        }
    }
}

/// The longest step in microseconds, and the bytes.
fn merge(inputs: &[Vec<u8>; 2]) -> (u128, Vec<u8>) {
    let blocks = [0, 1].map(|at| (open(&inputs[at], at as u64), Vec::new()));
    let writer = BlockWriter::new(identity(2), WriterConfig::default());
    let mut merge = Merge::new(blocks.into(), writer);
    let (mut out, mut longest) = (vec![0; HEADER_BYTES], 0);
    loop {
        let start = Instant::now();
        let step = merge.step(1_000).expect("merges");
        longest = longest.max(start.elapsed().as_micros());
        match step {
            MergeStep::Read(input, need) => merge.supply(input, read(&inputs[input], need)),
            MergeStep::Part => {
                put(&merge.part().expect("a part"), &mut out);
                merge.advance();
            }
            MergeStep::More => {}
            MergeStep::Done => return (longest, out),
        }
    }
}

fn raw_bytes(points: &Points, is_float: bool) -> usize {
    let mut bytes = 0;
    for (_, bits) in points.values().flatten() {
        let values: Vec<_> = bits.iter().map(|&bits| value(bits, is_float)).collect();
        let mut out = Vec::new();
        row::encode(&values, &mut out);
        // Length, head and time stand in front of a row.
        bytes += 10 + out.len();
    }
    bytes
}

fn main() {
    println!(
        "{:24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "", "rows", "block", "ratio", "encode", "decode", "merge", "step"
    );
    println!(
        "{:24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "values, hosts x points",
        "B/value",
        "B/value",
        "",
        "ns/value",
        "ns/value",
        "ns/value",
        "max us"
    );
    for (name, values, hosts, each) in [
        ("small", Values::Small, 10, 10_000),
        ("small", Values::Small, 1_000, 100),
        ("small", Values::Small, 30_000, 3),
        ("wide", Values::Wide, 100, 1_000),
        ("floats", Values::Floats, 100, 1_000),
    ] {
        let is_float = values == Values::Floats;
        let points = points(values, hosts, hosts * each);
        let count = hosts * each * 10;
        let per_value = |start: Instant| start.elapsed().as_nanos() as f64 / count as f64;
        let start = Instant::now();
        let bytes = write(&points, is_float, 0, |_| true);
        let encode = per_value(start);
        let block = open(&bytes, 0);
        let start = Instant::now();
        assert_eq!(scan(&bytes, &block), count);
        let decode = per_value(start);
        let halves = [0, 1].map(|half| write(&points, is_float, half, |at| at as u64 % 2 == half));
        let start = Instant::now();
        let (longest, merged) = merge(&halves);
        let merge = per_value(start);
        assert_eq!(merged.len(), bytes.len());
        let (raw, packed) = (raw_bytes(&points, is_float), bytes.len());
        let of_values = |bytes: usize| bytes as f64 / count as f64;
        println!(
            "{:24} {:9.3} {:9.3} {:9.1} {encode:9.1} {decode:9.1} {merge:9.1} {longest:9}",
            format!("{name}, {hosts} x {each}"),
            of_values(raw),
            of_values(packed),
            raw as f64 / packed as f64,
        );
    }
}
