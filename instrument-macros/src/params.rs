//! How the arguments get into the closure or the async block that the body moves to.
//!
//! They must be dropped as they are without the attribute: after the body's locals, the last argument first,
//! each one's own bindings before what its pattern left behind. So they are bound again, in order, where the body
//! is. An async block would store what is bound again twice, so there an argument stays a captured variable
//! where it can: those are dropped in the order in which the block first names them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::{Attribute, FnArg, Pat, PatIdent, PatType, ReceiverKind, Signature, spanned::Spanned};

use crate::{attrs, tokens, types};

/// The arguments of a function, each with a name.
pub struct Params {
    /// The receiver, where the body owns it and names it.
    this: Option<Ident>,
    list: Vec<Param>,
}

struct Param {
    /// Its place among the inputs of the signature.
    index: usize,
    /// The attributes that decide whether there is an argument at all.
    cfgs: Vec<Attribute>,
    /// Its name in the signature.
    name: Ident,
    binding: Binding,
    /// Whether the body may name it.
    mentioned: bool,
}

enum Binding {
    /// A name, possibly `mut`.
    Name(PatIdent),
    /// `_`: nothing is bound, but the argument lives as long as the others.
    Wild,
    /// Anything else is bound in the body, by the user's pattern.
    Pattern(Pat),
}

/// Where the body goes, and with it the arguments.
#[derive(Clone, Copy, PartialEq)]
pub enum Home {
    /// A closure that is called on the spot.
    Closure,
    /// An async block that is returned.
    Block,
}

/// Reads the arguments of `sig` and gives a name to those that need one to be dropped in their turn.
pub fn name(sig: &mut Signature, body: &TokenStream, home: Home) -> Params {
    let mut params = Params {
        this: None,
        list: Vec::new(),
    };
    for (index, argument) in sig.inputs.iter_mut().enumerate() {
        match argument {
            FnArg::Receiver(receiver) => {
                let is_owned = !matches!(receiver.kind, ReceiverKind::Reference(..));
                let ident = Ident::new("self", receiver.self_token.span);
                params.this = (is_owned && tokens::mentions(body.clone(), &ident)).then_some(ident);
            }
            FnArg::Typed(typed) => {
                if !is_captured_as_it_is(typed, body, home) {
                    params.list.push(Param::name(typed, index, body));
                }
            }
        }
    }
    params
}

/// Whether the body may just use the argument: nobody sees when it is dropped.
fn is_captured_as_it_is(typed: &PatType, body: &TokenStream, home: Home) -> bool {
    types::has_no_drop(&typed.ty)
        && match (home, &*typed.pat) {
            // What was passed and is never read is reported of a binding of the body's own.
            (Home::Closure, Pat::Ident(name)) => name.mutability.is_none(),
            (Home::Closure, _) | (Home::Block, Pat::Wild(_)) => true,
            // What the body does not use is no part of the future, unless it is made to be.
            (Home::Block, Pat::Ident(name)) if name.by_ref.is_none() && name.subpat.is_none() => {
                tokens::mentions(body.clone(), &name.ident)
            }
            // A reference to an argument cannot leave the function.
            (Home::Block, pattern) => {
                !tokens::mentions(pattern.to_token_stream(), &Ident::new("ref", Span::call_site()))
            }
        }
}

impl Params {
    /// Whether an argument got a name that it did not have, so that the signature reads differently.
    pub fn is_renamed(&self) -> bool {
        self.list
            .iter()
            .any(|param| !matches!(param.binding, Binding::Name(_)))
    }

    /// Binds every argument again, for a closure that owns them.
    pub fn rebind(&self, sig: &mut Signature) -> TokenStream {
        let this = self.this.as_ref().map(mention);
        let lets = self.list.iter().map(|param| param.rebind(sig));
        quote_spanned!(Span::mixed_site()=> #this #(#lets)*)
    }

    /// Makes an async block own every argument, and store it once where it can.
    pub fn capture(&self, sig: &mut Signature) -> TokenStream {
        // What a pattern binds is a local of the block, and so dropped before anything captured. Every argument
        // after it must be dropped earlier still.
        let first = self
            .list
            .iter()
            .position(|param| matches!(param.binding, Binding::Pattern(_)));
        let (captured, rebound) = self.list.split_at(first.unwrap_or(self.list.len()));
        let this = self.this.as_ref().map(mention);
        let mentions: Vec<_> = captured.iter().rev().map(|param| param.capture(sig)).collect();
        let lets = rebound.iter().map(|param| param.rebind(sig));
        quote_spanned!(Span::mixed_site()=> #(#mentions)* #this #(#lets)*)
    }
}

/// Makes the closure or the block around it capture the whole of a variable.
fn mention(ident: &Ident) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> let _ = &#ident;)
}

impl Param {
    fn name(typed: &mut PatType, index: usize, body: &TokenStream) -> Self {
        let cfgs = typed
            .attrs
            .iter()
            .filter(|attr| attr.path().is_ident("cfg"))
            .cloned()
            .collect();
        let binding = match &*typed.pat {
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Binding::Name(name.clone()),
            Pat::Wild(_) => Binding::Wild,
            other => Binding::Pattern(other.clone()),
        };
        let name = if let Binding::Name(name) = &binding {
            name.ident.clone()
        } else {
            let name = format_ident!(
                "__task_arg{index}",
                span = Span::mixed_site().located_at(typed.pat.span())
            );
            let ident = name.clone();
            *typed.pat = Pat::Ident(PatIdent {
                attrs: Vec::new(),
                by_ref: None,
                mutability: None,
                ident,
                subpat: None,
            });
            name
        };
        let mentioned = tokens::mentions(body.clone(), &name);
        Self {
            index,
            cfgs,
            name,
            binding,
            mentioned,
        }
    }

    fn rebind(&self, sig: &mut Signature) -> TokenStream {
        let (cfgs, name) = (&self.cfgs, &self.name);
        let typed = self.of(sig);
        let lints = take_lints(typed);
        match &self.binding {
            Binding::Name(binding) => {
                let ours = allow_underscore(name);
                // The binding in the body is the one that is `mut`.
                if let Pat::Ident(outer) = &mut *typed.pat {
                    outer.mutability = None;
                }
                let mutability = binding.mutability;
                quote_spanned!(Span::mixed_site()=> #(#cfgs)* #(#lints)* #ours let #mutability #name = #name;)
            }
            Binding::Wild => quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #name = #name;),
            // The pattern may borrow from it by `ref mut`.
            Binding::Pattern(pattern) => quote_spanned! {Span::mixed_site()=>
                #(#cfgs)*
                let mut #name = #name;
                #(#cfgs)* #(#lints)*
                let #pattern = #name;
            },
        }
    }

    fn capture(&self, sig: &mut Signature) -> TokenStream {
        let (cfgs, name) = (&self.cfgs, &self.name);
        let ours = allow_underscore(name);
        if self.mentioned || !matches!(self.binding, Binding::Name(_)) || name.to_string().starts_with('_') {
            let mention = mention(name);
            return quote_spanned!(Span::mixed_site()=> #(#cfgs)* #ours #mention);
        }
        // Unused in the body, and so unused here: the compiler says so, at the user's own token.
        let lints = take_lints(self.of(sig));
        quote_spanned!(Span::mixed_site()=> #(#cfgs)* #(#lints)* let #name = &#name;)
    }

    fn of<'a>(&self, sig: &'a mut Signature) -> &'a mut PatType {
        match &mut sig.inputs[self.index] {
            FnArg::Typed(typed) => typed,
            FnArg::Receiver(_) => unreachable!("the receiver is no entry of the list"),
        }
    }
}

/// Takes the lint levels off an argument whose binding moves, to go where the binding goes.
fn take_lints(typed: &mut PatType) -> Vec<Attribute> {
    let is_level = |attr: &Attribute| attrs::is_lint_level(attr) || attr.path().is_ident("expect");
    let (lints, rest) = typed.attrs.drain(..).partition(is_level);
    typed.attrs = rest;
    lints
}

/// A name that starts with an underscore is not to be used, says clippy. It is used to be bound again.
fn allow_underscore(name: &Ident) -> Option<TokenStream> {
    name.to_string().starts_with('_').then(|| {
        quote_spanned! {Span::mixed_site()=>
            #[allow(clippy::used_underscore_binding, clippy::no_effect_underscore_binding)]
        }
    })
}
