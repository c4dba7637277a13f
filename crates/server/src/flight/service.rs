use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::RecordBatch;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{DoPutError, FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionCancelQueryRequest, ActionCancelQueryResult, ActionClosePreparedStatementRequest,
    ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult, CommandGetCatalogs,
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandGetXdbcTypeInfo,
    CommandPreparedStatementQuery, CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery,
    CommandStatementUpdate, DoPutPreparedStatementResult, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{Action, ActionType, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse, Ticket};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use glasshouse_model::{Clock, TimeRange, Timestamp};
use glasshouse_tables::ports::{QueryEngine, SqlRequest};
use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::answer::{self, DataStream};
use super::running::Running;
use super::sql_info::{SQL_INFO, XDBC_TYPES};
use super::statements::{Statement, Statements};
use super::ticket::{self, StatementTicket};
use super::{actions, catalog};
use crate::Refusal;

/// Flight SQL over the query engine.
pub(super) struct FlightSql {
    pub query: Arc<dyn QueryEngine>,
    pub clock: Arc<dyn Clock>,
    pub statements: Statements,
    pub running: Running,
}

type InfoResponse = Result<Response<FlightInfo>, Status>;
type DataResponse = Result<Response<DataStream>, Status>;

impl FlightSql {
    fn statement(&self, handle: &Bytes) -> Result<Statement, Status> {
        self.statements.get(handle, Instant::now()).ok_or_else(unknown_handle)
    }

    /// Computes an answer while it is read.
    async fn answer(&self, id: Uuid, request: SqlRequest) -> DataResponse {
        let turn = self.running.begin(id).await?;
        let answer = turn.or_cancelled(self.query.query(request)).await?.map_err(Refusal::from)?;
        Ok(Response::new(turn.guard(answer::streamed(answer)).boxed()))
    }

    /// The time that the call's headers narrow its statement to.
    fn range(&self, headers: &MetadataMap) -> Result<TimeRange, Status> {
        let time = |name: &'static str| -> Result<Option<Timestamp>, Status> {
            let Some(value) = headers.get(name) else { return Ok(None) };
            let text = value.to_str().map_err(|_| Status::invalid_argument(format!("header {name} is not text")))?;
            let time = Timestamp::parse(text, self.clock.now());
            time.map(Some).map_err(|error| Status::invalid_argument(format!("header {name}: {error}")))
        };
        Ok(TimeRange {
            from: time("glasshouse-from")?.unwrap_or(Timestamp::MIN),
            to: time("glasshouse-to")?.unwrap_or(Timestamp::MAX),
        })
    }
}

fn unknown_handle() -> Status {
    Status::not_found("there is no such prepared statement: it was closed, or not used for too long")
}

fn read_only() -> Status {
    Status::unimplemented("the lake is read-only over SQL: telemetry comes in by OTLP")
}

#[tonic::async_trait]
impl FlightSqlService for FlightSql {
    type FlightService = Self;

    /// Anyone may come in; what is sent is sent back, so that clients that insist on a handshake are content.
    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>>, Status> {
        let requests = request.into_inner();
        let answers = requests.map_ok(|request| HandshakeResponse {
            protocol_version: request.protocol_version,
            payload: request.payload,
        });
        Ok(Response::new(answers.boxed()))
    }

    // Statements.

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        let description = self.query.describe(&query.query).await.map_err(Refusal::from)?;
        let ticket = StatementTicket::new(ticket::Statement::Sql(query.query));
        let ticket = TicketStatementQuery { statement_handle: ticket.encode_to_vec().into() };
        answer::info(&description.schema, &ticket, request.into_inner())
    }

    async fn do_get_statement(&self, ticket: TicketStatementQuery, request: Request<Ticket>) -> DataResponse {
        let range = self.range(request.metadata())?;
        let (id, statement) = StatementTicket::read(&ticket.statement_handle)?;
        let (sql, parameters) = match statement {
            ticket::Statement::Sql(sql) => (sql, None),
            ticket::Statement::Prepared(handle) => {
                let statement = self.statement(&handle)?;
                (statement.sql, statement.parameters)
            }
        };
        self.answer(id, SqlRequest { sql, parameters, range, ..SqlRequest::default() }).await
    }

    // Prepared statements.

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        _: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let description = self.query.describe(&query.query).await.map_err(Refusal::from)?;
        let dataset_schema = answer::schema_message(&description.schema)?;
        let parameter_schema = answer::schema_message(&description.parameters)?;
        let statement = Statement { sql: query.query, schema: description.schema, parameters: None };
        let prepared_statement_handle = self.statements.insert(statement, Instant::now());
        Ok(ActionCreatePreparedStatementResult { prepared_statement_handle, dataset_schema, parameter_schema })
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let handle = query.prepared_statement_handle;
        self.statement(&handle)?;
        let messages = request.into_inner().map_err(arrow_flight::error::FlightError::from);
        let batches: Vec<RecordBatch> = FlightRecordBatchStream::new_from_flight_data(messages)
            .try_filter(|batch| std::future::ready(batch.num_rows() > 0))
            .try_collect()
            .await
            .map_err(|error| Status::invalid_argument(format!("malformed parameters: {error}")))?;
        let [parameters] = batches.try_into().map_err(|_| one_row())?;
        if parameters.num_rows() != 1 {
            return Err(one_row());
        }
        if !self.statements.bind(&handle, parameters, Instant::now()) {
            return Err(unknown_handle());
        }
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(handle) })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        let handle = query.prepared_statement_handle;
        let statement = self.statement(&handle)?;
        let schema = match statement.parameters {
            // The types of the values decide over those of the answer (`SELECT $1`).
            Some(parameters) => {
                let parameters = Some(parameters);
                let no_rows = SqlRequest { sql: statement.sql, parameters, limit: Some(0), ..SqlRequest::default() };
                self.query.query(no_rows).await.map_err(Refusal::from)?.schema
            }
            None => statement.schema,
        };
        let ticket = StatementTicket::new(ticket::Statement::Prepared(handle));
        let ticket = TicketStatementQuery { statement_handle: ticket.encode_to_vec().into() };
        answer::info(&schema, &ticket, request.into_inner())
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> DataResponse {
        let range = self.range(request.metadata())?;
        let Statement { sql, parameters, .. } = self.statement(&query.prepared_statement_handle)?;
        self.answer(Uuid::new_v4(), SqlRequest { sql, parameters, range, ..SqlRequest::default() }).await
    }

    async fn do_action_close_prepared_statement(
        &self,
        query: ActionClosePreparedStatementRequest,
        _: Request<Action>,
    ) -> Result<(), Status> {
        self.statements.close(&query.prepared_statement_handle, Instant::now());
        Ok(())
    }

    // What there is.

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&query.into_builder().schema(), &query, request.into_inner())
    }

    async fn do_get_catalogs(&self, query: CommandGetCatalogs, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(catalog::catalogs(self.query.as_ref(), query).await?))
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&query.clone().into_builder().schema(), &query, request.into_inner())
    }

    async fn do_get_schemas(&self, query: CommandGetDbSchemas, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(catalog::schemas(self.query.as_ref(), query).await?))
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&query.clone().into_builder().schema(), &query, request.into_inner())
    }

    async fn do_get_tables(&self, query: CommandGetTables, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(catalog::get_tables(self.query.as_ref(), query).await?))
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&query.into_builder().schema(), &query, request.into_inner())
    }

    async fn do_get_table_types(&self, query: CommandGetTableTypes, _: Request<Ticket>) -> DataResponse {
        let mut types = query.into_builder();
        for name in catalog::TABLE_TYPES {
            types.append(name);
        }
        Ok(answer::whole(types.build()?))
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&SQL_INFO.schema(), &query, request.into_inner())
    }

    async fn do_get_sql_info(&self, query: CommandGetSqlInfo, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(query.into_builder(&SQL_INFO).build()?))
    }

    async fn get_flight_info_xdbc_type_info(
        &self,
        query: CommandGetXdbcTypeInfo,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&XDBC_TYPES.schema(), &query, request.into_inner())
    }

    async fn do_get_xdbc_type_info(&self, query: CommandGetXdbcTypeInfo, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(query.into_builder(&XDBC_TYPES).build()?))
    }

    // Keys: the lake's tables have none.

    async fn get_flight_info_primary_keys(
        &self,
        query: CommandGetPrimaryKeys,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&primary_keys(), &query, request.into_inner())
    }

    async fn do_get_primary_keys(&self, _: CommandGetPrimaryKeys, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(RecordBatch::new_empty(primary_keys())))
    }

    async fn get_flight_info_exported_keys(
        &self,
        query: CommandGetExportedKeys,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&foreign_keys(), &query, request.into_inner())
    }

    async fn do_get_exported_keys(&self, _: CommandGetExportedKeys, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(RecordBatch::new_empty(foreign_keys())))
    }

    async fn get_flight_info_imported_keys(
        &self,
        query: CommandGetImportedKeys,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&foreign_keys(), &query, request.into_inner())
    }

    async fn do_get_imported_keys(&self, _: CommandGetImportedKeys, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(RecordBatch::new_empty(foreign_keys())))
    }

    async fn get_flight_info_cross_reference(
        &self,
        query: CommandGetCrossReference,
        request: Request<FlightDescriptor>,
    ) -> InfoResponse {
        answer::info(&foreign_keys(), &query, request.into_inner())
    }

    async fn do_get_cross_reference(&self, _: CommandGetCrossReference, _: Request<Ticket>) -> DataResponse {
        Ok(answer::whole(RecordBatch::new_empty(foreign_keys())))
    }

    // What changes something.

    async fn do_put_statement_update(
        &self,
        _: CommandStatementUpdate,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(read_only())
    }

    async fn do_put_statement_ingest(
        &self,
        _: CommandStatementIngest,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(read_only())
    }

    async fn do_put_prepared_statement_update(
        &self,
        _: CommandPreparedStatementUpdate,
        _: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(read_only())
    }

    async fn do_put_error_callback(
        &self,
        _: Request<PeekableFlightDataStream>,
        error: DoPutError,
    ) -> Result<Response<<Self as FlightService>::DoPutStream>, Status> {
        Err(Status::invalid_argument(error.to_string()))
    }

    // Other actions.

    async fn do_action_cancel_query(
        &self,
        query: ActionCancelQueryRequest,
        _: Request<Action>,
    ) -> Result<ActionCancelQueryResult, Status> {
        let info = FlightInfo::decode(query.info)
            .map_err(|error| Status::invalid_argument(format!("malformed FlightInfo: {error}")))?;
        let (cancelled, not_cancellable) = (1, 3);
        Ok(ActionCancelQueryResult { result: if actions::cancel(self, &info) { cancelled } else { not_cancellable } })
    }

    async fn do_action_fallback(
        &self,
        request: Request<Action>,
    ) -> Result<Response<<Self as FlightService>::DoActionStream>, Status> {
        let body = actions::run(self, request.get_ref())?;
        Ok(Response::new(futures::stream::iter([Ok(arrow_flight::Result::new(body))]).boxed()))
    }

    async fn list_custom_actions(&self) -> Option<Vec<Result<ActionType, Status>>> {
        Some(actions::list().into_iter().map(Ok).collect())
    }

    async fn register_sql_info(&self, _: i32, _: &SqlInfo) {}
}

fn one_row() -> Status {
    Status::invalid_argument("bind one row of parameters: a query is answered once for each execution")
}

/// Columns of the answer to `GetPrimaryKeys` (`FlightSql.proto`).
fn primary_keys() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("catalog_name", DataType::Utf8, true),
        Field::new("db_schema_name", DataType::Utf8, true),
        Field::new("table_name", DataType::Utf8, false),
        Field::new("column_name", DataType::Utf8, false),
        Field::new("key_name", DataType::Utf8, true),
        Field::new("key_sequence", DataType::Int32, false),
    ]))
}

/// Columns of the answers to `GetExportedKeys`, `GetImportedKeys` and `GetCrossReference`.
fn foreign_keys() -> SchemaRef {
    let of_table = |prefix: &str| {
        [("catalog_name", true), ("db_schema_name", true), ("table_name", false), ("column_name", false)]
            .map(|(name, nullable)| Field::new(format!("{prefix}_{name}"), DataType::Utf8, nullable))
    };
    let fields = of_table("pk").into_iter().chain(of_table("fk")).chain([
        Field::new("key_sequence", DataType::Int32, false),
        Field::new("fk_key_name", DataType::Utf8, true),
        Field::new("pk_key_name", DataType::Utf8, true),
        Field::new("update_rule", DataType::UInt8, false),
        Field::new("delete_rule", DataType::UInt8, false),
    ]);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
