//! Spans for queries of [picante](https://docs.rs/picante): whether the answer was there, and how long it took when not.
//!
//! ```
//! # use glasshouse_client::Tracer;
//! # use picante::HasRuntime as _;
//! use glasshouse_picante::Queries;
//! use tracing_subscriber::layer::SubscriberExt as _;
//!
//! #[picante::tracked]
//! async fn square<DB: picante::HasRuntime>(db: &DB, x: u64) -> u64 {
//! #     let _ = db;
//!     x * x
//! }
//!
//! #[picante::db(tracked(square))]
//! struct Db {}
//!
//! # fn main() {
//! # let tracer = Tracer::disabled();
//! let subscriber = tracing_subscriber::registry().with(glasshouse_picante::layer());
//! # let _default = tracing::subscriber::set_default(subscriber);
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! let db = Db::new();
//! let queries = Queries::new(&tracer, db.ingredient_registry());
//! tokio::spawn(queries.watch(db.runtime())); // counts inputs, invalidations and changes
//! let nine = queries.run("square", square(&db, 3)).await?; // query.outcome: hit, miss or recompute
//! # assert_eq!(nine, 9);
//! # Ok::<_, std::sync::Arc<picante::PicanteError>>(())
//! # }).unwrap();
//! # }
//! ```
//!
//! A query that is [run](Queries::run) has a span, a child of the current one; so has each query that is computed for
//! it, below the one that asks for it. Those that are only looked up are counted by the one that asks. Of queries that a
//! query asks for side by side, picante itself does not know which asks for which, so neither do their spans. Attributes:
//!
//! | attribute | of what |
//! |---|---|
//! | `query.name` | the query |
//! | `query.outcome` | `hit`: the value was there; `miss`: it was computed, and there was none; `recompute`: what it was made of has changed; `cancelled`: nobody waited for it |
//! | `query.revalidated` | whether it was checked that what it was made of has not changed |
//! | `query.waited` | whether another task computed it, or something that it needs |
//! | `query.dependencies`, `query.hits` | how many queries it asked for, and how many of these were there |
//!
//! picante tells this by events of level TRACE, the revalidation among them; without the [layer], or when such events are not
//! compiled in, a span says how long a query took, and has no outcome. [`Queries::watch`] counts what picante tells else.

mod events;
mod layer;
mod run;
mod state;

use std::collections::HashMap;
use std::sync::Arc;

use glasshouse_client::Tracer;
pub use layer::layer;
use picante::{IngredientRegistry, PicanteResult};
pub use run::Run;

/// Makes spans of the queries of a database.
#[derive(Debug, Clone)]
pub struct Queries {
    tracer: Tracer,
    /// Names of queries and inputs by the number of their kind.
    names: Arc<HashMap<u32, &'static str>>,
}

impl Queries {
    /// Queries of a database, by the names that it has for them.
    pub fn new<DB>(tracer: &Tracer, ingredients: &IngredientRegistry<DB>) -> Self {
        let ingredients = ingredients.persistable_ingredients().into_iter();
        let names = ingredients.map(|ingredient| (ingredient.kind().as_u32(), ingredient.kind_name()));
        Self { tracer: tracer.clone(), names: Arc::new(names.collect()) }
    }

    /// Runs a query, in a span that starts now.
    pub fn run<T, F>(&self, name: &'static str, query: F) -> Run<F>
    where
        F: Future<Output = PicanteResult<T>>,
    {
        Run::new(self, name, query)
    }

    /// The name of a query or an input.
    fn name(&self, kind: u32) -> &'static str {
        self.names.get(&kind).copied().unwrap_or("query")
    }
}
