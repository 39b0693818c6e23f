//! The tags of an attribute: `tags(kind = "batch", size = n, "region:eu")`.

use proc_macro2::Ident;
use syn::{Error, Expr, LitStr, Result, Token, ext::IdentExt, parse::ParseStream};

use crate::validate;

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

/// Reads what stands in the parentheses.
pub fn read(input: ParseStream) -> Result<Vec<Tag>> {
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
    if !input.peek(Token![=]) {
        return Err(Error::new(
            ident.span(),
            format!("this tag needs a value: `{ident} = …`"),
        ));
    }
    input.parse::<Token![=]>()?;
    if input.peek(LitStr) && (input.peek2(Token![,]) || ends_after_one(input)) {
        let value: LitStr = input.parse()?;
        validate::tag_value(&value)?;
        return Ok(Tag {
            key,
            value: TagValue::Literal(value),
        });
    }
    let value: Expr = input.parse()?;
    validate::stays(&value)?;
    Ok(Tag {
        key,
        value: TagValue::Expr(value),
    })
}

/// Whether nothing comes behind the next token.
fn ends_after_one(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.parse::<proc_macro2::TokenTree>().is_ok() && ahead.is_empty()
}
