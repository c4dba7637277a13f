use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use arrow::datatypes::{DataType, Field, Schema};
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::datasource::physical_plan::parquet::{CachedParquetFileReaderFactory, ParquetFileReaderFactory};
use datafusion::error::DataFusionError;
use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SQLOptions;
use glasshouse_model::TimeRange;
use glasshouse_tables::ports::{Exporter, QueryEngine, QueryError, SqlDescription, SqlRequest, SqlStream};
use glasshouse_tables::{Snapshot, SnapshotSource};
use object_store::ObjectStore;
use tokio::sync::Semaphore;

use crate::error::query_error;
use crate::memory::QueryPool;
use crate::perfetto_trace::TraceMaker;
use crate::plain::{plain_schema, plain_type};
use crate::run::{Deadline, Threads};
use crate::scan::View;
use crate::statistics::{Measured, ScannedTables};
use crate::table_functions::Parameters;
use crate::{EngineConfig, newest, session, statement};

/// Where plans say that the lake's files are. Only this engine resolves it.
const STORE: &str = "lake://files";

/// SQL over the lake, by DataFusion.
pub struct Engine {
    config: EngineConfig,
    source: Arc<dyn SnapshotSource>,
    threads: Threads,
    planner: Planner,
    /// The memory of all queries.
    memory: Arc<dyn MemoryPool>,
}

/// What is needed to plan; shared with the threads that do it.
#[derive(Clone)]
struct Planner {
    template: Arc<SessionState>,
    store: ObjectStoreUrl,
    readers: Arc<dyn ParquetFileReaderFactory>,
    traces: Option<TraceMaker>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over the lake that `source` tells of; `store` holds its files, under their
    /// [`glasshouse_tables::DataFile::path`].
    pub fn new(
        config: EngineConfig,
        source: Arc<dyn SnapshotSource>,
        store: Arc<dyn ObjectStore>,
    ) -> Result<Self, QueryError> {
        empty_spill_dir(&config)?;
        let memory: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(config.memory_limit));
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![config.spill_dir.clone()]))
            .with_max_temp_directory_size(config.spill_limit);
        let caches = CacheManagerConfig::default().with_metadata_cache_limit(config.metadata_cache_limit);
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::clone(&memory))
            .with_disk_manager_builder(disk)
            .with_cache_manager(caches)
            .build_arc()
            .map_err(|error| query_error(&error))?;
        let url = ObjectStoreUrl::parse(STORE).map_err(|error| query_error(&error))?;
        runtime.register_object_store(url.as_ref(), Arc::clone(&store));
        let cache = runtime.cache_manager.get_file_metadata_cache();
        let planner = Planner {
            template: Arc::new(session::template(runtime, &config)),
            store: url,
            readers: Arc::new(CachedParquetFileReaderFactory::new(store, cache)),
            traces: None,
        };
        Ok(Self { threads: Threads::start(config.threads)?, config, source, planner, memory })
    }

    /// Lets SQL ask for Perfetto traces, each of which takes a turn.
    #[must_use]
    pub fn with_exporter(mut self, exporter: Arc<dyn Exporter>, turns: Arc<Semaphore>) -> Self {
        self.planner.traces = Some(TraceMaker { exporter, turns });
        self
    }

    async fn snapshot(&self, id: Option<i64>) -> Result<Arc<Snapshot>, QueryError> {
        match id {
            Some(id) => self.source.snapshot_at(id).await,
            None => Ok(self.source.snapshot()),
        }
    }

    /// A runtime with the memory of one query.
    fn query_runtime(&self, memory_pool: Arc<QueryPool>) -> Arc<RuntimeEnv> {
        let shared = self.planner.template.runtime_env();
        Arc::new(RuntimeEnv { memory_pool, ..shared.as_ref().clone() })
    }
}

/// What queries of an earlier run left behind is of no use to anyone.
fn empty_spill_dir(config: &EngineConfig) -> Result<(), QueryError> {
    let dir = &config.spill_dir;
    let failed = |error: std::io::Error| {
        QueryError::Failed(format!("cannot use {} for what queries spill: {error}", dir.display()))
    };
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    std::fs::create_dir_all(dir).map_err(failed)
}

#[async_trait]
impl QueryEngine for Engine {
    async fn query(&self, request: SqlRequest) -> Result<SqlStream, QueryError> {
        let asked = Instant::now();
        let deadline = self.config.timeout.map(Deadline::after);
        let snapshot = self.snapshot(request.snapshot).await?;
        let mut planner = self.planner.clone();
        if request.snapshot.is_some() {
            // Traces are made of the present rows.
            planner.traces = None;
        }
        let memory = Arc::new(QueryPool::new(self.config.query_memory_limit, &self.memory));
        let runtime = self.query_runtime(Arc::clone(&memory));
        let (limit, scanned) = (request.limit, Arc::new(ScannedTables::default()));
        let view = (Arc::clone(&snapshot), Arc::clone(&scanned));
        let begun = async move { planner.execute(request, view, runtime).await };
        let (batches, plans) = self.threads.compute(deadline, begun).await?;
        let schema = plain_schema(&batches.schema());
        let measured = Measured { asked, planning: asked.elapsed(), plans, memory, snapshot, scanned };
        Ok(self.threads.answer(batches, schema, limit, deadline, measured))
    }

    async fn describe(&self, sql: &str) -> Result<SqlDescription, QueryError> {
        let deadline = self.config.timeout.map(Deadline::after);
        let snapshot = self.source.snapshot();
        let planner = self.planner.clone();
        let sql = sql.to_owned();
        self.threads.compute(deadline, async move { planner.describe(&sql, snapshot).await }).await
    }
}

impl Planner {
    fn session(
        &self,
        (snapshot, scanned): (Arc<Snapshot>, Arc<ScannedTables>),
        range: TimeRange,
        parameters: Parameters,
    ) -> SessionState {
        let (store, readers) = (self.store.clone(), Arc::clone(&self.readers));
        let view = View { snapshot, range, store, readers, traces: self.traces.clone(), scanned };
        session::for_query(&self.template, &Arc::new(view), &Arc::new(parameters))
    }

    async fn execute(
        &self,
        request: SqlRequest,
        view: (Arc<Snapshot>, Arc<ScannedTables>),
        runtime: Arc<RuntimeEnv>,
    ) -> Result<(SendableRecordBatchStream, Vec<Arc<dyn ExecutionPlan>>), QueryError> {
        let values = match &request.parameters {
            Some(batch) => parameter_values(batch)?,
            None => HashMap::new(),
        };
        let state = self.session(view, request.range, Parameters(Some(values.clone())));
        let plan = logical_plan(&state, &request.sql).await?;
        let stream = async {
            let plan = if values.is_empty() { plan } else { plan.with_param_values(ParamValues::from(values))? };
            let plan = limited(plan, request.limit)?;
            let context = Arc::new(TaskContext::from(&state).with_runtime(runtime));
            let mut plans = Vec::new();
            let plan = newest::bounded(&state, state.optimize(&plan)?, &context, &mut plans).await?;
            let plan = state.query_planner().create_physical_plan(&plan, &state).await?;
            plans.push(Arc::clone(&plan));
            Ok((execute_stream(plan, context)?, plans))
        };
        stream.await.map_err(|error: DataFusionError| query_error(&error))
    }

    async fn describe(&self, sql: &str, snapshot: Arc<Snapshot>) -> Result<SqlDescription, QueryError> {
        let state = self.session((snapshot, Arc::default()), TimeRange::ALL, Parameters(None));
        let plan = logical_plan(&state, sql).await?;
        let mut parameters: Vec<_> = plan
            .get_parameter_types()
            .map_err(|error| query_error(&error))?
            .into_iter()
            // Text is what can be compared with most.
            .map(|(name, data_type)| (name, data_type.map_or(DataType::Utf8, |data_type| plain_type(&data_type))))
            .collect();
        parameters.sort_by_key(|(name, _)| name.trim_start_matches('$').parse::<usize>().unwrap_or(usize::MAX));
        let parameters: Vec<_> =
            parameters.into_iter().map(|(name, data_type)| Field::new(name, data_type, true)).collect();
        Ok(SqlDescription {
            schema: plain_schema(plan.schema().as_arrow()),
            parameters: Arc::new(Schema::new(parameters)),
        })
    }
}

async fn logical_plan(state: &SessionState, sql: &str) -> Result<LogicalPlan, QueryError> {
    let dialect = state.config_options().sql_parser.dialect;
    let statement = state.sql_to_statement(sql, &dialect).map_err(|error| query_error(&error))?;
    statement::check(&statement)?;
    let plan = state.statement_to_plan(statement).await.map_err(|error| query_error(&error))?;
    let only_reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    only_reads.verify_plan(&plan).map_err(|error| query_error(&error))?;
    Ok(plan)
}

/// The plan with a limit, where it may have one; elsewhere the stream counts.
fn limited(plan: LogicalPlan, limit: Option<usize>) -> Result<LogicalPlan, DataFusionError> {
    match (limit, &plan) {
        (None, _) | (_, LogicalPlan::Explain(_) | LogicalPlan::Analyze(_) | LogicalPlan::DescribeTable(_)) => Ok(plan),
        (limit, _) => LogicalPlanBuilder::from(plan).limit(0, limit)?.build(),
    }
}

/// The values of a row by what follows the `$`: their position, counted from 1, or their name.
fn parameter_values(parameters: &RecordBatch) -> Result<HashMap<String, ScalarValue>, QueryError> {
    if parameters.num_rows() != 1 {
        let rows = parameters.num_rows();
        return Err(QueryError::Invalid(format!("parameters are one row, not {rows}")));
    }
    let fields = parameters.schema_ref().fields().iter().zip(parameters.columns()).enumerate();
    let values = fields.map(|(position, (field, column))| {
        let named =
            field.name().strip_prefix('$').filter(|name| !name.starts_with(|first: char| first.is_ascii_digit()));
        let name = named.map_or_else(|| (position + 1).to_string(), str::to_owned);
        Ok((name, ScalarValue::try_from_array(column, 0)?))
    });
    values.collect::<Result<_, _>>().map_err(|error: DataFusionError| query_error(&error))
}
