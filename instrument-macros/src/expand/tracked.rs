//! A `#[track_caller]` function whose value is looked at.
//!
//! A body that stays in place knows its caller. A closure does not, so the body becomes a function of its own instead:
//! inside the annotated one where that is free, beside it where it is a method. In a trait there is no place for either,
//! so there the closure stays, and with it the location of the attribute.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::{Attribute, FnArg, GenericParam, Safety, Signature, Visibility};

use super::{Context, Expansion, Place, value};
use crate::{attrs, params, tokens};

/// Where the body can go.
enum Home {
    Nested,
    Sibling,
}

/// The expansion, if the function tracks its caller and there is a place for its body.
pub(super) fn tracked(context: &Context<'_>) -> Option<Expansion> {
    let task = context.task;
    if !attrs::has(&task.attrs, "track_caller") || value::is_in_place(context) {
        return None;
    }
    let home = home(context)?;
    let (root, site, judge) = (context.root(), context.site(), context.judge(false));
    let (find, place) = context.place();
    let mut sig = task.sig.clone();
    let params = params::name(&mut sig, &task.body.stream(), params::Home::Function);
    params::strip_mut(&mut sig);

    let ident = match home {
        Home::Nested => Ident::new("__task_body", Span::mixed_site()),
        Home::Sibling => format_ident!("__task_{}", context.ident(), span = Span::mixed_site()),
    };
    let body = body(context, &ident);
    let path = match home {
        Home::Nested => ident.to_token_stream(),
        Home::Sibling => quote_spanned!(Span::mixed_site()=> Self::#ident),
    };
    let call = call(&sig, &path, &params.names(&sig));
    let (nested, sibling) = match home {
        Home::Nested => (Some(body), None),
        Home::Sibling => (None, Some(body)),
    };
    let body = quote_spanned! {Span::mixed_site()=>
        #nested
        #site
        #find
        let mut __task_token = #root::Token::off();
        let __task_call = #root::Call::start(#place, &mut __task_token);
        let __task_value = #call;
        __task_call.end(&__task_value, #judge);
        __task_value
    };
    Some(Expansion {
        sig,
        body,
        sibling,
        is_changed: params.is_renamed(),
    })
}

/// The user's function under another name, with the attributes that are about its body.
fn body(context: &Context<'_>, ident: &Ident) -> TokenStream {
    let task = context.task;
    let sig = Signature {
        ident: ident.clone(),
        abi: None,
        ..task.sig.clone()
    };
    let lints = task.attrs.iter().filter(|attr| attrs::is_lint_level(attr));
    let (inner, block) = (&task.body.attrs, task.body.stream());
    let mut stream = inner.clone();
    stream.extend(block);
    let braces = super::with_span_of(&task.body.block, stream);
    quote_spanned! {Span::mixed_site()=>
        #(#lints)*
        #[allow(dead_code, clippy::too_many_arguments)]
        #[doc(hidden)]
        #[inline]
        #[track_caller]
        #sig #braces
    }
}

fn call(sig: &Signature, path: &TokenStream, arguments: &TokenStream) -> TokenStream {
    let generics: Vec<_> = sig
        .generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect();
    let turbofish = (!generics.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> ::<#(#generics),*>));
    let call = quote_spanned!(Span::mixed_site()=> #path #turbofish(#arguments));
    if matches!(sig.safety, Safety::Unsafe(_)) {
        // Whoever calls the annotated function promises what the one inside it asks for.
        quote_spanned!(Span::mixed_site()=> unsafe { #call })
    } else {
        call
    }
}

fn home(context: &Context<'_>) -> Option<Home> {
    let sig = &context.task.sig;
    let has_cfgs = sig.inputs.iter().any(|argument| {
        let attrs: &[Attribute] = match argument {
            FnArg::Receiver(receiver) => &receiver.attrs,
            FnArg::Typed(typed) => &typed.attrs,
        };
        attrs::has(attrs, "cfg")
    });
    if has_cfgs || sig.variadic.is_some() {
        return None;
    }
    match context.place {
        Place::Method(block) => (!block.is_trait).then_some(Home::Sibling),
        Place::Unknown => {
            let names_self = tokens::mentions(sig.to_token_stream(), &Ident::new("Self", Span::call_site()));
            if sig.receiver().is_some() || names_self {
                // An item of a trait, or of its implementation, has no visibility.
                (!matches!(context.task.vis, Visibility::Inherited)).then_some(Home::Sibling)
            } else {
                (!may_use_outer_generics(context)).then_some(Home::Nested)
            }
        }
    }
}

/// Whether the function may be an associated one that uses its block's parameters, which no function inside it
/// can. They are told by their look: a few capital letters, and a lifetime that the function did not declare.
fn may_use_outer_generics(context: &Context<'_>) -> bool {
    let sig = &context.task.sig;
    let declared: Vec<String> = sig
        .generics
        .params
        .iter()
        .map(|param| match param {
            GenericParam::Type(param) => param.ident.to_string(),
            GenericParam::Const(param) => param.ident.to_string(),
            GenericParam::Lifetime(param) => param.lifetime.ident.to_string(),
        })
        .collect();
    let signature = sig.to_token_stream();
    let body = context.task.body.stream();
    let outer = Ident::new("Self", Span::call_site());
    tokens::mentions(body.clone(), &outer)
        || tokens::has_generic_name(signature.clone(), &declared)
        || tokens::has_generic_name(body, &declared)
        || tokens::has_lifetime(signature, &declared)
}
