//! Links between the project's own Markdown files lead somewhere.

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::{command, root};

/// Fails with every relative link of a tracked Markdown file whose target does not exist.
pub fn check() -> Result<()> {
    let output = command("git", ".").args(["ls-files", "*.md"]).output().context("cannot run git ls-files")?;
    let files = String::from_utf8(output.stdout).context("file names are not UTF-8")?;
    let mut dead = Vec::new();
    for file in files.lines() {
        let path = root().join(file);
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let folder = path.parent().unwrap_or(Path::new("."));
        for target in targets(&text) {
            if !folder.join(target).exists() {
                dead.push(format!("{file}: {target}"));
            }
        }
    }
    if !dead.is_empty() {
        bail!("dead links:\n  {}", dead.join("\n  "));
    }
    Ok(())
}

fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        let is_local = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
        is_local.then_some(target)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_targets_count() {
        let found: Vec<_> = targets("[a](b.md#c) [d](https://e.f) ![g](h.png) [i](#j)").collect();
        assert_eq!(found, ["b.md", "h.png"]);
    }
}
