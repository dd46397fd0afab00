//! What the kernel counted for a process and its descendants, from `/proc`.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Bytes that reached or left the block layer on behalf of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskIo {
    /// Read from storage.
    pub read_bytes: u64,
    /// Sent to storage.
    pub write_bytes: u64,
}

/// User and system time of `pid` and all its descendants, reaped ones included.
///
/// `stat` counts whole ticks (mostly 10 ms) and rounds down; `schedstat` counts
/// nanoseconds, but only of threads still alive. Both can only be too low, so the higher
/// of the two is the better figure.
pub fn cpu(pid: u32) -> io::Result<Duration> {
    let own = cpu_of_one(pid)?;
    // A descendant may end while we look; its parent then counts it as reaped.
    Ok(descendants(pid)
        .into_iter()
        .filter_map(|child| cpu_of_one(child).ok())
        .fold(own, add))
}

/// CPU time of those living threads of `pid` whose name begins with `prefix`.
pub fn cpu_of_threads(pid: u32, prefix: &str) -> io::Result<Duration> {
    let mut total = Duration::ZERO;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let path = thread?.path();
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.starts_with(prefix) {
            let spent = fs::read_to_string(path.join("schedstat"))?;
            let spent = spent.split(' ').next().and_then(|text| text.parse().ok());
            total += Duration::from_nanos(spent.ok_or_else(|| malformed(pid, "schedstat"))?);
        }
    }
    Ok(total)
}

/// The highest resident set of `pid`, plus that of each descendant, in bytes.
pub fn rss_peak_bytes(pid: u32) -> io::Result<u64> {
    let own = rss_peak_of_one(pid)?;
    Ok(own
        + descendants(pid)
            .into_iter()
            .filter_map(|p| rss_peak_of_one(p).ok())
            .sum::<u64>())
}

/// Disk traffic of `pid` itself.
pub fn disk_io(pid: u32) -> io::Result<DiskIo> {
    let text = read(pid, "io")?;
    let field = |name| labelled(&text, name).ok_or_else(|| malformed(pid, "io"));
    Ok(DiskIo {
        read_bytes: field("read_bytes:")?,
        write_bytes: field("write_bytes:")?,
    })
}

/// Whether `pid` has ended and waits to be reaped.
pub fn is_zombie(pid: u32) -> io::Result<bool> {
    Ok(stat(pid)?.state == b'Z')
}

/// CPU time of the calling thread: a clock that does not see the other users of a machine.
pub fn thread_cpu() -> Duration {
    clock(ClockId::ThreadCPUTime)
}

/// CPU time of all threads of the calling process, without its children.
pub fn own_cpu() -> Duration {
    clock(ClockId::ProcessCPUTime)
}

fn clock(id: ClockId) -> Duration {
    let now = clock_gettime(id);
    Duration::new(
        now.tv_sec.unsigned_abs(),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

fn cpu_of_one(pid: u32) -> io::Result<Duration> {
    let stat = stat(pid)?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    let ticks = |count: u64| Duration::from_secs_f64(count as f64 / per_second as f64);
    Ok(ticks(stat.own_ticks).max(live_threads_cpu(pid)) + ticks(stat.reaped_ticks))
}

fn live_threads_cpu(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse().ok())
        .map(Duration::from_nanos)
        .fold(Duration::ZERO, add)
}

fn rss_peak_of_one(pid: u32) -> io::Result<u64> {
    let kib = labelled(&read(pid, "status")?, "VmHWM:");
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| malformed(pid, "status"))
}

fn descendants(pid: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let parents: Vec<(u32, u32)> = processes
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|child| Some((child, stat(child).ok()?.parent)))
        .collect();
    let mut found = Vec::new();
    let mut front = vec![pid];
    while let Some(parent) = front.pop() {
        let children = parents
            .iter()
            .filter(|(_, of)| *of == parent)
            .map(|(child, _)| *child);
        let before = found.len();
        found.extend(children);
        front.extend_from_slice(&found[before..]);
    }
    found
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: u8,
    parent: u32,
    own_ticks: u64,
    reaped_ticks: u64,
}

fn stat(pid: u32) -> io::Result<Stat> {
    parse_stat(&read(pid, "stat")?).ok_or_else(|| malformed(pid, "stat"))
}

/// The name in parentheses may hold anything, so fields count from the last `)`.
fn parse_stat(text: &str) -> Option<Stat> {
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split_ascii_whitespace().collect();
    let tick = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        state: *fields.first()?.as_bytes().first()?,
        parent: fields.get(1)?.parse().ok()?,
        own_ticks: tick(11)? + tick(12)?,
        reaped_ticks: tick(13)? + tick(14)?,
    })
}

/// The number after `label` at the start of a line.
fn labelled(text: &str, label: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(label))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

fn read(pid: u32, file: &str) -> io::Result<String> {
    fs::read_to_string(format!("/proc/{pid}/{file}"))
}

fn malformed(pid: u32, file: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("cannot make sense of /proc/{pid}/{file}"),
    )
}

fn add(left: Duration, right: Duration) -> Duration {
    left + right
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        Stat, cpu, cpu_of_threads, disk_io, is_zombie, labelled, parse_stat, rss_peak_bytes,
        thread_cpu,
    };

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194560 10 20 0 0 150 25 3 4 20 0 9 0 1 2 3";
        let expected = Stat {
            state: b'S',
            parent: 7,
            own_ticks: 175,
            reaped_ticks: 7,
        };
        assert_eq!(parse_stat(text), Some(expected));
        assert_eq!(parse_stat("42 (a) S 7"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn labels_are_found_at_the_start_of_a_line() {
        let text = "VmPeak:\t  12 kB\nVmHWM:\t  345 kB\n";
        assert_eq!(labelled(text, "VmHWM:"), Some(345));
        assert_eq!(labelled(text, "HWM:"), None);
    }

    #[test]
    fn work_of_this_process_is_counted() {
        let pid = std::process::id();
        let (before, thread_before) = (cpu(pid).expect("cpu"), thread_cpu());
        let mut sum = 0_u64;
        while (thread_cpu() - thread_before).as_millis() < 50 {
            sum = std::hint::black_box(sum.wrapping_mul(31).wrapping_add(7));
        }
        let spent = cpu(pid).expect("cpu") - before;
        assert!(spent.as_millis() >= 29, "{spent:?}");
        let name = fs::read_to_string("/proc/thread-self/comm").expect("name");
        let by_name = cpu_of_threads(pid, name.trim()).expect("threads");
        assert!(by_name.as_millis() >= 29, "{by_name:?}");
        assert!(rss_peak_bytes(pid).expect("rss") > 1 << 20);
        assert!(!is_zombie(pid).expect("state"));
        disk_io(pid).expect("io");
    }
}
