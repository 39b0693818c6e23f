//! A function that returns a value. Its body stays in place where it can, and becomes a closure where its value
//! is looked at and may come out of more than one place.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::ReturnType;

use super::{Context, Expansion, in_own_scope};
use crate::{params, tokens, types};

/// The value cannot be an error.
pub(super) fn always_success(context: &Context<'_>) -> Expansion {
    let sig = context.task.sig.clone();
    let (root, site, block) = (
        context.root(),
        context.site(),
        in_own_scope(&context.task.body.block),
    );
    let (find, place) = context.place();
    let site = quote_spanned!(Span::mixed_site()=> #site #find);
    // A call whose body ends in one place needs no guard against the others, where a panic is hard to tell.
    let kind = if tokens::may_leave_early(context.task.body.stream()) {
        quote_spanned!(Span::mixed_site()=> CallGuard::enter)
    } else {
        quote_spanned!(Span::mixed_site()=> Call::start)
    };
    let body = match &sig.output {
        ReturnType::Type(_, ty) if types::is_unnameable(ty) => quote_spanned! {Span::mixed_site()=>
            #site
            let __task_call = #root::CallGuard::enter(#place);
            #block
        },
        ReturnType::Type(..) => {
            let (ty, value) = (types::inferred_output(&sig), value(context));
            quote_spanned! {Span::mixed_site()=>
                #site
                let __task_call = #root::#kind(#place);
                let __task_value: #ty = #block;
                #[allow(unreachable_code)]
                __task_call.succeed();
                #value
            }
        }
        ReturnType::Default => quote_spanned! {Span::mixed_site()=>
            #site
            let __task_call = #root::#kind(#place);
            #block
            #[allow(unreachable_code)]
            __task_call.succeed();
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
    let (find, place) = context.place();
    let site = quote_spanned!(Span::mixed_site()=> #site #find);
    let mut sig = context.task.sig.clone();
    let is_nameable = !matches!(&sig.output, ReturnType::Type(_, ty) if types::is_unnameable(ty));
    if is_nameable && !tokens::may_leave_early(context.task.body.stream()) {
        let block = in_own_scope(&context.task.body.block);
        let (ty, value) = (types::inferred_output(&sig), value(context));
        let body = quote_spanned! {Span::mixed_site()=>
            #site
            let __task_call = #root::Call::start(#place);
            let __task_value: #ty = #block;
            #[allow(unreachable_code)]
            __task_call.end(&__task_value, #judge);
            #value
        };
        return Expansion {
            sig,
            body,
            sibling: None,
            is_changed: false,
        };
    }
    let output = types::erased_output(&sig);
    let params = params::name(&mut sig, &context.task.body.stream());
    let closure = closure(
        context,
        &quote_spanned!(Span::mixed_site()=> -> #output),
        &params.rebind(&mut sig),
    );
    let body = quote_spanned! {Span::mixed_site()=>
        #site
        #root::call(#place, #closure, #judge)
    };
    Expansion {
        sig,
        body,
        sibling: None,
        is_changed: params.is_renamed(),
    }
}

/// The variable that holds the value, to be returned. What is wrong with the value is reported at the end of the
/// user's body, where it comes from.
fn value(context: &Context<'_>) -> Ident {
    let last = context.task.body.stream().into_iter().last();
    let span = last.map_or_else(|| context.task.body.block.span(), |token| token.span());
    Ident::new("__task_value", Span::mixed_site().located_at(span))
}

/// The body as a closure that owns the arguments.
pub(super) fn closure(context: &Context<'_>, output: &TokenStream, bindings: &TokenStream) -> TokenStream {
    let block = in_own_scope(&context.task.body.block);
    quote_spanned!(Span::mixed_site()=> move || #output { #bindings #block })
}
