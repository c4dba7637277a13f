//! Request bodies: read under a budget, decompressed under a cap, into one piece.

use std::io::{self, Write};
use std::pin::{Pin, pin};
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use flate2::write::{MultiGzDecoder, ZlibDecoder};
use glasshouse_api::ErrorKind;
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;

use crate::Refusal;
use crate::budget::{ByteBudget, Charge};

/// Compressed bytes that are unpacked between two chances for other tasks to run.
const SLICE: usize = 32 << 10;
/// Steps in which a body is charged to the budget.
const CHARGE: usize = 64 << 10;
/// Memory reserved for a body on the word of its `Content-Length` alone.
const TRUSTED_LENGTH: usize = 1 << 20;
/// Most that is read of a refused body, and the longest that takes.
const MAX_DRAIN: usize = 16 << 20;
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
/// Largest window of a zstd frame, as a power of two; RFC 8878 asks for 8 MiB at least.
const ZSTD_WINDOW_LOG: u32 = 24;

/// `Content-Encoding` or `grpc-encoding` of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Deflate,
    Zstd,
}

impl Encoding {
    /// Reads a header's value; none means identity.
    pub(crate) fn parse(value: Option<&[u8]>) -> Result<Self, Refusal> {
        let Some(value) = value else { return Ok(Self::Identity) };
        match value.trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::Identity),
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            b"deflate" => Ok(Self::Deflate),
            b"zstd" => Ok(Self::Zstd),
            other => Err(Refusal::unsupported(format!(
                "content encoding {:?} is not understood",
                String::from_utf8_lossy(other)
            ))
            .with_details("gzip, zstd, deflate and identity are")),
        }
    }
}

/// What bounds the reading of a body.
#[derive(Debug, Clone)]
pub(crate) struct BodyLimits {
    /// Most bytes after decompression.
    pub(crate) max_body: usize,
    /// Bytes of all bodies together.
    pub(crate) budget: ByteBudget,
    /// Longest wait for more bytes.
    pub(crate) timeout: Duration,
}

/// A whole body, uncompressed. It counts against the budget until dropped.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    _charge: Charge,
}

/// Reads a request of at most `max` bytes of JSON; `what` it should be ends the sentence "the request is not …".
pub(crate) async fn read_json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
    max: usize,
    limits: &BodyLimits,
    what: &str,
) -> Result<T, Refusal> {
    require_json(headers)?;
    let limits = BodyLimits { max_body: max, ..limits.clone() };
    let received = read(body, Encoding::Identity, None, &limits).await?;
    serde_json::from_slice(&received.bytes)
        .map_err(|error| Refusal::invalid(format!("the request is not {what}")).with_details(error.to_string()))
}

/// Refuses what does not say that it is JSON: pages of other origins cannot say so without being asked first.
fn require_json(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Refusal::unsupported("the request is to be sent as application/json"))
}

/// Reads a body to its end.
pub(crate) async fn read(
    body: Body,
    encoding: Encoding,
    content_length: Option<usize>,
    limits: &BodyLimits,
) -> Result<Received, Refusal> {
    if content_length == Some(0) {
        return Ok(Received { bytes: Bytes::new(), _charge: limits.budget.charge() });
    }
    let mut body = pin!(body);
    let collected = collect(&mut body, encoding, content_length, limits).await;
    if collected.as_ref().is_err_and(|refusal| refusal.kind != ErrorKind::Timeout) {
        drain(&mut body).await;
    }
    collected
}

async fn collect(
    body: &mut Pin<&mut Body>,
    encoding: Encoding,
    content_length: Option<usize>,
    limits: &BodyLimits,
) -> Result<Received, Refusal> {
    if encoding == Encoding::Identity && content_length.is_some_and(|length| length > limits.max_body) {
        return Err(too_large(limits.max_body));
    }
    let mut collector = Collector::new(encoding, content_length, limits)?;
    while let Some(data) = next_data(body, limits.timeout).await? {
        collector.push(&data).await?;
    }
    collector.finish()
}

/// Reads on after a refusal, and forgets: over HTTP/1.1 a client that is still sending when the
/// connection closes sees a reset instead of the answer (RFC 9112 section 9.6).
async fn drain(body: &mut Pin<&mut Body>) {
    let read_on = async {
        let mut drained = 0;
        while drained < MAX_DRAIN {
            match body.frame().await {
                Some(Ok(frame)) => drained += frame.data_ref().map_or(0, Bytes::len),
                _ => return,
            }
        }
    };
    // A client that is slower than this does not learn the reason.
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, read_on).await;
}

/// The next bytes of a body; `None` at its end.
pub(crate) async fn next_data(
    body: &mut (impl BodyExt<Data = Bytes, Error = axum::Error> + Unpin),
    timeout: Duration,
) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = tokio::time::timeout(timeout, body.frame()).await.map_err(|_| {
            Refusal::new(ErrorKind::Timeout, format!("no more of the body arrived for {} s", timeout.as_secs_f32()))
        })?;
        match frame {
            None => return Ok(None),
            Some(Err(error)) => return Err(Refusal::invalid("the body broke off").with_details(error.to_string())),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// Puts a body together from pieces.
pub(crate) struct Collector {
    decompressor: Decompressor,
    is_empty: bool,
}

enum Decompressor {
    Identity(Sink),
    Gzip(MultiGzDecoder<Sink>),
    Deflate(ZlibDecoder<Sink>),
    Zstd(zstd::stream::write::Decoder<'static, Sink>),
}

impl Collector {
    /// Takes memory for a body of `length` bytes, as sent.
    pub(crate) fn new(encoding: Encoding, length: Option<usize>, limits: &BodyLimits) -> Result<Self, Refusal> {
        let mut sink = Sink { bytes: Vec::new(), max: limits.max_body, charge: limits.budget.charge(), failure: None };
        sink.reserve(length.unwrap_or(0).min(TRUSTED_LENGTH)).map_err(|failure| sink.refusal(failure))?;
        let decompressor = match encoding {
            Encoding::Identity => Decompressor::Identity(sink),
            Encoding::Gzip => Decompressor::Gzip(MultiGzDecoder::new(sink)),
            Encoding::Deflate => Decompressor::Deflate(ZlibDecoder::new(sink)),
            Encoding::Zstd => {
                let internal = |error: io::Error| Refusal::internal(format!("cannot set up zstd: {error}"));
                let mut decoder = zstd::stream::write::Decoder::new(sink).map_err(internal)?;
                decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(internal)?;
                Decompressor::Zstd(decoder)
            }
        };
        Ok(Self { decompressor, is_empty: true })
    }

    /// Adds bytes as sent.
    pub(crate) async fn push(&mut self, data: &[u8]) -> Result<(), Refusal> {
        self.is_empty &= data.is_empty();
        if let Decompressor::Identity(sink) = &mut self.decompressor {
            return sink.append(data).map_err(|failure| sink.refusal(failure));
        }
        for slice in data.chunks(SLICE) {
            let written = match &mut self.decompressor {
                Decompressor::Identity(sink) => sink.write_all(slice),
                Decompressor::Gzip(decoder) => decoder.write_all(slice),
                Decompressor::Deflate(decoder) => decoder.write_all(slice),
                Decompressor::Zstd(decoder) => decoder.write_all(slice),
            };
            written.map_err(|error| self.refusal(&error))?;
            tokio::task::consume_budget().await;
        }
        Ok(())
    }

    /// The body, once all of it is in.
    pub(crate) fn finish(mut self) -> Result<Received, Refusal> {
        if !self.is_empty {
            let finished = match &mut self.decompressor {
                Decompressor::Identity(_) => Ok(()),
                Decompressor::Gzip(decoder) => decoder.try_finish(),
                Decompressor::Deflate(decoder) => decoder.try_finish(),
                Decompressor::Zstd(decoder) => decoder.do_finish(),
            };
            finished.map_err(|error| self.refusal(&error))?;
        }
        let sink = self.sink();
        Ok(Received { bytes: std::mem::take(&mut sink.bytes).into(), _charge: sink.charge.take() })
    }

    fn sink(&mut self) -> &mut Sink {
        match &mut self.decompressor {
            Decompressor::Identity(sink) => sink,
            Decompressor::Gzip(decoder) => decoder.get_mut(),
            Decompressor::Deflate(decoder) => decoder.get_mut(),
            Decompressor::Zstd(decoder) => decoder.get_mut(),
        }
    }

    fn refusal(&mut self, error: &io::Error) -> Refusal {
        let name = match self.decompressor {
            Decompressor::Identity(_) => "identity",
            Decompressor::Gzip(_) => "gzip",
            Decompressor::Deflate(_) => "deflate",
            Decompressor::Zstd(_) => "zstd",
        };
        let sink = self.sink();
        match sink.failure {
            Some(failure) => sink.refusal(failure),
            None => Refusal::invalid(format!("the body is not valid {name}")).with_details(error.to_string()),
        }
    }
}

/// Where decompressed bytes go: grows under the cap and the budget.
struct Sink {
    bytes: Vec<u8>,
    max: usize,
    charge: Charge,
    /// Why a write failed: `io::Error` cannot carry it through the decoders.
    failure: Option<SinkFailure>,
}

#[derive(Clone, Copy)]
enum SinkFailure {
    TooLarge,
    Overloaded,
}

impl Sink {
    fn reserve(&mut self, additional: usize) -> Result<(), SinkFailure> {
        let needed = self.bytes.len().saturating_add(additional);
        if needed > self.max {
            return Err(SinkFailure::TooLarge);
        }
        if needed > self.bytes.capacity() {
            let capacity = needed.max(self.bytes.capacity() * 2).max(8 << 10).min(self.max);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        Ok(())
    }

    fn append(&mut self, data: &[u8]) -> Result<(), SinkFailure> {
        // The charge is for bytes that have arrived: pages that are only reserved cost nothing yet, and a
        // client that announces much and sends little must not use up the budget.
        let needed = self.bytes.len().saturating_add(data.len());
        if needed > self.max {
            return Err(SinkFailure::TooLarge);
        }
        self.charge.grow_to(needed.next_multiple_of(CHARGE).min(self.max)).map_err(|_| SinkFailure::Overloaded)?;
        self.reserve(data.len())?;
        self.bytes.extend_from_slice(data);
        Ok(())
    }

    fn refusal(&self, failure: SinkFailure) -> Refusal {
        match failure {
            SinkFailure::TooLarge => too_large(self.max),
            SinkFailure::Overloaded => {
                Refusal::overloaded("too many bytes of requests are being received", Duration::from_secs(1))
            }
        }
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.append(data).map_err(|failure| {
            self.failure = Some(failure);
            io::Error::other("the body is refused")
        })?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn too_large(max: usize) -> Refusal {
    Refusal::new(ErrorKind::PayloadTooLarge, format!("the body is larger than {max} bytes"))
        .with_details("the limit holds after decompression; send smaller batches")
}
