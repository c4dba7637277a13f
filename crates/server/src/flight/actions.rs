//! Actions beside prepared statements: cancelling, and sessions, of which there is nothing to remember.
//! Messages are those of `arrow/flight/Flight.proto` that `arrow-flight` does not have.

use std::collections::HashMap;

use arrow_flight::sql::{Any, Command, TicketStatementQuery};
use arrow_flight::{Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo};
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use super::service::FlightSql;
use super::ticket::StatementTicket;

const CANCEL: &str = "CancelFlightInfo";
const CLOSE_SESSION: &str = "CloseSession";
const GET_SESSION_OPTIONS: &str = "GetSessionOptions";
const SET_SESSION_OPTIONS: &str = "SetSessionOptions";

/// `CloseSessionResult.Status.CLOSED`
const CLOSED: i32 = 1;
/// `SetSessionOptionsResult.ErrorValue.INVALID_NAME`
const INVALID_NAME: i32 = 1;

#[derive(Clone, PartialEq, Message)]
struct CloseSessionResult {
    #[prost(int32, tag = "1")]
    status: i32,
}

#[derive(Clone, PartialEq, Message)]
struct GetSessionOptionsResult {}

#[derive(Clone, PartialEq, Message)]
#[expect(clippy::zero_sized_map_values, reason = "the message has a map")]
struct SetSessionOptionsRequest {
    /// Names of options; nothing is done with their values.
    #[prost(map = "string, message", tag = "1")]
    options: HashMap<String, OptionValue>,
}

#[derive(Clone, PartialEq, Message)]
struct OptionValue {}

#[derive(Clone, PartialEq, Message)]
struct SetSessionOptionsResult {
    #[prost(map = "string, message", tag = "1")]
    errors: HashMap<String, OptionError>,
}

#[derive(Clone, PartialEq, Message)]
struct OptionError {
    #[prost(int32, tag = "1")]
    value: i32,
}

/// The actions that clients may list.
pub(super) fn list() -> Vec<ActionType> {
    let action =
        |name: &str, description: &str| ActionType { r#type: name.to_owned(), description: description.to_owned() };
    vec![
        action(CANCEL, "Cancels an answer that is being read"),
        action(CLOSE_SESSION, "Does nothing: sessions have no state"),
        action(GET_SESSION_OPTIONS, "Gives no options: sessions have none"),
        action(SET_SESSION_OPTIONS, "Refuses every option: sessions have none"),
    ]
}

/// Does an action; gives its result.
pub(super) fn run(service: &FlightSql, action: &Action) -> Result<Bytes, Status> {
    let result = match action.r#type.as_str() {
        CANCEL => {
            let request = CancelFlightInfoRequest::decode(action.body.as_ref()).map_err(malformed)?;
            let info = request.info.ok_or_else(|| Status::invalid_argument("CancelFlightInfo without a FlightInfo"))?;
            let status = if cancel(service, &info) { CancelStatus::Cancelled } else { CancelStatus::NotCancellable };
            CancelFlightInfoResult::new(status).encode_to_vec()
        }
        CLOSE_SESSION => CloseSessionResult { status: CLOSED }.encode_to_vec(),
        GET_SESSION_OPTIONS => GetSessionOptionsResult {}.encode_to_vec(),
        SET_SESSION_OPTIONS => {
            let request = SetSessionOptionsRequest::decode(action.body.as_ref()).map_err(malformed)?;
            let refused = |name| (name, OptionError { value: INVALID_NAME });
            SetSessionOptionsResult { errors: request.options.into_keys().map(refused).collect() }.encode_to_vec()
        }
        other => return Err(Status::invalid_argument(format!("there is no action {other:?}"))),
    };
    Ok(result.into())
}

/// Cancels the answers that a `FlightInfo` leads to; `false` when none is being read.
pub(super) fn cancel(service: &FlightSql, info: &FlightInfo) -> bool {
    let ids = info.endpoint.iter().filter_map(|endpoint| {
        let any = Any::decode(endpoint.ticket.as_ref()?.ticket.as_ref()).ok()?;
        let Command::TicketStatementQuery(TicketStatementQuery { statement_handle }) = Command::try_from(any).ok()?
        else {
            return None;
        };
        StatementTicket::read(&statement_handle).ok()
    });
    ids.fold(false, |cancelled, (id, _)| service.running.cancel(id) | cancelled)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn malformed(error: prost::DecodeError) -> Status {
    Status::invalid_argument(format!("malformed action: {error}"))
}
