//! What people keep beside the data lies in the catalog.

use async_trait::async_trait;
use glasshouse_catalog::CatalogError;
use glasshouse_tables::ports::{Document, DocumentError, DocumentText, Documents};
use uuid::Uuid;

use crate::Lake;

#[async_trait]
impl Documents for Lake {
    async fn list(&self, kind: &str) -> Result<Vec<Document>, DocumentError> {
        self.catalog().documents(kind).await.map_err(unavailable)
    }

    async fn create(&self, kind: &str, text: DocumentText) -> Result<Document, DocumentError> {
        self.catalog().create_document(kind, text).await.map_err(unavailable)?
    }

    async fn replace(
        &self,
        kind: &str,
        id: Uuid,
        revision: i64,
        text: DocumentText,
    ) -> Result<Document, DocumentError> {
        self.catalog().replace_document(kind, (id, revision), text).await.map_err(unavailable)?
    }

    async fn remove(&self, kind: &str, id: Uuid, revision: Option<i64>) -> Result<(), DocumentError> {
        self.catalog().remove_document(kind, id, revision).await.map_err(unavailable)?
    }
}

#[expect(clippy::needless_pass_by_value, reason = "errors are mapped by it")]
fn unavailable(error: CatalogError) -> DocumentError {
    DocumentError::Unavailable(error.to_string())
}
