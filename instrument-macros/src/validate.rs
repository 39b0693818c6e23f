//! What the attribute refuses, and why.

use quote::ToTokens;
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, LitStr, Result, ReturnType, UnOp, spanned::Spanned};

use crate::{args::Args, attrs, task::Task, tokens, types};

/// The longest name: a counter line of this name and a prefix of its own fits any server's key length (127 bytes
/// in the strictest of them).
const LONGEST_NAME: usize = 100;

/// Refuses a function that cannot be a task.
pub fn task(task: &Task, args: &Args) -> Result<()> {
    if let Some(again) = task.attrs.iter().find(|attr| attrs::is_ours(attr)) {
        return Err(Error::new(
            again.path().span(),
            "`#[instrument_task]` is here twice, and would count every call twice",
        ));
    }
    if let Some(constness) = task.sig.constness {
        return Err(Error::new(
            constness.span,
            "a `const fn` cannot be instrumented: it may run in the compiler, where nothing can be counted",
        ));
    }
    if let Some(naked) = task.attrs.iter().find(|attr| attrs::is_naked(attr)) {
        return Err(Error::new(
            naked.meta.span(),
            "a naked function cannot be instrumented: it may hold nothing but assembly",
        ));
    }
    if let Some(predicate) = args.predicate_key().filter(|_| types::is_never(&task.sig.output)) {
        return Err(Error::new(
            predicate,
            "this function never returns, so there is no value to look at",
        ));
    }
    if let Some(key) = args
        .error_kind_key()
        .filter(|_| types::returned(&task.sig.output).is_none() && types::is_always_success(&task.sig.output))
    {
        return Err(Error::new(
            key,
            "this function returns no `Result`, so there is no error to tell the kind of",
        ));
    }
    // A queue's macro wraps such a body in `Ok({ … })` after this attribute has run, too late to see the value.
    let is_wrapped = task.attrs.iter().any(|attr| {
        attrs::is_macro(attr)
            && attr
                .path()
                .segments
                .last()
                .is_some_and(|last| last.ident == "task")
    });
    if is_wrapped
        && matches!(task.sig.output, ReturnType::Default)
        && let Some(exit) = tokens::exit_with_value(task.body.stream())
    {
        return Err(Error::new(
            exit.span(),
            format!(
                "a task that leaves by `{exit}` must say what it returns to be counted; write `-> TaskResult<()>` and end with `Ok(())`"
            ),
        ));
    }
    Ok(())
}

/// Refuses a sample rate that cannot be one, where it is a literal; the compiler looks at the others.
pub fn sample_rate(rate: &Expr) -> Result<()> {
    let value = match rate {
        Expr::Lit(ExprLit {
            lit: Lit::Float(literal),
            ..
        }) => literal.base10_parse().unwrap_or(0.0),
        Expr::Lit(_) | Expr::Unary(ExprUnary { op: UnOp::Neg(_), .. }) => 0.0,
        _ => return Ok(()),
    };
    if value > 0.0 && value <= 1.0 {
        return Ok(());
    }
    Err(Error::new(
        rate.span(),
        "a sample rate is a number above 0.0 and at most 1.0",
    ))
}

/// Refuses an argument that leaves the function: the call would end before it starts.
pub fn stays(argument: &Expr) -> Result<()> {
    match tokens::exit(argument.to_token_stream()) {
        None => Ok(()),
        Some(exit) => Err(Error::new(
            exit.span(),
            format!("`{exit}` would leave the function here before its call is counted"),
        )),
    }
}

/// Refuses a tag's key that a server could read as something else.
pub fn tag_key(key: &LitStr) -> Result<()> {
    if key.value().is_empty() {
        return Err(Error::new(key.span(), "a tag's key cannot be empty"));
    }
    tag_value(key)
}

/// Refuses a tag's value that a server could read as something else.
pub fn tag_value(value: &LitStr) -> Result<()> {
    const LONGEST: usize = 200;
    let text = value.value();
    let is_odd =
        |c: &char| c.is_whitespace() || c.is_control() || matches!(c, '|' | ',' | ':' | '#' | '@' | ';');
    if let Some(odd) = text.chars().find(is_odd) {
        let clean: String = text.chars().map(|c| if is_odd(&c) { '_' } else { c }).collect();
        return Err(Error::new(
            value.span(),
            format!(
                "a tag cannot hold {odd:?}, which a server would read as something else; write \"{clean}\""
            ),
        ));
    }
    if text.len() > LONGEST {
        return Err(Error::new(
            value.span(),
            format!("a tag's key or value has at most {LONGEST} bytes"),
        ));
    }
    Ok(())
}

/// Refuses a name that a server could read as something else.
pub fn name(literal: &LitStr) -> Result<()> {
    let name = literal.value();
    let problem = if name.is_empty() {
        return Err(Error::new(
            literal.span(),
            "a task name cannot be empty; leave it out to use the function's own",
        ));
    } else if let Some(odd) = name.chars().find(|&c| !is_plain(c)) {
        format!("a task name holds ASCII letters, digits, `_`, `.` and `-`, but this one holds {odd:?}")
    } else if name.starts_with('.') || name.ends_with('.') {
        String::from("a task name neither starts nor ends with a dot, which a server would drop")
    } else if name.contains("..") {
        String::from("a task name has no empty part: a server would make one dot of `..`")
    } else if name.len() > LONGEST_NAME {
        format!(
            "a task name has at most {LONGEST_NAME} bytes, but this one has {}",
            name.len()
        )
    } else {
        return Ok(());
    };
    Err(Error::new(
        literal.span(),
        format!("{problem}; try {:?}", suggestion(&name)),
    ))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

/// A legal name that is as near to `name` as can be.
fn suggestion(name: &str) -> String {
    let plain: String = name
        .trim()
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    let parts: Vec<_> = plain.split('.').filter(|part| !part.is_empty()).collect();
    let mut joined = parts.join(".");
    joined.truncate(LONGEST_NAME);
    let kept = joined.trim_end_matches('.');
    String::from(if kept.is_empty() { "task" } else { kept })
}
