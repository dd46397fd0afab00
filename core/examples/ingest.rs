//! How long the engine takes per point, natively, on the friendly shape: for a quick look.
#![allow(missing_docs, clippy::unwrap_used)]
use std::fmt::Write as _;
use std::time::Instant;
use tidegate_core::engine::{Config, Effect, Engine, WriteRequest};
use tidegate_core::model::Precision;

fn body(step: usize, lines: usize) -> String {
    let mut s = String::new();
    for i in 0..lines {
        let n = step * lines + i;
        let host = n % 1000;
        let t = 1_767_225_600_000_000_000i64 + (n / 1000) as i64 * 10_000_000_000;
        write!(s, "cpu,hostname=host_{host},region=eu-central-1,datacenter=eu-central-1a,rack=42,os=Ubuntu16.10,arch=x64,team=NYC,service=7,service_version=0,service_environment=production usage_user={}i,usage_system={}i,usage_idle={}i,usage_nice={}i,usage_iowait={}i,usage_irq={}i,usage_softirq={}i,usage_steal={}i,usage_guest={}i,usage_guest_nice={}i {t}\n", n*7%100, n*3%100, n*11%100, n%10, n%90, n%7, n%13, n%50, n%31, n%99).unwrap();
    }
    s
}

fn main() {
    let bodies: Vec<String> = (0..std::env::args().nth(1).map_or(200, |a| a.parse().unwrap()))
        .map(|s| body(s, 5000))
        .collect();
    for _ in 0..std::env::args().nth(2).map_or(5, |a| a.parse().unwrap()) {
        let mut engine = Engine::open(Config::new("d", 1, 2), &[]);
        engine.execute(0, "CREATE DATABASE d").unwrap();
        let (mut engine_time, mut drain_time, mut bytes) = (0.0, 0.0, 0usize);
        for b in &bodies {
            let r = WriteRequest {
                now_ns: 1_767_225_600_000_000_000,
                retention_policy: String::new(),
                precision: Precision::Nanosecond,
                dry_run: false,
            };
            let t = Instant::now();
            let rep = engine.write(&r, b.as_bytes()).unwrap();
            engine_time += t.elapsed().as_secs_f64();
            assert_eq!(rep.written, 5000);
            let t = Instant::now();
            while let Some(e) = engine.poll_effect() {
                if let Effect::PersistLog { id, length, .. } = e {
                    bytes += length;
                    engine.complete(id, Ok(())).unwrap();
                }
            }
            drain_time += t.elapsed().as_secs_f64();
        }
        println!(
            "engine {:.1} ns/pt, drain {:.1} ns/pt, log {:.1} B/pt, logical {:.1} B/pt",
            engine_time * 1000.0,
            drain_time * 1000.0,
            bytes as f64 / 1e6,
            engine.bytes() as f64 / 1e6
        );
    }
}
