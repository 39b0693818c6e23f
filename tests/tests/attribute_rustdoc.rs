//! The documentation of an annotated function is what it is without the attribute.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Functions whose expansion has another signature, and some that have the same.
const ITEMS: &str = r"
//! Documented.
use instrument_task::instrument_task;
use std::{future::Future, pin::Pin};

pub struct Owner<T>(pub T);

/// It is `async`.
#[instrument_task]
pub async fn flat(text: &str, (a, _): (u8, u8)) -> Result<u8, String> { drop(text); Ok(a) }

/// It is `async`, and must be used.
#[instrument_task]
#[must_use]
pub async fn kept((a, _): (u8, u8), _: String) -> u8 { a }

#[instrument_task]
pub async fn nothing() {}

#[instrument_task]
pub fn judged((a, b): (u8, u8), mut text: String, [first, ..]: [u8; 4]) -> Result<String, u8> {
    if a == b { return Err(first); }
    text.push('a');
    Ok(text)
}

#[instrument_task]
pub fn plain<const N: usize>(all: [u8; N], Owner(n): Owner<u8>) -> u8 { all[0] + n }

#[instrument_task]
pub fn opaque(_: String, n: u8) -> impl Future<Output = u8> + Send { async move { n } }

#[instrument_task]
pub fn boxed<'a>(text: &'a str, (n, _): (u8, u8)) -> Pin<Box<dyn Future<Output = Option<u8>> + 'a>> {
    if n == 0 { return Box::pin(async { None }); }
    Box::pin(async move { text.parse().ok() })
}

#[instrument_task]
impl<T: Clone> Owner<T> {
    /// A method.
    pub async fn method(&self, (n, _): (u8, u8)) -> Result<T, u8> { Err(n) }
    pub fn cloned(self: Box<Self>) -> Option<T> { Some(self.0.clone()) }
}

pub trait Task {
    #[instrument_task]
    fn provided(&self, (a, b): (u8, u8)) -> Option<u8> { let sum = a.checked_add(b)?; Some(sum) }
}
";

/// Documents the items, and returns where the pages are.
fn document(name: &str, items: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("attribute-rustdoc")
        .join(name);
    let _ = fs::remove_dir_all(root.join("target/doc"));
    fs::create_dir_all(root.join("src")).unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest = format!(
        "[package]\nname = \"documented\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\
         [dependencies]\ninstrument-task = {{ path = '{}' }}\n[workspace]\n",
        workspace.join("instrument").display(),
    );
    fs::write(root.join("Cargo.toml"), manifest).unwrap();
    fs::copy(workspace.join("Cargo.lock"), root.join("Cargo.lock")).unwrap();
    fs::write(root.join("src/lib.rs"), items).unwrap();
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["doc", "--offline", "--quiet", "--no-deps", "--lib"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env_remove("RUSTFLAGS")
        .status()
        .unwrap();
    assert!(status.success());
    root.join("target/doc/documented")
}

/// The pages below a folder, by their paths, in order.
fn pages(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "html") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(folder).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn documentation_stays_as_it_is() {
    let bare = ITEMS
        .replace("#[instrument_task]\n", "//\n")
        // The library's dependencies are seen either way: they implement traits for every type.
        .replace(
            "use instrument_task::instrument_task;",
            "extern crate instrument_task;",
        );
    let (annotated, bare) = (
        pages(&document("annotated", ITEMS)),
        pages(&document("bare", &bare)),
    );
    let names =
        |pages: &[(PathBuf, String)]| -> Vec<_> { pages.iter().map(|(path, _)| path.clone()).collect() };
    assert_eq!(names(&annotated), names(&bare));
    assert!(bare.len() > 9, "{} pages", bare.len());
    for ((path, annotated), (_, bare)) in annotated.iter().zip(&bare) {
        assert!(annotated == bare, "{}:\n{annotated}\n{bare}", path.display());
    }
}
