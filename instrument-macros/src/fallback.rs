//! What is left when the attribute cannot be applied: the item as it was, and the error.
//!
//! With the item still there, one mistake in the attribute is one error, and not one more at every use of the
//! function.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;

/// The item unchanged, followed by the error.
pub fn item_and_error(item: TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    let item = without_attributes_of_methods(item);
    quote!(#item #error)
}

/// Takes this attribute off the methods of an `impl` block, where it is part of what failed.
fn without_attributes_of_methods(item: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = item.into_iter().collect();
    let is_impl = tokens
        .iter()
        .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "impl"));
    let is_fn = tokens
        .iter()
        .any(|token| matches!(token, TokenTree::Ident(ident) if ident == "fn"));
    if let Some(TokenTree::Group(braces)) = tokens.last_mut().filter(|_| is_impl && !is_fn) {
        let mut stripped = Group::new(braces.delimiter(), strip(braces.stream()));
        stripped.set_span(braces.span());
        *braces = stripped;
    }
    tokens.into_iter().collect()
}

fn strip(members: TokenStream) -> TokenStream {
    let mut kept: Vec<TokenTree> = Vec::new();
    for token in members {
        let follows_pound = matches!(kept.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
        match &token {
            TokenTree::Group(group) if follows_pound && is_ours(group) => drop(kept.pop()),
            _ => kept.push(token),
        }
    }
    kept.into_iter().collect()
}

/// Whether these are the brackets of `#[instrument_task]`, under any path.
fn is_ours(brackets: &Group) -> bool {
    let path_end = brackets.stream().into_iter().filter_map(|token| match token {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    });
    brackets.delimiter() == Delimiter::Bracket
        && path_end.last().is_some_and(|last| last == "instrument_task")
}
