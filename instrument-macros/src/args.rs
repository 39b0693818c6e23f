//! What stands in the attribute's parentheses. Every key is a row of [`KEYS`].

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{
    Error, Expr, LitStr, Path, Result, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use crate::validate;

/// The attribute's arguments.
#[derive(Clone, Default)]
pub struct Args {
    /// The task's name; the function's own where there is none.
    pub name: Option<Name>,
    /// How the returned value counts; by its type where there is none.
    pub predicate: Option<Predicate>,
    /// Where the library is; at its own name where it is nowhere else.
    pub krate: Option<Path>,
    /// Set on a method that the attribute of its `impl` block leaves alone.
    pub skip: Option<Span>,
    /// The keys that were given, in order.
    given: Vec<(&'static Key, Span)>,
}

/// What a task is called.
#[derive(Clone)]
pub enum Name {
    /// A literal that has been checked.
    Literal(LitStr),
    /// A constant, which the compiler checks.
    Const(Path),
}

/// A predicate on a reference to the returned value.
#[derive(Clone)]
pub enum Predicate {
    /// True for a success.
    Ok(Expr),
    /// True for an exception.
    Error(Expr),
}

/// One key that the attribute knows.
struct Key {
    name: &'static str,
    /// How it is written, for an error that lists the keys.
    form: &'static str,
    /// Whether it may stand on an `impl` block, for all of its methods.
    on_impl: bool,
    /// Reads what follows the key and stores it. Gets the span of the key.
    read: fn(&mut Args, ParseStream, Span) -> Result<()>,
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
            args.predicate = Some(Predicate::Ok(args.predicate(input, key)?));
            Ok(())
        },
    },
    Key {
        name: "error_if",
        form: "error_if = predicate",
        on_impl: false,
        read: |args, input, key| {
            args.predicate = Some(Predicate::Error(args.predicate(input, key)?));
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
const CRATE: &str = "expected the path of a module that re-exports this library";

/// Reads the arguments. The first mistake ends it, so that one mistake is one error.
pub fn parse(tokens: TokenStream) -> Result<Args> {
    (|input: ParseStream| {
        let mut args = Args::default();
        while !input.is_empty() {
            args.argument(input)?;
            if input.is_empty() {
                break;
            }
            if !input.peek(Token![,]) {
                return Err(input.error("expected `,`"));
            }
            input.parse::<Token![,]>()?;
        }
        Ok(args)
    })
    .parse2(tokens)
}

impl Args {
    fn argument(&mut self, input: ParseStream) -> Result<()> {
        // A literal alone is the name.
        if input.peek(LitStr) {
            let key = KEYS
                .iter()
                .find(|key| key.name == "name")
                .expect("a row of the table");
            self.give(key, input.span())?;
            self.name = Some(name(input)?);
            return Ok(());
        }
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected one of {}", forms())));
        }
        let ident = input.call(Ident::parse_any)?;
        let Some(key) = KEYS.iter().find(|key| ident == key.name) else {
            return Err(unknown(&ident));
        };
        self.give(key, ident.span())?;
        (key.read)(self, input, ident.span())
    }

    fn give(&mut self, key: &'static Key, span: Span) -> Result<()> {
        if self.given.iter().any(|(given, _)| given.name == key.name) {
            return Err(Error::new(span, format!("`{}` is given twice", key.name)));
        }
        self.given.push((key, span));
        Ok(())
    }

    fn predicate(&self, input: ParseStream, key: Span) -> Result<Expr> {
        if self.predicate.is_some() {
            return Err(Error::new(
                key,
                "`ok_if` and `error_if` exclude each other; keep one of them",
            ));
        }
        value(input, key, PREDICATE)?;
        match input.parse()? {
            expr @ (Expr::Path(_) | Expr::Closure(_)) => Ok(expr),
            other => Err(Error::new(other.span(), PREDICATE)),
        }
    }

    /// Where `ok_if` or `error_if` stands.
    pub fn predicate_key(&self) -> Option<Span> {
        self.given
            .iter()
            .find(|(key, _)| matches!(key.name, "ok_if" | "error_if"))
            .map(|(_, span)| *span)
    }

    /// Refuses what makes no sense on a whole `impl` block.
    pub fn on_impl(&self) -> Result<()> {
        match self.given.iter().find(|(key, _)| !key.on_impl) {
            None => Ok(()),
            Some((key, span)) => Err(Error::new(
                *span,
                format!(
                    "`{}` is about one method; put `#[instrument_task({})]` on it",
                    key.name, key.form
                ),
            )),
        }
    }

    /// Refuses what makes no sense on a function of its own.
    pub fn on_fn(&self) -> Result<()> {
        match self.skip {
            None => Ok(()),
            Some(span) => Err(Error::new(
                span,
                "`skip` leaves out a method of an `impl` block that has `#[instrument_task]`; remove the attribute instead",
            )),
        }
    }

    /// The arguments of a method: its own, and those that its `impl` block has for all.
    pub fn or(mut self, block: &Self) -> Self {
        self.krate = self.krate.or_else(|| block.krate.clone());
        self
    }

    /// The module that an expansion names, located at `span`.
    pub fn root(&self, span: Span) -> TokenStream {
        if let Some(path) = &self.krate {
            quote_spanned!(path.span()=> #path::__private)
        } else {
            quote_spanned!(Span::mixed_site().located_at(span)=> ::instrument_task::__private)
        }
    }
}

impl ToTokens for Name {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Literal(literal) => literal.to_tokens(tokens),
            Self::Const(path) => path.to_tokens(tokens),
        }
    }
}

/// Reads the sign between a key and its value, and sees to it that there is a value.
fn value(input: ParseStream, key: Span, expected: &str) -> Result<()> {
    if !input.peek(Token![=]) {
        let span = if input.is_empty() || input.peek(Token![,]) {
            key
        } else {
            input.span()
        };
        return Err(Error::new(span, format!("{expected}, after an `=`")));
    }
    let sign: Token![=] = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(Error::new(sign.span, expected));
    }
    Ok(())
}

fn name(input: ParseStream) -> Result<Name> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        validate::name(&literal)?;
        return Ok(Name::Literal(literal));
    }
    let span = input.span();
    let path: Path = input.parse().map_err(|_| Error::new(span, NAME))?;
    if input.is_empty() || input.peek(Token![,]) {
        Ok(Name::Const(path))
    } else {
        Err(Error::new(span, NAME))
    }
}

fn unknown(ident: &Ident) -> Error {
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

fn forms() -> String {
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
