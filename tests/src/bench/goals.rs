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
