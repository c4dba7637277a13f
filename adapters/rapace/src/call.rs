//! A call, as a span.

use glasshouse_client::{ActiveSpan, SpanBuilder, SpanContext, SpanKind, StatusCode, Tracer};
use rapace::registry::{MethodId, ServiceRegistry};
use rapace::{ErrorCode, Frame, FrameFlags, MsgDescHot, RpcError, parse_error_payload};

/// A call that runs. When it is dropped before its end, it was cancelled.
#[derive(Debug)]
pub struct Call {
    span: ActiveSpan,
    kind: SpanKind,
    is_over: bool,
}

/// The name of a method, if the process knows it.
pub fn method_name(method: u32) -> Option<String> {
    ServiceRegistry::with_global(|known| Some(known.method_by_id(MethodId(method))?.full_name.clone()))
}

impl Call {
    /// Starts the span of a call of a method, whose name may be known.
    pub fn start(
        tracer: &Tracer,
        kind: SpanKind,
        (method, name): (u32, Option<&str>),
        parent: impl FnOnce(SpanBuilder<'_>) -> SpanBuilder<'_>,
    ) -> Self {
        let mut span =
            parent(tracer.span("rapace").with_kind(kind)).with_attribute("rpc.system.name", "rapace").start();
        span.leave_thread();
        match name {
            Some(name) => {
                span.set_attribute("rpc.method", name);
                span.set_name(name.to_owned());
            }
            None => span.set_attribute("rapace.method_id", i64::from(method)),
        }
        Self { span, kind, is_over: false }
    }

    /// What identifies the span; `None` when tracing is disabled.
    pub fn context(&self) -> Option<&SpanContext> {
        self.span.context()
    }

    /// It has its whole answer.
    pub fn complete(&mut self) {
        self.is_over = true;
    }

    /// It ended with an error.
    pub fn fail(&mut self, error: &RpcError) {
        self.is_over = true;
        let code = match error {
            RpcError::Status { code, .. } => Some(*code),
            RpcError::Cancelled => Some(ErrorCode::Cancelled),
            RpcError::DeadlineExceeded => Some(ErrorCode::DeadlineExceeded),
            RpcError::Transport(_) => None,
        };
        if let Some(code) = code {
            self.span.set_attribute("rpc.response.status_code", format_args!("{code:?}"));
            if self.kind == SpanKind::Server && is_of_caller(code) {
                return;
            }
        }
        match code {
            Some(code) => self.span.set_attribute("error.type", format_args!("{code:?}")),
            None => self.span.set_attribute("error.type", "transport"),
        }
        self.span.set_status(StatusCode::Error, &error.to_string());
    }

    /// Ends it with an error.
    pub fn failed(mut self, error: &RpcError) {
        self.fail(error);
    }

    /// A frame of the answer came, or goes.
    pub fn see(&mut self, frame: &Frame) {
        if frame.desc.flags.contains(FrameFlags::ERROR) {
            self.fail(&parse_error_payload(frame.payload_bytes()));
        } else if frame.desc.flags.contains(FrameFlags::EOS) {
            self.complete();
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody waited for it. A panic is told as such.
        if !self.is_over && !std::thread::panicking() {
            self.span.set_attribute("error.type", "cancelled");
        }
    }
}

/// Whether an error says that the caller asked for something wrong: then the server did not fail.
fn is_of_caller(code: ErrorCode) -> bool {
    use ErrorCode::{
        Aborted, AlreadyExists, Cancelled, FailedPrecondition, InvalidArgument, NotFound, Ok, OutOfRange,
        PermissionDenied, ResourceExhausted,
    };
    matches!(
        code,
        Ok | Cancelled
            | InvalidArgument
            | NotFound
            | AlreadyExists
            | PermissionDenied
            | ResourceExhausted
            | FailedPrecondition
            | Aborted
            | OutOfRange
    )
}

/// An error as rapace sends it: code, length of the message, message.
pub fn error_frame(error: &RpcError) -> Frame {
    let (code, message) = match error {
        RpcError::Status { code, message } => (*code, message.clone()),
        RpcError::Transport(error) => (ErrorCode::Unavailable, error.to_string()),
        RpcError::Cancelled => (ErrorCode::Cancelled, error.to_string()),
        RpcError::DeadlineExceeded => (ErrorCode::DeadlineExceeded, error.to_string()),
    };
    let mut payload = (code as u32).to_le_bytes().to_vec();
    payload.extend((message.len() as u32).to_le_bytes());
    payload.extend(message.as_bytes());
    let mut desc = MsgDescHot::new();
    desc.flags = FrameFlags::ERROR | FrameFlags::EOS;
    Frame::with_payload(desc, payload)
}
