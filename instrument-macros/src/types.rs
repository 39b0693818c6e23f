//! What a written type gives away.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{
    GenericArgument, Lifetime, Path, PathArguments, ReturnType, Signature, Type, TypeImplTrait, TypeInfer,
    TypeParamBound, TypePath, parse_quote_spanned,
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

/// Whether the type is the one that the method belongs to.
pub fn is_self(ty: &Type) -> bool {
    matches!(bare(ty), Type::Path(path) if path.qself.is_none() && path.path.is_ident("Self"))
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
            let output = trait_paths(&opaque.bounds).find_map(future_output);
            output.filter(|_| is_followed(opaque)).map(Returned::Opaque)
        }
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let output = if last.ident == "BoxFuture" || last.ident == "LocalBoxFuture" {
                Some(output_of_alias(path))
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

/// What the future under an alias comes to. Many have an alias of their own by that name, with other arguments.
fn output_of_alias(path: &TypePath) -> Type {
    let mut path = path.clone();
    let last = path.path.segments.last_mut().map(|last| &mut last.arguments);
    if let Some(PathArguments::AngleBracketed(list)) = last {
        // How long the future itself lives is left open.
        for argument in &mut list.args {
            erase_lifetime(argument);
        }
    }
    parse_quote_spanned!(Span::mixed_site()=> <#path as ::core::future::Future>::Output)
}

fn boxed_future(ty: &Type) -> Option<Type> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Box")?;
    match type_arguments(&last.arguments).next().map(bare)? {
        Type::TraitObject(object) => trait_paths(&object.bounds).find_map(future_output),
        Type::ImplTrait(opaque) if is_followed(opaque) => trait_paths(&opaque.bounds).find_map(future_output),
        _ => None,
    }
}

/// Whether the counting future can stand for what the function makes.
fn is_followed(opaque: &TypeImplTrait) -> bool {
    trait_paths(&opaque.bounds).all(|path| is_last(path, OF_FUTURE))
}

/// The `T` of `Future<Output = T>`; `_` where the signature leaves it open.
fn future_output(path: &Path) -> Option<Type> {
    let future = path.segments.last().filter(|last| last.ident == "Future")?;
    let named = match &future.arguments {
        PathArguments::AngleBracketed(list) => list.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
            _ => None,
        }),
        PathArguments::None | PathArguments::Parenthesized(_) => None,
    };
    Some(named.unwrap_or_else(|| infer(Span::mixed_site())))
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

/// The type that the function says its future comes to, for a closure that returns it.
pub fn declared_output(sig: &Signature, output: &Type) -> Type {
    let mut ty = output.clone();
    erase(&mut ty, has_needless_lifetime(sig));
    ty
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
        Type::ImplTrait(opaque) => *ty = infer(opaque.impl_token.span),
        // What a trait object is bound by stays, but for what it holds of an `impl Trait`.
        Type::TraitObject(object) => {
            for bound in &mut object.bounds {
                if let TypeParamBound::Trait(bound) = bound {
                    erase_arguments(&mut bound.path, false);
                }
            }
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
            erase_arguments(&mut path.path, with_lifetimes);
        }
        _ => {}
    }
}

fn erase_arguments(path: &mut Path, with_lifetimes: bool) {
    let lists = path
        .segments
        .iter_mut()
        .filter_map(|segment| match &mut segment.arguments {
            PathArguments::AngleBracketed(list) => Some(&mut list.args),
            PathArguments::None | PathArguments::Parenthesized(_) => None,
        });
    for argument in lists.flatten() {
        match argument {
            GenericArgument::Type(ty) => erase(ty, with_lifetimes),
            GenericArgument::AssocType(assoc) => erase(&mut assoc.ty, with_lifetimes),
            _ if with_lifetimes => erase_lifetime(argument),
            _ => {}
        }
    }
}

fn erase_lifetime(argument: &mut GenericArgument) {
    match argument {
        GenericArgument::Lifetime(lifetime) if is_named(lifetime) => {
            *lifetime = Lifetime::new("'_", lifetime.span());
        }
        _ => {}
    }
}

fn infer(span: Span) -> Type {
    Type::Infer(TypeInfer {
        attrs: Vec::new(),
        underscore_token: syn::Token![_](span),
    })
}

fn is_named(lifetime: &Lifetime) -> bool {
    lifetime.ident != "static" && lifetime.ident != "_"
}

/// Whether nothing is left of the type once it is [`erased`].
pub fn is_infer(ty: &Type) -> bool {
    matches!(bare(ty), Type::Infer(_))
}
