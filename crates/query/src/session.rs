//! What DataFusion is told once (functions, rules, options) and for each query (tables).

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProviderList, SchemaProvider, TableProvider,
};
use datafusion::common::Result;
use datafusion::datasource::ViewTable;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder, SessionStateDefaults};
use datafusion::logical_expr::TableType;
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::optimizer::Analyzer;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::SessionConfig;
use glasshouse_tables::Table;

use crate::convenience::{AttributeAccess, WhatWasMeant};
use crate::pushdown::ProjectIntoScans;
use crate::scan::{LakeTable, View};
use crate::table_functions::{self, Parameters};
use crate::yielding::YieldAroundJoins;
use crate::{EngineConfig, docs, functions, views};

/// Name of the catalog.
pub(crate) const CATALOG: &str = "glasshouse";
/// Schema of the tables; DuckDB calls it the same.
pub(crate) const SCHEMA: &str = "main";
/// Schema of the tables that document the others.
pub(crate) const DOCS_SCHEMA: &str = "glasshouse";

/// What all queries have in common: everything but the tables.
pub(crate) fn template(runtime: Arc<RuntimeEnv>, config: &EngineConfig) -> SessionState {
    let partitions = config.threads.max(1);
    let query_memory = config.query_memory_limit;
    let mut config = SessionConfig::new()
        .with_target_partitions(partitions)
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, SCHEMA)
        .with_create_default_catalog_and_schema(false);
    let options = config.options_mut();
    options.execution.time_zone = Some("UTC".to_owned());
    options.execution.parquet.pushdown_filters = true;
    // Each sort keeps this much back for merging what it spilled: not too much of what a query may have.
    let kept_back = options.execution.sort_spill_reservation_bytes.min(query_memory / (16 * partitions));
    options.execution.sort_spill_reservation_bytes = kept_back;
    options.sql_parser.map_string_types_to_utf8view = false;

    let mut planners: Vec<Arc<dyn ExprPlanner>> = vec![Arc::new(AttributeAccess)];
    planners.extend(SessionStateDefaults::default_expr_planners());
    let mut scalar_functions = SessionStateDefaults::default_scalar_functions();
    scalar_functions.extend(functions::scalar_functions());
    let mut aggregate_functions = SessionStateDefaults::default_aggregate_functions();
    aggregate_functions.extend(functions::aggregate_functions());
    let mut analyzer = Analyzer::new();
    // Before types are made to agree.
    analyzer.rules.insert(0, Arc::new(WhatWasMeant));
    let mut physical = PhysicalOptimizer::new();
    // Before filters are pushed down and work is spread.
    physical.rules.insert(0, Arc::new(ProjectIntoScans));
    physical.rules.push(Arc::new(YieldAroundJoins));

    SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_expr_planners(planners)
        .with_scalar_functions(scalar_functions)
        .with_higher_order_functions(SessionStateDefaults::default_higher_order_functions())
        .with_aggregate_functions(aggregate_functions)
        .with_window_functions(SessionStateDefaults::default_window_functions())
        .with_table_function_list(SessionStateDefaults::default_table_functions())
        .with_analyzer_rules(analyzer.rules)
        .with_physical_optimizer_rules(physical.rules)
        .build()
}

/// A session for one query: the tables of a view, and functions that know the query's parameters.
pub(crate) fn for_query(template: &Arc<SessionState>, view: &Arc<View>, parameters: &Arc<Parameters>) -> SessionState {
    let mut state = template.as_ref().clone();
    // What `now()` is.
    state.mark_start_execution();
    let main = Arc::new(MainSchema { view: Arc::clone(view), template: Arc::clone(template) });
    state.register_catalog_list(catalogs(main));
    for (name, function) in table_functions::all(view, parameters) {
        state.register_udtf(name, function);
    }
    state
}

fn catalogs(main: Arc<dyn SchemaProvider>) -> Arc<dyn CatalogProviderList> {
    let catalogs = MemoryCatalogProviderList::new();
    catalogs.register_catalog(CATALOG.to_owned(), Arc::new(LakeCatalog { main }));
    Arc::new(catalogs)
}

#[derive(Debug)]
struct LakeCatalog {
    main: Arc<dyn SchemaProvider>,
}

impl CatalogProvider for LakeCatalog {
    fn schema_names(&self) -> Vec<String> {
        vec![SCHEMA.to_owned(), DOCS_SCHEMA.to_owned()]
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        match name {
            SCHEMA => Some(Arc::clone(&self.main)),
            DOCS_SCHEMA => Some(Arc::new(docs::DocsSchema)),
            _ => None,
        }
    }
}

/// The tables and views that users see.
#[derive(Debug)]
struct MainSchema {
    view: Arc<View>,
    template: Arc<SessionState>,
}

#[async_trait]
impl SchemaProvider for MainSchema {
    fn table_names(&self) -> Vec<String> {
        let tables = Table::ALL.into_iter().map(Table::name);
        tables.chain(views::DERIVED.iter().map(|view| view.name)).map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let sql = match Table::from_name(name) {
            Some(Table::Processes) => views::processes_sql(),
            Some(table) => return Ok(Some(Arc::new(LakeTable { table, view: Arc::clone(&self.view) }))),
            None => match views::DERIVED.iter().find(|view| view.name == name) {
                Some(view) => view.sql(self.view.range),
                None => return Ok(None),
            },
        };
        let mut planner = self.template.as_ref().clone();
        planner.register_catalog_list(catalogs(Arc::new(StoredSchema { view: Arc::clone(&self.view) })));
        let plan = planner.create_logical_plan(&sql).await?;
        Ok(Some(Arc::new(ViewTable::new(plan, Some(sql)))))
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(match Table::from_name(name) {
            Some(_) => Some(TableType::Base),
            None => views::DERIVED.iter().any(|view| view.name == name).then_some(TableType::View),
        })
    }

    fn table_exist(&self, name: &str) -> bool {
        Table::from_name(name).is_some() || views::DERIVED.iter().any(|view| view.name == name)
    }
}

/// The tables that views are made of: each as it is stored.
#[derive(Debug)]
struct StoredSchema {
    view: Arc<View>,
}

#[async_trait]
impl SchemaProvider for StoredSchema {
    fn table_names(&self) -> Vec<String> {
        Table::ALL.into_iter().map(|table| table.name().to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let table = |table| Arc::new(LakeTable { table, view: Arc::clone(&self.view) }) as Arc<dyn TableProvider>;
        Ok(Table::from_name(name).map(table))
    }

    fn table_exist(&self, name: &str) -> bool {
        Table::from_name(name).is_some()
    }
}
