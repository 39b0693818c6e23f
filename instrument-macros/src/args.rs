//! What stands in the attribute's parentheses. Every key is a row of the table in [`keys`].

mod keys;
mod tags;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{
    Error, Expr, ExprPath, LitStr, Path, Result, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
};

use keys::Key;
use tags::{Tag, TagValue};

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
    Const(ExprPath),
}

/// A predicate on a reference to the returned value.
#[derive(Clone)]
pub enum Predicate {
    /// True for a success.
    Ok(Expr),
    /// True for an exception.
    Error(Expr),
}

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
            self.give(keys::find("name").expect("a row of the table"), input.span())?;
            self.name = Some(keys::name(input)?);
            return Ok(());
        }
        if !input.peek(Ident::peek_any) {
            return Err(input.error(format!("expected one of {}", keys::forms())));
        }
        let ident = input.call(Ident::parse_any)?;
        let Some(key) = keys::find(&ident.to_string()) else {
            return Err(keys::unknown(&ident));
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
