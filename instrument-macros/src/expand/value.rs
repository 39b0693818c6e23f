//! A function that returns a value. Its body stays in place where it can, and becomes a closure where its value
//! is looked at and may come out of more than one place.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{ReturnType, Type};

use super::{Context, Expansion, exits, in_own_scope, with_span_of};
use crate::{
    attrs,
    params::{self, Home},
    tokens, types,
};

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
    let (token, kind) = if tokens::may_leave_early(context.task.body.stream()) {
        (
            quote_spanned!(Span::mixed_site()=> GuardToken),
            quote_spanned!(Span::mixed_site()=> CallGuard::enter),
        )
    } else {
        (
            quote_spanned!(Span::mixed_site()=> Token),
            quote_spanned!(Span::mixed_site()=> Call::start),
        )
    };
    // Nor does one whose last statement is a `return`, and nothing comes after that. One that has to end in a value and
    // does not is told so where it says which.
    let user = context.task.body.stream();
    let has_no_value =
        tokens::ends_in_return(user.clone()) || (tokens::has_no_tail(user) && !types::is_unit(&sig.output));
    let body = match &sig.output {
        ReturnType::Type(_, ty) if types::is_unnameable(ty) || has_no_value => {
            quote_spanned! {Span::mixed_site()=>
                #site
                let mut __task_token = #root::GuardToken::off();
                let __task_call = #root::CallGuard::enter(#place, &mut __task_token);
                #block
            }
        }
        ReturnType::Type(..) => {
            // A `match`, because clippy reports the end of a block alone that never comes to one.
            let (ty, value) = (types::inferred_output(&sig), value(context));
            quote_spanned! {Span::mixed_site()=>
                #site
                let mut __task_token = #root::#token::off();
                let __task_call = #root::#kind(#place, &mut __task_token);
                let __task_value: #ty = match () { () => #block };
                #[allow(unreachable_code)]
                __task_call.succeed();
                #value
            }
        }
        ReturnType::Default => quote_spanned! {Span::mixed_site()=>
            #site
            let mut __task_token = #root::#token::off();
            let __task_call = #root::#kind(#place, &mut __task_token);
            #block
            #[allow(unreachable_code)]
            __task_call.succeed();
        },
    };
    Expansion {
        sig,
        body,
        is_changed: false,
    }
}

/// The body as an expression of the type `ty`, where it stands, if all values come out of it at its end.
fn in_place(context: &Context<'_>, ty: &Type) -> Option<TokenStream> {
    let task = context.task;
    let is_unnameable = matches!(&task.sig.output, ReturnType::Type(_, ty) if types::is_unnameable(ty));
    if is_unnameable {
        return None;
    }
    if !tokens::may_leave_early(task.body.stream()) && !tokens::has_no_tail(task.body.stream()) {
        return Some(in_own_scope(&task.body.block).into_token_stream());
    }
    attrs::has(&task.attrs, "track_caller")
        .then(|| exits::labelled(context, ty))
        .flatten()
}

/// The value is looked at.
pub(super) fn judged(context: &Context<'_>) -> Expansion {
    let (root, site, judge) = (context.root(), context.site(), context.judge(false));
    let (find, place) = context.place();
    let site = quote_spanned!(Span::mixed_site()=> #site #find);
    let mut sig = context.task.sig.clone();
    let ty = types::inferred_output(&sig);
    if let Some(block) = in_place(context, &ty) {
        let value = value(context);
        let body = quote_spanned! {Span::mixed_site()=>
            #site
            let mut __task_token = #root::Token::off();
            let __task_call = #root::Call::start(#place, &mut __task_token);
            let __task_value: #ty = match () { () => #block };
            #[allow(unreachable_code)]
            __task_call.end(&__task_value, #judge);
            #value
        };
        return Expansion {
            sig,
            body,
            is_changed: false,
        };
    }
    let output = types::erased_output(&sig);
    let params = params::name(&mut sig, &context.task.body.stream(), Home::Closure);
    let closure = closure(
        context,
        &quote_spanned!(Span::mixed_site()=> -> #output),
        &params.rebind(&mut sig),
    );
    let arguments = quote_spanned!(Span::mixed_site()=> #place, #closure, #judge);
    let mut body = site;
    body.extend(context.tail_call("call", &TokenStream::new(), arguments));
    Expansion {
        sig,
        body,
        is_changed: params.is_renamed(),
    }
}

/// The variable that holds the value, to be returned.
fn value(context: &Context<'_>) -> Ident {
    Ident::new("__task_value", context.end().0)
}

/// The body as a closure that owns the arguments. It has the user's span and braces, as the function had; inside, a block of ours drops the
/// temporaries of the user's tail before the arguments.
pub(super) fn closure(context: &Context<'_>, output: &TokenStream, bindings: &TokenStream) -> TokenStream {
    let block = in_own_scope(&context.task.body.block);
    let bound = quote_spanned!(Span::mixed_site()=> #bindings { #block });
    let body = with_span_of(&context.task.body.block, bound);
    let span = context.task.sig.fn_token.span;
    quote_spanned!(span=> move || #output #body)
}
