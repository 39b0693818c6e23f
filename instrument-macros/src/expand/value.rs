//! A function that returns a value. Its body stays in place where it can, and becomes a closure where its value
//! is looked at and may come out of more than one place.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::ReturnType;

use super::{Context, Expansion};
use crate::{params, tokens, types};

/// The value cannot be an error.
pub(super) fn always_success(context: &Context<'_>) -> Expansion {
    let sig = context.task.sig.clone();
    let (root, site, block) = (context.root(), context.site(), &context.task.body.block);
    // A call whose body ends in one place needs no guard against the others, where a panic is hard to tell.
    let kind = if tokens::may_leave_early(context.task.body.stream()) {
        quote_spanned!(Span::mixed_site()=> CallGuard::enter)
    } else {
        quote_spanned!(Span::mixed_site()=> Call::start)
    };
    let body = match &sig.output {
        ReturnType::Type(_, ty) if types::is_unnameable(ty) => quote_spanned! {Span::mixed_site()=>
            #site
            let __call = #root::CallGuard::enter(&__SITE);
            #block
        },
        ReturnType::Type(_, ty) => {
            let value = in_place(context);
            quote_spanned! {Span::mixed_site()=>
                #site
                let __call = #root::#kind(&__SITE);
                let __value: #ty = #value;
                __call.succeed();
                __value
            }
        }
        ReturnType::Default => quote_spanned! {Span::mixed_site()=>
            #site
            let __call = #root::#kind(&__SITE);
            #block
            __call.succeed();
        },
    };
    Expansion {
        sig,
        body,
        sibling: None,
        is_changed: false,
    }
}

/// The value is looked at.
pub(super) fn judged(context: &Context<'_>) -> Expansion {
    let (root, site, judge) = (context.root(), context.site(), context.judge());
    let mut sig = context.task.sig.clone();
    let output = types::erased_output(&sig.output);
    let is_nameable = !matches!(&sig.output, ReturnType::Type(_, ty) if types::is_unnameable(ty));
    if is_nameable && !tokens::may_leave_early(context.task.body.stream()) {
        let value = in_place(context);
        let body = quote_spanned! {Span::mixed_site()=>
            #site
            let __call = #root::Call::start(&__SITE);
            let __value: #output = #value;
            __call.end(&__value, #judge);
            __value
        };
        return Expansion {
            sig,
            body,
            sibling: None,
            is_changed: false,
        };
    }
    let params = params::name(&mut sig, &context.task.body.stream());
    let closure = closure(
        context,
        &quote_spanned!(Span::mixed_site()=> -> #output),
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

/// The body as an expression where it stands.
pub(super) fn in_place(context: &Context<'_>) -> TokenStream {
    let block = &context.task.body.block;
    // Without a statement of our own the user's braces would look needless.
    quote_spanned!(Span::mixed_site()=> { const _: () = (); #block })
}

/// The body as a closure that owns the arguments.
pub(super) fn closure(context: &Context<'_>, output: &TokenStream, bindings: &TokenStream) -> TokenStream {
    let block = &context.task.body.block;
    quote_spanned!(Span::mixed_site()=> move || #output { #bindings #block })
}
