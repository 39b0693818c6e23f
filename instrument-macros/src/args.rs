//! What stands in the attribute's parentheses. Every key is a row of [`KEYS`].

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{
    Error, Expr, LitStr, Path, Result, Token,
    ext::IdentExt,
    parse::{Parse, ParseStream, Parser},
    spanned::Spanned,
    token,
};

use crate::validate;

/// The attribute's arguments.
#[derive(Clone, Default)]
pub struct Args {
    /// The task's name; the function's own where there is none.
    pub name: Option<Name>,
    /// How the returned value counts; by its type where there is none.
    pub predicate: Option<Predicate>,
    /// Goes before the name, with a dot between them.
    pub prefix: Option<LitStr>,
    /// Tags of the series.
    pub tags: Vec<Tag>,
    /// Which outcomes are timed: a variant of the library's `Timing`.
    pub timing: Option<Ident>,
    /// The share of the calls that is timed at most; a constant.
    pub sample_rate: Option<Expr>,
    /// Set if the calls in flight are to be sent.
    pub in_flight: Option<Span>,
    /// The client that the call counts in.
    pub client: Option<Expr>,
    /// What says of an error which kind it is.
    pub error_kind: Option<Expr>,
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

/// One tag.
#[derive(Clone)]
pub struct Tag {
    /// The key, checked.
    pub key: LitStr,
    /// The value; a bare tag has an empty one.
    pub value: TagValue,
}

/// The value of a tag.
#[derive(Clone)]
pub enum TagValue {
    /// The same for every call, and checked.
    Literal(LitStr),
    /// Formatted at the start of each call.
    Expr(Expr),
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
            args.tags = tags(&content)?;
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
            args.client = Some(or(input, CLIENT)?);
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

    fn predicate(&self, key: Span) -> Result<()> {
        match &self.predicate {
            None => Ok(()),
            Some(_) => Err(Error::new(
                key,
                "`ok_if` and `error_if` exclude each other; keep one of them",
            )),
        }
    }

    /// Where `ok_if` or `error_if` stands.
    pub fn predicate_key(&self) -> Option<Span> {
        self.given
            .iter()
            .find(|(key, _)| matches!(key.name, "ok_if" | "error_if"))
            .map(|(_, span)| *span)
    }

    /// Where `error_kind` stands, if it is the function's own.
    pub fn error_kind_key(&self) -> Option<Span> {
        self.given
            .iter()
            .find(|(key, _)| key.name == "error_kind")
            .map(|(_, span)| *span)
    }

    /// Whether the call site is more than a name.
    pub fn has_setup(&self) -> bool {
        self.prefix.is_some()
            || self.timing.is_some()
            || self.sample_rate.is_some()
            || self.in_flight.is_some()
            || self.static_tags().next().is_some()
    }

    /// Keys and values of the tags that are the same for every call.
    pub fn static_tags(&self) -> impl Iterator<Item = (&LitStr, &LitStr)> {
        self.tags.iter().filter_map(|tag| match &tag.value {
            TagValue::Literal(value) => Some((&tag.key, value)),
            TagValue::Expr(_) => None,
        })
    }

    /// Keys and values of the tags that are formatted at the start of each call.
    pub fn call_tags(&self) -> impl Iterator<Item = (&LitStr, &Expr)> {
        self.tags.iter().filter_map(|tag| match &tag.value {
            TagValue::Literal(_) => None,
            TagValue::Expr(value) => Some((&tag.key, value)),
        })
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
        let block = block.clone();
        self.krate = self.krate.or(block.krate);
        self.prefix = self.prefix.or(block.prefix);
        self.timing = self.timing.or(block.timing);
        self.sample_rate = self.sample_rate.or(block.sample_rate);
        self.in_flight = self.in_flight.or(block.in_flight);
        self.client = self.client.or(block.client);
        self.error_kind = self.error_kind.or(block.error_kind);
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

fn name(input: ParseStream) -> Result<Name> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        validate::name(&literal)?;
        return Ok(Name::Literal(literal));
    }
    let span = input.span();
    let path: Path = or(input, NAME)?;
    if input.is_empty() || input.peek(Token![,]) {
        Ok(Name::Const(path))
    } else {
        Err(Error::new(span, NAME))
    }
}

fn predicate(input: ParseStream, key: Span, expected: &str) -> Result<Expr> {
    value(input, key, expected)?;
    match input.parse()? {
        expr @ (Expr::Path(_) | Expr::Closure(_)) => Ok(expr),
        other => Err(Error::new(other.span(), expected)),
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

fn tags(input: ParseStream) -> Result<Vec<Tag>> {
    let mut tags: Vec<Tag> = Vec::new();
    while !input.is_empty() {
        let tag = tag(input)?;
        if tags.iter().any(|given| given.key.value() == tag.key.value()) {
            return Err(Error::new(
                tag.key.span(),
                format!("the tag `{}` is given twice", tag.key.value()),
            ));
        }
        tags.push(tag);
        if input.is_empty() {
            break;
        }
        if !input.peek(Token![,]) {
            return Err(input.error("expected `,`"));
        }
        input.parse::<Token![,]>()?;
    }
    Ok(tags)
}

fn tag(input: ParseStream) -> Result<Tag> {
    if input.peek(LitStr) {
        let literal: LitStr = input.parse()?;
        let text = literal.value();
        let (key, value) = text.split_once(':').unwrap_or((&text, ""));
        let part = |text: &str| LitStr::new(text, literal.span());
        let (key, value) = (part(key), part(value));
        validate::tag_key(&key)?;
        validate::tag_value(&value)?;
        return Ok(Tag {
            key,
            value: TagValue::Literal(value),
        });
    }
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a tag: `key = value` or \"key:value\""));
    }
    let ident = input.call(Ident::parse_any)?;
    let key = LitStr::new(&ident.unraw().to_string(), ident.span());
    validate::tag_key(&key)?;
    input.parse::<Token![=]>()?;
    if input.peek(LitStr) && (input.peek2(Token![,]) || ends_after_one(input)) {
        let value: LitStr = input.parse()?;
        validate::tag_value(&value)?;
        return Ok(Tag {
            key,
            value: TagValue::Literal(value),
        });
    }
    Ok(Tag {
        key,
        value: TagValue::Expr(input.parse()?),
    })
}

/// Whether nothing comes behind the next token.
fn ends_after_one(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<proc_macro2::TokenTree>().is_ok() && ahead.is_empty()
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
