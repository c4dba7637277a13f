//! The layer check: which crate may use which is the table in ARCHITECTURE.md, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::command::{cargo, root};

/// Fails with every arrow between our crates that the table does not allow.
pub fn check() -> Result<()> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).context("cannot read ARCHITECTURE.md")?;
    let allowed = parse_table(&text)?;
    let output = cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]).output()?;
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let mut wrong = Vec::new();
    for package in packages {
        let Some(name) = short_name(&package["name"]) else { continue };
        let Some(may_use) = allowed.get(name) else {
            wrong.push(format!("{name} is not in ARCHITECTURE.md's table of crates"));
            continue;
        };
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
        // Tests may use what they like; only what ships counts.
        for dependency in dependencies.iter().filter(|dependency| dependency["kind"] != "dev") {
            if let Some(used) = short_name(&dependency["name"])
                && !may_use.contains(used)
                && !may_use.contains("all")
            {
                wrong.push(format!("{name} uses {used}, which ARCHITECTURE.md does not allow"));
            }
        }
    }
    wrong.extend(too_heavy()?);
    if !wrong.is_empty() {
        bail!("layers are broken:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

/// What the client library must not bring into people's programs, with all its features.
fn too_heavy() -> Result<Vec<String>> {
    let tree = ["tree", "-p", "glasshouse-client", "--all-features", "-e", "normal", "--prefix", "none", "--offline"];
    let output = cargo(&tree).output()?;
    if !output.status.success() {
        bail!("cannot list what glasshouse-client depends on: {}", String::from_utf8_lossy(&output.stderr));
    }
    let tree = String::from_utf8(output.stdout).context("cargo tree is no text")?;
    let names = tree.lines().filter_map(|line| line.split(' ').next()).collect::<BTreeSet<_>>();
    let is_heavy =
        |name: &&&str| ["arrow", "datafusion", "parquet", "axum"].iter().any(|heavy| name.starts_with(heavy));
    Ok(names.iter().filter(is_heavy).map(|name| format!("client reaches {name}")).collect())
}

fn short_name(name: &Value) -> Option<&str> {
    let name = name.as_str()?;
    if name == "glasshouse" { Some(name) } else { name.strip_prefix("glasshouse-") }
}

/// Rows of the table look like ``| `lake` | what it holds | model, tables |``.
fn parse_table(text: &str) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut table = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        if let [name, _, may_use] = cells[..]
            && let Some(name) = name.strip_prefix('`').and_then(|name| name.strip_suffix('`'))
        {
            let may_use = may_use.split(',').map(|used| used.trim().to_owned()).collect();
            table.insert(name.to_owned(), may_use);
        }
    }
    if table.is_empty() {
        bail!("ARCHITECTURE.md has no table of crates (rows of: | `name` | holds | may use |)");
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_and_other_lines_ignored() {
        let table = parse_table("# x\n| crate | holds | may use |\n|---|---|---|\n| `lake` | rows | model, tables |\n")
            .unwrap();
        assert_eq!(table.len(), 1);
        assert_eq!(table["lake"], ["model", "tables"].map(String::from).into());
        assert!(parse_table("no table").is_err());
    }
}
