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

/// What is reported, and where: the code of the error or lint, its level, the line and the column.
type Message = (String, String, u64, u64);

/// What cargo says of one binary of the scratch package.
struct Report {
    binary: String,
    message: Message,
    rendered: String,
}

/// A source with annotated functions, which becomes two binaries: as it is, and without the attribute.
struct Fixture {
    name: String,
    form: &'static str,
    text: String,
}

/// The Rust files of a folder of fixtures.
fn fixtures(folder: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("attribute_diagnostics")
        .join(folder);
    let mut fixtures: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            Fixture {
                name: stem(&path).to_owned(),
                form: "plain",
                text: fs::read_to_string(&path).unwrap(),
            }
        })
        .collect();
    fixtures.sort_by(|a, b| a.name.cmp(&b.name));
    fixtures
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// A scratch package with two binaries for each fixture.
fn package(name: &str, fixtures: &[Fixture]) -> PathBuf {
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
    for Fixture { name, text, .. } in fixtures {
        let bare = text
            .replace("#[instrument_task]\n", "//\n")
            .replace("use instrument_task::instrument_task;", "");
        fs::write(binaries.join(format!("{name}.rs")), text).unwrap();
        fs::write(binaries.join(format!("{name}__bare.rs")), bare).unwrap();
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
            primary["column_start"].as_u64()?,
        ),
        rendered: message["rendered"].as_str()?.to_owned(),
    })
}

/// Compares a fixture with its bare twin: what is reported of the one only, and of the other only.
fn compare(all: &[Report], name: &str) -> (Vec<Message>, Vec<Message>) {
    let of = |binary: &str| -> Vec<Message> {
        let reports = all.iter().filter(|report| report.binary == binary);
        reports.map(|report| report.message.clone()).collect()
    };
    let (annotated, bare) = (of(name), of(&format!("{name}__bare")));
    assert!(!bare.is_empty(), "{name} reports nothing");
    (without(&annotated, &bare), without(&bare, &annotated))
}

/// Those of `messages` that `others` has not as often.
fn without(messages: &[Message], others: &[Message]) -> Vec<Message> {
    let mut others = others.to_vec();
    let mut left = messages.to_vec();
    left.retain(|message| match others.iter().position(|other| other == message) {
        Some(index) => {
            others.swap_remove(index);
            false
        }
        None => true,
    });
    left
}

/// Asserts that each fixture says the same as its bare twin, but where it says itself that it does not.
fn assert_same(all: &[Report], fixtures: &[Fixture]) {
    let mut text = String::new();
    for fixture in fixtures {
        let name = &fixture.name;
        let (gained, lost) = compare(all, name);
        let gained = gained.iter().map(|message| ("gained", name.clone(), message));
        let lost = lost
            .iter()
            .map(|message| ("lost", format!("{name}__bare"), message));
        let mut expected = fixture.differing();
        let mut seen = BTreeSet::new();
        for (what, binary, message) in gained.chain(lost) {
            let function = fixture.function_at(message.2);
            if expected.contains(&function) {
                seen.insert(function);
                continue;
            }
            let report = all
                .iter()
                .find(|report| report.binary == binary && report.message == *message);
            let rendered = report.map_or("", |report| &report.rendered);
            writeln!(text, "{name}: {what} {message:?}\n{rendered}").unwrap();
        }
        expected.retain(|function| !seen.contains(function));
        for line in expected {
            writeln!(text, "{name}: the function below line {line} differs no more").unwrap();
        }
    }
    assert!(text.is_empty(), "{text}");
}

impl Fixture {
    /// The line before the function that `line` is in.
    fn function_at(&self, line: u64) -> u64 {
        let above = self
            .text
            .lines()
            .zip(1..)
            .take_while(|(_, number)| *number <= line);
        above
            .filter(|(text, _)| text.is_empty())
            .last()
            .map_or(0, |(_, number)| number)
    }

    /// The functions of which something else is said than of the bare ones, or elsewhere. Their comment names their form.
    fn differing(&self) -> BTreeSet<u64> {
        let marked = self.text.lines().zip(1..).filter_map(|(line, number)| {
            let forms = line.trim_start().strip_prefix("// Differs: ")?;
            let is_marked = forms.split([',', ' ', '.']).any(|word| word == self.form);
            is_marked.then(|| self.function_at(number))
        });
        marked.collect()
    }
}

/// The functions of a fixture in another form.
fn in_form(form: &'static str, fixture: &Fixture) -> Fixture {
    let (before, functions) = fixture.text.split_once("// Functions\n").unwrap();
    let mut text = format!("{before}// Functions\n");
    let is_block = form == "block";
    if is_block {
        text.push_str("struct Owner;\n#[instrument_task]\nimpl Owner {\n");
    }
    for line in functions.lines() {
        let line = match (line, line.split_once(" -> ")) {
            ("#[instrument_task]", _) if is_block => "//".to_owned(),
            ("}", _) if form == "boxed" => "})}".to_owned(),
            ("}", _) if form == "opaque" => "}}".to_owned(),
            (_, Some((head, rest))) if line.starts_with("fn ") => {
                let output = rest.strip_suffix(" {").unwrap();
                match form {
                    "plain" | "block" => line.to_owned(),
                    "flat" => format!("async {line}"),
                    "kept" => format!("#[must_use] async {line}"),
                    "tracked" => format!("#[track_caller] {line}"),
                    "opaque" => {
                        format!("{head} -> impl Future<Output = {output}> {{ async move {{")
                    }
                    "boxed" => {
                        let object = format!("dyn Future<Output = {output}> + Send");
                        format!("{head} -> std::pin::Pin<Box<{object}>> {{ Box::pin(async move {{")
                    }
                    other => panic!("{other}"),
                }
            }
            _ => line.to_owned(),
        };
        writeln!(text, "{line}").unwrap();
    }
    if is_block {
        text.push_str("}\n");
    }
    text.push_str("fn main() {}\n");
    Fixture {
        name: format!("{}_{form}", fixture.name),
        form,
        text,
    }
}

/// Wrong bodies, each in every form that a function can have.
#[test]
fn errors_stay_where_they_are_in_every_form() {
    const FORMS: [&str; 7] = ["plain", "block", "flat", "kept", "tracked", "opaque", "boxed"];
    let fixtures: Vec<_> = fixtures("bodies")
        .iter()
        .flat_map(|fixture| FORMS.map(|form| in_form(form, fixture)))
        .collect();
    let root = package("attribute-bodies", &fixtures);
    assert_same(&reports(&root, "check"), &fixtures);
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
    let mut all = reports(&root, "clippy");
    // Some say more than one place, and a rebound argument is a pattern of its own.
    for report in &mut all {
        report.message.3 = 0;
    }
    let (lost, same): (Vec<_>, Vec<_>) = fixtures.into_iter().partition(|fixture| fixture.name == "lost");
    assert_same(&all, &same);

    let (gained, lost) = compare(&all, &lost[0].name);
    assert!(gained.is_empty(), "{gained:?}");
    let lost: BTreeSet<_> = lost.iter().map(|(lint, ..)| lint.as_str()).collect();
    // The attribute's documentation names these.
    let expected = [
        "async_fn_in_trait",
        "clippy::manual_async_fn",
        "clippy::missing_const_for_fn",
        "clippy::missing_errors_doc",
        "clippy::needless_pass_by_ref_mut",
        "clippy::needless_pass_by_value",
        "clippy::needless_question_mark",
        "clippy::needless_return",
        "clippy::question_mark",
        "clippy::toplevel_ref_arg",
        "clippy::unnecessary_wraps",
        "clippy::unused_async",
        "clippy::used_underscore_binding",
        "unconditional_recursion",
    ];
    assert_eq!(lost, BTreeSet::from(expected));
}

/// What the compiler finds wrong with an argument is one error, on the argument.
#[test]
fn errors_in_arguments_are_on_the_argument() {
    let fixtures = fixtures("arguments");
    let root = package("attribute-arguments", &fixtures);
    let all = reports(&root, "check");
    for Fixture { name, text, .. } in &fixtures {
        let errors = all
            .iter()
            .filter(|report| report.binary == *name && report.message.1 == "error");
        let found: BTreeSet<_> = errors
            .map(|report| {
                let (code, _, line, column) = &report.message;
                ((*line, *column), code.clone())
            })
            .collect();
        let marked: BTreeSet<_> = text
            .lines()
            .zip(0..)
            .filter_map(|(line, above)| {
                let (before, code) = line.split_once("^ ")?;
                Some(((above, u64::try_from(before.len()).unwrap() + 1), code.to_owned()))
            })
            .collect();
        assert_eq!(found, marked, "{name}");
    }
}
