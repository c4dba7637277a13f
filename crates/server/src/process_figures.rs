//! What this process takes from the machine, as the kernel tells it. Linux only: elsewhere there are no
//! figures, rather than wrong ones.

/// Memory, processor time and open files.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ProcessFigures {
    /// Resident memory in bytes.
    pub(crate) resident_bytes: Option<u64>,
    /// User and system time in seconds.
    pub(crate) cpu_seconds: Option<f64>,
    /// Open file descriptors.
    pub(crate) open_files: Option<u64>,
    /// Threads.
    pub(crate) threads: Option<u64>,
}

/// `USER_HZ`: /proc counts processor time in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

impl ProcessFigures {
    /// Asks the kernel.
    pub(crate) fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            resident_bytes: status_value(&status, "VmRSS:").map(|kibibytes| kibibytes * 1024),
            threads: status_value(&status, "Threads:"),
            cpu_seconds: cpu_seconds(&stat),
            open_files: std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64),
        }
    }
}

fn status_value(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15 of proc(5) `stat`; the second field, in parentheses, may hold spaces.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        assert_eq!(status_value("Name:\tx\nVmRSS:\t  2048 kB\nThreads:\t7\n", "VmRSS:"), Some(2048));
        assert_eq!(status_value("", "VmRSS:"), None);
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 100";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("no"), None);
    }
}
