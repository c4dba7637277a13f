//! The binary as a shell sees it: exit codes and where it writes.

use std::net::TcpListener;
use std::process::{Command, Output};

fn glasshouse(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_glasshouse")).args(arguments).output().expect("the binary starts")
}

#[test]
fn version_and_help_go_to_standard_output() {
    let version = glasshouse(&["--version"]);
    assert_eq!(version.status.code(), Some(0));
    assert_eq!(String::from_utf8(version.stdout).unwrap().trim(), concat!("glasshouse ", env!("CARGO_PKG_VERSION")));

    let help = String::from_utf8(glasshouse(&["--help"]).stdout).unwrap();
    for subcommand in ["serve", "demo", "query", "bench", "doctor", "compact"] {
        assert!(help.contains(subcommand), "--help does not tell of {subcommand}:\n{help}");
    }
}

#[test]
fn wrong_use_exits_with_2_and_says_what_is_wrong() {
    let check = |arguments: &[&str], words: &str| {
        let output = glasshouse(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(words), "{arguments:?}: {errors}");
    };
    check(&["serve", "--no-such-flag"], "--no-such-flag");
    check(&["serve", "--http", "nowhere"], "nowhere");
    check(&["no-such-command"], "no-such-command");
}

#[test]
fn of_server_and_folder_a_flag_wins_over_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    // Nobody listens on a port that was just given back.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let endpoint = format!("http://{closed}");
    let check = |variable: &str, value: &str, flags: &[&str], code: i32, words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_glasshouse"));
        command.args(["query", "SELECT 1"]).args(flags);
        command.env_remove("GLASSHOUSE_ENDPOINT").env_remove("GLASSHOUSE_DATA_DIR").env(variable, value);
        let output = command.output().expect("the binary starts");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{flags:?}: {errors}");
        assert!(errors.contains(words), "{flags:?}: {errors}");
    };
    check("GLASSHOUSE_DATA_DIR", empty, &["--endpoint", &endpoint], 1, "cannot reach");
    check("GLASSHOUSE_ENDPOINT", &endpoint, &["--data-dir", empty], 1, "no lake in");
    check("GLASSHOUSE_DATA_DIR", empty, &["--endpoint", &endpoint, "--data-dir", empty], 2, "--data-dir");
}
