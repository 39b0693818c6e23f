//! Questions about tokens that nobody parsed. Where an answer is uncertain it is the one that does no harm.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;

/// Whether `tokens` may name the variable `ident`, be it in a macro's input or captured by a format string.
pub fn mentions(tokens: TokenStream, ident: &Ident) -> bool {
    mentions_name(tokens, &ident.unraw().to_string())
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

/// Whether `tokens` hold a reference without a lifetime, or the lifetime `'_`.
pub fn has_elided_lifetime(tokens: TokenStream) -> bool {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_quote =
            |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == '\'');
        let found = match &token {
            TokenTree::Punct(punct) if punct.as_char() == '&' => !tokens.peek().is_some_and(is_quote),
            quote if is_quote(quote) => matches!(tokens.peek(), Some(TokenTree::Ident(name)) if name == "_"),
            TokenTree::Group(group) => has_elided_lifetime(group.stream()),
            _ => false,
        };
        if found {
            return true;
        }
    }
    false
}

/// Whether a block of these tokens surely holds a statement, and not one expression alone.
pub fn has_statement(tokens: TokenStream) -> bool {
    tokens
        .into_iter()
        .any(|token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';'))
}

/// Where a block comes to its end: the first and the last token of what its value is made of, and the same token
/// twice if there is only one.
pub fn end(tokens: TokenStream) -> Option<(TokenTree, TokenTree)> {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let last = tokens.pop()?;
    let start = tokens
        .iter()
        .enumerate()
        .rposition(|(index, token)| ends_statement(token, tokens.get(index + 1).unwrap_or(&last)))
        .map_or(0, |end| end + 1);
    let first = tokens.get(start).unwrap_or(&last).clone();
    Some((first, last))
}

/// Whether a statement ends with `token`, given what comes next.
fn ends_statement(token: &TokenTree, next: &TokenTree) -> bool {
    match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => match next {
            TokenTree::Ident(next) => next != "else" && next != "as",
            TokenTree::Punct(next) => matches!(next.as_char(), ':' | '#' | '\''),
            TokenTree::Group(next) => next.delimiter() == Delimiter::Parenthesis,
            TokenTree::Literal(_) => true,
        },
        _ => false,
    }
}

/// Whether a block surely ends without a value.
pub fn has_no_tail(tokens: TokenStream) -> bool {
    match tokens.into_iter().last() {
        None => true,
        Some(last) => matches!(last, TokenTree::Punct(punct) if punct.as_char() == ';'),
    }
}

/// Whether the last statement of a block is a `return`.
pub fn ends_in_return(tokens: TokenStream) -> bool {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_semicolon = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    let is_block =
        |token: &TokenTree| matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
    if tokens.last().is_some_and(is_semicolon) {
        tokens.pop();
    }
    let start = tokens
        .iter()
        .rposition(is_semicolon)
        .map_or(0, |semicolon| semicolon + 1);
    let last = &tokens[start..];
    last.iter().enumerate().any(|(index, token)| {
        let starts = index == 0 || is_block(&last[index - 1]);
        starts && matches!(token, TokenTree::Ident(ident) if ident == "return")
    })
}

/// The first `?` or `return` in `tokens`.
pub fn exit(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match &token {
        TokenTree::Punct(punct) if punct.as_char() == '?' => Some(token),
        TokenTree::Ident(ident) if ident == "return" => Some(token),
        TokenTree::Group(group) => exit(group.stream()),
        _ => None,
    })
}

/// The first `?` in `tokens` that is not the bound `?Sized`, or `return` with a value.
pub fn exit_with_value(tokens: TokenStream) -> Option<TokenTree> {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let next = tokens.peek();
        let found = match &token {
            TokenTree::Punct(punct) if punct.as_char() == '?' => {
                !matches!(next, Some(TokenTree::Ident(next)) if next == "Sized")
            }
            TokenTree::Ident(ident) if ident == "return" => !matches!(next, None | Some(TokenTree::Punct(_))),
            TokenTree::Group(group) => {
                if let Some(found) = exit_with_value(group.stream()) {
                    return Some(found);
                }
                false
            }
            _ => false,
        };
        if found {
            return Some(token);
        }
    }
    None
}

/// Macros that leave no function, unless their arguments do.
const STD_MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "include_bytes",
    "include_str",
    "line",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "todo",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

/// Whether the macro of this name is the standard library's. One of the user's own by such a name is taken for it; should
/// it leave the function, the call counts as a success.
pub fn is_std_macro(name: &Ident) -> bool {
    STD_MACROS.iter().any(|known| name == known)
}

/// Whether a block of these statements may be left before its end: by `return`, by `?`, or by a macro, which may
/// hide either. What an async block does inside is its own affair.
pub fn may_leave_early(tokens: TokenStream) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.iter().enumerate().any(|(index, token)| match token {
        TokenTree::Ident(ident) => ident == "return",
        TokenTree::Punct(punct) => match punct.as_char() {
            '?' => true,
            '!' => is_opaque_macro(&tokens, index),
            _ => false,
        },
        TokenTree::Group(group) => !is_async_block(&tokens, index, group) && may_leave_early(group.stream()),
        TokenTree::Literal(_) => false,
    })
}

fn is_opaque_macro(tokens: &[TokenTree], bang: usize) -> bool {
    let is_opaque = |name: &TokenTree| match name {
        TokenTree::Ident(name) => !is_std_macro(name),
        // The path of a `macro_rules` variable.
        TokenTree::Group(group) => group.delimiter() == Delimiter::None,
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    };
    bang > 0 && is_opaque(&tokens[bang - 1]) && matches!(tokens.get(bang + 1), Some(TokenTree::Group(_)))
}

fn is_async_block(tokens: &[TokenTree], index: usize, group: &Group) -> bool {
    let word = |back: usize, word: &str| {
        index >= back && matches!(&tokens[index - back], TokenTree::Ident(ident) if ident == word)
    };
    group.delimiter() == Delimiter::Brace && (word(1, "async") || (word(1, "move") && word(2, "async")))
}

/// A block that does nothing but make a boxed future in its last expression.
pub struct PinnedTail {
    /// The statements before it, and the path of the constructor.
    pub before: TokenStream,
    /// The parentheses and what they hold.
    pub arguments: Group,
}

/// Reads a block that ends in `Box::pin(…)`. None where another statement may return another future.
pub fn pinned_tail(tokens: &TokenStream) -> Option<PinnedTail> {
    let mut before: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let arguments = match before.pop()? {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => group,
        _ => return None,
    };
    let is_word = |token: Option<&TokenTree>, word: &str| matches!(token, Some(TokenTree::Ident(ident)) if ident == word);
    let is_colon =
        |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == ':');
    let mut back = before.iter().rev();
    let constructs = is_word(back.next(), "pin")
        && is_colon(back.next())
        && is_colon(back.next())
        && is_word(back.next(), "Box");
    if !constructs {
        return None;
    }
    // The path that `Box` may be the end of.
    let mut previous = back.next();
    while is_colon(previous) {
        if !is_colon(back.next()) {
            return None;
        }
        previous = back.next();
        if matches!(previous, Some(TokenTree::Ident(_))) {
            previous = back.next();
        }
    }
    let is_whole = match previous {
        None => true,
        Some(TokenTree::Punct(punct)) => punct.as_char() == ';',
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Brace,
        Some(_) => false,
    };
    let before: TokenStream = before.into_iter().collect();
    let may_differ = may_leave_early(before.clone()) || may_leave_early(arguments.stream());
    (is_whole && !may_differ).then_some(PinnedTail { before, arguments })
}
