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

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/attribute_diagnostics");

/// A scratch package with one binary for each fixture, as it is and without the attribute.
fn package(name: &str, fixtures: &[PathBuf]) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(root.join("src"));
    fs::create_dir_all(root.join("src/bin")).unwrap();
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
        let stem = fixture.file_stem().unwrap().to_str().unwrap();
        let bare: String = text
            .lines()
            .map(|line| {
                if line.trim() == "#[instrument_task]" {
                    "//\n".to_owned()
                } else {
                    format!("{line}\n")
                }
            })
            .collect();
        let bare = bare.replace("use instrument_task::instrument_task;", "");
        fs::write(root.join(format!("src/bin/{stem}.rs")), text).unwrap();
        fs::write(root.join(format!("src/bin/{stem}__bare.rs")), bare).unwrap();
    }
    root
}

/// Runs a cargo command over the package and returns what it reports for each binary.
fn messages(root: &Path, command: &[&str]) -> Vec<(String, Message, String)> {
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(command)
        .args(["--offline", "--bins", "--keep-going", "--message-format=json"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env_remove("RUSTFLAGS")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let found: Vec<_> = text.lines().filter_map(message).collect();
    assert!(!found.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    found
}

fn message(line: &str) -> Option<(String, Message, String)> {
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let path = line["target"]["src_path"].as_str()?;
    let stem = Path::new(path).file_stem()?.to_str()?.to_owned();
    let message = &line["message"];
    let code = message["code"]["code"].as_str().unwrap_or_default().to_owned();
    let level = message["level"].as_str()?.to_owned();
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().find(|span| span["is_primary"] == true)?;
    let rendered = message["rendered"].as_str().unwrap_or_default().to_owned();
    Some((stem, (code, level, primary["line_start"].as_u64()?), rendered))
}

/// Compares a fixture with its bare twin: what is reported of the one only, and of the other only.
fn compare(all: &[(String, Message, String)], fixture: &Path) -> (BTreeSet<Message>, BTreeSet<Message>) {
    let stem = fixture.file_stem().unwrap().to_str().unwrap();
    let of = |stem: &str| -> BTreeSet<Message> {
        all.iter()
            .filter(|(of, ..)| of == stem)
            .map(|(_, message, _)| message.clone())
            .collect()
    };
    let (annotated, bare) = (of(stem), of(&format!("{stem}__bare")));
    assert!(!bare.is_empty(), "{stem} reports nothing");
    (&annotated - &bare, &bare - &annotated)
}

/// Asserts that each fixture says the same as its bare twin.
fn assert_same(all: &[(String, Message, String)], fixtures: &[PathBuf]) {
    let mut text = String::new();
    for fixture in fixtures {
        let stem = fixture.file_stem().unwrap().to_str().unwrap();
        let (gained, lost) = compare(all, fixture);
        for (what, message) in gained
            .iter()
            .map(|m| ("gained", m))
            .chain(lost.iter().map(|m| ("lost", m)))
        {
            let rendered = all.iter().find(|(of, m, _)| of.starts_with(stem) && m == message);
            let rendered = rendered.map_or("", |(.., rendered)| rendered);
            let _ = writeln!(text, "{stem}: {what} {message:?}\n{rendered}");
        }
    }
    assert!(text.is_empty(), "{text}");
}

#[test]
fn errors_stay_where_they_are() {
    let mut fixtures: Vec<_> = fs::read_dir(format!("{FIXTURES}/errors"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    fixtures.sort();
    let root = package("attribute-errors", &fixtures);
    assert_same(&messages(&root, &["check"]), &fixtures);
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
    let [same, lost] = ["lints", "lost_lints"].map(|name| PathBuf::from(format!("{FIXTURES}/{name}.rs")));
    let root = package("attribute-lints", &[same.clone(), lost.clone()]);
    let all = messages(&root, &["clippy"]);
    assert_same(&all, &[same]);

    let (gained, lost) = compare(&all, &lost);
    assert!(gained.is_empty(), "{gained:?}");
    let lost: BTreeSet<_> = lost.iter().map(|(lint, ..)| lint.as_str()).collect();
    let expected = [
        "clippy::manual_async_fn",
        "clippy::missing_errors_doc",
        "clippy::needless_pass_by_value",
        "clippy::toplevel_ref_arg",
        "clippy::unnecessary_wraps",
        "clippy::unused_async",
        "clippy::used_underscore_binding",
    ];
    assert_eq!(lost, BTreeSet::from(expected));
}
