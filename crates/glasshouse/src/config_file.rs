//! The configuration file: every flag is also a key. Keys outside of a table count for every command that
//! has such a flag, keys in a table only for the command of its name:
//!
//! ```toml
//! data-dir = "/var/lib/glasshouse"
//!
//! [serve]
//! http = "0.0.0.0:9090"
//! memory-limit = "1GiB"
//! ```

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Command};
use toml::{Table, Value};

use crate::failure::Failure;

/// The file that `--config` or `GLASSHOUSE_CONFIG` names. It must be known before the other flags are read.
pub fn path(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|argument| argument.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os("GLASSHOUSE_CONFIG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Makes the file's values the defaults of the flags.
pub fn apply(command: Command, path: &Path) -> Result<Command, Failure> {
    let what = || format!("cannot use configuration file {}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| Failure::wrong_use(what(), error))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| Failure::wrong_use(what(), error.message()))?;
    apply_table(command, table)
        .map_err(|why| Failure::wrong_use(what(), why).hint("a key is a flag without its dashes"))
}

fn apply_table(mut command: Command, table: Table) -> Result<Command, String> {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for (key, value) in table {
        if let Value::Table(section) = value {
            if !names.contains(&key) {
                return Err(format!("there is no command for table [{key}]"));
            }
            for (flag, value) in section {
                let name = format!("{key}.{flag}");
                command =
                    set(command, std::slice::from_ref(&key), &flag, &value)?.ok_or(format!("unknown key {name}"))?;
            }
        } else {
            command = set(command, &names, &key, &value)?.ok_or(format!("unknown key {key}"))?;
        }
    }
    Ok(command)
}

/// Sets a flag's default in the commands that have it, and of the whole program; `None` when none has it.
fn set(mut command: Command, subcommands: &[String], key: &str, value: &Value) -> Result<Option<Command>, String> {
    let flag = key.replace('_', "-");
    let values =
        texts(value).ok_or_else(|| format!("{key} is neither text, number, truth value nor a list of these"))?;
    let mut found = false;
    if let Some(id) = find(&command, &flag) {
        command = command.mut_arg(id, |argument| with_default(argument, &values));
        found = true;
    }
    for name in subcommands {
        let sub = command.find_subcommand(name).expect("the names are the command's");
        if let Some(id) = find(sub, &flag) {
            command = command.mut_subcommand(name, |sub| sub.mut_arg(id, |argument| with_default(argument, &values)));
            found = true;
        }
    }
    Ok(found.then_some(command))
}

fn find(command: &Command, flag: &str) -> Option<String> {
    let argument = command.get_arguments().find(|argument| argument.get_long() == Some(flag))?;
    Some(argument.get_id().to_string())
}

fn with_default(argument: clap::Arg, values: &[&'static str]) -> clap::Arg {
    match argument.get_action() {
        ArgAction::Append => argument.default_values(values),
        _ => argument.default_value(values.first().copied()),
    }
}

/// The value as flags would say it. Clap keeps defaults for the life of the program, so they are leaked.
fn texts(value: &Value) -> Option<Vec<&'static str>> {
    Some(match value {
        Value::String(text) => vec![&*text.clone().leak()],
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => vec![&*value.to_string().leak()],
        Value::Array(values) => values.iter().map(texts).collect::<Option<Vec<_>>>()?.concat(),
        Value::Datetime(_) | Value::Table(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, FromArgMatches as _};

    use super::*;
    use crate::cli::{Cli, Command as Sub, ServeArguments};
    use crate::units::Size;

    fn serve(file: &str, flags: &[&str]) -> ServeArguments {
        let command = apply_table(Cli::command(), file.parse().unwrap()).unwrap();
        let matches = command.try_get_matches_from([&["glasshouse", "serve"], flags].concat()).unwrap();
        match Cli::from_arg_matches(&matches).unwrap().command {
            Sub::Serve(arguments) => *arguments,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_file_gives_way_to_flags() {
        let file = "data-dir = \"/tmp/lake\"\n[serve]\nmemory_limit = \"1GiB\"\nhttp = \"127.0.0.1:1\"";
        let arguments = serve(file, &["--http", "127.0.0.1:2"]);
        assert_eq!(arguments.memory_limit, Size(1 << 30));
        assert_eq!(arguments.http, ([127, 0, 0, 1], 2).into());
        assert_eq!(arguments.data_dir, Some(PathBuf::from("/tmp/lake")));
    }

    #[test]
    fn unknown_keys_are_refused() {
        let check = |file: &str, expected: &str| {
            assert_eq!(apply_table(Cli::command(), file.parse().unwrap()).unwrap_err(), expected);
        };
        check("htpp = 1", "unknown key htpp");
        check("[serve]\nfor = \"1m\"", "unknown key serve.for");
        check("[server]\nhttp = 1", "there is no command for table [server]");
        check("http = 2026-01-01", "http is neither text, number, truth value nor a list of these");
    }

    #[test]
    fn the_path_is_found_before_other_flags_are_read() {
        let check = |arguments: &[&str], expected: Option<&str>| {
            assert_eq!(path(arguments.iter().map(OsString::from)), expected.map(PathBuf::from));
        };
        check(&["serve", "--config", "a.toml"], Some("a.toml"));
        check(&["--config=b.toml", "serve"], Some("b.toml"));
        check(&["query", "--", "--config"], None);
    }
}
