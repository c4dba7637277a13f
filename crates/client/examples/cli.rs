//! A command-line program: a span for the run, one for each file it reads, errors told. `cli [URL] FILE…`

use std::error::Error;
use std::fs;
use std::process::ExitCode;
use std::time::Duration;

use glasshouse_client::Tracer;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let (urls, files): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|word| word.contains("://"));
    let url = urls.first().map_or("http://localhost:4318", String::as_str);
    // Whether a server is there does not matter to who only wants the words counted.
    let tracer = Tracer::builder(url).service("cli").connect()?;
    let mut run = tracer.span("count words").with_attribute("files", files.len()).start();
    let mut failed = 0_usize;
    for file in &files {
        let _current = run.enter();
        let mut span = tracer.span("read file").with_attribute("file.path", file).start();
        match fs::read_to_string(file) {
            Ok(text) => {
                let words = text.split_whitespace().count();
                span.set_attribute("words", words);
                println!("{words:8} {file}");
            }
            Err(error) => {
                span.record_error(&error);
                eprintln!("{file}: {error}");
                failed += 1;
            }
        }
    }
    run.set_attribute("failed", failed);
    drop(run);
    if let Err(error) = tracer.shutdown(Duration::from_secs(2)) {
        eprintln!("the trace was not sent: {error}");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
