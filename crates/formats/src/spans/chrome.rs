//! The JSON object of the Trace Event Format, which Chrome, Perfetto and speedscope open.
//! <https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU>
//!
//! Spans of threads are complete events while they nest; other spans are asynchronous events, each with an id of its
//! own, so none is shown within one that it is not part of. Times are microseconds since the first span, whose own
//! time is in `otherData`: nanoseconds since 1970 do not fit into a JSON number.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use glasshouse_model::{ProcessId, Span, SpanKind, StatusCode, Timestamp, TraceProcess, Value};
use glasshouse_tables::ports::DecodeError;
use serde_json::{Value as Json, json};

use super::{Processes, SpanWriter, attributes, extra_tags, json as to_json, write_json};

/// Writes the object.
#[derive(Debug, Default)]
pub(super) struct Writer {
    base: Option<Timestamp>,
    /// Numbers of processes, and who has them.
    pids: HashMap<ProcessId, i64>,
    taken: HashMap<i64, ProcessId>,
    /// Ends of the spans that run on each thread, the innermost last.
    threads: HashMap<(i64, i64), Vec<Option<Timestamp>>>,
}

impl SpanWriter for Writer {
    fn write(&mut self, spans: &[Span], processes: &Processes, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let Some(first) = spans.first() else { return Ok(()) };
        if self.base.is_none() {
            self.begin(Some(first.start_time), out);
        }
        // Of spans that start together, the longest is around the others.
        let mut order: Vec<&Span> = spans.iter().collect();
        order.sort_by_key(|span| (span.start_time, std::cmp::Reverse(span.end_time.unwrap_or(Timestamp::MAX))));
        for span in order {
            self.span(span, processes.get(&span.process_id), out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if self.base.is_none() {
            self.begin(None, out);
        }
        out.extend_from_slice(b"\n]}\n");
    }
}

impl Writer {
    fn begin(&mut self, base: Option<Timestamp>, out: &mut Vec<u8>) {
        self.base = base;
        let base = base.unwrap_or_default().nanos().to_string();
        let head = format!(
            "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"base_time_unix_nano\":\"{base}\"}},\"traceEvents\":[\n\
             {{\"ph\":\"M\",\"name\":\"trace_format\",\"pid\":0,\"tid\":0,\"args\":{{\"source\":\"glasshouse\"}}}}"
        );
        out.extend_from_slice(head.as_bytes());
    }

    fn span(&mut self, span: &Span, process: Option<&TraceProcess>, out: &mut Vec<u8>) {
        let pid = self.pid(span, process, out);
        let category = match span.kind {
            SpanKind::Unspecified => "span",
            kind => kind.as_str(),
        };
        let start = self.micros(span.start_time);
        let mut common = json!({"name": span.name, "cat": category, "pid": pid, "args": arguments(span)});
        let tid = self.nests(span, pid, out);
        let of_all = common.as_object_mut().expect("it is an object");
        if tid.is_none() {
            of_all.insert("id2".into(), json!({"local": format!("0x{}", span.span_id)}));
        }
        of_all.insert("tid".into(), json!(tid.unwrap_or(0)));
        let instant = json!({"cat": category, "pid": pid, "tid": tid.unwrap_or(0), "id2": common.get("id2")});
        let end = span.end_time.map(|end| self.micros(end.max(span.start_time)));
        match (tid, end) {
            (Some(_), Some(end)) => {
                let length = end.0.saturating_sub(start.0);
                event(out, common, &[("ph", json!("X")), ("ts", start.json()), ("dur", Micros(length).json())]);
            }
            (Some(_), None) => event(out, common, &[("ph", json!("B")), ("ts", start.json())]),
            (None, end) => {
                event(out, common, &[("ph", json!("b")), ("ts", start.json())]);
                if let Some(end) = end {
                    let name = ("name", json!(span.name));
                    event(out, instant.clone(), &[name, ("ph", json!("e")), ("ts", end.json())]);
                }
            }
        }
        for happened in &span.events {
            let arguments = raw(&to_json(&happened.attributes));
            let form = if tid.is_some() {
                [("ph", json!("i")), ("s", json!("t"))]
            } else {
                [("ph", json!("n")), ("s", Json::Null)]
            };
            let [form, scope] = form;
            let time = self.micros(happened.time);
            event(
                out,
                instant.clone(),
                &[("name", json!(happened.name)), form, scope, ("ts", time.json()), ("args", arguments)],
            );
        }
    }

    /// The number of a process; tells its name when it is new.
    fn pid(&mut self, span: &Span, process: Option<&TraceProcess>, out: &mut Vec<u8>) -> i64 {
        if let Some(pid) = self.pids.get(&span.process_id) {
            return *pid;
        }
        let real = match process.and_then(|process| process.resource.get("process.pid")) {
            Some(Value::Int(pid)) if (1..1 << 31).contains(pid) => Some(*pid),
            _ => None,
        };
        // Numbers of operating systems end long before.
        let made_up = (1 << 30) + self.pids.len() as i64;
        let pid = real.filter(|pid| !self.taken.contains_key(pid)).unwrap_or(made_up);
        self.taken.insert(pid, span.process_id);
        self.pids.insert(span.process_id, pid);
        let name =
            json!({"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": span.service_name}});
        event(out, name, &[]);
        pid
    }

    /// The thread of a span, when it lies within what runs there.
    fn nests(&mut self, span: &Span, pid: i64, out: &mut Vec<u8>) -> Option<i64> {
        let tid = span.thread_id.filter(|tid| (0..1 << 53).contains(tid))?;
        let stack = match self.threads.entry((pid, tid)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                if let Some(name) = &span.thread_name {
                    let name =
                        json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": name}});
                    event(out, name, &[]);
                }
                new.insert(Vec::new())
            }
        };
        while stack.last().is_some_and(|end| end.is_some_and(|end| end <= span.start_time)) {
            stack.pop();
        }
        let lies_within = match (stack.last(), span.end_time) {
            (None | Some(None), _) => true,
            (Some(Some(outer)), Some(end)) => end <= *outer,
            (Some(Some(_)), None) => false,
        };
        if lies_within {
            stack.push(span.end_time);
        }
        lies_within.then_some(tid)
    }

    fn micros(&self, time: Timestamp) -> Micros {
        Micros(time.nanos().saturating_sub(self.base.unwrap_or_default().nanos()))
    }
}

/// Nanoseconds that are written as microseconds.
#[derive(Clone, Copy)]
struct Micros(i64);

impl Micros {
    fn json(self) -> Json {
        let sign = if self.0 < 0 { "-" } else { "" };
        let nanos = self.0.unsigned_abs();
        raw(&format!("{sign}{}.{:03}", nanos / 1000, nanos % 1000))
    }
}

/// JSON as it is written.
fn raw(json: &str) -> Json {
    serde_json::from_str(json).expect("it was just written")
}

fn arguments(span: &Span) -> Json {
    let mut arguments = json!({"otel.trace_id": span.trace_id, "otel.span_id": span.span_id});
    let object = arguments.as_object_mut().expect("it is an object");
    if let Some(parent) = span.parent_span_id {
        object.insert("otel.parent_span_id".to_owned(), json!(parent));
    }
    if span.status_code != StatusCode::Unset {
        object.insert(super::tag::STATUS_CODE.to_owned(), json!(span.status_code.as_str()));
    }
    if span.end_time.is_none() {
        object.insert("glasshouse.open".to_owned(), json!(true));
    }
    for (key, value) in extra_tags(span) {
        object.insert(key.to_owned(), json!(super::text(&value)));
    }
    if !span.links.is_empty() {
        let links = span.links.iter().map(|link| format!("{}:{}", link.trace_id, link.span_id));
        object.insert("otel.links".to_owned(), links.collect());
    }
    if let Json::Object(own) = raw(&to_json(&attributes(span))) {
        object.extend(own);
    }
    arguments
}

fn event(out: &mut Vec<u8>, mut event: Json, more: &[(&str, Json)]) {
    let fields = event.as_object_mut().expect("it is an object");
    fields.retain(|_, value| !value.is_null());
    fields.extend(
        more.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| ((*key).to_owned(), value.clone())),
    );
    out.extend_from_slice(b",\n");
    write_json(&event, out);
}
