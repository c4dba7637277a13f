//! Starting other programs from the workspace's root.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// The workspace's root: that of the clone in which cargo was called. Clones share build products, this program among
/// them, so where it was compiled tells nothing.
pub fn root() -> PathBuf {
    let package =
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    package.parent().map(Path::to_path_buf).unwrap_or_default()
}

/// Where build products go: `CARGO_TARGET_DIR`, else one folder for all clones, so that a fresh clone
/// on a machine that built before need not build the dependencies again.
pub fn target_dir() -> PathBuf {
    match (std::env::var_os("CARGO_TARGET_DIR"), std::env::var_os("HOME")) {
        (Some(dir), _) => root().join(dir),
        (None, Some(home)) => Path::new(&home).join(".cache/glasshouse/target"),
        (None, None) => root().join("target"),
    }
}

/// A command that runs in `folder` of the workspace.
pub fn command(program: impl AsRef<OsStr>, folder: &str) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root().join(folder)).env("CARGO_TARGET_DIR", target_dir());
    // What Cargo tells the program that it runs. Build scripts look at it (ring's does), so passed on to another Cargo it
    // would build most dependencies again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let is_about_package = ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| text.starts_with(prefix));
        if is_about_package
            || matches!(&*text, "CARGO_BIN_NAME" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR")
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Cargo, with these arguments.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), ".");
    cargo.args(arguments);
    cargo
}

/// Runs a command to its end; an error when it fails.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed: {status}", shown(command));
    }
    Ok(())
}

/// Whether a program is on the path.
pub fn exists(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
