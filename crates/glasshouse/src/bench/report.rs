//! The figures, as a table and as JSON.

use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::perfetto::PerfettoReport;
use super::process::Usage;
use super::send::Sent;
use super::server::Server;
use super::settle::{self, Settled};
use crate::failure::Failure;
use crate::units::Size;

/// Bytes of the live data files.
const FILE_BYTES: &str = "glasshouse_file_bytes";
/// How many there are.
const FILES: &str = "glasshouse_files";

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    pub machine: String,
    pub version: &'static str,
    pub spans: u64,
    pub seed: u64,
    pub connections: usize,
    pub rate: Option<u64>,
    pub ingest: Ingest,
    pub storage: Storage,
    /// Spans and events that were acknowledged and are not there, or are there twice.
    pub lost: u64,
    pub peak_rss_bytes: u64,
    /// From start to ready with the settled lake, each restart.
    pub ready_ms: Vec<f64>,
    /// Whether the system allowed dropping the page cache before asking cold.
    pub page_cache_dropped: Option<bool>,
    pub questions: Vec<QuestionReport>,
    /// Figures of exporting, when that was asked for.
    pub perfetto: Option<PerfettoReport>,
}

#[derive(Debug, Serialize)]
pub struct Ingest {
    pub wire_bytes: u64,
    pub seconds: f64,
    pub spans_per_second: f64,
    pub server_cpu_seconds: f64,
    pub spans_per_cpu_second: f64,
    /// Processors that the server kept busy while sending.
    pub cores: f64,
    pub client_cpu_seconds: f64,
    /// From the last answer until the lake was quiet.
    pub settle_seconds: f64,
    pub settled_cpu_seconds: f64,
    pub spans_per_cpu_second_settled: f64,
    pub rss_bytes: u64,
    pub request: Latency,
    pub retries: usize,
}

/// Times in milliseconds.
#[derive(Debug, Clone, Serialize)]
pub struct Latency {
    pub count: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

#[derive(Debug, Serialize)]
pub struct Storage {
    pub files: u64,
    pub file_bytes: u64,
    /// What the lake keeps beside the data files: catalog, WAL.
    pub other_bytes: u64,
    pub bytes_per_span: f64,
}

#[derive(Debug, Serialize)]
pub struct QuestionReport {
    pub question: &'static str,
    pub warm: Option<Latency>,
    pub cold: Option<Latency>,
    pub wrong_answers: usize,
    /// What was wrong first.
    pub problem: Option<String>,
}

impl Ingest {
    pub fn new(sent: &Sent, started: &Usage, after_sending: &Usage, settled: &Settled) -> Self {
        let seconds = sent.time.as_secs_f64();
        let sending = after_sending.cpu_seconds - started.cpu_seconds;
        let until_settled = settled.usage.cpu_seconds - started.cpu_seconds;
        let spans = sent.spans as f64;
        Self {
            wire_bytes: sent.bytes,
            seconds,
            spans_per_second: spans / seconds,
            server_cpu_seconds: sending,
            spans_per_cpu_second: spans / sending,
            cores: sending / seconds,
            client_cpu_seconds: sent.client_cpu_seconds,
            settle_seconds: settled.time.as_secs_f64(),
            settled_cpu_seconds: until_settled,
            spans_per_cpu_second_settled: spans / until_settled,
            rss_bytes: after_sending.rss_bytes,
            request: Latency::of(sent.latencies.clone()),
            retries: sent.retries,
        }
    }
}

impl Latency {
    pub fn of(mut milliseconds: Vec<f64>) -> Self {
        milliseconds.sort_by(f64::total_cmp);
        // Nearest rank: the least value that so many are not above.
        let rank = |quantile: f64| (milliseconds.len() as f64 * quantile).ceil() as usize;
        let at = |quantile| milliseconds.get(rank(quantile).saturating_sub(1)).copied().unwrap_or(f64::NAN);
        Self { count: milliseconds.len(), p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1.0) }
    }
}

impl Storage {
    /// Replaced files wait for their readers before they are deleted; they do not count.
    pub async fn measure(server: &Server, spans: u64) -> Result<Self, Failure> {
        let figures = settle::figures(server.client()).await?;
        let file_bytes = figures.get(FILE_BYTES) as u64;
        let other_bytes =
            server.data_dir().map_or(0, |dir| bytes_below(dir).saturating_sub(bytes_below(&dir.join("data"))));
        let bytes_per_span = (file_bytes + other_bytes) as f64 / spans as f64;
        Ok(Self { files: figures.get(FILES) as u64, file_bytes, other_bytes, bytes_per_span })
    }
}

fn bytes_below(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let bytes = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(bytes).sum()
}

impl QuestionReport {
    pub fn new(question: &'static str) -> Self {
        Self { question, warm: None, cold: None, wrong_answers: 0, problem: None }
    }

    pub fn note(&mut self, check: Result<(), String>) {
        if let Err(problem) = check {
            self.wrong_answers += 1;
            self.problem.get_or_insert(problem);
        }
    }
}

impl Report {
    pub fn note_peak(&mut self, usage: &Usage) {
        self.peak_rss_bytes = self.peak_rss_bytes.max(usage.peak_rss_bytes);
    }

    /// Success only when nothing was lost and every answer was right.
    pub fn verdict(&self) -> Result<(), Failure> {
        if self.lost > 0 {
            return Err(Failure::new("rows are missing or double", self.lost));
        }
        if let Some(problem) = self.perfetto.as_ref().and_then(|perfetto| perfetto.problem.as_ref()) {
            return Err(Failure::new("the exported trace is wrong", problem));
        }
        match self.questions.iter().find(|question| question.wrong_answers > 0) {
            Some(question) => {
                let problem = question.problem.as_deref().unwrap_or_default();
                Err(Failure::new(
                    format!("{} wrong answers to {:?}", question.wrong_answers, question.question),
                    problem,
                ))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ingest = &self.ingest;
        writeln!(f, "{}", self.machine)?;
        let pace = self.rate.map_or("as fast as can be".to_owned(), |rate| format!("{rate} spans/s"));
        writeln!(f, "{} spans, {} connections, {pace}\n", self.spans, self.connections)?;
        let mut line = |name: &str, value: String| writeln!(f, "{name:<44} {value}");
        line("spans per server CPU-second, while sending", thousands(ingest.spans_per_cpu_second))?;
        line("… until settled", thousands(ingest.spans_per_cpu_second_settled))?;
        line("spans/s accepted", thousands(ingest.spans_per_second))?;
        line("server cores while sending", format!("{:.2}", ingest.cores))?;
        line("sender CPU", format!("{:.1} s of {:.1} s", ingest.client_cpu_seconds, ingest.seconds))?;
        line("request p50 / p99", format!("{:.1} / {:.1} ms", ingest.request.p50_ms, ingest.request.p99_ms))?;
        line("requests sent again after a refusal", ingest.retries.to_string())?;
        line("settled after", format!("{:.1} s", ingest.settle_seconds))?;
        line("bytes/span on disk when settled", format!("{:.1}", self.storage.bytes_per_span))?;
        line("data files", format!("{}, {}", self.storage.files, Size(self.storage.file_bytes)))?;
        line("catalog and WAL", Size(self.storage.other_bytes).to_string())?;
        line("RSS after sending", Size(ingest.rss_bytes).to_string())?;
        line("peak RSS", Size(self.peak_rss_bytes).to_string())?;
        line("lost or double rows", self.lost.to_string())?;
        if !self.ready_ms.is_empty() {
            line("start to ready, p50", format!("{:.0} ms", Latency::of(self.ready_ms.clone()).p50_ms))?;
        }
        if let Some(perfetto) = &self.perfetto {
            writeln!(f, "\nPerfetto trace of a process of {} spans, over HTTP", perfetto.spans)?;
            let mut line = |name: &str, value: String| writeln!(f, "{name:<44} {value}");
            line("spans per server CPU-second", thousands(perfetto.spans_per_cpu_second))?;
            line("written in", format!("{:.1} s, {}", perfetto.seconds, Size(perfetto.bytes)))?;
            line("estimated before", Size(perfetto.estimated_bytes).to_string())?;
            line("first byte", format!("{:.0} ms", perfetto.first_byte_ms))?;
            line("counting what there is", format!("{:.0} ms", perfetto.info_ms))?;
            line("memory beyond idle", Size(perfetto.extra_rss_bytes).to_string())?;
            line("… two at once", Size(perfetto.extra_rss_of_two_bytes).to_string())?;
            line("… while the reader does not read", Size(perfetto.extra_rss_stalled_bytes).to_string())?;
            line("CPU in a second after the reader left", format!("{:.2} s", perfetto.cpu_after_abandoned))?;
        }
        if self.questions.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{:<52} {:>18} {:>18} {:>6}", "question, ms", "warm p50 / p99", "cold p50 / max", "wrong")?;
        for question in &self.questions {
            let show = |latency: &Option<Latency>, tail: fn(&Latency) -> f64| {
                latency
                    .as_ref()
                    .map_or("–".to_owned(), |latency| format!("{:.2} / {:.2}", latency.p50_ms, tail(latency)))
            };
            let (warm, cold) = (show(&question.warm, |l| l.p99_ms), show(&question.cold, |l| l.max_ms));
            writeln!(f, "{:<52} {warm:>18} {cold:>18} {:>6}", question.question, question.wrong_answers)?;
        }
        match self.page_cache_dropped {
            Some(true) => writeln!(f, "cold: the first of its kind after a restart with the page cache dropped"),
            Some(false) => writeln!(f, "cold: after a restart; the system did not allow dropping the page cache"),
            None => Ok(()),
        }
    }
}

fn thousands(value: f64) -> String {
    format!("{:.0} k", value / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_nearest_rank() {
        let latency = Latency::of((1..=200).map(f64::from).rev().collect());
        assert!((latency.p50_ms - 100.0).abs() < 1e-9);
        assert!((latency.p99_ms - 198.0).abs() < 1e-9);
        assert!((latency.max_ms - 200.0).abs() < 1e-9);
        assert!(Latency::of(Vec::new()).p50_ms.is_nan());
    }
}
