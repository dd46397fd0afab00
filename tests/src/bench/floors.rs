//! What no server can be faster than, measured in this process on the same bodies.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use super::workload::{BATCH, SEED};
use crate::r#gen::{Devops, Shape};
use crate::kit::gzip;
use crate::kit::proc::thread_cpu;
use crate::kit::stats::Spread;

const BODIES: usize = 20;
const ROUNDS: usize = 7;

/// Nanoseconds of CPU a point, on one thread.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floors {
    /// Copying the body to a warm buffer from where it was last seen long ago.
    pub memcpy_ns: Spread,
    /// Finding the ends of lines in the warm copy.
    pub newline_scan_ns: Spread,
    /// Inflating the gzip body (zlib-rs).
    pub inflate_ns: Spread,
}

/// Measures all floors; takes about a second.
pub(super) fn measure() -> io::Result<Floors> {
    let mut devops = Devops::new(Shape::FRIENDLY, SEED);
    let mut bodies = Vec::with_capacity(BODIES);
    for _ in 0..BODIES {
        let mut body = Vec::new();
        devops.body(BATCH, &mut body);
        let packed = gzip::compress(&body, 6)?;
        bodies.push((body, packed));
    }
    let mut samples = [const { Vec::new() }; 3];
    let mut buffer: Vec<u8> = Vec::with_capacity(4 << 20);
    for round in 0..=ROUNDS {
        let mut spent = [Duration::ZERO; 3];
        for (body, packed) in &bodies {
            let start = thread_cpu();
            buffer.clear();
            buffer.extend_from_slice(black_box(body));
            let copied = thread_cpu();
            black_box(memchr::memchr_iter(b'\n', black_box(&buffer)).count());
            let scanned = thread_cpu();
            buffer.clear();
            gzip::decompress_into(packed, &mut buffer)?;
            let inflated = thread_cpu();
            spent[0] += copied - start;
            spent[1] += scanned - copied;
            spent[2] += inflated - scanned;
        }
        // The first round touches the memory for the first time.
        if round > 0 {
            for (samples, spent) in samples.iter_mut().zip(spent) {
                samples.push(spent.as_nanos() as f64 / (BODIES * BATCH) as f64);
            }
        }
    }
    let [memcpy, newline_scan, inflate] = samples.map(Spread::of);
    let missing = || io::Error::other("no floor was measured");
    Ok(Floors {
        memcpy_ns: memcpy.ok_or_else(missing)?,
        newline_scan_ns: newline_scan.ok_or_else(missing)?,
        inflate_ns: inflate.ok_or_else(missing)?,
    })
}
