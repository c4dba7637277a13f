//! The newest snapshot, and how the next one is made.

use chrono::DateTime;
use glasshouse_model::Timestamp;

use crate::CatalogError;
use crate::database::{Transaction, Value};
use crate::ducklake::{SNAPSHOT, SNAPSHOT_CHANGES};

/// A row of `ducklake_snapshot`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Head {
    pub snapshot: i64,
    pub schema_version: i64,
    pub next_catalog_id: i64,
    pub next_file_id: i64,
}

impl Head {
    /// The newest snapshot.
    pub async fn load(transaction: &mut Transaction) -> Result<Self, CatalogError> {
        let sql = "SELECT snapshot_id, schema_version, next_catalog_id, next_file_id FROM ducklake_snapshot \
                   ORDER BY snapshot_id DESC LIMIT 1";
        let rows = transaction.rows(sql, &[]).await?;
        let row = rows.first().ok_or(CatalogError::NoSnapshot(0))?;
        Ok(Self {
            snapshot: row.int(0)?,
            schema_version: row.int(1)?,
            next_catalog_id: row.int(2)?,
            next_file_id: row.int(3)?,
        })
    }

    /// Begins the snapshot after this one.
    pub fn next(self) -> Self {
        Self { snapshot: self.snapshot + 1, ..self }
    }

    /// Writes this snapshot down. Its number is a primary key: should another engine commit the same
    /// number first, this fails.
    pub async fn publish(
        self,
        transaction: &mut Transaction,
        now: Timestamp,
        changes: &[String],
    ) -> Result<(), CatalogError> {
        let row = vec![
            self.snapshot.into(),
            time_text(now).into(),
            self.schema_version.into(),
            self.next_catalog_id.into(),
            self.next_file_id.into(),
        ];
        transaction.insert(&SNAPSHOT, &[row]).await?;
        let none = || Value::Text(None);
        let row = vec![self.snapshot.into(), changes.join(",").into(), none(), none(), none()];
        transaction.insert(&SNAPSHOT_CHANGES, &[row]).await
    }
}

/// A moment as DuckDB writes a `TIMESTAMPTZ`.
pub(crate) fn time_text(time: Timestamp) -> String {
    DateTime::from_timestamp_nanos(time.nanos()).format("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
}

/// Reads a `TIMESTAMPTZ` as DuckDB or PostgreSQL write it.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").ok()?;
    time.timestamp_nanos_opt().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_others_write_them() {
        let check = |text: &str, nanos: Option<i64>| {
            assert_eq!(parse_time(text).map(Timestamp::nanos), nanos, "{text:?}");
        };
        check("1970-01-01 00:00:01.5+00", Some(1_500_000_000));
        check("1970-01-01 01:00:01+01", Some(1_000_000_000));
        check("1970-01-01 05:30:00+05:30", Some(0));
        check("yesterday", None);
        check(&time_text(Timestamp::from_nanos(-1_000)), Some(-1_000));
    }
}
