//! Writes the annotated function.
//!
//! The body moves as little as its return type allows. Where the written type can be no error, a guard stands
//! before the untouched body. Otherwise the body becomes a closure whose value is judged, or an async block
//! inside the future that counts.
//!
//! Every token of ours is resolved at [`Span::mixed_site`], so that no local of ours meets one of the user's, and
//! carries this crate's edition: in edition 2024 the tail of a block of ours drops its temporaries before the
//! arguments that are bound in it, and `impl Future` captures every lifetime, as `async fn` does.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Signature, Type, ext::IdentExt};

use crate::{args::Args, params, returns, task::Task};

/// Writes `task` with its calls counted.
pub fn task(task: &Task, args: &Args) -> TokenStream {
    let mut sig = task.sig.clone();
    let body = if sig.asyncness.is_some() {
        if must_stay_async(task) {
            kept_async(task, args, &mut sig)
        } else {
            flat_async(task, args, &mut sig)
        }
    } else if returns::is_always_success(&sig.output) {
        guarded(task, args)
    } else {
        judged(task, args, &mut sig)
    };
    item(task, &sig, body)
}

/// The whole item, with the user's own braces around the new body: lints go by the span of the whole.
fn item(task: &Task, sig: &Signature, body: TokenStream) -> TokenStream {
    let Task {
        attrs,
        vis,
        defaultness,
        body: user,
        ..
    } = task;
    let mut stream = user.attrs.clone();
    stream.extend(body);
    let mut block = Group::new(Delimiter::Brace, stream);
    block.set_span(user.block.span());
    quote_spanned!(Span::mixed_site()=> #(#attrs)* #vis #defaultness #sig #block)
}

/// The call site: a static of the function, shared by all of its instances.
fn site(task: &Task, args: &Args) -> TokenStream {
    let root = args.root();
    let name = args.name.as_ref().map_or_else(
        || task.sig.ident.unraw().to_string().into_token_stream(),
        ToTokens::to_token_stream,
    );
    quote_spanned!(Span::mixed_site()=> static __SITE: #root::Site = #root::Site::new(#name);)
}

/// How the call's value counts: by its type.
fn judge(args: &Args) -> TokenStream {
    let root = args.root();
    quote_spanned! {Span::mixed_site()=>
        |__value| {
            #[allow(unused_imports)]
            use #root::{ByTrait as _, Otherwise as _};
            (&#root::Probe(__value)).instrument_task_end()
        }
    }
}

fn guarded(task: &Task, args: &Args) -> TokenStream {
    let (root, site, block) = (args.root(), site(task, args), &task.body.block);
    quote_spanned! {Span::mixed_site()=>
        #site
        let __guard = #root::CallGuard::enter(&__SITE);
        #block
    }
}

fn judged(task: &Task, args: &Args, sig: &mut Signature) -> TokenStream {
    let (root, site, block, judge) = (args.root(), site(task, args), &task.body.block, judge(args));
    let ty = returns::erased(&sig.output);
    let rebound = params::take(sig, &task.body.stream()).rebind(sig);
    quote_spanned! {Span::mixed_site()=>
        #site
        #root::call(&__SITE, move || -> #ty { #rebound #block }, #judge)
    }
}

/// Whether something outside the body needs the word `async` to stay: `#[must_use]` is about the awaited value
/// only then, and `!` cannot be written as a future's output.
fn must_stay_async(task: &Task) -> bool {
    returns::is_never(&task.sig.output) || task.attrs.iter().any(|attr| attr.path().is_ident("must_use"))
}

/// The counted future of an async function.
fn future(task: &Task, args: &Args, sig: &mut Signature) -> TokenStream {
    let (root, site, block, judge) = (args.root(), site(task, args), &task.body.block, judge(args));
    let captured = params::take(sig, &task.body.stream()).capture(sig);
    let ty = if returns::is_never(&sig.output) {
        syn::parse_quote_spanned!(Span::mixed_site()=> ())
    } else {
        returns::erased(&sig.output)
    };
    let typed = typed_return(&ty);
    quote_spanned! {Span::mixed_site()=>
        #root::future::<#ty, _, _, _>(
            || { #site &__SITE },
            async move { #captured #typed #block },
            #judge,
        )
    }
}

/// A return that never runs. An async block has no place to write its type, and without one the user's `?` and
/// `Box::new` would have nothing to go by.
fn typed_return(ty: &Type) -> TokenStream {
    if returns::is_infer(ty) {
        return TokenStream::new();
    }
    quote_spanned! {Span::mixed_site()=>
        if let ::core::option::Option::Some(__value) = ::core::option::Option::None::<#ty> {
            return __value;
        }
    }
}

fn flat_async(task: &Task, args: &Args, sig: &mut Signature) -> TokenStream {
    let future = future(task, args, sig);
    let output = match &task.sig.output {
        syn::ReturnType::Default => quote_spanned!(Span::mixed_site()=> ()),
        syn::ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    sig.asyncness = None;
    sig.output =
        syn::parse_quote_spanned!(Span::mixed_site()=> -> impl ::core::future::Future<Output = #output>);
    future
}

fn kept_async(task: &Task, args: &Args, sig: &mut Signature) -> TokenStream {
    let future = future(task, args, sig);
    if returns::is_never(&sig.output) {
        // The block's value is never made, but `!` is not a type that it could be given.
        quote_spanned!(Span::mixed_site()=> let () = #future.await; ::core::unreachable!())
    } else {
        quote_spanned!(Span::mixed_site()=> #future.await)
    }
}
