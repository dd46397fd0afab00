//! Tables of medians and spread, aligned for a terminal.

use std::thread::available_parallelism;

use super::args::Args;
use super::floors::Floors;
use super::replay::Replay;
use super::run::{Comparison, Findings, Measured, Series};
use super::servers::{Kind, Server};
use super::workload::Workload;
use crate::kit::stats::Spread;

/// A figure of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Metric {
    Speed,
    Cpu,
    CpuToStop,
    P50,
    P99,
    Rss,
    Disk,
    Generator,
}

impl Metric {
    fn of(self, measured: &Measured) -> f64 {
        match self {
            Self::Speed => measured.points_per_s,
            Self::Cpu => measured.cpu_s_per_m,
            Self::CpuToStop => measured.cpu_to_stop_s_per_m,
            Self::P50 => measured.p50_ms,
            Self::P99 => measured.p99_ms,
            Self::Rss => measured.rss_peak_mib,
            Self::Disk => measured.disk_bytes_per_point,
            Self::Generator => measured.generator_cpu_s_per_m,
        }
    }
}

/// `over` by `under`, a ratio a round, so that both halves of each met the same machine.
pub(super) fn paired_ratio(over: &Series, under: &Series, metric: Metric) -> Option<Spread> {
    let pairs = over.rounds.iter().zip(&under.rounds);
    let ratios = pairs
        .filter_map(|(over, under)| Some(metric.of(over.as_ref()?) / metric.of(under.as_ref()?)));
    Spread::of(ratios.filter(|ratio| ratio.is_finite()))
}

/// Machine, versions and what the columns mean.
pub(super) fn print_heading(args: &Args, servers: &[Server]) {
    let cores = available_parallelism().map_or(0, usize::from);
    println!(
        "Side by side on {cores} cores, {} round(s), medians (min..max).",
        args.rounds
    );
    for server in servers {
        println!("  {:<18} {}", server.kind.label(), server.version);
    }
    println!(
        "Each run starts on an empty directory. CPU: user and system seconds of the server a \
         million\nacknowledged points, until the last answer; `to stop`: until it has stopped. \
         Disk: after the stop.\nStored: counted after a restart. Generator: CPU of this process. \
         Peers keep their\ndefault durability: influxdb syncs each write, victoria-metrics \
         answers before anything is on disk."
    );
}

/// The floors, in the unit of the other tables as well.
pub(super) fn print_floors(floors: &Floors) {
    println!("\nFloors, one thread, ns of CPU a point (1 CPU s/M = 1000 ns):");
    let rows = [
        ("memcpy", floors.memcpy_ns),
        ("newline scan", floors.newline_scan_ns),
        ("inflate (zlib-rs)", floors.inflate_ns),
    ];
    for (name, spread) in rows {
        println!("  {name:<18} {}", with_spread(Some(spread)));
    }
}

/// One workload, a row a server.
pub(super) fn print_comparison(comparison: &Comparison) {
    let workload = &comparison.workload;
    println!("\n{}: {}", workload.name, describe(workload));
    let heading = [
        "server",
        "points/s",
        "CPU s/M",
        "to stop",
        "p50 ms",
        "p99 ms",
        "RSS MiB",
        "disk B/pt",
        "generator s/M",
        "failed",
        "stored",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for series in &comparison.series {
        let spread = |metric: Metric| {
            Spread::of(
                series
                    .rounds
                    .iter()
                    .flatten()
                    .map(|measured| metric.of(measured)),
            )
        };
        let median = |metric| spread(metric).map_or_else(dash, |spread| figure(spread.median));
        rows.push(vec![
            series.kind.label().to_owned(),
            with_spread(spread(Metric::Speed)),
            with_spread(spread(Metric::Cpu)),
            median(Metric::CpuToStop),
            median(Metric::P50),
            with_spread(spread(Metric::P99)),
            median(Metric::Rss),
            median(Metric::Disk),
            median(Metric::Generator),
            series
                .rounds
                .iter()
                .flatten()
                .map(|measured| measured.failed)
                .sum::<u64>()
                .to_string(),
            stored(series),
        ]);
    }
    print_table(&rows, 1);
    let failures = comparison.series.iter().flat_map(|series| {
        let measured = series.rounds.iter().flatten();
        measured.filter_map(|one| Some((series.kind, one.first_failure.as_ref()?)))
    });
    for (kind, failure) in failures {
        println!("  {} refused a request: {failure}", kind.label());
    }
}

/// Starts after a crash, a row a server and size of the log.
pub(super) fn print_replays(replays: &[Replay]) {
    if replays.is_empty() {
        return;
    }
    println!(
        "\nReplay: `kill -9` with a log of that size, and a start. Start: from the start of the \
         process to the\nfirst acknowledged write. Rebuilt: the engine dropped for a failed sync, \
         as after a trap, until the\nnext acknowledged write. Faster: CPU of the server that \
         filled the log over CPU of the thread\nthat read it."
    );
    let heading = [
        "server",
        "log MiB",
        "points",
        "faster",
        "replay s/M",
        "start s",
        "empty s",
        "rebuilt s",
    ];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    let mut seen: Vec<(Kind, u64)> = Vec::new();
    for replay in replays {
        let key = (replay.kind, replay.log_mib);
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        let same = || replays.iter().filter(|one| (one.kind, one.log_mib) == key);
        let spread = |of: fn(&Replay) -> f64| with_spread(Spread::of(same().map(of)));
        let rebuilt = same().filter_map(|one| Some(one.rebuilt?.as_secs_f64()));
        rows.push(vec![
            replay.kind.label().to_owned(),
            spread(|one| one.log_bytes as f64 / f64::from(1 << 20)),
            replay.points.to_string(),
            spread(Replay::ratio),
            spread(|one| one.replay_cpu.as_secs_f64() / one.points as f64 * 1e6),
            spread(|one| one.start.as_secs_f64()),
            spread(|one| one.start_empty.as_secs_f64()),
            with_spread(Spread::of(rebuilt)),
        ]);
    }
    print_table(&rows, 1);
}

/// Every pair of servers under every load; above 1 is better for the first of the pair.
pub(super) fn print_ratios(findings: &Findings) {
    use Kind::{Influxdb, Tidegate, TidegateNative, VictoriaMetrics};
    let pairs = [
        (Tidegate, Influxdb),
        (Tidegate, VictoriaMetrics),
        (Tidegate, TidegateNative),
        (TidegateNative, Influxdb),
        (TidegateNative, VictoriaMetrics),
        (VictoriaMetrics, Influxdb),
    ];
    println!("\nRatios, round by round; N means the first is N times better than the second:");
    let heading = ["workload", "pair", "CPU", "points/s", "p99", "RSS", "disk"];
    let mut rows = vec![heading.map(str::to_owned).to_vec()];
    for comparison in &findings.comparisons {
        for (first, second) in pairs {
            let both = (comparison.of(first), comparison.of(second));
            let (Some(a), Some(b)) = both else { continue };
            let less = |metric| with_spread(paired_ratio(b, a, metric));
            rows.push(vec![
                comparison.workload.name.to_owned(),
                format!("{} / {}", first.label(), second.label()),
                less(Metric::Cpu),
                with_spread(paired_ratio(a, b, Metric::Speed)),
                less(Metric::P99),
                less(Metric::Rss),
                less(Metric::Disk),
            ]);
        }
    }
    if rows.len() > 1 {
        print_table(&rows, 2);
    }
    print_distance_to_floors(findings);
}

fn print_distance_to_floors(findings: &Findings) {
    let floors = &findings.floors;
    let of_load = |name, floor_name, floor: Spread| {
        let load = findings
            .comparisons
            .iter()
            .find(|load| load.workload.name == name)?;
        let rounds = load.of(Kind::Tidegate)?.rounds.iter().flatten();
        let cpu = Spread::of(rounds.map(|measured| measured.cpu_s_per_m))?;
        let times = cpu.median * 1000.0 / floor.median;
        println!("tidegate, {name}: the whole server costs {times:.1} times {floor_name}.");
        Some(())
    };
    of_load(Workload::HEADLINE, "a memcpy", floors.memcpy_ns);
    of_load(Workload::HEADLINE, "a newline scan", floors.newline_scan_ns);
    of_load("int gzip", "an inflate", floors.inflate_ns);
}

fn describe(workload: &Workload) -> String {
    let amount = match workload.limit {
        Some(limit) => format!("{} s", limit.as_secs_f64()),
        None => format!("{} points", workload.points),
    };
    let lines = if workload.batch == 1 { "line" } else { "lines" };
    format!(
        "{amount}, {} hosts, {} {lines} a request, {} connection(s)",
        workload.shape.hosts, workload.batch, workload.connections
    )
}

fn stored(series: &Series) -> String {
    let mut all = series
        .rounds
        .iter()
        .flatten()
        .map(|measured| measured.stored);
    if series.rounds.iter().any(Option::is_none) {
        return "BROKEN".to_owned();
    }
    let Some(first) = all.clone().next() else {
        return dash();
    };
    match all.find(|stored| !stored.is_complete()) {
        Some(short) => format!(
            "LOST {} of {}",
            short.expected - short.counted,
            short.expected
        ),
        None if first.sampled => "all (9 hosts read)".to_owned(),
        None => "all".to_owned(),
    }
}

/// The first `names` columns hold words, the others figures.
fn print_table(rows: &[Vec<String>], names: usize) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::from(" ");
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            if column < names {
                line.push_str(&format!(" {cell:<width$} "));
            } else {
                line.push_str(&format!(" {cell:>width$} "));
            }
        }
        println!("{}", line.trim_end());
    }
}

fn with_spread(spread: Option<Spread>) -> String {
    let Some(Spread { median, min, max }) = spread else {
        return dash();
    };
    if min == max {
        return figure(median);
    }
    format!("{} ({}..{})", figure(median), figure(min), figure(max))
}

fn dash() -> String {
    "-".to_owned()
}

/// Three significant digits are all that such measurements carry.
fn figure(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        medium if medium >= 10.0 => format!("{value:.1}"),
        small if small >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Metric, Series, figure, paired_ratio, with_spread};
    use crate::bench::run::Measured;
    use crate::bench::servers::Kind;
    use crate::kit::stats::Spread;

    fn series(cpu: &[Option<f64>]) -> Series {
        let rounds = cpu.iter().map(|cpu| cpu.map(Measured::sample)).collect();
        Series {
            kind: Kind::Tidegate,
            rounds,
        }
    }

    #[test]
    fn ratios_pair_the_rounds_and_leave_out_broken_ones() {
        let slow = series(&[Some(10.0), Some(30.0), None, Some(8.0)]);
        let fast = series(&[Some(1.0), Some(2.0), Some(4.0), Some(0.0)]);
        let ratio = paired_ratio(&slow, &fast, Metric::Cpu);
        assert_eq!(
            ratio,
            Some(Spread {
                median: 12.5,
                min: 10.0,
                max: 15.0
            })
        );
        assert_eq!(paired_ratio(&series(&[None]), &fast, Metric::Cpu), None);
    }

    #[test]
    fn figures_carry_three_digits() {
        assert_eq!(figure(123_456.7), "123457");
        assert_eq!(figure(12.34), "12.3");
        assert_eq!(figure(1.234), "1.23");
        assert_eq!(figure(0.1234), "0.123");
        let spread = Spread {
            median: 2.0,
            min: 1.0,
            max: 3.0,
        };
        assert_eq!(with_spread(Some(spread)), "2.00 (1.00..3.00)");
        assert_eq!(with_spread(None), "-");
    }
}
