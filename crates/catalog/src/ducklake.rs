//! The tables of DuckLake 1.0 (<https://ducklake.select/docs/stable/specification/tables/overview>), with
//! the columns and types that DuckDB gives them, and three things of our own: the writers'
//! watermarks, what people keep, and indexes.

use crate::database::SqlType::{Bool, Int, Text, Time, Uuid};
use crate::database::{CatalogTable, SqlType};

/// Version of the specification.
pub(crate) const VERSION: &str = "1.0";

const fn table(name: &'static str, columns: &'static [(&'static str, SqlType)]) -> CatalogTable {
    CatalogTable { name, columns, primary_key: None }
}

const fn keyed(name: &'static str, columns: &'static [(&'static str, SqlType)]) -> CatalogTable {
    CatalogTable { name, columns, primary_key: Some(columns[0].0) }
}

pub(crate) const METADATA: CatalogTable =
    table("ducklake_metadata", &[("key", Text), ("value", Text), ("scope", Text), ("scope_id", Int)]);
pub(crate) const SNAPSHOT: CatalogTable = keyed(
    "ducklake_snapshot",
    &[
        ("snapshot_id", Int),
        ("snapshot_time", Time),
        ("schema_version", Int),
        ("next_catalog_id", Int),
        ("next_file_id", Int),
    ],
);
pub(crate) const SNAPSHOT_CHANGES: CatalogTable = keyed(
    "ducklake_snapshot_changes",
    &[
        ("snapshot_id", Int),
        ("changes_made", Text),
        ("author", Text),
        ("commit_message", Text),
        ("commit_extra_info", Text),
    ],
);
pub(crate) const SCHEMA: CatalogTable = keyed(
    "ducklake_schema",
    &[
        ("schema_id", Int),
        ("schema_uuid", Uuid),
        ("begin_snapshot", Int),
        ("end_snapshot", Int),
        ("schema_name", Text),
        ("path", Text),
        ("path_is_relative", Bool),
    ],
);
pub(crate) const TABLE: CatalogTable = table(
    "ducklake_table",
    &[
        ("table_id", Int),
        ("table_uuid", Uuid),
        ("begin_snapshot", Int),
        ("end_snapshot", Int),
        ("schema_id", Int),
        ("table_name", Text),
        ("path", Text),
        ("path_is_relative", Bool),
    ],
);
pub(crate) const TAG: CatalogTable = table(
    "ducklake_tag",
    &[("object_id", Int), ("begin_snapshot", Int), ("end_snapshot", Int), ("key", Text), ("value", Text)],
);
pub(crate) const COLUMN_TAG: CatalogTable = table(
    "ducklake_column_tag",
    &[
        ("table_id", Int),
        ("column_id", Int),
        ("begin_snapshot", Int),
        ("end_snapshot", Int),
        ("key", Text),
        ("value", Text),
    ],
);
pub(crate) const DATA_FILE: CatalogTable = keyed(
    "ducklake_data_file",
    &[
        ("data_file_id", Int),
        ("table_id", Int),
        ("begin_snapshot", Int),
        ("end_snapshot", Int),
        ("file_order", Int),
        ("path", Text),
        ("path_is_relative", Bool),
        ("file_format", Text),
        ("record_count", Int),
        ("file_size_bytes", Int),
        ("footer_size", Int),
        ("row_id_start", Int),
        ("partition_id", Int),
        ("encryption_key", Text),
        ("mapping_id", Int),
        ("partial_max", Int),
    ],
);
pub(crate) const FILE_COLUMN_STATS: CatalogTable = table(
    "ducklake_file_column_stats",
    &[
        ("data_file_id", Int),
        ("table_id", Int),
        ("column_id", Int),
        ("column_size_bytes", Int),
        ("value_count", Int),
        ("null_count", Int),
        ("min_value", Text),
        ("max_value", Text),
        ("contains_nan", Bool),
        ("extra_stats", Text),
    ],
);
pub(crate) const COLUMN: CatalogTable = table(
    "ducklake_column",
    &[
        ("column_id", Int),
        ("begin_snapshot", Int),
        ("end_snapshot", Int),
        ("table_id", Int),
        ("column_order", Int),
        ("column_name", Text),
        ("column_type", Text),
        ("initial_default", Text),
        ("default_value", Text),
        ("nulls_allowed", Bool),
        ("parent_column", Int),
        ("default_value_type", Text),
        ("default_value_dialect", Text),
    ],
);
pub(crate) const TABLE_STATS: CatalogTable = table(
    "ducklake_table_stats",
    &[("table_id", Int), ("record_count", Int), ("next_row_id", Int), ("file_size_bytes", Int)],
);
pub(crate) const TABLE_COLUMN_STATS: CatalogTable = table(
    "ducklake_table_column_stats",
    &[
        ("table_id", Int),
        ("column_id", Int),
        ("contains_null", Bool),
        ("contains_nan", Bool),
        ("min_value", Text),
        ("max_value", Text),
        ("extra_stats", Text),
    ],
);
pub(crate) const FILES_SCHEDULED: CatalogTable = table(
    "ducklake_files_scheduled_for_deletion",
    &[("data_file_id", Int), ("path", Text), ("path_is_relative", Bool), ("schedule_start", Time)],
);
pub(crate) const SCHEMA_VERSIONS: CatalogTable =
    table("ducklake_schema_versions", &[("begin_snapshot", Int), ("schema_version", Int), ("table_id", Int)]);
/// Our own: how far each writer's WAL is in files.
pub(crate) const DOCUMENT: CatalogTable = keyed(
    "glasshouse_document",
    &[("document_id", Text), ("kind", Text), ("name", Text), ("revision", Int), ("updated_ns", Int), ("body", Text)],
);
pub(crate) const WRITER: CatalogTable = keyed("glasshouse_writer", &[("writer_id", Text), ("watermark", Int)]);

/// Tables of the specification that other engines expect and that we never fill.
const EMPTY: &[CatalogTable] = &[
    table(
        "ducklake_view",
        &[
            ("view_id", Int),
            ("view_uuid", Uuid),
            ("begin_snapshot", Int),
            ("end_snapshot", Int),
            ("schema_id", Int),
            ("view_name", Text),
            ("dialect", Text),
            ("sql", Text),
            ("column_aliases", Text),
        ],
    ),
    table(
        "ducklake_file_variant_stats",
        &[
            ("data_file_id", Int),
            ("table_id", Int),
            ("column_id", Int),
            ("variant_path", Text),
            ("shredded_type", Text),
            ("column_size_bytes", Int),
            ("value_count", Int),
            ("null_count", Int),
            ("min_value", Text),
            ("max_value", Text),
            ("contains_nan", Bool),
            ("extra_stats", Text),
        ],
    ),
    keyed(
        "ducklake_delete_file",
        &[
            ("delete_file_id", Int),
            ("table_id", Int),
            ("begin_snapshot", Int),
            ("end_snapshot", Int),
            ("data_file_id", Int),
            ("path", Text),
            ("path_is_relative", Bool),
            ("format", Text),
            ("delete_count", Int),
            ("file_size_bytes", Int),
            ("footer_size", Int),
            ("encryption_key", Text),
            ("partial_max", Int),
        ],
    ),
    table(
        "ducklake_partition_info",
        &[("partition_id", Int), ("table_id", Int), ("begin_snapshot", Int), ("end_snapshot", Int)],
    ),
    table(
        "ducklake_partition_column",
        &[
            ("partition_id", Int),
            ("table_id", Int),
            ("partition_key_index", Int),
            ("column_id", Int),
            ("transform", Text),
        ],
    ),
    table(
        "ducklake_file_partition_value",
        &[("data_file_id", Int), ("table_id", Int), ("partition_key_index", Int), ("partition_value", Text)],
    ),
    table("ducklake_inlined_data_tables", &[("table_id", Int), ("table_name", Text), ("schema_version", Int)]),
    table("ducklake_column_mapping", &[("mapping_id", Int), ("table_id", Int), ("type", Text)]),
    table(
        "ducklake_name_mapping",
        &[
            ("mapping_id", Int),
            ("column_id", Int),
            ("source_name", Text),
            ("target_field_id", Int),
            ("parent_column", Int),
            ("is_partition", Bool),
        ],
    ),
    table(
        "ducklake_macro",
        &[("schema_id", Int), ("macro_id", Int), ("macro_name", Text), ("begin_snapshot", Int), ("end_snapshot", Int)],
    ),
    table(
        "ducklake_macro_impl",
        &[("macro_id", Int), ("impl_id", Int), ("dialect", Text), ("sql", Text), ("type", Text)],
    ),
    table(
        "ducklake_macro_parameters",
        &[
            ("macro_id", Int),
            ("impl_id", Int),
            ("column_id", Int),
            ("parameter_name", Text),
            ("parameter_type", Text),
            ("default_value", Text),
            ("default_value_type", Text),
        ],
    ),
    table("ducklake_sort_info", &[("sort_id", Int), ("table_id", Int), ("begin_snapshot", Int), ("end_snapshot", Int)]),
    table(
        "ducklake_sort_expression",
        &[
            ("sort_id", Int),
            ("table_id", Int),
            ("sort_key_index", Int),
            ("expression", Text),
            ("dialect", Text),
            ("sort_direction", Text),
            ("null_order", Text),
        ],
    ),
];

const FILLED: &[CatalogTable] = &[
    METADATA,
    SNAPSHOT,
    SNAPSHOT_CHANGES,
    SCHEMA,
    TABLE,
    TAG,
    COLUMN_TAG,
    DATA_FILE,
    FILE_COLUMN_STATS,
    COLUMN,
    TABLE_STATS,
    TABLE_COLUMN_STATS,
    FILES_SCHEDULED,
    SCHEMA_VERSIONS,
    WRITER,
    DOCUMENT,
];

/// Every table of the catalog.
pub(crate) fn all_tables() -> impl Iterator<Item = &'static CatalogTable> {
    FILLED.iter().chain(EMPTY)
}

/// Keeps commits and reads fast with thousands of files: the specification has no indexes.
pub(crate) const INDEXES: &[&str] = &[
    "CREATE INDEX IF NOT EXISTS glasshouse_live_files ON ducklake_data_file (table_id) WHERE end_snapshot IS NULL",
    "CREATE INDEX IF NOT EXISTS glasshouse_ended_files ON ducklake_data_file (end_snapshot) WHERE end_snapshot IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS glasshouse_file_stats ON ducklake_file_column_stats (data_file_id, column_id)",
];
