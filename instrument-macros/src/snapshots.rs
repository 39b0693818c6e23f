//! What users get: the expansion of each form, kept in `snapshots/` for a reviewer to read.
//!
//! `BLESS=1 cargo test -p instrument-task-macros` writes them anew.

use std::{
    env, fs,
    io::Write as _,
    process::{Command, Stdio},
};

use proc_macro2::TokenStream;

use crate::expansion;

/// The text as rustfmt writes it; `None` without rustfmt.
fn formatted(text: &str) -> Option<String> {
    let mut rustfmt = Command::new("rustfmt")
        .args(["--edition", "2024", "--config", "max_width=110"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    rustfmt.stdin.take()?.write_all(text.as_bytes()).ok()?;
    let output = rustfmt.wait_with_output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).expect("text"))
}

fn check(name: &str, args: &str, item: &str) {
    let tokens =
        expansion(args.parse().expect("tokens"), item.parse().expect("tokens")).expect("an expansion");
    let Some(code) = formatted(&tokens.to_string()) else {
        println!("skipped: rustfmt is not installed");
        return;
    };
    let attribute = if args.is_empty() {
        String::new()
    } else {
        format!("({args})")
    };
    let source = formatted(&format!("#[instrument_task{attribute}]\n{item}")).expect("code");
    let text = format!("// What was written:\n\n{source}\n// What it becomes:\n\n{code}");

    let path = format!("{}/snapshots/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    if env::var_os("BLESS").is_some() {
        fs::write(&path, text).expect("the folder of the snapshots");
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{path} is not what the attribute writes; BLESS=1 renews it. It writes:\n{text}"
    );
}

#[test]
fn a_value_that_is_no_error_is_left_in_place() {
    check(
        "in_place",
        "",
        "pub fn count(words: &[String]) -> usize { let n = words.len(); n.max(1) }",
    );
}

#[test]
fn a_body_that_may_be_left_early_has_a_guard() {
    check(
        "guarded",
        "",
        "fn print(words: &[String]) { if words.is_empty() { return; } println!(\"{words:?}\"); }",
    );
}

#[test]
fn a_value_that_may_be_an_error_comes_out_of_a_closure() {
    check(
        "judged",
        "\"mail.parse\"",
        "fn parse(&self, mut text: String, (from, _): (usize, usize)) -> Result<u8, ParseIntError> {
            text.push('1');
            let n = text[from..].parse()?;
            Ok(n)
        }",
    );
}

#[test]
fn an_async_function_becomes_flat() {
    check(
        "flat_async",
        "",
        "pub async fn send(to: &str, mail: Mail) -> Result<(), Error> { connect(to).await?.send(mail).await }",
    );
}

#[test]
fn an_async_function_that_has_to_stay_one_wraps_its_body() {
    check(
        "kept_async",
        "",
        "#[must_use] pub async fn ping(to: &str) -> bool { connect(to).await.is_ok() }",
    );
}

#[test]
fn a_boxed_future_is_counted_in_its_box() {
    check(
        "boxed_future",
        "",
        "fn run<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<u8, Error>> + Send + 'a>> {
            Box::pin(async move { Ok(self.step().await?) })
        }",
    );
}

#[test]
fn a_tracked_callers_body_becomes_a_function() {
    check(
        "tracked",
        "",
        "#[track_caller] fn at(all: &[u8], n: usize) -> Result<u8, Missing> { Ok(*all.get(n).ok_or_else(Missing::here)?) }",
    );
}

#[test]
fn methods_are_named_after_their_type() {
    check(
        "impl_block",
        "",
        "impl<T: Display> Mailer<T> {
            const LIMIT: usize = 3;
            pub const fn new() -> Self { Self }
            fn send(&self) -> u8 { 1 }
            #[instrument_task(skip)] fn len(&self) -> usize { 0 }
            #[instrument_task(name = \"mail.first\", ok_if = Option::is_some)] fn first(&self) -> Option<&T> { None }
        }",
    );
}

/// An editor looks for the function and its body in the expansion, whatever the body is like so far.
#[test]
fn a_half_typed_body_leaves_the_function_there() {
    for head in [
        "fn half(n: u8) -> u8",
        "fn half(n: u8) -> Result<u8, ()>",
        "async fn half(n: u8) -> u8",
        "#[track_caller] fn half(n: u8) -> Option<u8>",
        "fn half(n: u8) -> Pin<Box<dyn Future<Output = u8>>>",
        "#[must_use] async fn half(n: u8) -> u8",
    ] {
        for body in [
            "n.",
            "let m = ; n",
            "match n { 0 => ",
            "return n?.",
            "for",
            "if n == 0 { return } else",
        ] {
            let closing = "}".repeat(body.matches('{').count() - body.matches('}').count() + 1);
            let item = format!("{head} {{ {body} {closing}");
            let tokens = expansion(TokenStream::new(), item.parse().expect("tokens")).expect("an expansion");
            let text = tokens.to_string();
            let typed: TokenStream = format!("{{ {body} {closing}").parse().expect("tokens");
            let typed = typed.to_string();
            let inside = typed.trim_matches(['{', '}', ' ']);
            assert!(text.contains("fn half (n : u8)"), "{item}: {text}");
            assert!(text.contains(inside), "{item}: {text}");
        }
    }
}
