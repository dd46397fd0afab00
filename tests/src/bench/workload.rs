//! What is sent: named loads, and their requests, ready before the clock starts.

use std::io;
use std::time::Duration;

use super::args::Args;
use crate::r#gen::{Devops, Order, Shape, Values};
use crate::kit::gzip;
use crate::kit::http::request_bytes;

/// The seed of every load: all servers of all rounds get the same bytes.
pub(super) const SEED: u64 = 0x7469_6465;
/// Lines of a batch, as agents send them.
pub(super) const BATCH: usize = 5_000;
const GZIP_LEVEL: u32 = 6;

/// One kind of load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Workload {
    pub name: &'static str,
    pub shape: Shape,
    /// Points to send; with a time limit, the most that can be sent.
    pub points: u64,
    pub batch: usize,
    pub connections: usize,
    pub gzip: bool,
    /// Stop after this time even if points are left.
    pub limit: Option<Duration>,
}

impl Workload {
    /// The name of the load the goals are about.
    pub(super) const HEADLINE: &'static str = "int plain";

    /// The name of the load that lives from group commit.
    pub(super) const GROUP: &'static str = "1 line, 64 connections";

    /// All loads `args` asks for, the friendly ones first.
    pub(super) fn all(args: &Args) -> Vec<Self> {
        let large = Self {
            name: Self::HEADLINE,
            shape: Shape::FRIENDLY,
            points: args.points,
            batch: BATCH,
            connections: 4,
            gzip: false,
            limit: None,
        };
        let small = Self {
            points: (args.points / 5).max(1),
            ..large
        };
        // Twice what the fastest server here was seen to take in that time.
        let in_time = |per_second: f64| (args.seconds * per_second).ceil() as u64;
        let single = Self {
            name: "1 line, 1 connection",
            points: in_time(40_000.0),
            batch: 1,
            connections: 1,
            limit: Some(Duration::from_secs_f64(args.seconds)),
            ..large
        };
        let friendly = Shape::FRIENDLY;
        let all = vec![
            Self {
                name: "int gzip",
                gzip: true,
                ..large
            },
            single,
            Self {
                name: Self::GROUP,
                points: in_time(150_000.0),
                connections: 64,
                ..single
            },
            Self {
                name: "shuffled lines",
                shape: Shape {
                    order: Order::Shuffled,
                    ..friendly
                },
                ..small
            },
            Self {
                name: "wide integers",
                shape: Shape {
                    values: Values::Wide,
                    ..friendly
                },
                ..small
            },
            Self {
                name: "floats",
                shape: Shape {
                    values: Values::Floats,
                    ..friendly
                },
                ..small
            },
            Self {
                name: "100000 hosts",
                shape: Shape {
                    hosts: 100_000,
                    ..friendly
                },
                ..small
            },
        ];
        let wanted = |workload: &Self| {
            args.only.is_empty() || args.only.iter().any(|only| workload.name.starts_with(only))
        };
        std::iter::once(large).chain(all).filter(wanted).collect()
    }

    /// All its requests. Several hundred megabytes for a large load without gzip.
    pub(super) fn requests(&self) -> io::Result<Requests> {
        let mut devops = Devops::new(self.shape, SEED);
        let mut requests = Requests {
            bytes: Vec::new(),
            ends: Vec::new(),
            points: Vec::new(),
        };
        let mut left = self.points;
        let mut body = Vec::new();
        while left > 0 {
            let lines = left.min(self.batch as u64);
            left -= lines;
            body.clear();
            devops.body(lines as usize, &mut body);
            let request = if self.gzip {
                let headers = [("Content-Encoding", "gzip")];
                request_bytes(
                    "POST",
                    TARGET,
                    &headers,
                    &gzip::compress(&body, GZIP_LEVEL)?,
                )
            } else {
                request_bytes("POST", TARGET, &[], &body)
            };
            if requests.ends.is_empty() {
                // Doubling a vector of this size would cost more memory than it holds.
                let count = self.points.div_ceil(self.batch as u64) as usize;
                requests
                    .bytes
                    .reserve_exact(count * (request.len() + request.len() / 20));
            }
            requests.bytes.extend_from_slice(&request);
            requests.ends.push(requests.bytes.len());
            requests.points.push(lines as u32);
        }
        Ok(requests)
    }
}

const TARGET: &str = "/write?db=bench";

/// Complete requests in the order they are to be sent.
pub(super) struct Requests {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    points: Vec<u32>,
}

impl Requests {
    /// Request number `index` and its number of points, if there are so many.
    pub(super) fn request(&self, index: usize) -> Option<(&[u8], u32)> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some((&self.bytes[start..end], self.points[index]))
    }

    /// Size of all requests in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::Args;
    use super::Workload;

    #[test]
    fn requests_hold_every_point_once_and_the_last_may_be_short() {
        let args = Args {
            points: 12_001,
            ..Args::default()
        };
        for workload in Workload::all(&args)
            .iter()
            .filter(|workload| workload.limit.is_none())
        {
            let requests = workload.requests().expect("requests");
            let count = workload.points.div_ceil(5_000) as usize;
            let each = (0..).map_while(|index| Some(u64::from(requests.request(index)?.1)));
            assert_eq!(each.sum::<u64>(), workload.points);
            let (last, points) = requests.request(count - 1).expect("last");
            assert!(last.starts_with(b"POST /write?db=bench HTTP/1.1\r\n"));
            assert_eq!(
                u64::from(points),
                workload.points - 5_000 * (count as u64 - 1)
            );
            assert!(requests.request(count).is_none());
        }
    }

    #[test]
    fn a_prefix_selects_workloads() {
        let names = |only: &str| {
            let args = Args {
                only: vec![only.to_owned()],
                ..Args::default()
            };
            Workload::all(&args)
                .iter()
                .map(|workload| workload.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("int"), ["int plain", "int gzip"]);
        assert_eq!(names("1 line").len(), 2);
        assert!(names("nothing").is_empty());
    }
}
