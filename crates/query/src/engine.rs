use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
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
use datafusion::physical_plan::execute_stream;
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

    /// A runtime with a memory pool of its own for one query.
    fn query_runtime(&self) -> Arc<RuntimeEnv> {
        let shared = self.planner.template.runtime_env();
        let pool = QueryPool::new(self.config.query_memory_limit, &self.memory);
        Arc::new(RuntimeEnv { memory_pool: Arc::new(pool), ..shared.as_ref().clone() })
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
        let deadline = self.config.timeout.map(Deadline::after);
        let snapshot = self.snapshot(request.snapshot).await?;
        let mut planner = self.planner.clone();
        if request.snapshot.is_some() {
            // Traces are made of the present rows.
            planner.traces = None;
        }
        let runtime = self.query_runtime();
        let limit = request.limit;
        let batches =
            self.threads.compute(deadline, async move { planner.execute(request, snapshot, runtime).await }).await?;
        let schema = plain_schema(&batches.schema());
        Ok(self.threads.answer(batches, schema, limit, deadline))
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
    fn session(&self, snapshot: Arc<Snapshot>, range: TimeRange, parameters: Parameters) -> SessionState {
        let (store, readers) = (self.store.clone(), Arc::clone(&self.readers));
        let view = View { snapshot, range, store, readers, traces: self.traces.clone() };
        session::for_query(&self.template, &Arc::new(view), &Arc::new(parameters))
    }

    async fn execute(
        &self,
        request: SqlRequest,
        snapshot: Arc<Snapshot>,
        runtime: Arc<RuntimeEnv>,
    ) -> Result<SendableRecordBatchStream, QueryError> {
        let values = match &request.parameters {
            Some(batch) => parameter_values(batch)?,
            None => Vec::new(),
        };
        let state = self.session(snapshot, request.range, Parameters(Some(values.clone())));
        let plan = logical_plan(&state, &request.sql).await?;
        let stream = async {
            let plan = if values.is_empty() { plan } else { plan.with_param_values(ParamValues::from(values))? };
            let plan = limited(plan, request.limit)?;
            let context = Arc::new(TaskContext::from(&state).with_runtime(runtime));
            let plan = newest::bounded(&state, state.optimize(&plan)?, &context).await?;
            let plan = state.query_planner().create_physical_plan(&plan, &state).await?;
            execute_stream(plan, context)
        };
        stream.await.map_err(|error: DataFusionError| query_error(&error))
    }

    async fn describe(&self, sql: &str, snapshot: Arc<Snapshot>) -> Result<SqlDescription, QueryError> {
        let state = self.session(snapshot, TimeRange::ALL, Parameters(None));
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

fn parameter_values(parameters: &arrow::record_batch::RecordBatch) -> Result<Vec<ScalarValue>, QueryError> {
    if parameters.num_rows() != 1 {
        let rows = parameters.num_rows();
        return Err(QueryError::Invalid(format!("parameters are one row, not {rows}")));
    }
    let values = parameters.columns().iter().map(|column| ScalarValue::try_from_array(column, 0));
    values.collect::<Result<_, _>>().map_err(|error| query_error(&error))
}
