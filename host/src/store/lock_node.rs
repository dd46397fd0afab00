//! The lock of a server under Node: a file with the pid of its owner and the time at which that
//! started, so that a dead owner is known even when its pid is taken again.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};

use super::files;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NodeLock {
    /// There is none.
    Free,
    /// This process holds it, in this file.
    Held(String, PathBuf),
    /// Its owner is gone.
    Stale(PathBuf),
}

/// Looks at the lock of `dir`.
pub(super) fn find(dir: &Path) -> NodeLock {
    let path = dir.join("lock.node");
    let Ok(text) = files::read_small(&path) else {
        let held = || NodeLock::Held("a process that cannot be told".into(), path.clone());
        return if path.exists() {
            held()
        } else {
            NodeLock::Free
        };
    };
    let mut words = text.split_whitespace();
    let (Some(pid), Some(started)) = (words.next(), words.next()) else {
        // Its owner is between creating and filling it, or died there: for a person to decide.
        let owner = "a server under Node that is starting (if there is none, remove the file)";
        return NodeLock::Held(owner.into(), path);
    };
    if is_alive(pid, started) {
        return NodeLock::Held(format!("process {pid} (a server under Node)"), path);
    }
    NodeLock::Stale(path)
}

fn is_alive(pid: &str, started: &str) -> bool {
    let number = pid.parse().ok().and_then(Pid::from_raw);
    let gone = Some(rustix::io::Errno::SRCH);
    if number.is_some_and(|pid| test_kill_process(pid).err() == gone) {
        return false;
    }
    start_time(pid) == started
}

/// Linux: clock ticks since boot at which the process started. Elsewhere the pid must do.
fn start_time(pid: &str) -> String {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The command in brackets may contain blanks; the 22nd field is the 20th behind it.
    let behind = stat.rsplit_once(") ").map_or("", |(_, behind)| behind);
    let field = behind.split(' ').nth(19).unwrap_or("unknown");
    field.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::lock::Lock;
    use super::*;
    use crate::testing::TempDir;
    use std::fs;

    fn lock(temp: &TempDir, text: &str) -> PathBuf {
        let path = temp.path().join("lock.node");
        fs::write(&path, text).expect("written");
        path
    }

    #[test]
    fn a_live_owner_is_named_and_kept() {
        let temp = TempDir::new();
        let us = std::process::id().to_string();
        let text = format!("{us} {}\n", start_time(&us));
        let path = lock(&temp, &text);
        let refused = Lock::take(temp.path()).expect_err("held").to_string();
        assert!(refused.contains(&format!("process {us} ")), "{refused}");
        assert!(
            refused.contains("lock.node") && refused.contains("stop it"),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(path).expect("there"), text);
    }

    #[test]
    fn the_lock_of_a_dead_owner_is_taken_over() {
        let temp = TempDir::new();
        // The pid is alive, but belongs to another process than the one that wrote this; and no
        // process has the other pid.
        for text in [format!("{} 1\n", std::process::id()), "4194400 77\n".into()] {
            let path = lock(&temp, &text);
            drop(Lock::take(temp.path()).expect("taken over"));
            assert!(!path.exists());
        }
    }

    #[test]
    fn a_lock_that_does_not_say_whose_it_is_is_left_to_a_person() {
        let temp = TempDir::new();
        let path = lock(&temp, "");
        let refused = Lock::take(temp.path()).expect_err("held").to_string();
        assert!(refused.contains("remove the file"), "{refused}");
        assert!(path.exists());
    }
}
