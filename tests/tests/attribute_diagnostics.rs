//! The attribute leaves the compiler's and clippy's messages where they are: a mistake in an annotated function is
//! reported as the same mistake at the same place as without the attribute, and no lint is gained or lost.

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What is reported, and where: the code of the error or lint, its level and the line.
type Message = (String, String, u64);

/// What cargo says of one binary of the scratch package.
struct Report {
    binary: String,
    message: Message,
    column: u64,
    rendered: String,
}

/// The Rust files of a folder of fixtures.
fn fixtures(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("attribute_diagnostics")
        .join(folder);
    let mut fixtures: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    fixtures.sort();
    fixtures
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// A scratch package with two binaries for each fixture: as it is, and without the attribute.
fn package(name: &str, fixtures: &[PathBuf]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let binaries = root.join("src/bin");
    let _ = fs::remove_dir_all(&binaries);
    fs::create_dir_all(&binaries).unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\
         [dependencies]\ninstrument-task = {{ path = '{}' }}\n[workspace]\n",
        workspace.join("instrument").display(),
    );
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    for fixture in fixtures {
        let text = fs::read_to_string(fixture).unwrap();
        let bare = text
            .replace("#[instrument_task]\n", "//\n")
            .replace("use instrument_task::instrument_task;", "");
        fs::write(binaries.join(format!("{}.rs", stem(fixture))), text).unwrap();
        fs::write(binaries.join(format!("{}__bare.rs", stem(fixture))), bare).unwrap();
    }
    root
}

/// Runs a cargo command over the package and returns what it reports.
fn reports(root: &Path, command: &str) -> Vec<Report> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            command,
            "--offline",
            "--bins",
            "--keep-going",
            "--message-format=json",
        ])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let found: Vec<_> = text.lines().filter_map(report).collect();
    assert!(!found.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    found
}

fn report(line: &str) -> Option<Report> {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let path = line["target"]["src_path"].as_str()?;
    let message = &line["message"];
    let primary = message["spans"]
        .as_array()?
        .iter()
        .find(|span| span["is_primary"] == true)?;
    let code = message["code"]["code"].as_str().unwrap_or_default().to_owned();
    Some(Report {
        binary: stem(Path::new(path)).to_owned(),
        message: (
            code,
            message["level"].as_str()?.to_owned(),
            primary["line_start"].as_u64()?,
        ),
        column: primary["column_start"].as_u64()?,
        rendered: message["rendered"].as_str()?.to_owned(),
    })
}

/// Compares a fixture with its bare twin: what is reported of the one only, and of the other only.
fn compare(all: &[Report], fixture: &Path) -> (BTreeSet<Message>, BTreeSet<Message>) {
    let of = |binary: &str| -> BTreeSet<Message> {
        let reports = all.iter().filter(|report| report.binary == binary);
        reports.map(|report| report.message.clone()).collect()
    };
    let (annotated, bare) = (of(stem(fixture)), of(&format!("{}__bare", stem(fixture))));
    assert!(!bare.is_empty(), "{} reports nothing", stem(fixture));
    (&annotated - &bare, &bare - &annotated)
}

/// Asserts that each fixture says the same as its bare twin.
fn assert_same(all: &[Report], fixtures: &[PathBuf]) {
    let mut text = String::new();
    for fixture in fixtures {
        let name = stem(fixture);
        let (gained, lost) = compare(all, fixture);
        for (what, message) in gained
            .iter()
            .map(|m| ("gained", m))
            .chain(lost.iter().map(|m| ("lost", m)))
        {
            let report = all
                .iter()
                .find(|report| report.binary.starts_with(name) && report.message == *message);
            let rendered = report.map_or("", |report| &report.rendered);
            writeln!(text, "{name}: {what} {message:?}\n{rendered}").unwrap();
        }
    }
    assert!(text.is_empty(), "{text}");
}

#[test]
fn errors_stay_where_they_are() {
    let fixtures = fixtures("errors");
    let root = package("attribute-errors", &fixtures);
    assert_same(&reports(&root, "check"), &fixtures);
}

#[test]
fn lints_stay_where_they_are() {
    if !Command::new("cargo")
        .args(["clippy", "--version"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        println!("skipped: clippy is not installed");
        return;
    }
    let fixtures = fixtures("lints");
    let root = package("attribute-lints", &fixtures);
    let all = reports(&root, "clippy");
    let (lost, same): (Vec<_>, Vec<_>) = fixtures.into_iter().partition(|fixture| stem(fixture) == "lost");
    assert_same(&all, &same);

    let (gained, lost) = compare(&all, &lost[0]);
    assert!(gained.is_empty(), "{gained:?}");
    let lost: BTreeSet<_> = lost.iter().map(|(lint, ..)| lint.as_str()).collect();
    // The attribute's documentation names these.
    let expected = [
        "async_fn_in_trait",
        "clippy::manual_async_fn",
        "clippy::missing_errors_doc",
        "clippy::needless_pass_by_value",
        "clippy::needless_question_mark",
        "clippy::needless_return",
        "clippy::question_mark",
        "clippy::toplevel_ref_arg",
        "clippy::unnecessary_wraps",
        "clippy::unused_async",
        "clippy::used_underscore_binding",
    ];
    assert_eq!(lost, BTreeSet::from(expected));
}

/// What the compiler finds wrong with an argument is one error, on the argument.
#[test]
fn errors_in_arguments_are_on_the_argument() {
    let fixtures = fixtures("arguments");
    let root = package("attribute-arguments", &fixtures);
    let all = reports(&root, "check");
    for fixture in &fixtures {
        let errors = all
            .iter()
            .filter(|report| report.binary == stem(fixture) && report.message.1 == "error");
        let found: BTreeSet<_> = errors
            .map(|report| (report.message.2, report.column, report.message.0.clone()))
            .collect();
        let text = fs::read_to_string(fixture).unwrap();
        let marked: BTreeSet<_> = text
            .lines()
            .zip(0..)
            .filter_map(|(line, above)| {
                let (before, code) = line.split_once("^ ")?;
                Some((above, u64::try_from(before.len()).unwrap() + 1, code.to_owned()))
            })
            .collect();
        assert_eq!(found, marked, "{}", stem(fixture));
    }
}
