//! The corpus of function shapes under this library's attribute and under its peers': how many shapes compile without
//! a warning and return what they should. Only this library's counts are looked at; the peers count other things.
//!
//! `cargo run -p instrument-task-tests --bin attribute_peers` (fetches the peers, and takes some minutes)

use std::{
    collections::BTreeSet,
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

/// An attribute, and what stands for it in a binary's name.
const ATTRIBUTES: [(&str, &str); 3] = [
    ("ours", "instrument_task::instrument_task"),
    ("tracing", "tracing::instrument(skip_all)"),
    ("autometrics", "autometrics::autometrics"),
];

/// Shapes of this library's own arguments, names and counts say nothing about others.
const OURS_ALONE: [&str; 13] = [
    "arguments",
    "impls",
    "hostile::same_names",
    "futures::cancelled_by_a_timeout",
    "combined::arguments_of_a_trait",
    "combined::predicates_on_borrows",
    "combined::in_macros",
    "combined::names_of_any_kind",
    "rare::blanket_impls",
    "rare::fragments",
    "rare::futures_by_hand",
    "rare::items_within",
    "rare::parameters_with_attributes",
];

const MANIFEST: &str = r#"[package]
name = "attribute-peers"
version = "0.0.0"
edition = "2024"
publish = false
[dependencies]
anyhow = "1"
async-trait = "0.1"
autometrics = { version = "2", features = ["prometheus-exporter"] }
futures-core = { version = "0.3", default-features = false }
tokio = { version = "1", default-features = false, features = ["macros", "rt", "time"] }
tracing = "0.1"
[profile.dev]
debug = 0
[workspace]
"#;

struct Shape {
    name: String,
    text: String,
}

/// The shapes of the corpus: each is a module at the left margin, with the attributes before it.
fn shapes(corpus: &Path) -> io::Result<Vec<Shape>> {
    let mut shapes = Vec::new();
    let mut files: Vec<_> = fs::read_dir(corpus.join("shapes"))?.collect::<Result<_, _>>()?;
    files.sort_by_key(fs::DirEntry::path);
    for file in files {
        let path = file.path();
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (mut text, mut name) = (String::new(), None);
        for line in fs::read_to_string(&path)?.lines() {
            if let Some(rest) = line.strip_prefix("pub mod ") {
                name = rest
                    .split([' ', ';'])
                    .next()
                    .map(|shape| format!("{stem}::{shape}"));
            }
            if line.starts_with("#[")
                || line.starts_with("pub mod ")
                || (name.is_some() && !line.starts_with("//!"))
            {
                text += line;
                text.push('\n');
            }
            if line == "}"
                && let Some(name) = name.take()
            {
                shapes.push(Shape {
                    name,
                    text: std::mem::take(&mut text),
                });
            }
        }
    }
    shapes.retain(|shape| !OURS_ALONE.iter().any(|own| shape.name.starts_with(own)));
    Ok(shapes)
}

/// The shape as a program.
fn program(shape: &Shape, support: &str, body: &str) -> String {
    let (_, name) = shape.name.split_once("::").unwrap_or_default();
    format!(
        "#![deny(warnings)]\n#![allow(dead_code, unused_imports)]\n#[path = \"../{support}.rs\"]\nmod support;\n\
         mod shape {{\n{body}}}\nfn main() {{\n    shape::{name}::check();\n}}\n"
    )
}

/// The shape's text with another attribute. Arguments go with the attribute that they belong to.
fn with_attribute(text: &str, attribute: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("#[instrument_task") {
        let end = after.find(']').map_or(after.len(), |end| end + 1);
        replaced.extend([before, "#[", attribute, "]"]);
        rest = &after[end..];
    }
    replaced + rest
}

fn write(root: &Path, corpus: &Path, shapes: &[Shape]) -> io::Result<()> {
    let binaries = root.join("src/bin");
    let _ = fs::remove_dir_all(&binaries);
    fs::create_dir_all(&binaries)?;
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instrument");
    let manifest = MANIFEST.replace(
        "[dependencies]",
        &format!(
            "[dependencies]\ninstrument-task = {{ path = '{}' }}",
            library.display()
        ),
    );
    fs::write(root.join("Cargo.toml"), manifest)?;
    fs::copy(corpus.join("support.rs"), root.join("src/support.rs"))?;
    for shape in shapes {
        for (short, attribute) in ATTRIBUTES {
            let text = if short == "ours" {
                program(shape, "support", &shape.text)
            } else {
                // Their counts are not ours.
                program(shape, "uncounted", &with_attribute(&shape.text, attribute))
            };
            let name = shape.name.replace("::", "__");
            fs::write(binaries.join(format!("{name}__{short}.rs")), text)?;
        }
    }
    let support = fs::read_to_string(corpus.join("support.rs"))?;
    let (before, after) = support
        .split_once("    let seen = capture(calls);")
        .unwrap_or((&support, ""));
    let (_, after) = after.split_once("\n}\n").unwrap_or_default();
    let uncounted = format!("{before}    let _ = expected;\n    calls();\n}}\n{after}");
    fs::write(
        root.join("src/uncounted.rs"),
        uncounted.replace("use instrument_task::testing::capture;\n", ""),
    )
}

/// The binaries that could be built.
fn build(root: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let target = root.join("target");
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--bins", "--keep-going"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .stderr(Stdio::null())
        .status()?;
    let built = fs::read_dir(target.join("debug"))?;
    built.map(|file| file.map(|file| file.path())).collect()
}

fn passes(program: &Path) -> bool {
    let status = Command::new(program)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn main() -> io::Result<ExitCode> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("attribute_shapes");
    let root = env::temp_dir().join("instrument-task-attribute-peers");
    let shapes = shapes(&corpus)?;
    let _ = fs::remove_dir_all(root.join("target/debug"));
    write(&root, &corpus, &shapes)?;
    let built = build(&root)?;
    let mut ours = 0;
    for (short, attribute) in ATTRIBUTES {
        let program = |shape: &Shape| {
            root.join("target/debug")
                .join(format!("{}__{short}", shape.name.replace("::", "__")))
        };
        let (passed, failed): (Vec<&Shape>, Vec<&Shape>) = shapes
            .iter()
            .partition(|shape| built.contains(&program(shape)) && passes(&program(shape)));
        println!("#[{attribute}]: {} of {} shapes", passed.len(), shapes.len());
        for shape in failed {
            let why = if built.contains(&program(shape)) {
                "another behaviour"
            } else {
                "does not compile"
            };
            println!("    {}: {why}", shape.name);
        }
        if short == "ours" {
            ours = passed.len();
        }
    }
    Ok(if ours == shapes.len() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
