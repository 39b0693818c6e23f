//! What a written type gives away.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{
    GenericArgument, Lifetime, Path, PathArguments, ReturnType, Signature, Type, TypeInfer, TypeParamBound,
    TypePath, parse_quote_spanned,
};

use crate::tokens;

/// Types that are lower-case words of the language.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

/// Traits that `Result` does not implement, so that a function which returns them returns no error.
const NOT_OF_RESULT: &[&str] = &[
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "BufRead",
    "Deref",
    "DerefMut",
    "Display",
    "DoubleEndedIterator",
    "Error",
    "ExactSizeIterator",
    "Fn",
    "FnMut",
    "FnOnce",
    "FusedIterator",
    "Iterator",
    "Read",
    "Stream",
    "Write",
];

/// What the counting future implements; a value that is declared to be more than that stays what it is.
const OF_FUTURE: &[&str] = &["Future", "RefUnwindSafe", "Send", "Sync", "Unpin", "UnwindSafe"];

/// A future that a function without `async` returns.
pub enum Returned {
    /// `impl Future<Output = …>`
    Opaque(Type),
    /// `Pin<Box<dyn Future<Output = …>>>`, or one of the aliases that the `futures` crate has for it.
    Boxed(Type),
}

/// Whether a value of the written type can be neither an error nor a type with an opinion about its outcome.
pub fn is_always_success(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => is_plain(ty),
    }
}

/// The same of a type.
pub fn is_plain(ty: &Type) -> bool {
    match bare(ty) {
        Type::Array(_)
        | Type::FnPtr(_)
        | Type::Never(_)
        | Type::Ptr(_)
        | Type::Reference(_)
        | Type::Tuple(_) => true,
        Type::Path(path) => is_primitive(path),
        Type::ImplTrait(opaque) => {
            let has = |names| trait_paths(&opaque.bounds).any(|path| is_last(path, names));
            // A future that is more than a future is made, and not followed.
            has(NOT_OF_RESULT) || has(&["Future"])
        }
        _ => false,
    }
}

/// Whether the function returns nothing.
pub fn is_unit(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => matches!(bare(ty), Type::Tuple(tuple) if tuple.elems.is_empty()),
    }
}

/// Whether the function never returns.
pub fn is_never(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(bare(ty), Type::Never(_)))
}

/// Whether a value of the type is dropped without running any code, as far as the type's form tells.
pub fn has_no_drop(ty: &Type) -> bool {
    match bare(ty) {
        Type::FnPtr(_) | Type::Never(_) | Type::Ptr(_) | Type::Reference(_) => true,
        Type::Path(path) => is_primitive(path),
        Type::Tuple(tuple) => tuple.elems.iter().all(has_no_drop),
        Type::Array(array) => has_no_drop(&array.elem),
        _ => false,
    }
}

/// The future that the written type is, if it is one.
pub fn returned(output: &ReturnType) -> Option<Returned> {
    let ReturnType::Type(_, ty) = output else {
        return None;
    };
    match bare(ty) {
        Type::ImplTrait(opaque) => {
            let all = trait_paths(&opaque.bounds).all(|path| is_last(path, OF_FUTURE));
            all.then(|| trait_paths(&opaque.bounds).find_map(future_output))
                .flatten()
                .map(Returned::Opaque)
        }
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let output = if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                type_arguments(&last.arguments).next().cloned()
            } else if last.ident == "Pin" {
                type_arguments(&last.arguments).next().and_then(boxed_future)
            } else {
                None
            };
            output.map(Returned::Boxed)
        }
        _ => None,
    }
}

fn boxed_future(ty: &Type) -> Option<Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Box")?;
    match type_arguments(&last.arguments).next().map(bare)? {
        Type::TraitObject(object) => trait_paths(&object.bounds).find_map(future_output),
        _ => None,
    }
}

/// The `T` of `Future<Output = T>`.
fn future_output(path: &Path) -> Option<Type> {
    let future = path.segments.last().filter(|last| last.ident == "Future")?;
    let PathArguments::AngleBracketed(list) = &future.arguments else {
        return None;
    };
    list.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
        _ => None,
    })
}

fn type_arguments(arguments: &PathArguments) -> impl Iterator<Item = &Type> {
    let list = match arguments {
        PathArguments::AngleBracketed(list) => Some(&list.args),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    };
    list.into_iter().flatten().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

fn trait_paths<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> impl Iterator<Item = &'a Path> {
    bounds.into_iter().filter_map(|bound| match bound {
        TypeParamBound::Trait(bound) => Some(&bound.path),
        _ => None,
    })
}

fn is_last(path: &Path, names: &[&str]) -> bool {
    path.segments
        .last()
        .is_some_and(|last| names.iter().any(|name| last.ident == name))
}

fn is_primitive(path: &TypePath) -> bool {
    path.qself.is_none()
        && path
            .path
            .get_ident()
            .is_some_and(|ident| PRIMITIVES.iter().any(|name| ident == name))
}

/// The type without parentheses or the invisible groups of a `macro_rules` variable.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(paren) => bare(&paren.elem),
        Type::Group(group) => bare(&group.elem),
        other => other,
    }
}

/// Whether the type cannot be written on a variable: `!`, and whatever holds an `impl Trait`.
pub fn is_unnameable(ty: &Type) -> bool {
    let holds_impl = |tokens: TokenStream| tokens::mentions(tokens, &Ident::new("impl", Span::call_site()));
    matches!(bare(ty), Type::Never(_)) || holds_impl(ty.to_token_stream())
}

/// What a type is called, without its path and its arguments.
pub fn type_name(ty: &Type) -> String {
    let of = |path: Option<&Path>| {
        path.and_then(|path| path.segments.last())
            .map(|last| last.ident.to_string())
    };
    match bare(ty) {
        Type::Path(path) => of(Some(&path.path)),
        Type::TraitObject(object) => of(trait_paths(&object.bounds).next()),
        Type::Reference(reference) => Some(type_name(&reference.elem)),
        Type::Ptr(pointer) => Some(type_name(&pointer.elem)),
        Type::Array(_) => Some(String::from("array")),
        Type::Slice(_) => Some(String::from("slice")),
        Type::Tuple(_) => Some(String::from("tuple")),
        Type::FnPtr(_) => Some(String::from("fn")),
        _ => None,
    }
    .map_or_else(
        || String::from("impl"),
        |name| String::from(name.trim_start_matches("r#")),
    )
}

/// The type as it may be written inside the body, where `impl Trait` cannot be: `_` stands for it.
pub fn erased(ty: &Type) -> Type {
    let mut ty = ty.clone();
    erase(&mut ty, false);
    ty
}

/// The type that the function says it returns, for a closure that returns it.
///
/// A lifetime that the signature does not need to name is not named here either: a name that is used in a body is
/// one that is needed, says clippy. Any other stays, because with it a body that returns the wrong borrow is told so
/// where it does.
pub fn erased_output(sig: &Signature) -> Type {
    output(sig, has_needless_lifetime(sig))
}

/// The type that the function says it returns, for a variable that holds it.
pub fn inferred_output(sig: &Signature) -> Type {
    output(sig, true)
}

fn output(sig: &Signature, with_lifetimes: bool) -> Type {
    match &sig.output {
        ReturnType::Default => parse_quote_spanned!(Span::mixed_site()=> ()),
        ReturnType::Type(_, ty) => {
            let mut ty = Type::clone(ty);
            erase(&mut ty, with_lifetimes);
            ty
        }
    }
}

/// Whether the lifetime in the signature is one that could be left out: it is the only one.
fn has_needless_lifetime(sig: &Signature) -> bool {
    sig.generics.lifetimes().count() == 1 && !tokens::has_elided_lifetime(sig.inputs.to_token_stream())
}

fn erase(ty: &mut Type, with_lifetimes: bool) {
    match ty {
        Type::ImplTrait(opaque) => {
            let underscore_token = syn::Token![_](opaque.impl_token.span);
            *ty = Type::Infer(TypeInfer {
                attrs: Vec::new(),
                underscore_token,
            });
        }
        Type::Array(array) => erase(&mut array.elem, with_lifetimes),
        Type::Group(group) => erase(&mut group.elem, with_lifetimes),
        Type::Paren(paren) => erase(&mut paren.elem, with_lifetimes),
        Type::Ptr(pointer) => erase(&mut pointer.elem, with_lifetimes),
        Type::Reference(reference) => {
            if with_lifetimes && reference.lifetime.as_ref().is_some_and(is_named) {
                reference.lifetime = None;
            }
            erase(&mut reference.elem, with_lifetimes);
        }
        Type::Slice(slice) => erase(&mut slice.elem, with_lifetimes),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(|ty| erase(ty, with_lifetimes)),
        Type::Path(path) => {
            if let Some(qself) = &mut path.qself {
                erase(&mut qself.ty, with_lifetimes);
            }
            let lists = path
                .path
                .segments
                .iter_mut()
                .filter_map(|segment| match &mut segment.arguments {
                    PathArguments::AngleBracketed(list) => Some(&mut list.args),
                    PathArguments::None | PathArguments::Parenthesized(_) => None,
                });
            for argument in lists.flatten() {
                match argument {
                    GenericArgument::Type(ty) => erase(ty, with_lifetimes),
                    GenericArgument::Lifetime(lifetime) if with_lifetimes && is_named(lifetime) => {
                        *lifetime = Lifetime::new("'_", lifetime.span());
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn is_named(lifetime: &Lifetime) -> bool {
    lifetime.ident != "static" && lifetime.ident != "_"
}

/// Whether nothing is left of the type once it is [`erased`].
pub fn is_infer(ty: &Type) -> bool {
    matches!(bare(ty), Type::Infer(_))
}
