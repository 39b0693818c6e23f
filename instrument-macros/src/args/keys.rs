//! The keys that the attribute knows, and how each reads its value.

use proc_macro2::{Ident, Span};
use syn::{
    Error, Expr, ExprPath, LitStr, Path, Result, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream},
    spanned::Spanned,
    token,
};

use super::{Args, Name, Predicate, tags};
use crate::validate;

/// One key that the attribute knows.
pub struct Key {
    /// How it is called.
    pub name: &'static str,
    /// How it is written, for an error that lists the keys.
    pub form: &'static str,
    /// Whether it may stand on an `impl` block, for all of its methods.
    pub on_impl: bool,
    /// Reads what follows the key and stores it. Gets the span of the key.
    pub read: fn(&mut Args, ParseStream, Span) -> Result<()>,
}

const KEYS: &[Key] = &[
    Key {
        name: "name",
        form: "name = \"…\"",
        on_impl: false,
        read: |args, input, key| {
            value(input, key, NAME)?;
            args.name = Some(name(input)?);
            Ok(())
        },
    },
    Key {
        name: "ok_if",
        form: "ok_if = predicate",
        on_impl: false,
        read: |args, input, key| {
            args.predicate(key)?;
            args.predicate = Some(Predicate::Ok(predicate(input, key, PREDICATE)?));
            Ok(())
        },
    },
    Key {
        name: "error_if",
        form: "error_if = predicate",
        on_impl: false,
        read: |args, input, key| {
            args.predicate(key)?;
            args.predicate = Some(Predicate::Error(predicate(input, key, PREDICATE)?));
            Ok(())
        },
    },
    Key {
        name: "error_kind",
        form: "error_kind = path",
        on_impl: true,
        read: |args, input, key| {
            args.error_kind = Some(predicate(input, key, KIND)?);
            Ok(())
        },
    },
    Key {
        name: "prefix",
        form: "prefix = \"…\"",
        on_impl: true,
        read: |args, input, key| {
            value(input, key, PREFIX)?;
            let literal: LitStr = or(input, PREFIX)?;
            validate::name(&literal)?;
            args.prefix = Some(literal);
            Ok(())
        },
    },
    Key {
        name: "tags",
        form: "tags(key = value, \"key:value\")",
        on_impl: false,
        read: |args, input, key| {
            if !input.peek(token::Paren) {
                return Err(Error::new(key, TAGS));
            }
            let content;
            syn::parenthesized!(content in input);
            args.tags = tags::read(&content)?;
            Ok(())
        },
    },
    Key {
        name: "time",
        form: "time = success|always|never",
        on_impl: true,
        read: |args, input, key| {
            value(input, key, TIMING)?;
            args.timing = Some(timing(input)?);
            Ok(())
        },
    },
    Key {
        name: "sample_rate",
        form: "sample_rate = 0.1",
        on_impl: true,
        read: |args, input, key| {
            value(input, key, RATE)?;
            let rate: Expr = or(input, RATE)?;
            validate::sample_rate(&rate)?;
            args.sample_rate = Some(rate);
            Ok(())
        },
    },
    Key {
        name: "in_flight",
        form: "in_flight",
        on_impl: true,
        read: |args, _, key| {
            args.in_flight = Some(key);
            Ok(())
        },
    },
    Key {
        name: "client",
        form: "client = expression",
        on_impl: true,
        read: |args, input, key| {
            value(input, key, CLIENT)?;
            let client: Expr = or(input, CLIENT)?;
            validate::stays(&client)?;
            args.client = Some(client);
            Ok(())
        },
    },
    Key {
        name: "skip",
        form: "skip",
        on_impl: false,
        read: |args, _, key| {
            args.skip = Some(key);
            Ok(())
        },
    },
    Key {
        name: "crate",
        form: "crate = path",
        on_impl: true,
        read: |args, input, key| {
            value(input, key, CRATE)?;
            let span = input.span();
            args.krate = Some(
                input
                    .call(Path::parse_mod_style)
                    .map_err(|_| Error::new(span, CRATE))?,
            );
            Ok(())
        },
    },
];

// What a value has to be, where it is something else.
const NAME: &str = "expected a string literal or the path of a `const`";
const PREDICATE: &str = "expected a path or a closure, which gets a reference to the returned value";
const KIND: &str = "expected a path or a closure, which gets a reference to the error";
const PREFIX: &str = "expected a string literal";
const TAGS: &str = "expected the tags in parentheses: `tags(key = value, \"key:value\")`";
const TIMING: &str = "expected `success`, `always` or `never`";
const RATE: &str = "expected a number above 0.0 and at most 1.0";
const CLIENT: &str = "expected an expression for a reference to a client";
const CRATE: &str = "expected the path of a module that re-exports this library";

/// The row of the key called `name`.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Reads the sign between a key and its value, and sees to it that there is a value.
fn value(input: ParseStream, key: Span, expected: &str) -> Result<()> {
    if !input.peek(Token![=]) {
        let ends = input.is_empty() || input.peek(Token![,]);
        let span = if ends { key } else { input.span() };
        return Err(Error::new(span, format!("{expected}, after an `=`")));
    }
    let sign: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new(sign.span, expected));
    }
    Ok(())
}

/// Reads a value, or says what was expected at its start.
fn or<T: Parse>(input: ParseStream, expected: &str) -> Result<T> {
    let span = input.span();
    input.parse().map_err(|_| Error::new(span, expected))
}

/// Reads a name, once the sign before it is read.
pub fn name(input: ParseStream) -> Result<Name> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        validate::name(&literal)?;
        return Ok(Name::Literal(literal));
    }
    let span = input.span();
    let path: ExprPath = or(input, NAME)?;
    if input.is_empty() || input.peek(Token![,]) {
        Ok(Name::Const(path))
    } else {
        Err(Error::new(span, NAME))
    }
}

fn predicate(input: ParseStream, key: Span, expected: &str) -> Result<Expr> {
    value(input, key, expected)?;
    let expr: Expr = input.parse()?;
    if is_function(&expr) {
        Ok(expr)
    } else {
        Err(Error::new(expr.span(), expected))
    }
}

/// Whether this can be a function, also in the invisible group of a `macro_rules` variable.
fn is_function(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) | Expr::Closure(_) => true,
        Expr::Group(group) => is_function(&group.expr),
        _ => false,
    }
}

fn timing(input: ParseStream) -> Result<Ident> {
    let span = input.span();
    let given = input
        .call(Ident::parse_any)
        .map_err(|_| Error::new(span, TIMING))?;
    let variant = match given.to_string().as_str() {
        "success" => "Success",
        "always" => "Always",
        "never" => "Never",
        _ => {
            return Err(Error::new(given.span(), TIMING));
        }
    };
    Ok(Ident::new(variant, given.span()))
}

/// Says that there is no such key, and which one was meant.
pub fn unknown(ident: &Ident) -> Error {
    let name = ident.to_string();
    let near = KEYS
        .iter()
        .map(|key| (distance(&name, key.name), key.name))
        .filter(|(distance, key)| *distance <= key.len() / 3 + 1)
        .min();
    let known = match near {
        Some((_, key)) => format!("did you mean `{key}`? The arguments are"),
        None => String::from("the arguments are"),
    };
    Error::new(
        ident.span(),
        format!("unknown argument `{name}`; {known} {}", forms()),
    )
}

/// How all keys are written.
pub fn forms() -> String {
    let forms: Vec<_> = KEYS.iter().map(|key| format!("`{}`", key.form)).collect();
    forms.join(", ")
}

/// How many letters must be put in, taken out or changed to make one word of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.chars().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.chars().count()]
}
