use std::fmt::Display;
use std::process::ExitCode;

/// Why a command did not do what it was asked, as one line: `error: what happened: why (hint: …)`.
#[derive(Debug)]
pub struct Failure {
    what: String,
    why: String,
    hint: Option<String>,
    code: u8,
}

impl Failure {
    /// The command was right but could not be done: exit code 1.
    pub fn new(what: impl Into<String>, why: impl Display) -> Self {
        Self { what: what.into(), why: one_line(&why), hint: None, code: 1 }
    }

    /// The command was wrong: exit code 2.
    pub fn wrong_use(what: impl Into<String>, why: impl Display) -> Self {
        Self { code: 2, ..Self::new(what, why) }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Prints the line and gives the process's exit code.
    pub fn report(&self) -> ExitCode {
        let hint = self.hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
        eprintln!("error: {}: {}{hint}", self.what, self.why);
        ExitCode::from(self.code)
    }
}

fn one_line(text: &impl Display) -> String {
    text.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error with all its causes: `reqwest` and `hyper` say the reason only in the last one.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !texts.iter().any(|said| said.contains(&text)) {
            texts.push(text);
        }
        source = cause.source();
    }
    texts.join(": ")
}
