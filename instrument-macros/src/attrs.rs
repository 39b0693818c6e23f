//! Which of the user's attributes are the language's, and which are macros that will see the expansion.

use syn::{Attribute, Meta, Token, parse_quote, punctuated::Punctuated};

/// The attributes of the language that a function or an `impl` block can have. (`cfg` and `cfg_attr` are gone by the
/// time an attribute macro runs.)
const BUILT_IN: &[&str] = &[
    "allow",
    "automatically_derived",
    "bench",
    "cfg",
    "cfg_attr",
    "cold",
    "coverage",
    "deny",
    "deprecated",
    "doc",
    "expect",
    "export_name",
    "forbid",
    "ignore",
    "inline",
    "link_name",
    "link_section",
    "must_use",
    "naked",
    "no_mangle",
    "optimize",
    "proc_macro",
    "proc_macro_attribute",
    "proc_macro_derive",
    "should_panic",
    "target_feature",
    "test",
    "track_caller",
    "unsafe",
    "used",
    "warn",
];

/// Namespaces of attributes that are read by a tool and expand to nothing.
const TOOLS: &[&str] = &[
    "clippy",
    "diagnostic",
    "miri",
    "rust_analyzer",
    "rustc",
    "rustdoc",
    "rustfmt",
];

/// Whether `attr` is a macro: it will be given what this one makes.
pub fn is_macro(attr: &Attribute) -> bool {
    let path = attr.path();
    match path.get_ident() {
        Some(ident) => !BUILT_IN.iter().any(|name| ident == name),
        None => !path
            .segments
            .first()
            .is_some_and(|first| TOOLS.iter().any(|tool| first.ident == tool)),
    }
}

/// Whether one of `attrs` is the language's attribute `name`.
pub fn has(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|attr| attr.path().is_ident(name))
}

/// Whether `attr` is `#[unsafe(naked)]`.
pub fn is_naked(attr: &Attribute) -> bool {
    let is_unsafe = attr.path().is_ident("unsafe");
    is_unsafe
        && attr
            .parse_args::<syn::Path>()
            .is_ok_and(|path| path.is_ident("naked"))
}

/// Whether `attr` sets the level of a lint.
pub fn is_lint_level(attr: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid"]
        .iter()
        .any(|level| attr.path().is_ident(level))
}

/// Whether `attr` is this very attribute, under whatever path.
pub fn is_ours(attr: &Attribute) -> bool {
    is_our_path(attr.path())
}

fn is_our_path(path: &syn::Path) -> bool {
    path.segments
        .last()
        .is_some_and(|last| last.ident == "instrument_task")
}

/// This attribute under a condition, and others with it: `#[cfg_attr(condition, instrument_task(skip))]`.
pub struct Conditional {
    /// What stands for it if the condition holds.
    pub then: Vec<Attribute>,
    /// What stands for it otherwise.
    pub otherwise: Vec<Attribute>,
}

/// Reads a `cfg_attr` that holds this attribute.
pub fn conditional(attr: &Attribute) -> Option<Conditional> {
    let list = Punctuated::<Meta, Token![,]>::parse_terminated;
    let metas = attr
        .path()
        .is_ident("cfg_attr")
        .then(|| attr.parse_args_with(list))?
        .ok()?;
    let mut metas = metas.into_iter();
    let condition = metas.next()?;
    let given: Vec<Meta> = metas.collect();
    given.iter().find(|meta| is_our_path(meta.path()))?;
    Some(Conditional {
        then: parse_quote!(#[cfg(#condition)] #(#[#given])*),
        otherwise: parse_quote!(#[cfg(not(#condition))]),
    })
}
