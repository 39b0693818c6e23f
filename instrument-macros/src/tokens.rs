//! Questions about tokens that nobody parsed.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// Whether `tokens` may name the variable `ident`, be it in a macro's input or captured by a format string.
///
/// It may say yes without need, and never says no wrongly.
pub fn mentions(tokens: TokenStream, ident: &Ident) -> bool {
    let name = ident.unraw().to_string();
    mentions_name(tokens, &name)
}

fn mentions_name(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident.unraw() == name,
        TokenTree::Group(group) => mentions_name(group.stream(), name),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            text.contains(&format!("{{{name}")) || text.contains(&format!("{name}$"))
        }
        TokenTree::Punct(_) => false,
    })
}
