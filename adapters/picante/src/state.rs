//! What is known of a query that runs, by what picante tells while it is polled.

use std::cell::RefCell;

use glasshouse_client::{ActiveSpan, SpanContext, StatusCode, context};

use crate::Queries;

/// A query and its arguments: the number of its kind, and a hash.
pub type Key = (u32, u64);

/// A query that runs, and what picante does for it.
#[derive(Debug)]
pub struct State {
    queries: Queries,
    own: Asker,
    /// Which query it is, as far as picante told.
    key: Option<Key>,
    /// What picante is in at this moment, the innermost last.
    steps: Vec<Step>,
    /// The query whose value was checked last: when it is computed next, it had one.
    checked: Option<Key>,
    /// Whether the layer is there.
    is_told: bool,
    is_over: bool,
}

/// A query with a span, which may ask for others.
#[derive(Debug)]
struct Asker {
    span: ActiveSpan,
    outcome: Option<&'static str>,
    has_waited: bool,
    dependencies: u32,
    hits: u32,
    /// What it asked for last.
    asked: Option<Key>,
}

/// Something that picante does, from a frame that it pushes to when it pops it.
#[derive(Debug)]
struct Step {
    key: Key,
    work: Work,
}

#[derive(Debug)]
enum Work {
    /// It checks whether a value still holds.
    Checks,
    /// It computes the query that is run.
    ComputesOwn,
    /// It computes another; with what was the current span before.
    Computes(Box<Asker>, Option<SpanContext>),
    /// It has computed it.
    Done,
}

impl Asker {
    fn new(mut span: ActiveSpan, outcome: Option<&'static str>) -> Self {
        span.leave_thread();
        Self { span, outcome, has_waited: false, dependencies: 0, hits: 0, asked: None }
    }

    /// It asks for a query.
    fn asks(&mut self, key: Key) {
        self.dependencies += 1;
        // Unless it is computed next.
        self.hits += 1;
        self.asked = Some(key);
    }

    /// A query is computed: it may be the one that was asked for.
    fn sees_computed(&mut self, key: Key) {
        if self.asked.take_if(|asked| *asked == key).is_some() {
            self.hits -= 1;
        }
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

    fn was_cancelled(&mut self) {
        self.outcome = Some("cancelled");
        self.tell();
    }
}

impl State {
    /// `None` when nothing is recorded.
    pub fn new(queries: &Queries, name: &'static str) -> Option<Box<Self>> {
        let span = queries.tracer.span(name).with_attribute("query.name", name).start();
        span.context()?;
        Some(Box::new(Self {
            queries: queries.clone(),
            own: Asker::new(span, None),
            key: None,
            steps: Vec::new(),
            checked: None,
            is_told: false,
            is_over: false,
        }))
    }

    /// Who asks for what is asked for now.
    fn asker(&mut self) -> &mut Asker {
        let innermost = self.steps.iter_mut().rev().find_map(|step| match &mut step.work {
            Work::Computes(asker, _) => Some(&mut **asker),
            _ => None,
        });
        innermost.unwrap_or(&mut self.own)
    }

    /// The span that code runs in.
    pub fn context(&mut self) -> Option<SpanContext> {
        self.asker().span.context().cloned()
    }

    /// Whether the layer is there.
    pub fn is_told(&self) -> bool {
        self.is_told
    }

    /// Whether this is the query that is run, of which nothing was told yet.
    fn is_own(&mut self, key: Key) -> bool {
        self.steps.is_empty() && *self.key.get_or_insert(key) == key
    }

    /// It is checked whether a value still holds.
    fn checks(&mut self, key: Key) {
        if self.is_own(key) {
            self.own.span.set_attribute("query.revalidated", true);
        }
        self.steps.push(Step { key, work: Work::Checks });
    }

    /// A query is computed. Says whether it is the one that is run.
    fn computes(&mut self, key: Key) -> bool {
        let had_value = self.checked.take_if(|checked| *checked == key).is_some();
        let outcome = if had_value { "recompute" } else { "miss" };
        if self.is_own(key) {
            self.own.outcome.get_or_insert(outcome);
            self.steps.push(Step { key, work: Work::ComputesOwn });
            return true;
        }
        self.asker().sees_computed(key);
        let name = self.queries.name(key.0);
        let mut span = self.queries.tracer.span(name).with_attribute("query.name", name);
        if had_value {
            span = span.with_attribute("query.revalidated", true);
        }
        let asker = Box::new(Asker::new(span.start(), Some(outcome)));
        let before = context::replace(asker.span.context().cloned());
        self.steps.push(Step { key, work: Work::Computes(asker, before) });
        false
    }

    /// A query was computed, or failed.
    fn computed(&mut self, key: Key, failure: Option<&str>) {
        let is_it = |step: &&mut Step| step.key == key && matches!(step.work, Work::ComputesOwn | Work::Computes(..));
        let Some(step) = self.steps.iter_mut().rev().find(is_it) else { return };
        // How the query itself ends is told by its answer.
        if let Work::Computes(mut asker, before) = std::mem::replace(&mut step.work, Work::Done) {
            asker.tell();
            if let Some(failure) = failure {
                asker.span.set_status(StatusCode::Error, failure);
            }
            leave(&asker, before);
        }
    }

    /// Picante leaves what it was in. What was not computed by then nobody waits for.
    fn leaves(&mut self) {
        let done = self.steps.iter().rposition(|step| matches!(step.work, Work::Done));
        let Some(at) = done.or(self.steps.len().checked_sub(1)) else { return };
        let step = self.steps.remove(at);
        match step.work {
            Work::Checks => self.checked = Some(step.key),
            Work::Computes(mut asker, before) => {
                asker.was_cancelled();
                leave(&asker, before);
            }
            Work::ComputesOwn | Work::Done => {}
        }
    }

    /// There is an answer.
    pub fn finish<E: std::error::Error + ?Sized>(mut self, failure: Option<&E>) {
        self.is_over = true;
        if self.is_told && failure.is_none() {
            self.own.outcome.get_or_insert("hit");
        }
        self.own.tell();
        if let Some(failure) = failure {
            self.own.span.record_error(failure);
        }
    }
}

/// A span ends: code runs in the one before it again.
fn leave(asker: &Asker, before: Option<SpanContext>) {
    if context::current().as_ref() == asker.span.context() {
        context::replace(before);
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // A panic is told as such.
        if std::thread::panicking() {
            return;
        }
        // Who was asked ends before who asks.
        while let Some(step) = self.steps.pop() {
            if let Work::Computes(mut asker, _) = step.work {
                asker.was_cancelled();
            }
        }
        if !self.is_over {
            self.own.was_cancelled();
        }
    }
}

/// What picante tells.
#[derive(Debug, Clone, Copy)]
pub enum Told {
    /// The layer is there.
    Here,
    /// A query asks for another.
    Asks(Key),
    /// A value is checked: whether what it was made of has not changed.
    Checks(Key),
    /// Another task computes what is asked for.
    Waits,
    /// A query is computed.
    Computes(Key),
    /// It was computed, or failed as it is said.
    Computed(Key, Option<&'static str>),
    /// A check or a computation is left, done or not.
    Leaves,
}

thread_local! {
    /// The queries that are polled, one within the other.
    #[expect(clippy::vec_box, reason = "they go from here to who polls them, at each poll")]
    static POLLED: RefCell<Vec<Box<State>>> = const { RefCell::new(Vec::new()) };
}

/// Lets the query that is polled know, if one is.
pub fn tell(told: Told) {
    // A thread that is ending polls nothing; what is told by what happens here is not of the query.
    let _ = POLLED.try_with(|polled| {
        let Ok(mut polled) = polled.try_borrow_mut() else { return };
        let Some((state, outer)) = polled.split_last_mut() else { return };
        match told {
            Told::Here => state.is_told = true,
            // A query that is run within another is asked for by that one.
            Told::Asks(key) => match outer.last_mut() {
                Some(outer) if state.key.is_none() => {
                    state.key = Some(key);
                    outer.asker().asks(key);
                }
                _ => state.asker().asks(key),
            },
            Told::Checks(key) => state.checks(key),
            Told::Waits => state.asker().has_waited = true,
            Told::Computes(key) => {
                if state.computes(key)
                    && let Some(outer) = outer.last_mut()
                {
                    outer.asker().sees_computed(key);
                }
            }
            Told::Computed(key, failure) => state.computed(key, failure),
            Told::Leaves => state.leaves(),
        }
    });
}

/// A query is polled while this lives.
#[derive(Debug)]
pub struct Polling(());

impl Polling {
    pub fn new(state: Box<State>) -> Self {
        POLLED.with_borrow_mut(|polled| polled.push(state));
        Self(())
    }

    /// It is polled no more.
    pub fn end(self) -> Option<Box<State>> {
        std::mem::forget(self);
        POLLED.with_borrow_mut(Vec::pop)
    }
}

impl Drop for Polling {
    fn drop(&mut self) {
        // It panicked. What ends with it may tell, when nothing is borrowed.
        let state = POLLED.with_borrow_mut(Vec::pop);
        drop(state);
    }
}
