//! What people keep beside the data: saved views and the like. One row each, with a revision that changes with it.

use glasshouse_model::Timestamp;
use glasshouse_tables::ports::{Document, DocumentError, DocumentText};
use uuid::Uuid;

use crate::CatalogError;
use crate::database::{Row, Transaction};
use crate::ducklake::DOCUMENT;

const COLUMNS: &str = "document_id, name, body, revision, updated_ns";

/// Those of a kind, by name.
pub(crate) async fn list(transaction: &mut Transaction, kind: &str) -> Result<Vec<Document>, CatalogError> {
    let sql = format!("SELECT {COLUMNS} FROM glasshouse_document WHERE kind = $1 ORDER BY name, document_id");
    transaction.rows(&sql, &[kind.into()]).await?.iter().map(document).collect()
}

/// Keeps a new one, unless there are `most` already.
pub(crate) async fn create(
    transaction: &mut Transaction,
    kind: &str,
    text: DocumentText,
    most: usize,
    now: Timestamp,
) -> Result<Result<Document, DocumentError>, CatalogError> {
    let rows = transaction.rows("SELECT count(*) FROM glasshouse_document WHERE kind = $1", &[kind.into()]).await?;
    if rows[0].int(0)? >= most as i64 {
        return Ok(Err(DocumentError::Full(most)));
    }
    let document = Document { id: Uuid::now_v7(), text, revision: 1, updated: now };
    let row = vec![
        document.id.to_string().into(),
        kind.into(),
        document.text.name.as_str().into(),
        document.revision.into(),
        now.nanos().into(),
        document.text.body.as_str().into(),
    ];
    transaction.insert(&DOCUMENT, &[row]).await?;
    Ok(Ok(document))
}

/// Replaces one, if it still has this revision.
pub(crate) async fn replace(
    transaction: &mut Transaction,
    kind: &str,
    (id, revision): (Uuid, i64),
    text: DocumentText,
    now: Timestamp,
) -> Result<Result<Document, DocumentError>, CatalogError> {
    if let Err(error) = check(transaction, kind, id, Some(revision)).await? {
        return Ok(Err(error));
    }
    let document = Document { id, text, revision: revision + 1, updated: now };
    let sql =
        "UPDATE glasshouse_document SET name = $1, body = $2, revision = $3, updated_ns = $4 WHERE document_id = $5";
    let values = [
        document.text.name.as_str().into(),
        document.text.body.as_str().into(),
        document.revision.into(),
        now.nanos().into(),
        id.to_string().into(),
    ];
    transaction.execute(sql, &values).await?;
    Ok(Ok(document))
}

/// Forgets one, if it still has this revision, where one is given.
pub(crate) async fn remove(
    transaction: &mut Transaction,
    kind: &str,
    id: Uuid,
    revision: Option<i64>,
) -> Result<Result<(), DocumentError>, CatalogError> {
    if let Err(error) = check(transaction, kind, id, revision).await? {
        return Ok(Err(error));
    }
    transaction.execute("DELETE FROM glasshouse_document WHERE document_id = $1", &[id.to_string().into()]).await?;
    Ok(Ok(()))
}

/// Whether it is there, in this revision.
async fn check(
    transaction: &mut Transaction,
    kind: &str,
    id: Uuid,
    revision: Option<i64>,
) -> Result<Result<(), DocumentError>, CatalogError> {
    let sql = "SELECT revision FROM glasshouse_document WHERE document_id = $1 AND kind = $2";
    let rows = transaction.rows(sql, &[id.to_string().into(), kind.into()]).await?;
    let Some(row) = rows.first() else { return Ok(Err(DocumentError::Unknown)) };
    let known = row.int(0)?;
    Ok(match revision {
        Some(revision) if revision != known => Err(DocumentError::Stale(known)),
        _ => Ok(()),
    })
}

fn document(row: &Row) -> Result<Document, CatalogError> {
    let id = row.text(0)?;
    let id =
        Uuid::try_parse(&id).map_err(|_| CatalogError::Incompatible(format!("a saved document has the id {id:?}")))?;
    let text = DocumentText { name: row.text(1)?, body: row.text(2)? };
    Ok(Document { id, text, revision: row.int(3)?, updated: Timestamp::from_nanos(row.int(4)?) })
}
