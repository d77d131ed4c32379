//! Memory used by a host and its children, and available on this machine (Linux only).

use std::fs;
use std::path::{Path, PathBuf};

/// Bytes that a process and everything below it hold for themselves: memory that has no file behind
/// it, also where it was swapped out. `None` when the process is gone.
pub(crate) fn of_family(pid: u32) -> Option<u64> {
    let mut total = of_process(pid)?;
    let mut open = children(pid);
    // Processes that start meanwhile are counted next time.
    for _ in 0..1000 {
        let Some(child) = open.pop() else { break };
        total += of_process(child).unwrap_or(0);
        open.extend(children(child));
    }
    Some(total)
}

fn of_process(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let fields = ["RssAnon:", "RssShmem:", "VmSwap:"];
    let held = |line: &str| fields.iter().any(|name| line.starts_with(name));
    Some(status.lines().filter(|l| held(l)).map(kilobytes).sum())
}

/// The number of a line such as `MemTotal:  4096 kB`, in bytes.
fn kilobytes(line: &str) -> u64 {
    let number = line.split_whitespace().nth(1).and_then(|n| n.parse().ok());
    number.unwrap_or(0_u64).saturating_mul(1024)
}

/// Children that any thread of a process has and has not reaped.
pub(crate) fn children(pid: u32) -> Vec<u32> {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten();
    threads
        .flatten()
        .flat_map(|thread| listed(&thread.path().join("children")))
        .collect()
}

fn listed<T: std::str::FromStr>(file: &Path) -> Vec<T> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let numbers = text.split_whitespace();
    numbers.filter_map(|number| number.parse().ok()).collect()
}

/// Children of the calling thread that were not reaped.
pub(crate) fn children_of_this_thread() -> Vec<i32> {
    listed(Path::new("/proc/thread-self/children"))
}

/// Number of processes that the OOM killer has ended since boot.
pub(crate) fn kills_for_memory() -> u64 {
    let text = fs::read_to_string("/proc/vmstat").unwrap_or_default();
    let count = text.lines().find_map(|l| l.strip_prefix("oom_kill "));
    count.and_then(|n| n.trim().parse().ok()).unwrap_or(0)
}

/// Bytes of memory that this process may use together with others: what the machine has, or less
/// where its control groups allow less.
#[must_use]
pub fn memory_of_machine() -> Option<u64> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let total = info.lines().find(|l| l.starts_with("MemTotal:"));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = groups
        .lines()
        .flat_map(|line| limits_of(Path::new("/sys/fs/cgroup"), line));
    limits.chain(total.map(kilobytes)).filter(|n| *n > 0).min()
}

/// Limits of a control group (a line of `/proc/self/cgroup`) and of those above it.
fn limits_of(root: &Path, line: &str) -> Vec<u64> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    let (root, file): (PathBuf, _) = if controllers.is_empty() {
        (root.to_owned(), "memory.max")
    } else if controllers.split(',').any(|c| c == "memory") {
        (root.join("memory"), "memory.limit_in_bytes")
    } else {
        return Vec::new();
    };
    let group = root.join(path.trim_start_matches('/'));
    // In a container the path may be the host's: what is mounted is the container's own group.
    let above = group.ancestors().take_while(|dir| dir.starts_with(&root));
    above
        .filter_map(|dir| fs::read_to_string(dir.join(file)).ok())
        .filter_map(|text| text.trim().parse().ok()) // "max" means no limit
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_limit_of_all_control_groups_above_holds() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("memory.max", "max\n");
        write("a/memory.max", "2000\n");
        write("a/b/memory.max", "3000\n");
        write("memory/c/memory.limit_in_bytes", "9223372036854771712\n");
        write("memory/memory.limit_in_bytes", "500\n");
        assert_eq!(limits_of(dir.path(), "0::/a/b"), [3000, 2000]);
        assert_eq!(limits_of(dir.path(), "0::/not/mounted/here"), [0_u64; 0]);
        let old = limits_of(dir.path(), "4:cpu,memory:/c");
        assert_eq!(old, [9_223_372_036_854_771_712, 500]);
        assert_eq!(limits_of(dir.path(), "3:cpu:/a"), [0_u64; 0]);
        assert_eq!(limits_of(dir.path(), "nonsense"), [0_u64; 0]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_of_this_process_grows_with_what_it_holds() {
        let pid = std::process::id();
        let before = of_family(pid).unwrap();
        let held = vec![1_u8; 64 << 20];
        let after = of_family(pid).unwrap();
        drop(held);
        assert!(after >= before + (48 << 20), "{before} {after}");
        assert!(memory_of_machine().unwrap() > 1 << 20);
        assert_eq!(of_family(u32::MAX), None);
    }
}
