//! The lake's catalog: DuckLake 1.0 tables in SQLite or PostgreSQL.
