//! Runs cargo over the scratch packages.

use std::{
    collections::BTreeSet,
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Instant, SystemTime},
};

use proc_macro2::{TokenStream, TokenTree};

/// The scratch packages' workspace.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The one that was written there.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", self.root.join("target"))
            .env_remove("RUSTFLAGS");
        command
    }

    /// Runs cargo. What it prints.
    ///
    /// # Errors
    /// If it fails.
    pub fn run(&self, arguments: &[&str]) -> io::Result<String> {
        let output = self.cargo(arguments).stderr(Stdio::inherit()).output()?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(io::Error::other(format!("cargo {} failed", arguments.join(" "))))
    }

    /// How many crates the package depends on.
    ///
    /// # Errors
    /// If cargo fails.
    pub fn crates(&self, package: &str) -> io::Result<usize> {
        let arguments = [
            "tree",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ];
        let text = self.run(&[&arguments[..], &["--package", package]].concat())?;
        let names: BTreeSet<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
        Ok(names
            .into_iter()
            .filter(|name| !name.is_empty())
            .count()
            .saturating_sub(1))
    }

    /// Builds the package with all that it depends on, from nothing; the seconds of processor time that it took, and those that
    /// passed.
    ///
    /// # Errors
    /// If it does not compile.
    pub fn cold(&self, package: &str) -> io::Result<(f64, f64)> {
        let target = self.root.join("target/cold");
        match fs::remove_dir_all(&target) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (before, began) = (processor_seconds(), Instant::now());
        let status = self
            .cargo(&["build", "--quiet", "--offline", "--lib", "--package", package])
            .env("CARGO_TARGET_DIR", &target)
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{package} does not compile")));
        }
        let passed = began.elapsed().as_secs_f64();
        let took = processor_seconds()
            .zip(before)
            .map(|(after, before)| after - before);
        fs::remove_dir_all(&target)?;
        Ok((took.unwrap_or(passed), passed))
    }

    /// Compiles the package alone; the seconds of processor time that it took.
    ///
    /// # Errors
    /// If it does not compile.
    pub fn time(&self, package: &str, arguments: &[&str]) -> io::Result<f64> {
        let source = fs::File::options()
            .append(true)
            .open(self.root.join(package).join("src/lib.rs"))?;
        source.set_modified(SystemTime::now())?;
        let (before, began) = (processor_seconds(), Instant::now());
        let status = self
            .cargo(arguments)
            .args(["--quiet", "--offline", "--package", package])
            .stderr(Stdio::null())
            .status()?;
        if !status.success() {
            return Err(io::Error::other(format!("{package} does not compile")));
        }
        Ok(match (before, processor_seconds()) {
            (Some(before), Some(after)) => after - before,
            _ => began.elapsed().as_secs_f64(),
        })
    }

    /// What the optimised code and data of the package take.
    ///
    /// # Errors
    /// If `size` fails.
    pub fn object_bytes(&self, package: &str) -> io::Result<u64> {
        let name = format!("target/release/lib{}.rlib", package.replace('-', "_"));
        let output = Command::new("size")
            .args(["--totals", &name])
            .current_dir(&self.root)
            .stderr(Stdio::null())
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        text.lines()
            .last()
            .and_then(|totals| totals.split_whitespace().nth(3))
            .and_then(|total| total.parse().ok())
            .ok_or_else(|| io::Error::other(format!("`size` says nothing of {name}")))
    }

    /// Tokens of the package once all macros are expanded.
    ///
    /// # Errors
    /// If the compiler fails.
    pub fn expanded_tokens(&self, package: &str) -> io::Result<usize> {
        let output = self
            .cargo(&[
                "rustc",
                "--quiet",
                "--lib",
                "--profile",
                "check",
                "--package",
                package,
            ])
            .args(["--", "-Zunpretty=expanded"])
            // The option is the nightly compiler's, which any compiler can be for it.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_DIR", self.root.join("target/expanded"))
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let tokens: TokenStream = text
            .parse()
            .map_err(|error| io::Error::other(format!("the expansion of {package}: {error}")))?;
        Ok(count(tokens))
    }
}

fn count(tokens: TokenStream) -> usize {
    tokens
        .into_iter()
        .map(|token| match token {
            TokenTree::Group(group) => 2 + count(group.stream()),
            _ => 1,
        })
        .sum()
}

/// What the children of this process that have ended took of a processor, where the system tells.
fn processor_seconds() -> Option<f64> {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(Path::new("/proc/self/stat")).ok()?;
    // Behind the name, which may hold anything, user and system time of the children are the 14th and 15th.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(13).map(str::parse::<f64>);
    Some((ticks.next()?.ok()? + ticks.next()?.ok()?) / TICKS_A_SECOND)
}
