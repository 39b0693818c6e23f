//! The scratch packages.

use std::{fmt::Write as _, fs, io, path::Path};

/// What kinds of functions there are.
pub const KINDS: [&str; 2] = ["sync", "async"];

/// An attribute.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// In a package's name.
    pub short: &'static str,
    /// In a table.
    pub shown: &'static str,
    /// As it is written before a function.
    text: &'static str,
    dependency: &'static str,
    /// Whether it takes so long to compile that once has to do.
    pub slow: bool,
}

/// Nothing, this library's, and its peers'. Tracing is the third: the limits are shares of it.
pub const ATTRIBUTES: [Attribute; 5] = [
    Attribute {
        short: "bare",
        shown: "bare",
        text: "",
        dependency: "",
        slow: false,
    },
    Attribute {
        short: "ours",
        shown: "`instrument_task`",
        text: "#[instrument_task::instrument_task]",
        dependency: concat!(
            "instrument-task = { path = '",
            env!("CARGO_MANIFEST_DIR"),
            "/../instrument' }"
        ),
        slow: false,
    },
    Attribute {
        short: "tracing",
        shown: "`tracing::instrument(skip_all)`",
        text: "#[tracing::instrument(skip_all)]",
        dependency: "tracing = '0.1'",
        slow: false,
    },
    Attribute {
        short: "fastrace",
        shown: "`fastrace::trace`",
        text: "#[fastrace::trace]",
        dependency: "fastrace = { version = '0.7', features = ['enable'] }",
        slow: false,
    },
    Attribute {
        short: "autometrics",
        shown: "`autometrics`",
        text: "#[autometrics::autometrics]",
        dependency: "autometrics = { version = '3', features = ['prometheus-exporter'] }",
        slow: true,
    },
];

/// The name of the package whose functions are of that kind and have that attribute.
#[must_use]
pub fn package(kind: &str, attribute: &Attribute) -> String {
    format!("{kind}-{}", attribute.short)
}

/// The name of the package that has nothing but the attribute's dependency.
#[must_use]
pub fn tree(attribute: &Attribute) -> String {
    format!("tree-{}", attribute.short)
}

/// Writes the workspace with all packages, of so many functions each. Versions are those that this project has locked.
///
/// # Errors
/// If a file cannot be written.
pub fn workspace(root: &Path, attributes: &[Attribute], count: usize) -> io::Result<()> {
    let mut members = vec![String::from("sizes")];
    for attribute in attributes {
        for kind in KINDS {
            let name = package(kind, attribute);
            let text = functions(kind == "async", attribute.text, count);
            write_package(root, &name, attribute.dependency, "lib.rs", &text)?;
            members.push(name);
        }
        let name = tree(attribute);
        write_package(root, &name, attribute.dependency, "lib.rs", "")?;
        members.push(name);
    }
    let dependencies: Vec<_> = attributes.iter().map(|attribute| attribute.dependency).collect();
    write_package(
        root,
        "sizes",
        &dependencies.join("\n"),
        "main.rs",
        &sizes(attributes),
    )?;
    let manifest = format!(
        "[workspace]\nresolver = '3'\nmembers = {members:?}\n[profile.dev]\ndebug = 0\nincremental = false\n"
    );
    fs::write(root.join("Cargo.toml"), manifest)?;
    fs::write(root.join("Cargo.lock"), include_str!("../../../Cargo.lock"))
}

fn write_package(root: &Path, name: &str, dependencies: &str, file: &str, text: &str) -> io::Result<()> {
    let folder = root.join(name);
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = '{name}'\nversion = '0.0.0'\nedition = '2024'\npublish = false\n[dependencies]\n{dependencies}\n"
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src").join(file), text)
}

/// The functions of a package: of each four, two return a `Result` and leave early, one a number and one nothing.
fn functions(is_async: bool, attribute: &str, count: usize) -> String {
    let (word, wait) = if is_async { ("async ", ".await") } else { ("", "") };
    let mut text = format!(
        "#[derive(Debug)]\npub struct Refused(pub u64);\n\
         #[inline(never)]\npub {word}fn parse(text: &str) -> Result<u64, Refused> {{ text.parse().map_err(|_| Refused(0)) }}\n\
         #[inline(never)]\npub {word}fn send(n: u64) {{ std::hint::black_box(n); }}\n"
    );
    for n in 0..count {
        let (output, body) = match n % 4 {
            0 => (
                "-> Result<u64, Refused>",
                format!("let number = parse(name){wait}?; send(number){wait}; Ok(number ^ id ^ {n})"),
            ),
            1 => (
                "-> Result<(), Refused>",
                format!(
                    "if id == {n} {{ return Err(Refused(id)); }} send(id ^ name.len() as u64){wait}; Ok(())"
                ),
            ),
            2 => (
                "-> u64",
                format!("send(id){wait}; id.rotate_left({n}) ^ name.len() as u64"),
            ),
            _ => (
                "",
                format!("if name.is_empty() {{ return; }} send(id ^ {n}){wait};"),
            ),
        };
        // A future is compiled where it is polled, so each is made into one that may be.
        let (name, lifetime) = if is_async {
            ("&'static str", "")
        } else {
            ("&str", "#[inline(never)]")
        };
        let _ = writeln!(
            text,
            "{attribute}\n{lifetime}\npub {word}fn task_{n}(id: u64, name: {name}) {output} {{ {body} }}"
        );
        if is_async {
            let output = output.trim_start_matches("-> ");
            let output = if output.is_empty() { "()" } else { output };
            let _ = writeln!(
                text,
                "pub fn boxed_{n}(id: u64, name: &'static str) -> std::pin::Pin<Box<dyn Future<Output = {output}> + Send>> {{ Box::pin(task_{n}(id, name)) }}"
            );
        }
    }
    text
}

/// A program that prints the sizes of futures, a column for each attribute.
fn sizes(attributes: &[Attribute]) -> String {
    let mut text = String::from(
        "macro_rules! futures { ($($attribute:tt)*) => {
            use super::pause;
            $($attribute)* pub async fn nothing() { pause().await }
            $($attribute)* pub async fn two_owned(a: String, b: Vec<u8>) -> usize { pause().await; a.len() + b.len() }
            $($attribute)* pub async fn argument(a: [u8; 1024]) -> u8 { pause().await; a[3] }
            $($attribute)* pub async fn local() -> u8 { let a = [1; 1024]; pause().await; std::hint::black_box(&a)[3] }
            $($attribute)* pub async fn one(a: [u8; 256]) -> u8 { pause().await; a[3] }
            $($attribute)* pub async fn two(a: [u8; 256]) -> u8 { one(a).await }
            $($attribute)* pub async fn three(a: [u8; 256]) -> u8 { two(a).await }
            $($attribute)* pub async fn four(a: [u8; 256]) -> u8 { three(a).await }
            #[must_use] $($attribute)* pub async fn kept(a: [u8; 256]) -> u8 { pause().await; a[3] }
            pub fn sizes() -> [usize; 6] { [
                size_of_val(&nothing()), size_of_val(&two_owned(String::new(), Vec::new())), size_of_val(&argument([0; 1024])),
                size_of_val(&local()), size_of_val(&four([0; 256])), size_of_val(&kept([0; 256])),
            ] }
        } }
        async fn pause() { std::future::ready(()).await }\n",
    );
    let mut columns = String::new();
    let mut rule = String::new();
    let mut tables = String::new();
    for attribute in attributes {
        let Attribute {
            short,
            shown,
            text: attribute,
            ..
        } = attribute;
        let _ = writeln!(text, "mod {short} {{ futures! {{ {attribute} }} }}");
        let _ = write!(columns, " {shown} |");
        rule += "---|";
        let _ = write!(tables, "{short}::sizes(), ");
    }
    let _ = writeln!(
        text,
        "fn main() {{
            println!(\"| future |{columns}\\n|---|{rule}\");
            let tables = [{tables}];
            let names = [\"no argument\", \"two owned arguments\", \"an argument of 1 KiB\", \"a local of 1 KiB\", \"256 B through 4 levels\", \"256 B, `#[must_use]`\"];
            for (row, name) in names.iter().enumerate() {{
                print!(\"| {{name}} |\");
                for table in &tables {{ print!(\" {{}} |\", table[row]); }}
                println!();
            }}
        }}"
    );
    text
}
