//! The questions that people ask, and how long their answers take.

use std::time::Instant;

use glasshouse_model::{DurationNs, TraceId};
use glasshouse_workload::bench::{Answers, Question};

use super::answers::{check_list, check_total, check_trace};
use super::machine::drop_page_cache;
use super::report::{Latency, QuestionReport, Report};
use super::server::Server;
use crate::client::Client;
use crate::failure::{Failure, causes};

/// Traces on a page.
const LIMIT: usize = 20;
/// Questions of a kind asked without measuring, so that caches are warm.
const WARM_UP: usize = 30;
/// Questions of a kind measured warm.
const WARM: usize = 200;
/// Aggregations over everything are few: each takes much longer.
const WARM_SQL: usize = 10;
/// Restarts for asking cold; each kind is asked once after each.
const COLD: usize = 10;

/// One question with its right answer.
pub struct Asked {
    request: Request,
    expected: Expected,
}

enum Request {
    /// Path and query of a GET.
    Get {
        path: String,
        query: Vec<(&'static str, String)>,
    },
    Sql(&'static str),
}

enum Expected {
    Trace(usize),
    Absent,
    Traces(Vec<String>),
    Total(u64),
}

/// A kind of question.
pub struct Kind {
    name: &'static str,
    asked: Vec<Asked>,
    warm: usize,
}

/// A number below `below` that looks random and is the same in every run.
fn scatter(number: usize, below: usize) -> usize {
    ((number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24) as usize % below
}

/// Every kind, with enough questions for all rounds.
pub fn all(answers: &Answers) -> Vec<Kind> {
    let many = |name, make: &dyn Fn(usize) -> Asked| Kind {
        name,
        asked: (0..WARM_UP + WARM + COLD).map(make).collect(),
        warm: WARM,
    };
    let trace = |number: usize| answers.trace(scatter(number, answers.traces()));
    let slower = |number: usize, milliseconds: i64| {
        let trace = trace(number);
        Question {
            service: trace.spans[0].service.to_owned(),
            operation: Some(trace.spans[0].name.to_owned()),
            min_duration: Some(DurationNs::from_nanos(milliseconds * 1_000_000)),
            ..Default::default()
        }
    };
    vec![
        many("trace by id", &|number| {
            let position = scatter(number, answers.traces());
            Asked { request: trace_request(answers.trace(position).trace_id), expected: Expected::Trace(position) }
        }),
        many("absent trace id", &|number| {
            let absent = (scatter(number, usize::MAX) as u128) << 64 | 1;
            let id = TraceId::from_bytes(absent.to_be_bytes()).expect("the last bit is set");
            Asked { request: trace_request(id), expected: Expected::Absent }
        }),
        many("search service + operation > 100 ms, newest 20", &|number| search(answers, &slower(number, 100))),
        many("search service + operation > 1 s (rare), newest 20", &|number| search(answers, &slower(number, 1000))),
        many("search errors of a service, newest 20", &|number| {
            let service = trace(number).spans[0].service.to_owned();
            search(answers, &Question { service, error: true, ..Default::default() })
        }),
        many("search service + user.id, newest 20", &|number| {
            let trace = trace(number);
            let service = trace.spans[0].service.to_owned();
            search(answers, &Question { service, user_id: Some(trace.user_id), ..Default::default() })
        }),
        Kind {
            name: "SQL: count and p99 by service",
            asked: (0..=WARM_SQL + COLD)
                .map(|_| Asked {
                    request: Request::Sql(
                        "SELECT service_name, count(*), approx_percentile_cont(duration_ns, 0.99) FROM spans GROUP BY service_name",
                    ),
                    expected: Expected::Total(answers.spans()),
                })
                .collect(),
            warm: WARM_SQL,
        },
    ]
}

fn trace_request(id: TraceId) -> Request {
    Request::Get { path: format!("/v1/traces/{id}"), query: Vec::new() }
}

fn search(answers: &Answers, question: &Question) -> Asked {
    let mut query = vec![("service", question.service.clone()), ("limit", LIMIT.to_string())];
    query.extend(question.operation.clone().map(|operation| ("operation", operation)));
    query.extend(question.min_duration.map(|least| ("min_duration", format!("{least}ns"))));
    query.extend(question.error.then(|| ("error", "true".to_owned())));
    query.extend(question.user_id.clone().map(|user| ("attr.user.id", user)));
    let expected = answers.find(question, LIMIT).iter().map(ToString::to_string).collect();
    Asked { request: Request::Get { path: "/v1/traces".to_owned(), query }, expected: Expected::Traces(expected) }
}

/// Asks once; gives the time in milliseconds.
async fn ask(client: &Client, asked: &Asked, answers: &Answers) -> Result<(f64, Result<(), String>), Failure> {
    let request = match &asked.request {
        Request::Get { path, query } => client.get(path).query(query),
        Request::Sql(sql) => client.post("/api/query").json(&serde_json::json!({ "sql": sql })),
    };
    let begun = Instant::now();
    let answer = request.send().await.map_err(|error| Failure::new("cannot ask the server", causes(&error)))?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(|error| Failure::new("cannot ask the server", causes(&error)))?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1e3;
    let check = match &asked.expected {
        Expected::Absent if status.as_u16() == 404 => Ok(()),
        _ if !status.is_success() => Err(format!("{status}: {}", String::from_utf8_lossy(&body))),
        Expected::Absent => Err("an absent trace was found".to_owned()),
        Expected::Trace(number) => check_trace(&body, &answers.trace(*number)),
        Expected::Traces(expected) => check_list(&body, expected),
        Expected::Total(total) => check_total(&body, *total),
    };
    Ok((milliseconds, check))
}

/// Asks each kind many times, one after the other.
pub async fn ask_warm(client: &Client, kinds: &[Kind], answers: &Answers) -> Result<Vec<QuestionReport>, Failure> {
    let mut reports = Vec::new();
    for kind in kinds {
        let mut report = QuestionReport::new(kind.name);
        let mut latencies = Vec::new();
        let warm_up = kind.asked.len() - kind.warm - COLD;
        for (number, asked) in kind.asked[COLD..].iter().enumerate() {
            let (milliseconds, check) = ask(client, asked, answers).await?;
            report.note(check);
            if number >= warm_up {
                latencies.push(milliseconds);
            }
        }
        report.warm = Some(Latency::of(latencies));
        reports.push(report);
    }
    Ok(reports)
}

/// Asks each kind once after each restart, with the page cache dropped. Which kind is first, and so pays
/// for what every first question pays, changes from round to round.
pub async fn ask_cold(
    server: &mut Server,
    kinds: &[Kind],
    answers: &Answers,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut latencies = vec![Vec::new(); kinds.len()];
    for round in 0..COLD {
        let mut is_dropped = false;
        let ready = server.restart(|| is_dropped = drop_page_cache()).await?;
        report.ready_ms.push(ready.as_secs_f64() * 1e3);
        report.page_cache_dropped = Some(is_dropped);
        for position in 0..kinds.len() {
            let number = (round + position) % kinds.len();
            let (milliseconds, check) = ask(server.client(), &kinds[number].asked[round], answers).await?;
            report.questions[number].note(check);
            latencies[number].push(milliseconds);
        }
        report.note_peak(&server.usage().await?);
    }
    for (question, latencies) in report.questions.iter_mut().zip(latencies) {
        question.cold = Some(Latency::of(latencies));
    }
    Ok(())
}
