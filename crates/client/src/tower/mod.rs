//! Layers for [tower](https://docs.rs/tower), and so for axum, tonic, hyper and reqwest: a span for each request, which
//! carries its trace on. Names and attributes are those of OpenTelemetry's conventions for
//! [HTTP](https://opentelemetry.io/docs/specs/semconv/http/http-spans/) and
//! [gRPC](https://opentelemetry.io/docs/specs/semconv/rpc/grpc/).

mod body;
mod client;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest;
mod response;
mod server;

pub use self::body::TracedBody;
pub use self::client::{ClientLayer, ClientService};
#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestFuture;
pub use self::response::ResponseFuture;
pub use self::server::{ServerLayer, ServerService};

/// Which end of a call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}
