//! How the arguments get into the closure or the async block that the body moves to.
//!
//! They must be dropped as they are without the attribute: after the body's locals, the last argument first,
//! each one's own bindings before what its pattern left behind. So they are bound again, in order, where the body
//! is. An async block would store what is bound again twice, so there an argument stays a captured variable
//! where it can: those are dropped in the order in which the block first names them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::{Attribute, FnArg, Pat, PatIdent, ReceiverKind, Signature, spanned::Spanned};

use crate::tokens;

/// The arguments of a function, in order, without the receiver.
pub struct Params {
    /// Whether the body owns its `self` and names it.
    owns_self: bool,
    list: Vec<Param>,
}

struct Param {
    /// The attributes that decide whether there is an argument at all.
    cfgs: Vec<Attribute>,
    /// The attributes that are about its bindings.
    lints: Vec<Attribute>,
    /// The name in the signature.
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

/// Reads the arguments of `sig` and gives a name to those that have none.
pub fn take(sig: &mut Signature, body: &TokenStream) -> Params {
    let mut params = Params {
        owns_self: false,
        list: Vec::new(),
    };
    for argument in &mut sig.inputs {
        match argument {
            FnArg::Receiver(receiver) => {
                let by_reference = matches!(receiver.kind, ReceiverKind::Reference(..));
                let ident = Ident::new("self", receiver.self_token.span);
                params.owns_self = !by_reference && tokens::mentions(body.clone(), &ident);
            }
            FnArg::Typed(typed) => {
                let (cfgs, lints) = split(&typed.attrs);
                let binding = Binding::of(&typed.pat);
                let name = match &binding {
                    Binding::Name(name) => name.ident.clone(),
                    Binding::Wild | Binding::Pattern(_) => {
                        let span = Span::mixed_site().located_at(typed.pat.span());
                        let name = format_ident!("__arg{}", params.list.len(), span = span);
                        *typed.pat = pattern(name.clone());
                        name
                    }
                };
                let mentioned = tokens::mentions(body.clone(), &name);
                params.list.push(Param {
                    cfgs,
                    lints,
                    name,
                    binding,
                    mentioned,
                });
            }
        }
    }
    params
}

/// The attributes that a binding in the body repeats: conditions, and lint levels.
fn split(attrs: &[Attribute]) -> (Vec<Attribute>, Vec<Attribute>) {
    let is = |attr: &&Attribute, names: &[&str]| names.iter().any(|name| attr.path().is_ident(name));
    let cfgs = attrs.iter().filter(|attr| is(attr, &["cfg"])).cloned().collect();
    let lints = attrs
        .iter()
        .filter(|attr| is(attr, &["allow", "warn", "deny", "forbid"]))
        .cloned()
        .collect();
    (cfgs, lints)
}

fn pattern(ident: Ident) -> Pat {
    Pat::Ident(PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability: None,
        ident,
        subpat: None,
    })
}

impl Binding {
    fn of(pat: &Pat) -> Self {
        match pat {
            Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Self::Name(name.clone()),
            Pat::Wild(_) => Self::Wild,
            other => Self::Pattern(other.clone()),
        }
    }
}

impl Params {
    /// Binds every argument again, for a closure that owns them. Takes the `mut` off the signature.
    pub fn rebind(&self, sig: &mut Signature) -> TokenStream {
        let this = self
            .owns_self
            .then(|| mention(&Ident::new("self", Span::call_site())));
        self.strip_mut(sig, 0);
        let lets = self.list.iter().map(Param::rebind);
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
        let kept = first.unwrap_or(self.list.len());
        self.strip_mut(sig, kept);
        let captures = self.list[..kept].iter().rev().map(Param::capture);
        let this = self
            .owns_self
            .then(|| mention(&Ident::new("self", Span::call_site())));
        let lets = self.list[kept..].iter().map(Param::rebind);
        quote_spanned!(Span::mixed_site()=> #(#captures)* #this #(#lets)*)
    }

    /// The binding in the body is the one that is `mut`, from argument `from` on.
    fn strip_mut(&self, sig: &mut Signature, from: usize) {
        let _ = self;
        let typed = sig.inputs.iter_mut().filter_map(|argument| match argument {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        });
        for argument in typed.skip(from) {
            if let Pat::Ident(name) = &mut *argument.pat {
                name.mutability = None;
            }
        }
    }
}

/// Makes the closure or the block around it capture the whole of a variable.
fn mention(ident: &Ident) -> TokenStream {
    quote_spanned!(Span::mixed_site()=> let _ = &#ident;)
}

impl Param {
    fn rebind(&self) -> TokenStream {
        let Self {
            cfgs, lints, name, ..
        } = self;
        match &self.binding {
            Binding::Name(binding) => {
                let mutability = binding.mutability;
                quote_spanned!(Span::mixed_site()=> #(#cfgs)* #(#lints)* let #mutability #name = #name;)
            }
            Binding::Wild => quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #name = #name;),
            Binding::Pattern(pattern) => quote_spanned! {Span::mixed_site()=>
                #(#cfgs)*
                let #name = #name;
                #(#cfgs)* #(#lints)*
                let #pattern = #name;
            },
        }
    }

    fn capture(&self) -> TokenStream {
        let Self {
            cfgs, lints, name, ..
        } = self;
        if self.mentioned || !matches!(self.binding, Binding::Name(_)) {
            let mention = mention(name);
            quote_spanned!(Span::mixed_site()=> #(#cfgs)* #mention)
        } else {
            // Unused in the body, and so unused here: the compiler says so, at the user's own token.
            quote_spanned!(Span::mixed_site()=> #(#cfgs)* #(#lints)* let #name = &#name;)
        }
    }
}
