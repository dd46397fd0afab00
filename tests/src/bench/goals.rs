//! The verdict: goals given as flags, and nothing acknowledged may be missing.

use super::args::Args;
use super::replay::Replay;
use super::report::{Metric, paired_ratio};
use super::run::Findings;
use super::servers::Kind;
use super::workload::Workload;
use crate::kit::stats::Spread;

/// Prints one PASS or FAIL line a goal; true if there was no FAIL.
pub(super) fn print(args: &Args, findings: &Findings) -> bool {
    let mut verdicts = Vec::new();
    if let Some(goal) = args.goal_cpu_ratio_influx {
        let ratio = ratio(
            findings,
            Workload::HEADLINE,
            Kind::Influxdb,
            Kind::Tidegate,
            Metric::Cpu,
        );
        let met = ratio.is_some_and(|ratio| ratio.median >= goal);
        let text = format!("CPU a point, influxdb over tidegate, is at least {goal}");
        verdicts.push((met, format!("{text}: {}", measured(ratio))));
    }
    if let Some(goal) = args.goal_group_ratio_influx {
        let group = Workload::GROUP;
        let ratio = ratio(
            findings,
            group,
            Kind::Tidegate,
            Kind::Influxdb,
            Metric::Speed,
        );
        let met = ratio.is_some_and(|ratio| ratio.median >= goal);
        let text = format!("lines a second, {group}, tidegate over influxdb, are at least {goal}");
        verdicts.push((met, format!("{text}: {}", measured(ratio))));
    }
    if let Some(goal) = args.goal_native_ratio {
        let (guest, native) = (Kind::Tidegate, Kind::TidegateNative);
        let ratio = ratio(findings, Workload::HEADLINE, guest, native, Metric::Cpu);
        let met = ratio.is_some_and(|ratio| ratio.median <= goal);
        let text = format!("CPU a point, wasm over native, is at most {goal}");
        verdicts.push((met, format!("{text}: {}", measured(ratio))));
    }
    verdicts.extend(replay_goals(args, &findings.replays));
    verdicts.extend(nothing_lost(findings));
    println!();
    for (met, text) in &verdicts {
        println!("{} {text}", if *met { "PASS" } else { "FAIL" });
    }
    for (kind, reason) in findings.broken.iter().filter(|(kind, _)| !kind.is_ours()) {
        println!("NOTE {} could not be measured: {reason}", kind.label());
    }
    verdicts.iter().all(|(met, _)| *met)
}

/// `over` by `under` under the load called `name`.
fn ratio(
    findings: &Findings,
    name: &str,
    over: Kind,
    under: Kind,
    metric: Metric,
) -> Option<Spread> {
    let mut loads = findings.comparisons.iter();
    let load = loads.find(|load| load.workload.name == name)?;
    paired_ratio(load.of(over)?, load.of(under)?, metric)
}

/// One verdict a goal and size of the log, for the guest.
fn replay_goals(args: &Args, replays: &[Replay]) -> Vec<(bool, String)> {
    let mut verdicts = Vec::new();
    for &log_mib in &args.log_mib {
        let of_size = || {
            let of = |one: &&Replay| (one.kind, one.log_mib) == (Kind::Tidegate, log_mib);
            replays.iter().filter(of)
        };
        if let Some(goal) = args.goal_replay_ratio {
            let ratio = Spread::of(of_size().map(Replay::ratio));
            let met = ratio.is_some_and(|ratio| ratio.median >= goal);
            let text = format!("a log of {log_mib} MiB is read at least {goal} times as fast");
            verdicts.push((met, format!("{text} as it was filled: {}", measured(ratio))));
        }
        if let Some(goal) = args.goal_start_seconds {
            let start = Spread::of(of_size().map(|one| one.start.as_secs_f64()));
            let met = start.is_some_and(|start| start.median <= goal);
            let text = format!("a start with a log of {log_mib} MiB takes at most {goal} s");
            verdicts.push((met, format!("{text}: {}", measured(start))));
        }
    }
    verdicts
}

fn measured(ratio: Option<Spread>) -> String {
    ratio.map_or_else(
        || "not measured".to_owned(),
        |ratio| format!("{:.2} ({:.2}..{:.2})", ratio.median, ratio.min, ratio.max),
    )
}

/// One verdict for each of our servers that took part.
fn nothing_lost(findings: &Findings) -> Vec<(bool, String)> {
    let mut verdicts = Vec::new();
    for kind in Kind::ALL.into_iter().filter(|kind| kind.is_ours()) {
        let series = findings
            .comparisons
            .iter()
            .filter_map(|load| Some((load, load.of(kind)?)));
        let mut faults = Vec::new();
        let mut runs = 0;
        for (load, series) in series {
            for measured in series.rounds.iter().flatten() {
                runs += 1;
                let stored = measured.stored;
                if !stored.is_complete() {
                    let (has, of) = (stored.counted, stored.expected);
                    faults.push(format!("{}: {has} of {of} points", load.workload.name));
                }
                if let Some(failure) = &measured.first_failure {
                    let failed = measured.failed;
                    faults.push(format!(
                        "{}: {failed} refused: {failure}",
                        load.workload.name
                    ));
                }
            }
        }
        let broken = findings.broken.iter().filter(|(broken, _)| *broken == kind);
        faults.extend(broken.map(|(_, reason)| reason.clone()));
        if runs == 0 && faults.is_empty() {
            continue;
        }
        let text = format!(
            "{}: {runs} runs, every acknowledged point is there",
            kind.label()
        );
        let faults_text = format!("{}: {}", kind.label(), faults.join("; "));
        verdicts.push((
            faults.is_empty(),
            if faults.is_empty() { text } else { faults_text },
        ));
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::print;
    use crate::bench::args::Args;
    use crate::bench::floors::Floors;
    use crate::bench::replay::Replay;
    use crate::bench::run::{Comparison, Findings, Measured, Series};
    use crate::bench::servers::Kind;
    use crate::bench::workload::Workload;
    use crate::kit::stats::Spread;

    fn findings(measured: Vec<(Kind, Measured)>) -> Findings {
        let one = Spread {
            median: 1.0,
            min: 1.0,
            max: 1.0,
        };
        let with_goals = [Workload::HEADLINE, Workload::GROUP];
        let loads = Workload::all(&Args::default()).into_iter();
        let loads = loads.filter(|load| with_goals.contains(&load.name));
        let series = |(kind, measured): &(Kind, Measured)| Series {
            kind: *kind,
            rounds: vec![Some(measured.clone())],
        };
        let comparisons = loads.map(|workload| Comparison {
            workload,
            series: measured.iter().map(series).collect(),
        });
        Findings {
            floors: Floors {
                memcpy_ns: one,
                newline_scan_ns: one,
                inflate_ns: one,
            },
            comparisons: comparisons.collect(),
            replays: Vec::new(),
            broken: Vec::new(),
        }
    }

    #[test]
    fn a_goal_is_met_missed_or_missed_for_want_of_a_measurement() {
        let ours = |cpu| (Kind::Tidegate, Measured::sample(cpu));
        let influx = (Kind::Influxdb, Measured::sample(12.0));
        let args = Args {
            goal_cpu_ratio_influx: Some(12.0),
            ..Args::default()
        };
        assert!(print(&args, &findings(vec![ours(1.0), influx.clone()])));
        assert!(!print(&args, &findings(vec![ours(1.1), influx])));
        assert!(!print(&args, &findings(vec![ours(1.0)])));

        let args = Args {
            goal_group_ratio_influx: Some(3.0),
            ..Args::default()
        };
        let lines = |kind, points_per_s| {
            let measured = Measured {
                points_per_s,
                ..Measured::sample(1.0)
            };
            (kind, measured)
        };
        let influx = lines(Kind::Influxdb, 10.0);
        let met = lines(Kind::Tidegate, 30.0);
        assert!(print(&args, &findings(vec![met, influx.clone()])));
        let missed = lines(Kind::Tidegate, 29.0);
        assert!(!print(&args, &findings(vec![missed, influx])));

        let args = Args {
            goal_native_ratio: Some(1.5),
            ..Args::default()
        };
        let native = (Kind::TidegateNative, Measured::sample(1.0));
        assert!(print(&args, &findings(vec![ours(1.5), native.clone()])));
        assert!(!print(&args, &findings(vec![ours(1.6), native])));
    }

    #[test]
    fn a_slow_replay_a_late_start_or_none_measured_misses_its_goal() {
        let args = Args {
            goal_replay_ratio: Some(3.0),
            goal_start_seconds: Some(2.0),
            log_mib: vec![64],
            ..Args::default()
        };
        let replay = |ingest_ms, start_ms| Replay {
            kind: Kind::Tidegate,
            log_mib: 64,
            log_bytes: 64 << 20,
            points: 1,
            ingest_cpu: Duration::from_millis(ingest_ms),
            replay_cpu: Duration::from_secs(1),
            start: Duration::from_millis(start_ms),
            start_empty: Duration::ZERO,
            rebuilt: None,
        };
        let with = |replays| Findings {
            replays,
            ..findings(vec![(Kind::Tidegate, Measured::sample(1.0))])
        };
        assert!(print(&args, &with(vec![replay(3000, 2000)])));
        assert!(!print(&args, &with(vec![replay(2999, 2000)])));
        assert!(!print(&args, &with(vec![replay(3000, 2001)])));
        assert!(!print(&args, &with(Vec::new())));
    }

    #[test]
    fn a_lost_point_a_refusal_or_a_broken_run_of_ours_fails_without_any_goal() {
        let args = Args::default();
        let whole = Measured::sample(1.0);
        assert!(print(
            &args,
            &findings(vec![(Kind::Tidegate, whole.clone())])
        ));
        let mut lost = whole.clone();
        lost.stored.counted = 0;
        assert!(!print(
            &args,
            &findings(vec![(Kind::Tidegate, lost.clone())])
        ));
        assert!(print(&args, &findings(vec![(Kind::VictoriaMetrics, lost)])));
        let refused = Measured {
            first_failure: Some("503".to_owned()),
            ..whole
        };
        assert!(!print(&args, &findings(vec![(Kind::Tidegate, refused)])));
        let mut broken = findings(Vec::new());
        broken
            .broken
            .push((Kind::TidegateNative, "died".to_owned()));
        assert!(!print(&args, &broken));
    }
}
