//! What is known of a query that runs, by what picante tells while it is polled.

use std::cell::RefCell;
use std::collections::HashSet;

use glasshouse_client::{ActiveSpan, SpanContext, StatusCode, context};

use crate::Queries;

/// A query and its arguments: the number of its kind, and a hash.
pub type Key = (u32, u64);

/// A query that runs, and what is computed for it.
#[derive(Debug)]
pub struct State {
    queries: Queries,
    /// The query itself, and above it those that are computed at this moment, each for the one before it.
    frames: Vec<Frame>,
    /// Which query it is, as far as picante told.
    own: Option<Key>,
    /// Queries whose value was there, and was checked.
    revalidated: HashSet<Key>,
    /// Whether the layer is there.
    is_told: bool,
    is_over: bool,
}

/// A query that has a span.
#[derive(Debug)]
struct Frame {
    /// `None` for the query itself while it is not computed.
    computes: Option<Key>,
    span: ActiveSpan,
    /// The current span when it began.
    before: Option<SpanContext>,
    outcome: Option<&'static str>,
    has_waited: bool,
    dependencies: u32,
    hits: u32,
    /// What it asked for last.
    asked: Option<Key>,
}

impl Frame {
    fn new(span: ActiveSpan, computes: Option<Key>, outcome: Option<&'static str>) -> Self {
        let before = context::current();
        Self { computes, span, before, outcome, has_waited: false, dependencies: 0, hits: 0, asked: None }
    }

    fn tell(&mut self) {
        if let Some(outcome) = self.outcome {
            self.span.set_attribute("query.outcome", outcome);
        }
        if self.has_waited {
            self.span.set_attribute("query.waited", true);
        }
        if self.dependencies > 0 {
            self.span.set_attribute("query.dependencies", self.dependencies);
            self.span.set_attribute("query.hits", self.hits);
        }
    }
}

impl State {
    pub fn new(queries: &Queries, name: &'static str) -> Self {
        let mut span = queries.tracer.span(name).with_attribute("query.name", name).start();
        span.leave_thread();
        Self {
            queries: queries.clone(),
            frames: vec![Frame::new(span, None, None)],
            own: None,
            revalidated: HashSet::new(),
            is_told: false,
            is_over: false,
        }
    }

    fn top(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("the query itself is there")
    }

    /// The span that code runs in.
    pub fn context(&self) -> Option<SpanContext> {
        self.frames.last().and_then(|frame| frame.span.context().cloned()).or_else(context::current)
    }

    /// The layer is there.
    pub fn told(&mut self) {
        self.is_told = true;
    }

    /// The query on top asks for another.
    pub fn asks(&mut self, key: Key) {
        let top = self.top();
        top.dependencies += 1;
        // Unless it is computed next.
        top.hits += 1;
        top.asked = Some(key);
    }

    /// It is checked whether a value still holds.
    pub fn revalidates(&mut self, key: Key) {
        if self.frames.len() == 1 {
            self.own.get_or_insert(key);
        }
        if self.own == Some(key) {
            self.frames[0].span.set_attribute("query.revalidated", true);
        }
        self.revalidated.insert(key);
    }

    /// Another task computes what is asked for.
    pub fn waits(&mut self) {
        self.top().has_waited = true;
    }

    /// A query is computed.
    pub fn computes(&mut self, key: Key) {
        let had_value = self.revalidated.remove(&key);
        let outcome = if had_value { "recompute" } else { "miss" };
        if self.frames.len() == 1 && *self.own.get_or_insert(key) == key {
            let own = &mut self.frames[0];
            own.computes = Some(key);
            own.outcome.get_or_insert(outcome);
            return;
        }
        let top = self.top();
        if top.asked.take_if(|asked| *asked == key).is_some() {
            top.hits -= 1;
        }
        let name = self.queries.name(key.0);
        let mut span = self.queries.tracer.span(name).with_attribute("query.name", name);
        if had_value {
            span = span.with_attribute("query.revalidated", true);
        }
        let mut span = span.start();
        span.leave_thread();
        self.frames.push(Frame::new(span, Some(key), Some(outcome)));
        context::replace(self.context());
    }

    /// A query was computed, or failed.
    pub fn computed(&mut self, key: Key, failure: Option<&str>) {
        let Some(at) = self.frames.iter().rposition(|frame| frame.computes == Some(key)) else { return };
        let frame = &mut self.frames[at];
        if at == 0 {
            // How it ends is told by the answer.
            frame.computes = None;
            return;
        }
        frame.tell();
        if let Some(failure) = failure {
            frame.span.set_status(StatusCode::Error, failure);
        }
        if context::current().as_ref() == frame.span.context() {
            context::replace(frame.before.take());
        }
        // What was computed side by side goes on.
        self.frames.remove(at);
    }

    /// There is an answer.
    pub fn finish<E: std::error::Error + ?Sized>(mut self, failure: Option<&E>) {
        self.is_over = true;
        let is_told = self.is_told;
        let own = &mut self.frames[0];
        if is_told {
            own.outcome.get_or_insert("hit");
        }
        own.tell();
        if let Some(failure) = failure {
            own.span.record_error(failure);
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // Nobody waited for it. A panic is told as such. Who was asked ends before who asks.
        while let Some(mut frame) = self.frames.pop() {
            if !self.is_over && !std::thread::panicking() {
                frame.outcome = Some("cancelled");
                frame.tell();
            }
        }
    }
}

thread_local! {
    /// The query that is polled.
    static POLLED: RefCell<Option<Box<State>>> = const { RefCell::new(None) };
}

/// Changes what is known of the query that is polled, if one is.
pub fn change(change: impl FnOnce(&mut State)) {
    // A thread that is ending polls nothing; what a change itself tells is not for the query.
    let _ = POLLED.try_with(|polled| {
        if let Ok(mut polled) = polled.try_borrow_mut()
            && let Some(state) = polled.as_mut()
        {
            change(state);
        }
    });
}

/// A query is polled while this lives.
#[derive(Debug)]
pub struct Polling {
    before: Option<Box<State>>,
}

impl Polling {
    pub fn new(state: Box<State>) -> Self {
        Self { before: POLLED.replace(Some(state)) }
    }

    /// It is polled no more.
    pub fn end(mut self) -> Option<Box<State>> {
        let state = POLLED.replace(self.before.take());
        std::mem::forget(self);
        state
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        // It panicked.
        drop(POLLED.replace(self.before.take()));
    }
}
