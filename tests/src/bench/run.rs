//! The run: every workload, every round, every server; then the report.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::args::Args;
use super::goals;
use super::load::{self, Outcome};
use super::replay::{self, Replay};
use super::report;
use super::servers::{Kind, Server};
use super::verify::{self, Stored};
use super::workload::{Requests, Workload};
use super::{floors, floors::Floors};
use crate::kit::process::disk_usage_bytes;
use crate::kit::stats::percentile;
use crate::kit::{TempDir, proc};

/// One server under one load, once.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    pub points_per_s: f64,
    /// Server CPU from the first request to the last answer, a million acknowledged points.
    pub cpu_s_per_m: f64,
    /// The same with what is left to do until the server has stopped.
    pub cpu_to_stop_s_per_m: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub rss_peak_mib: f64,
    /// Of its data directory after it stopped.
    pub disk_bytes_per_point: f64,
    /// CPU of the load generator: if this is near the server's, the clock measures both.
    pub generator_cpu_s_per_m: f64,
    pub failed: u64,
    pub first_failure: Option<String>,
    /// After a restart.
    pub stored: Stored,
}

/// All rounds of one server under one load; `None` where the server broke.
#[derive(Debug)]
pub(super) struct Series {
    pub kind: Kind,
    pub rounds: Vec<Option<Measured>>,
}

/// All servers under one load.
#[derive(Debug)]
pub(super) struct Comparison {
    pub workload: Workload,
    pub series: Vec<Series>,
}

impl Comparison {
    /// The rounds of `kind`, if it took part.
    pub(super) fn of(&self, kind: Kind) -> Option<&Series> {
        self.series.iter().find(|series| series.kind == kind)
    }
}

/// Everything one run found out.
pub(super) struct Findings {
    pub floors: Floors,
    pub comparisons: Vec<Comparison>,
    pub replays: Vec<Replay>,
    /// Servers that could not be measured, with the reason.
    pub broken: Vec<(Kind, String)>,
}

/// Runs the benchmark and prints its tables; true if every goal was met.
///
/// # Errors
/// If no server could be measured at all.
pub fn run(args: &Args) -> io::Result<bool> {
    let start = Instant::now();
    let servers = find_servers(args);
    if servers.is_empty() {
        return Err(io::Error::other("no server to measure was found"));
    }
    report::print_heading(args, &servers);
    let mut findings = Findings {
        floors: floors::measure()?,
        comparisons: Vec::new(),
        replays: Vec::new(),
        broken: Vec::new(),
    };
    report::print_floors(&findings.floors);
    for workload in Workload::all(args) {
        let comparison = compare(args, &servers, workload, &mut findings.broken)?;
        report::print_comparison(&comparison);
        findings.comparisons.push(comparison);
    }
    replay_all(args, &servers, &mut findings);
    report::print_ratios(&findings);
    let met = goals::print(args, &findings);
    println!("\nThe run took {} s.", start.elapsed().as_secs());
    Ok(met)
}

/// Starts of our server, engine in the guest, after a crash, for each size of the log.
fn replay_all(args: &Args, servers: &[Server], findings: &mut Findings) {
    let wanted = args.only.is_empty() || args.only.iter().any(|only| "replay".starts_with(only));
    let sizes = args.log_mib.iter().filter(|_| wanted);
    for (&log_mib, _round) in
        sizes.flat_map(|size| (0..args.rounds).map(move |round| (size, round)))
    {
        for server in servers
            .iter()
            .filter(|server| server.kind == Kind::Tidegate)
        {
            match replay::measure(args, server, log_mib) {
                Ok(replay) => findings.replays.push(replay),
                Err(error) => {
                    let why = format!("replay of {log_mib} MiB: {error}");
                    findings.broken.push((server.kind, why));
                }
            }
        }
    }
    report::print_replays(&findings.replays);
}

fn find_servers(args: &Args) -> Vec<Server> {
    let mut found = Vec::new();
    for &kind in &args.servers {
        match Server::find(kind, args) {
            Ok(server) => found.push(server),
            Err(error) => println!("SKIPPED {}: cannot run it: {error}", kind.label()),
        }
    }
    found
}

fn compare(
    args: &Args,
    servers: &[Server],
    workload: Workload,
    broken: &mut Vec<(Kind, String)>,
) -> io::Result<Comparison> {
    let requests = workload.requests()?;
    eprintln!(
        "{}: {} MB of requests are ready",
        workload.name,
        requests.size_bytes() / 1_000_000
    );
    let empty = |server: &Server| Series {
        kind: server.kind,
        rounds: Vec::new(),
    };
    let mut series: Vec<Series> = servers.iter().map(empty).collect();
    for round in 0..args.rounds {
        let mut order: Vec<usize> = (0..servers.len()).collect();
        // Back and forth: whatever drifts slowly meets every server equally.
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            let server = &servers[index];
            let measured = measure(args, server, &workload, &requests);
            if let Err(error) = &measured {
                broken.push((server.kind, format!("{}: {error}", workload.name)));
            }
            let speed = measured
                .as_ref()
                .map_or(0.0, |measured| measured.points_per_s);
            eprintln!(
                "  round {}: {}: {speed:.0} points/s",
                round + 1,
                server.kind.label()
            );
            series[index].rounds.push(measured.ok());
        }
    }
    Ok(Comparison { workload, series })
}

fn measure(
    args: &Args,
    server: &Server,
    workload: &Workload,
    requests: &Requests,
) -> io::Result<Measured> {
    let home = TempDir::new_in(&args.tmp, "bench")?;
    let running = server.start(home.path())?;
    running.create_database()?;
    let pid = running.process.pid();
    let (cpu_before, own_before) = (proc::cpu(pid)?, proc::own_cpu());
    let outcome = load::send(running.address, workload, requests)?;
    let cpu = proc::cpu(pid)?.saturating_sub(cpu_before);
    let own_cpu = proc::own_cpu().saturating_sub(own_before);
    let rss_peak = proc::rss_peak_bytes(pid)?;
    let cpu_to_stop = running.stop()?.saturating_sub(cpu_before).max(cpu);
    let data = home.path().join("data");
    // What ours keeps free for the day when the disk is full holds no data.
    let reserve = fs::metadata(data.join("reserve")).map_or(0, |file| file.blocks() * 512);
    let disk = disk_usage_bytes(&data)? - reserve;

    let again = server.start(home.path())?;
    let stored = verify::count(&again, workload.shape, outcome.points_acked)?;
    again.process.kill()?;

    let points = outcome.points_acked.max(1) as f64;
    let per_million = |spent: Duration| spent.as_secs_f64() / points * 1e6;
    let latency_ms = |percent| percentile(&outcome.latencies_ns, percent) as f64 / 1e6;
    warn_if_exhausted(workload, requests, &outcome);
    Ok(Measured {
        points_per_s: outcome.points_acked as f64 / outcome.elapsed.as_secs_f64(),
        cpu_s_per_m: per_million(cpu),
        cpu_to_stop_s_per_m: per_million(cpu_to_stop),
        p50_ms: latency_ms(50.0),
        p99_ms: latency_ms(99.0),
        rss_peak_mib: rss_peak as f64 / (1 << 20) as f64,
        disk_bytes_per_point: disk as f64 / points,
        generator_cpu_s_per_m: per_million(own_cpu),
        failed: outcome.failed,
        first_failure: outcome.first_failure,
        stored,
    })
}

/// A timed load that ran out of requests is still a valid measurement, only a shorter one.
fn warn_if_exhausted(workload: &Workload, requests: &Requests, outcome: &Outcome) {
    if workload.limit.is_some() && requests.request(outcome.sent).is_none() {
        eprintln!(
            "  all {} requests were sent before the time was up",
            outcome.sent
        );
    }
}

#[cfg(test)]
impl Measured {
    /// A measurement in which all but the CPU is 1 and nothing was lost.
    pub(super) fn sample(cpu_s_per_m: f64) -> Self {
        Self {
            points_per_s: 1.0,
            cpu_s_per_m,
            cpu_to_stop_s_per_m: cpu_s_per_m,
            p50_ms: 1.0,
            p99_ms: 1.0,
            rss_peak_mib: 1.0,
            disk_bytes_per_point: 1.0,
            generator_cpu_s_per_m: 1.0,
            failed: 0,
            first_failure: None,
            stored: Stored {
                counted: 1,
                expected: 1,
                sampled: false,
            },
        }
    }
}
