//! What the system knows of this process, on Linux ([proc](https://docs.kernel.org/filesystems/proc.html)).

use std::thread::available_parallelism;
use std::time::{Duration, Instant};
use std::{fs, process};

/// Ticks of a second in `/proc/…/stat`: the same on all processors that Rust's standard library runs on.
const TICKS: u64 = 100;

/// What a process takes at a moment; `None` for what the system does not tell.
#[derive(Debug)]
pub(crate) struct Usage {
    when: Instant,
    /// Time of processors since the start.
    cpu: Option<Duration>,
    pub memory_bytes: Option<u64>,
    pub threads: Option<u64>,
    pub children: Option<u64>,
}

impl Usage {
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            when: Instant::now(),
            cpu: fs::read_to_string("/proc/self/stat").ok().and_then(|stat| cpu_time(&stat)),
            memory_bytes: number(&status, "VmRSS:").map(|kib| kib << 10),
            threads: number(&status, "Threads:"),
            children: children(),
        }
    }

    /// Share of all processors that was used since.
    pub fn cpu_share_since(&self, before: &Self) -> Option<f64> {
        let used = self.cpu?.checked_sub(before.cpu?)?;
        let elapsed = self.when.duration_since(before.when).as_secs_f64();
        let processors = available_parallelism().map_or(1, usize::from);
        // Ticks are coarse: of less than ten they say little.
        (elapsed >= 10.0 / TICKS as f64).then(|| used.as_secs_f64() / elapsed / processors as f64)
    }

    /// Share of the memory that there is for it.
    pub fn memory_share(&self) -> Option<f64> {
        let machine = number(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")? << 10;
        let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
        let container: Option<u64> = container.and_then(|bytes| bytes.trim().parse().ok());
        Some(self.memory_bytes? as f64 / machine.min(container.unwrap_or(u64::MAX)) as f64)
    }
}

/// Of user and system, fields 14 and 15. The program's name, the second, is in parentheses and may have any characters.
fn cpu_time(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * (1000 / TICKS)))
}

/// The number that follows a word at the beginning of a line.
fn number(text: &str, word: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(word))?.split_ascii_whitespace().next()?.parse().ok()
}

/// Child processes.
fn children() -> Option<u64> {
    if !fs::exists("/proc/thread-self/children").ok()? {
        // Not every kernel keeps a list.
        return children_among_all();
    }
    let mut count = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        // A thread may have ended meanwhile.
        let children = fs::read_to_string(thread.ok()?.path().join("children")).ok();
        count += children.map_or(0, |children| children.split_ascii_whitespace().count() as u64);
    }
    Some(count)
}

/// Of all processes, those whose parent this is.
fn children_among_all() -> Option<u64> {
    let is_child = |entry: &fs::DirEntry| {
        let stat = entry.file_name().as_encoded_bytes()[0].is_ascii_digit().then(|| entry.path().join("stat"));
        // A process may have ended meanwhile.
        let stat = stat.and_then(|stat| fs::read_to_string(stat).ok());
        stat.and_then(|stat| parent(&stat)) == Some(process::id())
    };
    Some(fs::read_dir("/proc").ok()?.flatten().filter(is_child).count() as u64)
}

/// Field 4 of `stat`.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1)?.parse().ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::hint::black_box;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_knows_what_it_takes() {
        let before = Usage::now();
        let memory = black_box(vec![1_u8; 32 << 20]);
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("there is cat");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(150) {
            black_box(&memory);
        }
        let now = Usage::now();
        child.kill().and_then(|()| child.wait()).expect("it runs");
        let share = now.cpu_share_since(&before).expect("it took time");
        assert!(share > 0.0 && share <= 1.5, "{share}");
        assert!(now.memory_bytes > before.memory_bytes.map(|bytes| bytes + (24 << 20)), "{before:?} {now:?}");
        assert!(now.memory_share().is_some_and(|share| share > 0.0 && share < 1.0));
        assert!(now.threads > Some(1), "tests have threads of their own");
        assert!(now.children >= Some(1), "{now:?}");
    }

    #[test]
    fn a_program_may_have_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 1 0 100 0 0";
        assert_eq!(cpu_time(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu_time(""), None);
        assert_eq!(number("VmRSS:\t  12 kB\n", "VmRSS:"), Some(12));
    }
}
