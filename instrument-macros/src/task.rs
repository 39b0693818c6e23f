//! The annotated function: its parsed signature, and its body as it was typed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{
    Attribute, Error, Result, Signature, Token, Visibility,
    parse::{Parse, ParseStream, Parser},
};

/// An annotated function.
pub struct Task {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub defaultness: Option<Token![default]>,
    pub sig: Signature,
    pub body: Body,
}

/// A function's body: the attributes at its start, and the block without them.
pub struct Body {
    pub attrs: TokenStream,
    pub block: Group,
}

/// Reads an annotated item.
pub fn parse(item: TokenStream) -> Result<Task> {
    Task::parse.parse2(item)
}

impl Parse for Task {
    fn parse(input: ParseStream) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = input.parse()?;
        if !starts_fn(input) {
            return Err(input.error("`#[instrument_task]` goes on a function or a method"));
        }
        let sig: Signature = input.parse()?;
        if let Ok(semicolon) = input.parse::<Token![;]>() {
            return Err(Error::new(
                semicolon.span,
                "there is no body to instrument here; put `#[instrument_task]` where the function is implemented",
            ));
        }
        let body = match input.parse()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Body::new(group),
            other => return Err(Error::new(other.span(), "expected the function's body")),
        };
        Ok(Self {
            attrs,
            vis,
            defaultness,
            sig,
            body,
        })
    }
}

fn starts_fn(input: ParseStream) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern])
        || (input.peek(Token![const])
            && (input.peek2(Token![fn])
                || input.peek2(Token![async])
                || input.peek2(Token![unsafe])
                || input.peek2(Token![extern])))
}

impl Body {
    /// Takes the attributes off the start of `group`: they belong to the function, and stay legal only as the
    /// first thing in its body.
    fn new(group: Group) -> Self {
        let mut rest = group.stream().into_iter().peekable();
        let mut attrs = TokenStream::new();
        let mut ahead = rest.clone();
        loop {
            match (ahead.next(), ahead.next(), ahead.next()) {
                (
                    Some(TokenTree::Punct(pound)),
                    Some(TokenTree::Punct(bang)),
                    Some(TokenTree::Group(content)),
                ) if pound.as_char() == '#'
                    && bang.as_char() == '!'
                    && content.delimiter() == Delimiter::Bracket =>
                {
                    attrs.extend(rest.by_ref().take(3));
                    ahead = rest.clone();
                }
                _ => break,
            }
        }
        if attrs.is_empty() {
            return Self { attrs, block: group };
        }
        let mut block = Group::new(Delimiter::Brace, rest.collect());
        block.set_span(group.span());
        Self { attrs, block }
    }

    /// What stands between the block's braces.
    pub fn stream(&self) -> TokenStream {
        self.block.stream()
    }
}
