//! The verdict: goals given as flags, and nothing acknowledged may be missing.

use super::args::Args;
use super::report::{Metric, paired_ratio};
use super::run::Findings;
use super::servers::Kind;
use super::workload::Workload;
use crate::kit::stats::Spread;

/// Prints one PASS or FAIL line a goal; true if there was no FAIL.
pub(super) fn print(args: &Args, findings: &Findings) -> bool {
    let mut verdicts = Vec::new();
    if let Some(goal) = args.goal_cpu_ratio_influx {
        let ratio = headline(findings, Kind::Influxdb, Kind::Tidegate);
        let met = ratio.is_some_and(|ratio| ratio.median >= goal);
        let text = format!("CPU a point, influxdb over tidegate, is at least {goal}");
        verdicts.push((met, format!("{text}: {}", measured(ratio))));
    }
    if let Some(goal) = args.goal_native_ratio {
        let ratio = headline(findings, Kind::Tidegate, Kind::TidegateNative);
        let met = ratio.is_some_and(|ratio| ratio.median <= goal);
        let text = format!("CPU a point, wasm over native, is at most {goal}");
        verdicts.push((met, format!("{text}: {}", measured(ratio))));
    }
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

/// CPU of `over` by CPU of `under` on the plain integer load.
fn headline(findings: &Findings, over: Kind, under: Kind) -> Option<Spread> {
    let mut loads = findings.comparisons.iter();
    let load = loads.find(|load| load.workload.name == Workload::HEADLINE)?;
    paired_ratio(load.of(over)?, load.of(under)?, Metric::Cpu)
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
    use super::print;
    use crate::bench::args::Args;
    use crate::bench::floors::Floors;
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
        let series = measured.into_iter().map(|(kind, measured)| Series {
            kind,
            rounds: vec![Some(measured)],
        });
        Findings {
            floors: Floors {
                memcpy_ns: one,
                newline_scan_ns: one,
                inflate_ns: one,
            },
            comparisons: vec![Comparison {
                workload: Workload::all(&Args::default())[0],
                series: series.collect(),
            }],
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
            goal_native_ratio: Some(1.5),
            ..Args::default()
        };
        let native = (Kind::TidegateNative, Measured::sample(1.0));
        assert!(print(&args, &findings(vec![ours(1.5), native.clone()])));
        assert!(!print(&args, &findings(vec![ours(1.6), native])));
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
