//! What the figures were measured on.

use crate::failure::Failure;
use crate::units::Size;

/// Memory that a span takes on its way: the encoded bytes and the facts kept for checking.
const BYTES_PER_SPAN: u64 = 570;

/// Processor, cores and memory in one line.
pub fn describe() -> String {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let memory = memory("MemTotal").map_or("unknown".to_owned(), |bytes| Size(bytes).to_string());
    format!("{model}, {cores} cores, {memory} memory")
}

/// Refuses a workload that does not fit into the machine's memory.
pub fn check_memory(spans: u64) -> Result<(), Failure> {
    let needed = spans.saturating_mul(BYTES_PER_SPAN);
    match memory("MemAvailable") {
        Some(available) if needed > available => Err(Failure::wrong_use(
            format!("cannot make {spans} spans"),
            format!("they take {} and {} are free", Size(needed), Size(available)),
        )
        .hint("choose fewer with --spans")),
        _ => Ok(()),
    }
}

fn memory(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Writes dirty pages and drops the page cache, when the system allows it.
pub fn drop_page_cache() -> bool {
    rustix::fs::sync();
    std::fs::write("/proc/sys/vm/drop_caches", "1").is_ok()
}
