//! The command line.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::servers::Kind;

/// What `--help` prints.
pub const HELP: &str = "\
Usage: bench [OPTIONS]

  --binary PATH             the tidegate binary          [target/release/tidegate]
  --influxd PATH            the InfluxDB 1.x server      [influxd]
  --victoria-metrics PATH   VictoriaMetrics single-node  [victoria-metrics]
  --servers A,B             only these of: tidegate, native, influxdb, victoria-metrics
  --only A,B                only workloads whose name starts with one of these
  --rounds N                rounds through all servers   [3]
  --points N                points of the large workloads; the others scale [1000000]
  --seconds S               length of the single-line workloads [3]
  --log-mib A,B             logs to start from after a crash, in MiB; 0 for none [64,120]
  --quick                   one round, 200000 points, 1 second, 4 MiB: a smoke test
  --tmp DIR                 where the servers' data goes [the system's]
  --goal-cpu-ratio-influx X fail unless InfluxDB needs X times the CPU a point (int plain)
  --goal-group-ratio-influx X fail unless X times InfluxDB's lines a second (1 line, 64 connections)
  --goal-native-ratio X     fail if wasm needs more than X times the CPU of native (int plain)
  --goal-replay-ratio X     fail unless the log is read X times as fast as it was filled
  --goal-start-seconds X    fail if a start after a crash takes longer, with each of the logs
  --help

Exit status: 0 all goals met, 1 a goal missed or an acknowledged point gone, 2 could not run.
";

/// What a run is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// The tidegate binary.
    pub binary: PathBuf,
    /// The InfluxDB server.
    pub influxd: PathBuf,
    /// The VictoriaMetrics server.
    pub victoria_metrics: PathBuf,
    /// Which servers to run, in order.
    pub servers: Vec<Kind>,
    /// Prefixes of the workloads to run; empty for all.
    pub only: Vec<String>,
    /// Rounds through all servers, at least 1.
    pub rounds: usize,
    /// Points of the large workloads.
    pub points: u64,
    /// Length of the single-line workloads in seconds.
    pub seconds: f64,
    /// Sizes of logs to start from; none for none.
    pub log_mib: Vec<u64>,
    /// Parent of the data directories.
    pub tmp: PathBuf,
    /// InfluxDB's CPU a point over ours, at least.
    pub goal_cpu_ratio_influx: Option<f64>,
    /// Our acknowledged lines a second over InfluxDB's, at least, with one line a request.
    pub goal_group_ratio_influx: Option<f64>,
    /// Our CPU a point in wasm over native, at most.
    pub goal_native_ratio: Option<f64>,
    /// CPU of the server while a log is filled over that of reading it, at least.
    pub goal_replay_ratio: Option<f64>,
    /// From a start after a crash to the first acknowledged write, at most.
    pub goal_start_seconds: Option<f64>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            binary: "target/release/tidegate".into(),
            influxd: "influxd".into(),
            victoria_metrics: "victoria-metrics".into(),
            servers: Kind::ALL.to_vec(),
            only: Vec::new(),
            rounds: 3,
            points: 1_000_000,
            seconds: 3.0,
            // The larger one just below where a snapshot cuts the log by default.
            log_mib: vec![64, 120],
            tmp: std::env::temp_dir(),
            goal_cpu_ratio_influx: None,
            goal_group_ratio_influx: None,
            goal_native_ratio: None,
            goal_replay_ratio: None,
            goal_start_seconds: None,
        }
    }
}

impl Args {
    /// Reads the arguments after the program's name; `None` if help was asked for.
    ///
    /// # Errors
    /// A sentence about the first argument that makes no sense.
    pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self::default();
        let mut args = args.into_iter();
        while let Some(flag) = args.next() {
            let mut value = || args.next().ok_or_else(|| format!("{flag} needs a value"));
            match flag.as_str() {
                "--help" | "-h" => return Ok(None),
                "--quick" => {
                    (parsed.rounds, parsed.points, parsed.seconds) = (1, 200_000, 1.0);
                    parsed.log_mib = vec![4];
                }
                "--binary" => parsed.binary = value()?.into(),
                "--influxd" => parsed.influxd = value()?.into(),
                "--victoria-metrics" => parsed.victoria_metrics = value()?.into(),
                "--tmp" => parsed.tmp = directory(&value()?)?,
                "--only" => parsed.only = value()?.split(',').map(str::to_owned).collect(),
                "--servers" => parsed.servers = kinds(&value()?)?,
                "--rounds" => parsed.rounds = number::<usize>(&flag, &value()?)?.max(1),
                "--points" => parsed.points = number::<u64>(&flag, &value()?)?.max(1),
                "--seconds" => parsed.seconds = positive(&flag, &value()?)?,
                "--log-mib" => parsed.log_mib = sizes(&flag, &value()?)?,
                "--goal-replay-ratio" => {
                    parsed.goal_replay_ratio = Some(positive(&flag, &value()?)?);
                }
                "--goal-start-seconds" => {
                    parsed.goal_start_seconds = Some(positive(&flag, &value()?)?);
                }
                "--goal-cpu-ratio-influx" => {
                    parsed.goal_cpu_ratio_influx = Some(positive(&flag, &value()?)?);
                }
                "--goal-group-ratio-influx" => {
                    parsed.goal_group_ratio_influx = Some(positive(&flag, &value()?)?);
                }
                "--goal-native-ratio" => {
                    parsed.goal_native_ratio = Some(positive(&flag, &value()?)?);
                }
                _ => return Err(format!("unknown argument {flag}")),
            }
        }
        Ok(Some(parsed))
    }
}

fn directory(text: &str) -> Result<PathBuf, String> {
    let path = Path::new(text).canonicalize();
    path.map_err(|error| format!("--tmp {text}: {error}"))
}

fn kinds(text: &str) -> Result<Vec<Kind>, String> {
    let known = |name: &str| {
        let kind = Kind::ALL.into_iter().find(|kind| kind.flag() == name);
        kind.ok_or_else(|| format!("unknown server {name}"))
    };
    text.split(',').map(known).collect()
}

fn sizes(flag: &str, text: &str) -> Result<Vec<u64>, String> {
    let sizes = text.split(',').map(|size| number(flag, size));
    let sizes: Vec<u64> = sizes.collect::<Result<_, _>>()?;
    Ok(sizes.into_iter().filter(|size| *size > 0).collect())
}

fn number<T: FromStr>(flag: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{flag} needs a number, not {text}"))
}

fn positive(flag: &str, text: &str) -> Result<f64, String> {
    let value: f64 = number(flag, text)?;
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(format!("{flag} needs a number above 0, not {text}"))
}

#[cfg(test)]
mod tests {
    use super::{Args, Kind};

    fn parse(text: &str) -> Result<Option<Args>, String> {
        Args::parse(text.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn flags_override_the_defaults_and_quick_can_be_refined() {
        assert_eq!(parse(""), Ok(Some(Args::default())));
        assert_eq!(parse("--rounds 5 --help"), Ok(None));
        let args = parse("--quick --rounds 2 --goal-native-ratio 1.5 --servers native,influxdb");
        let args = args.expect("valid").expect("no help");
        assert_eq!((args.rounds, args.points, args.seconds), (2, 200_000, 1.0));
        assert_eq!(args.goal_native_ratio, Some(1.5));
        assert_eq!(args.log_mib, [4]);
        assert_eq!(args.servers, [Kind::TidegateNative, Kind::Influxdb]);
        let args = parse("--log-mib 8,0,64").expect("valid").expect("no help");
        assert_eq!(args.log_mib, [8, 64]);
    }

    #[test]
    fn nonsense_is_refused_with_the_flag_named() {
        for text in [
            "--rounds",
            "--rounds x",
            "--log-mib 8,",
            "--seconds -1",
            "--seconds NaN",
            "--servers y",
            "x",
        ] {
            let message = parse(text).expect_err(text);
            let first = text.split(' ').next().expect("word");
            assert!(
                message.contains(first) || message.contains("server y"),
                "{message}"
            );
        }
    }
}
