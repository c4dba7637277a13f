//! Which statements may be asked: those that only read, and only the lake.

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::Statement as SqlStatement;
use glasshouse_tables::ports::QueryError;

const ALLOWED: &str = "SELECT, WITH, VALUES, EXPLAIN, DESCRIBE, SHOW TABLES, SHOW COLUMNS and SHOW FUNCTIONS";

/// Refuses statements that do more than read. What a plan may hold is checked again when it is made.
pub(crate) fn check(statement: &Statement) -> Result<(), QueryError> {
    let refused = |what: &str| {
        Err(QueryError::Invalid(format!("{what} is not allowed: this SQL only reads; it takes {ALLOWED}")))
    };
    match statement {
        Statement::Statement(statement) => match statement.as_ref() {
            SqlStatement::Query(_)
            | SqlStatement::Explain { .. }
            | SqlStatement::ExplainTable { .. }
            | SqlStatement::ShowTables { .. }
            | SqlStatement::ShowColumns { .. }
            | SqlStatement::ShowFunctions { .. } => Ok(()),
            other => refused(&first_words(&other.to_string())),
        },
        Statement::Explain(explain) => check(&explain.statement),
        Statement::CreateExternalTable(_) => refused("CREATE EXTERNAL TABLE"),
        Statement::CopyTo(_) => refused("COPY"),
        Statement::Reset(_) => refused("RESET"),
    }
}

/// The keywords that a statement begins with, at most two.
fn first_words(statement: &str) -> String {
    let keywords: Vec<_> = statement
        .split_whitespace()
        .take_while(|word| word.bytes().all(|byte| byte.is_ascii_uppercase()))
        .take(2)
        .collect();
    if keywords.is_empty() { "this statement".to_owned() } else { keywords.join(" ") }
}
