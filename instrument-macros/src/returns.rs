//! What the written return type gives away.

use proc_macro2::Span;
use syn::{
    GenericArgument, Path, PathArguments, ReturnType, Type, TypeInfer, TypeParamBound, parse_quote_spanned,
};

/// Types that are lower-case words of the language.
const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

/// Traits that `Result` does not implement, so that a function which returns them returns no error.
const NOT_OF_RESULT: &[&str] = &[
    "Fn",
    "FnMut",
    "FnOnce",
    "AsyncFn",
    "AsyncFnMut",
    "AsyncFnOnce",
    "Iterator",
    "DoubleEndedIterator",
    "ExactSizeIterator",
    "FusedIterator",
    "Stream",
    "Display",
    "Deref",
    "DerefMut",
    "Read",
    "Write",
    "BufRead",
    "Error",
];

/// Whether a value of the written type can be neither an error nor a type with an opinion about its outcome.
pub fn is_always_success(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, ty) => is_plain(ty),
    }
}

/// Whether the function never returns.
pub fn is_never(output: &ReturnType) -> bool {
    matches!(output, ReturnType::Type(_, ty) if matches!(bare(ty), Type::Never(_)))
}

fn is_plain(ty: &Type) -> bool {
    match bare(ty) {
        Type::Array(_)
        | Type::FnPtr(_)
        | Type::Never(_)
        | Type::Ptr(_)
        | Type::Reference(_)
        | Type::Tuple(_) => true,
        Type::Path(path) if path.qself.is_none() => path
            .path
            .get_ident()
            .is_some_and(|ident| PRIMITIVES.iter().any(|name| ident == name)),
        Type::ImplTrait(opaque) => opaque.bounds.iter().any(|bound| match bound {
            TypeParamBound::Trait(bound) => {
                last_name(&bound.path).is_some_and(|last| NOT_OF_RESULT.contains(&last.as_str()))
            }
            _ => false,
        }),
        _ => false,
    }
}

/// The type without parentheses or the invisible groups of a `macro_rules` variable.
pub fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(paren) => bare(&paren.elem),
        Type::Group(group) => bare(&group.elem),
        other => other,
    }
}

fn last_name(path: &Path) -> Option<String> {
    path.segments.last().map(|segment| segment.ident.to_string())
}

/// The returned type as it may be written inside the body, where `impl Trait` cannot be: `_` stands for it.
pub fn erased(output: &ReturnType) -> Type {
    match output {
        ReturnType::Default => parse_quote_spanned!(Span::mixed_site()=> ()),
        ReturnType::Type(_, ty) => {
            let mut ty = Type::clone(ty);
            erase(&mut ty);
            ty
        }
    }
}

fn erase(ty: &mut Type) {
    match ty {
        Type::ImplTrait(opaque) => {
            *ty = Type::Infer(TypeInfer {
                attrs: Vec::new(),
                underscore_token: syn::Token![_](opaque.impl_token.span),
            });
        }
        Type::Array(array) => erase(&mut array.elem),
        Type::Group(group) => erase(&mut group.elem),
        Type::Paren(paren) => erase(&mut paren.elem),
        Type::Ptr(pointer) => erase(&mut pointer.elem),
        Type::Reference(reference) => erase(&mut reference.elem),
        Type::Slice(slice) => erase(&mut slice.elem),
        Type::Tuple(tuple) => tuple.elems.iter_mut().for_each(erase),
        Type::Path(path) => {
            if let Some(qself) = &mut path.qself {
                erase(&mut qself.ty);
            }
            for segment in &mut path.path.segments {
                erase_arguments(&mut segment.arguments);
            }
        }
        _ => {}
    }
}

fn erase_arguments(arguments: &mut PathArguments) {
    match arguments {
        PathArguments::AngleBracketed(list) => {
            for argument in &mut list.args {
                if let GenericArgument::Type(ty) = argument {
                    erase(ty);
                }
            }
        }
        PathArguments::None | PathArguments::Parenthesized(_) => {}
    }
}

/// Whether nothing is left of the type once it is [`erased`].
pub fn is_infer(ty: &Type) -> bool {
    matches!(bare(ty), Type::Infer(_))
}
