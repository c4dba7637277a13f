use prost::Message;
use tonic::Status;
use uuid::Uuid;

/// What a statement's ticket stands for. It carries the statement itself, so that the server remembers
/// nothing between `GetFlightInfo` and `DoGet`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StatementTicket {
    /// Names the answer, for cancelling it.
    #[prost(bytes = "bytes", tag = "1")]
    pub id: bytes::Bytes,
    #[prost(oneof = "Statement", tags = "2, 3")]
    pub statement: Option<Statement>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Statement {
    #[prost(string, tag = "2")]
    Sql(String),
    /// Handle of a prepared statement.
    #[prost(bytes = "bytes", tag = "3")]
    Prepared(bytes::Bytes),
}

impl StatementTicket {
    /// A new ticket.
    pub fn new(statement: Statement) -> Self {
        Self { id: bytes::Bytes::copy_from_slice(Uuid::new_v4().as_bytes()), statement: Some(statement) }
    }

    /// Reads a ticket that came back.
    pub fn read(bytes: &[u8]) -> Result<(Uuid, Statement), Status> {
        let malformed = || Status::invalid_argument("the ticket is not one of this server");
        let ticket = Self::decode(bytes).map_err(|_| malformed())?;
        let id = Uuid::from_slice(&ticket.id).map_err(|_| malformed())?;
        Ok((id, ticket.statement.ok_or_else(malformed)?))
    }
}
