//! A function that returns a value: a guard before its body, or a closure around it.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::{Context, Expansion};
use crate::{params, types};

/// The value cannot be an error: the body stays as it is, and the call ends where the guard is dropped.
pub(super) fn guarded(context: &Context<'_>) -> Expansion {
    let (root, site, block) = (context.root(), context.site(), &context.task.body.block);
    let body = quote_spanned! {Span::mixed_site()=>
        #site
        let __guard = #root::CallGuard::enter(&__SITE);
        #block
    };
    Expansion {
        sig: context.task.sig.clone(),
        body,
        sibling: None,
        is_changed: false,
    }
}

/// The value is looked at: the body becomes a closure, so that a `return` in it ends there.
pub(super) fn judged(context: &Context<'_>) -> Expansion {
    let (root, site, judge) = (context.root(), context.site(), context.judge());
    let mut sig = context.task.sig.clone();
    let ty = types::erased_output(&sig.output);
    let params = params::name(&mut sig, &context.task.body.stream());
    let closure = closure(
        context,
        &quote_spanned!(Span::mixed_site()=> -> #ty),
        &params.rebind(&mut sig),
    );
    let body = quote_spanned! {Span::mixed_site()=>
        #site
        #root::call(&__SITE, #closure, #judge)
    };
    Expansion {
        sig,
        body,
        sibling: None,
        is_changed: params.is_renamed(),
    }
}

/// The body as a closure that owns the arguments.
pub(super) fn closure(context: &Context<'_>, output: &TokenStream, bindings: &TokenStream) -> TokenStream {
    let block = &context.task.body.block;
    quote_spanned!(Span::mixed_site()=> move || #output { #bindings #block })
}
