//! `tests/sql/*.sql`: statements and the answers they must have, wherever the rows are.

use std::path::Path;

use crate::lake::{Form, TestLake};
use crate::{sql, table};

#[tokio::test]
async fn answers_are_as_expected_wherever_the_rows_are() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let lakes = [Form::Hot, Form::Files, Form::Mixed].map(|form| (form, TestLake::new(form)));
    let mut failures = Vec::new();
    let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    files.sort();
    assert!(!files.is_empty());
    for path in files {
        let statements = std::fs::read_to_string(&path).unwrap();
        let expected_path = path.with_extension("txt");
        for (form, lake) in &lakes {
            let mut answers = String::new();
            for statement in statements.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
                let answer = match table(&lake.engine, sql(statement)).await {
                    Ok(answer) => answer,
                    Err(error) => format!("{error:?}"),
                };
                answers.extend([statement, ";\n", &answer, "\n\n"]);
            }
            if *form == Form::Hot && std::env::var_os("UPDATE_EXPECT").is_some() {
                std::fs::write(&expected_path, &answers).unwrap();
            }
            let expected = std::fs::read_to_string(&expected_path).unwrap_or_default();
            if answers != expected {
                failures.push(format!(
                    "{} over {form:?} rows:\n{}",
                    path.display(),
                    first_difference(&answers, &expected)
                ));
            }
        }
    }
    assert!(failures.is_empty(), "UPDATE_EXPECT=1 accepts what hot rows give.\n{}", failures.join("\n"));
}

/// The answer in which two texts first differ.
fn first_difference(got: &str, expected: &str) -> String {
    let blocks = |text: &str| text.split("\n\n").map(str::to_owned).collect::<Vec<_>>();
    let (got, expected) = (blocks(got), blocks(expected));
    let at = got.iter().zip(&expected).take_while(|(got, expected)| got == expected).count();
    let block = |blocks: &[String]| blocks.get(at).cloned().unwrap_or_default();
    format!("got\n{}\nexpected\n{}\n", block(&got), block(&expected))
}
