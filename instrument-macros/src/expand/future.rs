//! A function whose call is a future: counted from the first poll, whatever makes it.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{ReturnType, Signature, Type, parse_quote_spanned, spanned::Spanned};

use super::{Context, Expansion, in_own_scope, value, with_span_of};
use crate::{
    attrs,
    params::{self, Home},
    tokens,
    types::{self, Returned},
};

/// An `async fn`. As one flat function it stores its arguments once; some must keep the word.
pub(super) fn of_async(context: &Context<'_>) -> Expansion {
    let task = context.task;
    let mut sig = task.sig.clone();
    let is_never = types::is_never(&sig.output);
    // `!` is no type that can be written here.
    let ty = if is_never {
        parse_quote_spanned!(Span::mixed_site()=> ::core::convert::Infallible)
    } else {
        types::erased_output(&sig)
    };
    let params = params::name(&mut sig, &task.body.stream(), Home::Block);
    let captured = params.capture(&mut sig);
    let (typed, block) = (typed_return(&ty), in_own_scope(&task.body.block));
    // The user's own word and braces: what is wrong with the future is reported there. Inside, a block of ours
    // drops the temporaries of the user's tail before what is bound again.
    let asyncness = task
        .sig
        .asyncness
        .map_or_else(Span::mixed_site, |asyncness| asyncness.span);
    let mut inner = quote_spanned!(asyncness=> async move);
    let mut scope = Group::new(Delimiter::Brace, block.into_token_stream());
    // A reference is borrowed anew on its way out of them, and may be refused there.
    let is_reborrowed = matches!(ty, Type::Reference(_));
    scope.set_span(if is_reborrowed {
        context.end().0
    } else {
        Span::mixed_site()
    });
    let bound = quote_spanned!(Span::mixed_site()=> #captured #typed #scope);
    inner.extend([TokenTree::Group(with_span_of(&task.body.block, bound))]);
    let counted = counted(context, &ty, &inner);
    let site = site(context);

    if !must_stay_async(context) {
        sig.asyncness = None;
        sig.output = impl_future(&task.sig);
        let body = quote_spanned!(Span::mixed_site()=> #site #counted);
        return Expansion {
            sig,
            body,
            is_changed: true,
        };
    }
    let body = if is_never {
        quote_spanned!(Span::mixed_site()=> #site match #counted.await {})
    } else {
        quote_spanned!(Span::mixed_site()=> #site #counted.await)
    };
    Expansion {
        sig,
        body,
        is_changed: params.is_renamed(),
    }
}

/// The call site, and the statements that find out where the future counts.
fn site(context: &Context<'_>) -> TokenStream {
    let (site, (find, _)) = (context.site(), context.future_place());
    quote_spanned!(Span::mixed_site()=> #site #find)
}

/// What an async function returns without the word. Its ends have the user's spans: with them, whatever is reported about
/// the signature is reported there, and not at the attribute.
fn impl_future(sig: &Signature) -> ReturnType {
    let (output, first, last) = match &sig.output {
        ReturnType::Default => {
            let close = sig.paren_token.span.close();
            (quote_spanned!(Span::mixed_site()=> ()), close, close)
        }
        ReturnType::Type(_, ty) => {
            let tokens = ty.to_token_stream();
            let span = |token: Option<TokenTree>| token.map_or_else(Span::call_site, |token| token.span());
            let mut all = tokens.clone().into_iter();
            let first = span(all.next());
            (tokens, first, all.last().map_or(first, |token| token.span()))
        }
    };
    let open = quote_spanned!(Span::mixed_site().located_at(first)=> impl);
    let close = quote_spanned!(last=> >);
    parse_quote_spanned!(Span::mixed_site()=> -> #open ::core::future::Future<Output = #output #close)
}

/// Whether something outside the body needs the word `async`: `#[must_use]` is about the awaited value only
/// then, a macro may look for it, and `!` cannot be written as an output.
fn must_stay_async(context: &Context<'_>) -> bool {
    let task = context.task;
    types::is_never(&task.sig.output)
        || attrs::has(&task.attrs, "must_use")
        || attrs::has(&task.attrs, "track_caller")
        || context.has_macros()
}

/// A return that never runs. An async block has no place to write its type, and without one the user's `?` and
/// `Box::new` would have nothing to go by. The compiler points there to say what is returned, so it stands where the user does.
fn typed_return(ty: &Type) -> TokenStream {
    if types::is_infer(ty) {
        return TokenStream::new();
    }
    let value = Ident::new("__task_value", Span::mixed_site().located_at(ty.span()));
    quote_spanned! {Span::mixed_site()=>
        if let ::core::option::Option::Some(#value) = ::core::option::Option::None::<#ty> {
            return #value;
        }
    }
}

/// The future `inner`, of which `ty` is the output, counted.
fn counted(context: &Context<'_>, ty: &Type, inner: &TokenStream) -> TokenStream {
    let arguments = arguments(context, ty, inner);
    context.tail_call(
        "future",
        &quote_spanned!(Span::mixed_site()=> ::<#ty, _, _, _, _>),
        arguments,
    )
}

/// The same of a future that the user made. That its output is what the signature says is left to the signature, which
/// is where the compiler looks for it, unless an `impl Trait` leaves something open.
fn counted_as_declared(context: &Context<'_>, output: &Type, inner: &TokenStream) -> TokenStream {
    if types::is_unnameable(output) || types::is_infer(output) {
        return counted(context, &types::erased(output), inner);
    }
    let root = context.root();
    let arguments = arguments(context, output, inner);
    let output = types::declared_output(&context.task.sig, output);
    context.tail_call(
        "declared_future",
        &quote_spanned!(Span::mixed_site()=> ::<#output, _, _, _, _, _>),
        quote_spanned!(Span::mixed_site()=> || -> #output { #root::declared() }, #arguments),
    )
}

fn arguments(context: &Context<'_>, ty: &Type, inner: &TokenStream) -> TokenStream {
    let (judge, (_, place)) = (context.judge(types::is_plain(ty)), context.future_place());
    quote_spanned!(Span::mixed_site()=> #place, #inner, #judge)
}

/// A function that makes a future and returns it.
pub(super) fn of_returned(context: &Context<'_>, returned: &Returned) -> Expansion {
    match returned {
        Returned::Opaque(output) => opaque(context, output),
        Returned::Boxed(output) => boxed(context, output),
    }
}

fn opaque(context: &Context<'_>, output: &Type) -> Expansion {
    let site = site(context);
    let (sig, inner, is_changed) = made(context, &TokenStream::new());
    let counted = counted_as_declared(context, output, &inner);
    let body = quote_spanned!(Span::mixed_site()=> #site #counted);
    Expansion {
        sig,
        body,
        is_changed,
    }
}

fn boxed(context: &Context<'_>, output: &Type) -> Expansion {
    let (root, site) = (context.root(), site(context));
    let user = &context.task.body;
    if let Some(tail) = tokens::pinned_tail(&user.stream()) {
        // The future is counted before it is boxed. `async_trait` writes such bodies.
        let counted = counted_as_declared(context, output, &without_comma(tail.arguments.stream()));
        let mut arguments = Group::new(Delimiter::Parenthesis, counted);
        arguments.set_span(tail.arguments.span());
        let mut body = quote_spanned!(Span::mixed_site()=> #site);
        body.extend(tail.before);
        body.extend([TokenTree::Group(arguments)]);
        return Expansion {
            sig: context.task.sig.clone(),
            body,
            is_changed: false,
        };
    }
    // What comes out of any other body is boxed already, and goes into a box of its own.
    let ty = types::erased_output(&context.task.sig);
    let (sig, inner, is_changed) = made(context, &quote_spanned!(Span::mixed_site()=> -> #ty));
    let counted = counted_as_declared(context, output, &inner);
    let body = quote_spanned!(Span::mixed_site()=> #site #root::Box::pin(#counted));
    Expansion {
        sig,
        body,
        is_changed,
    }
}

/// The value of the user's body, wherever it returns: the signature that goes with it, the expression, and
/// whether the signature reads differently.
fn made(context: &Context<'_>, output: &TokenStream) -> (Signature, TokenStream, bool) {
    let root = context.root();
    let mut sig = context.task.sig.clone();
    let user = &context.task.body;
    if output.is_empty() && !tokens::may_leave_early(user.stream()) {
        return (sig, in_own_scope(&user.block).into_token_stream(), false);
    }
    let params = params::name(&mut sig, &user.stream(), Home::Closure);
    let closure = value::closure(context, output, &params.rebind(&mut sig));
    (
        sig,
        quote_spanned!(Span::mixed_site()=> #root::construct(#closure)),
        params.is_renamed(),
    )
}

fn without_comma(arguments: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = arguments.into_iter().collect();
    if matches!(tokens.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ',') {
        tokens.pop();
    }
    tokens.into_iter().collect()
}
