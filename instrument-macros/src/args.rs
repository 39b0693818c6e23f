//! What stands in the attribute's parentheses. Every key is a row of [`KEYS`].

use proc_macro2::{Ident, Span, TokenStream};
use syn::{
    Error, LitStr, Result, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::validate;

/// The attribute's arguments.
#[derive(Default)]
pub struct Args {
    /// The task's name; the function's own where there is none.
    pub name: Option<LitStr>,
}

/// One key that the attribute knows.
struct Key {
    name: &'static str,
    /// Reads what follows the `=` and stores it.
    read: fn(&mut Args, ParseStream) -> Result<()>,
}

const KEYS: &[Key] = &[Key {
    name: "name",
    read: |args, input| {
        args.name = Some(name(input)?);
        Ok(())
    },
}];

/// Reads the arguments. The first mistake ends it, so that one mistake is one error.
pub fn parse(tokens: TokenStream) -> Result<Args> {
    (|input: ParseStream| {
        let mut args = Args::default();
        let mut seen: Vec<&'static str> = Vec::new();
        while !input.is_empty() {
            argument(&mut args, &mut seen, input)?;
            if input.is_empty() {
                break;
            }
            input.parse::<Token![,]>()?;
        }
        Ok(args)
    })
    .parse2(tokens)
}

fn argument(args: &mut Args, seen: &mut Vec<&'static str>, input: ParseStream) -> Result<()> {
    let ident = input.call(Ident::parse_any)?;
    let Some(key) = KEYS.iter().find(|key| ident == key.name) else {
        return Err(unknown(&ident));
    };
    if seen.contains(&key.name) {
        return Err(Error::new(ident.span(), format!("`{}` is given twice", key.name)));
    }
    seen.push(key.name);
    input.parse::<Token![=]>()?;
    (key.read)(args, input)
}

fn name(input: ParseStream) -> Result<LitStr> {
    let literal: LitStr = input.parse()?;
    validate::name(&literal)?;
    Ok(literal)
}

fn unknown(ident: &Ident) -> Error {
    let known: Vec<_> = KEYS.iter().map(|key| format!("`{}`", key.name)).collect();
    Error::new(
        ident.span(),
        format!(
            "unknown argument `{ident}`; the arguments are {}",
            known.join(", ")
        ),
    )
}

impl Args {
    /// The path of the library that the expansion names.
    pub fn root(&self) -> TokenStream {
        let _ = self;
        quote::quote_spanned!(Span::mixed_site()=> ::instrument_task::__private)
    }
}
