//! `glasshouse import`: files of other tools, sent to a server.
//!
//! Each file is read twice: first all of it is decoded as the server will do it, so that nothing of a file that is not
//! understood is sent; then it is sent, in requests of a few megabytes. Importing a file again shows its spans once.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use glasshouse_formats::{Formats, jaeger_to_otlp};
use glasshouse_model::{Clock as _, SystemClock};
use glasshouse_tables::ports::{Decoder as _, WireFormat};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde_json::value::RawValue;

use crate::cli::ImportArguments;
use crate::client::{Client, ClientError, success};
use crate::failure::Failure;
use crate::place::Place;

/// Bytes of a request, unless a single item is larger.
const REQUEST: usize = 4 << 20;
/// How often a request is sent again when the server says to come back, and the longest wait in between.
const ATTEMPTS: u32 = 60;
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Runs the command.
pub async fn run(arguments: ImportArguments) -> Result<(), Failure> {
    let place = Place::find(&arguments.place)?;
    let endpoint = match &place {
        Place::Server(endpoint) | Place::UsualServer { endpoint, .. } => endpoint,
        Place::Folder(folder) => {
            return Err(Failure::new(
                "nothing was imported",
                format!("no server has the lake in {}", folder.display()),
            )
            .hint("start one with `glasshouse serve`"));
        }
    };
    let client = Client::new(endpoint);
    for path in &arguments.files {
        let mut source = Source::open(path)?;
        let mut found = Found::default();
        source.each_request(async |request| found.check(&request)).await?;
        let sent = async |request: Request| send(&client, &place, request, path).await;
        source.each_request(sent).await?;
        // Nobody may read that.
        let _ = writeln!(io::stdout(), "{}: {} items imported", path.display(), found.accepted);
        if let Some(reason) = found.rejection {
            return Err(Failure::new(
                format!("{} items of {} were refused", found.rejected, path.display()),
                format!("the first, {reason}"),
            ));
        }
    }
    Ok(())
}

/// What a server is sent.
struct Request {
    format: WireFormat,
    body: Vec<u8>,
    /// Where in the file it is from.
    place: String,
}

/// What is in a file.
#[derive(Default)]
struct Found {
    accepted: usize,
    rejected: usize,
    rejection: Option<String>,
}

impl Found {
    fn check(&mut self, request: &Request) -> Result<(), String> {
        let decoded = Formats.decode(request.format, &request.body, SystemClock.now());
        let decoded = decoded.map_err(|error| format!("{}: {error}", request.place))?;
        self.accepted += decoded.accepted;
        self.rejected += decoded.rejected;
        if let (None, Some(first)) = (&self.rejection, decoded.rejections.first()) {
            self.rejection = Some(format!("{}: item {}: {}", request.place, first.index, first.reason));
        }
        Ok(())
    }
}

async fn send(client: &Client, place: &Place, request: Request, file: &Path) -> Result<(), Failure> {
    let (path, content_type) = match request.format {
        WireFormat::OtlpTracesProtobuf => ("/v1/traces", "application/x-protobuf"),
        WireFormat::OtlpLogsProtobuf => ("/v1/logs", "application/x-protobuf"),
        WireFormat::OtlpMetricsProtobuf => ("/v1/metrics", "application/x-protobuf"),
        WireFormat::OtlpTracesJson | WireFormat::NativeSpansJson => ("/v1/traces", "application/json"),
        WireFormat::OtlpLogsJson => ("/v1/logs", "application/json"),
        WireFormat::OtlpMetricsJson => ("/v1/metrics", "application/json"),
        WireFormat::ZipkinV2Json => ("/api/v2/spans", "application/json"),
    };
    let failed = |error: &ClientError| place.failure(&format!("{} was not imported whole", file.display()), error);
    let body = bytes::Bytes::from(request.body);
    for attempt in 1.. {
        let request = client.post(path).header(CONTENT_TYPE, content_type).body(body.clone());
        let answer = request.send().await.map_err(|error| failed(&error.into()))?;
        let come_back = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        if come_back && attempt < ATTEMPTS {
            let told = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            tokio::time::sleep(Duration::from_secs(told.unwrap_or(1)).min(LONGEST_WAIT)).await;
            continue;
        }
        success(answer).await.map_err(|error| failed(&error))?;
        break;
    }
    Ok(())
}

/// A file to be read.
struct Source {
    name: String,
    file: File,
}

/// What a file holds.
enum Kind {
    /// Lines of OTLP.
    Lines,
    /// One JSON object or list.
    Document,
    /// One message of OTLP: traces.
    Protobuf,
}

impl Source {
    fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::new(format!("cannot read {}", path.display()), error);
        let file = if path == Path::new("-") {
            // It is read more than once.
            let mut copy = tempfile::tempfile().map_err(failed)?;
            io::copy(&mut io::stdin().lock(), &mut copy).map_err(failed)?;
            copy
        } else {
            File::open(path).map_err(failed)?
        };
        Ok(Self { name: path.display().to_string(), file })
    }

    /// The bytes from the beginning, as they were before compression.
    fn read(&mut self) -> io::Result<BufReader<Box<dyn Read + '_>>> {
        self.file.rewind()?;
        let mut start = [0; 2];
        let length = self.file.read(&mut start)?;
        self.file.rewind()?;
        let bytes: Box<dyn Read + '_> = match &start[..length] {
            [0x1f, 0x8b] => Box::new(MultiGzDecoder::new(&self.file)),
            _ => Box::new(&self.file),
        };
        Ok(BufReader::with_capacity(1 << 20, bytes))
    }

    fn kind(&mut self) -> io::Result<Kind> {
        let mut reader = self.read()?;
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line)? > 0 && line.trim_ascii().is_empty() {
            line.clear();
        }
        let line = line.trim_ascii();
        Ok(match line.first() {
            Some(b'{') if signals(line).is_some_and(|found| !found.is_empty()) => Kind::Lines,
            Some(b'{' | b'[') => Kind::Document,
            _ => Kind::Protobuf,
        })
    }

    /// Hands over the requests that the file makes, one after the other.
    async fn each_request<E: Into<Problem>>(
        &mut self,
        mut each: impl AsyncFnMut(Request) -> Result<(), E>,
    ) -> Result<(), Failure> {
        let done = self.try_each_request(async |request| each(request).await.map_err(Into::into)).await;
        done.map_err(|problem| match problem {
            Problem::Content(what) => Failure::new(format!("{} is not imported", self.name), what),
            Problem::Failure(failure) => failure,
        })
    }

    async fn try_each_request(
        &mut self,
        mut each: impl AsyncFnMut(Request) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        if let Kind::Lines = self.kind()? {
            let mut reader = self.read()?;
            let (mut line, mut number) = (Vec::new(), 0);
            while reader.read_until(b'\n', &mut line)? > 0 {
                number += 1;
                let json = line.trim_ascii();
                if !json.is_empty() {
                    let place = format!("line {number}");
                    let traces = (SIGNALS[0].0, SIGNALS[0].2, None);
                    // What is no JSON is told by the decoder.
                    let found = signals(json).unwrap_or_else(|| vec![traces]);
                    if found.is_empty() {
                        return Err(Problem::Content(format!("{place}: {NO_SIGNAL}")));
                    }
                    for request in otlp_requests(&found, &place, json) {
                        each(request).await?;
                    }
                }
                line.clear();
            }
            return Ok(());
        }
        let is_protobuf = matches!(self.kind()?, Kind::Protobuf);
        let mut bytes = Vec::new();
        self.read()?.read_to_end(&mut bytes)?;
        let requests = match protobuf_requests(&bytes) {
            // A message of OTLP begins with a line feed: with some lengths behind it, it looks like JSON.
            Ok(requests) => Ok(requests),
            Err(why) if is_protobuf => Err(why),
            Err(_) => document_requests(&bytes),
        };
        for request in requests.map_err(Problem::Content)? {
            each(request).await?;
        }
        Ok(())
    }
}

/// Why a file is not imported.
enum Problem {
    /// Its content.
    Content(String),
    /// Something else.
    Failure(Failure),
}

impl From<String> for Problem {
    fn from(what: String) -> Self {
        Self::Content(what)
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Content(error.to_string())
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

const NO_SIGNAL: &str = "it has none of resourceSpans, resourceLogs, resourceMetrics (OTLP)";

/// What OTLP calls the groups of each signal.
const SIGNALS: [(&str, &str, WireFormat); 3] = [
    ("resourceSpans", "resource_spans", WireFormat::OtlpTracesJson),
    ("resourceLogs", "resource_logs", WireFormat::OtlpLogsJson),
    ("resourceMetrics", "resource_metrics", WireFormat::OtlpMetricsJson),
];

/// Groups of a signal in an object of OTLP; none when they are no list.
type Signal<'a> = (&'static str, WireFormat, Option<Vec<&'a RawValue>>);

/// What an object of OTLP holds; `None` when this is no JSON object.
fn signals(json: &[u8]) -> Option<Vec<Signal<'_>>> {
    let fields: HashMap<String, &RawValue> = serde_json::from_slice(json).ok()?;
    let groups = SIGNALS.iter().filter_map(|(name, other, format)| {
        let groups = fields.get(*name).or_else(|| fields.get(*other))?;
        Some((*name, *format, serde_json::from_str(groups.get()).ok()))
    });
    Some(groups.collect())
}

/// Requests that together hold all groups. What is no list is in one with `json` itself, which tells what is wrong.
fn otlp_requests(signals: &[Signal<'_>], place: &str, json: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    for (name, format, groups) in signals {
        let Some(groups) = groups else {
            requests.push(Request { format: *format, body: json.to_vec(), place: place.to_owned() });
            continue;
        };
        let head = format!("{{\"{name}\":[");
        for (first, body) in joined(groups.iter().map(std::slice::from_ref), &head, "]}") {
            let place = format!("{place}, from {name}[{first}] on");
            requests.push(Request { format: *format, body, place });
        }
    }
    requests
}

/// Lists of items with commas in between, none much larger than a request should be; with the number of the first group.
/// Items of a group stay together.
fn joined<'a>(groups: impl Iterator<Item = &'a [&'a RawValue]>, head: &str, tail: &str) -> Vec<(usize, Vec<u8>)> {
    let mut lists: Vec<(usize, Vec<u8>)> = Vec::new();
    for (number, group) in groups.enumerate() {
        let bytes: usize = group.iter().map(|item| item.get().len() + 1).sum();
        if lists.last().is_none_or(|(_, list)| list.len() + bytes > REQUEST) {
            lists.push((number, head.as_bytes().to_vec()));
        }
        let Some((_, list)) = lists.last_mut() else { continue };
        for item in group {
            if list.len() > head.len() {
                list.push(b',');
            }
            list.extend_from_slice(item.get().as_bytes());
        }
    }
    for (_, list) in &mut lists {
        list.extend_from_slice(tail.as_bytes());
    }
    lists
}

/// Spans of Zipkin by their traces: which span is whose child shows only when all of a trace are together.
fn by_trace<'a>(spans: &[&'a RawValue]) -> Vec<Vec<&'a RawValue>> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct OfTrace {
        #[serde(default)]
        trace_id: Option<serde_json::Value>,
    }
    let mut traces: Vec<Vec<&RawValue>> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for span in spans {
        let of = serde_json::from_str::<OfTrace>(span.get()).ok().and_then(|span| span.trace_id);
        let at = *known.entry(of.map(|id| id.to_string()).unwrap_or_default()).or_insert_with(|| {
            traces.push(Vec::new());
            traces.len() - 1
        });
        traces[at].push(span);
    }
    traces
}

fn document_requests(json: &[u8]) -> Result<Vec<Request>, String> {
    if json.trim_ascii_start().starts_with(b"[") {
        let spans: Vec<&RawValue> = serde_json::from_slice(json).map_err(|error| error.to_string())?;
        let traces = by_trace(&spans);
        let lists = joined(traces.iter().map(Vec::as_slice), "[", "]").into_iter();
        let request = |(first, body)| Request {
            format: WireFormat::ZipkinV2Json,
            body,
            place: format!("from trace number {first} on"),
        };
        return Ok(lists.map(request).collect());
    }
    let fields: HashMap<String, &RawValue> = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    if fields.contains_key("data") || (fields.contains_key("spans") && fields.contains_key("processes")) {
        let requests = jaeger_to_otlp(json).map_err(|error| error.to_string())?;
        let request = |body| Request { format: WireFormat::OtlpTracesProtobuf, body, place: "Jaeger".to_owned() };
        return Ok(requests.into_iter().map(request).collect());
    }
    let signals = signals(json).unwrap_or_default();
    if signals.is_empty() {
        return Err(format!("{NO_SIGNAL}, nor data (Jaeger)"));
    }
    Ok(otlp_requests(&signals, "the object", json))
}

/// Divides a message of OTLP traces between its groups.
fn protobuf_requests(bytes: &[u8]) -> Result<Vec<Request>, String> {
    let no_otlp = || "it is neither JSON nor a message of OTLP traces".to_owned();
    let mut requests: Vec<Request> = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let mut after_tag = rest.strip_prefix(&[0x0a]).ok_or_else(no_otlp)?;
        let length = prost::encoding::decode_varint(&mut after_tag).map_err(|_| no_otlp())?;
        let length = usize::try_from(length).ok().filter(|length| *length <= after_tag.len()).ok_or_else(no_otlp)?;
        let (group, behind) = rest.split_at(rest.len() - after_tag.len() + length);
        if let Some(last) = requests.last_mut().filter(|last| last.body.len() + group.len() <= REQUEST) {
            last.body.extend_from_slice(group);
        } else {
            let place = format!("from byte {} on", bytes.len() - rest.len());
            requests.push(Request { format: WireFormat::OtlpTracesProtobuf, body: group.to_vec(), place });
        }
        rest = behind;
    }
    if requests.is_empty() { Err("it is empty".to_owned()) } else { Ok(requests) }
}
