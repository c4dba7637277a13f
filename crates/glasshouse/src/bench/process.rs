//! What a process used, from `/proc`.

use crate::failure::Failure;

/// Processor time and memory of the server.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Processor time since its start, in seconds.
    pub cpu_seconds: f64,
    /// Memory now.
    pub rss_bytes: u64,
    /// Most memory so far.
    pub peak_rss_bytes: u64,
}

/// Clock ticks a second of `/proc/PID/stat`: a constant of Linux's interface (`USER_HZ`).
const TICKS: f64 = 100.0;

impl Usage {
    /// What the process used so far.
    pub fn of(pid: u32) -> Result<Self, Failure> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            std::fs::read_to_string(&path).map_err(|error| Failure::new(format!("cannot read {path}"), error))
        };
        let (stat, status) = (read("stat")?, read("status")?);
        Self::parse(&stat, &status).ok_or_else(|| Failure::new("cannot measure the server", "/proc has another form"))
    }

    fn parse(stat: &str, status: &str) -> Option<Self> {
        // The name of the program, in parentheses, may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
        let kib = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix("kB")?.trim().parse().ok()
        };
        Some(Self {
            cpu_seconds: (ticks(11)? + ticks(12)?) / TICKS,
            rss_bytes: kib("VmRSS:")? * 1024,
            peak_rss_bytes: kib("VmHWM:")? * 1024,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_read_whatever_the_program_is_called() {
        let stat = "17 (a) b) S 1 17 17 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 5 0 100 1 2";
        let usage = Usage::parse(stat, "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n").unwrap();
        assert!((usage.cpu_seconds - 3.0).abs() < 1e-9);
        assert_eq!((usage.rss_bytes, usage.peak_rss_bytes), (1 << 20, 2 << 20));
        assert!(Usage::of(std::process::id()).unwrap().peak_rss_bytes > 0);
    }
}
