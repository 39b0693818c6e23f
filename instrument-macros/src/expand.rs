//! Writes the annotated function.
//!
//! The body moves as little as it allows. It stays in place where the written type can be no error, or where its
//! value comes out of one place only. Otherwise it becomes a closure whose value is judged, or an async block inside
//! the future that counts.
//!
//! Every token of ours is resolved at [`Span::mixed_site`], so that no local of ours meets one of the user's, and
//! carries this crate's edition: in edition 2024 the tail of a block of ours drops its temporaries before the
//! arguments that are bound in it, and `impl Future` captures every lifetime, as `async fn` does.

mod exits;
mod future;
mod value;

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, Signature, ext::IdentExt, spanned::Spanned};

use crate::{
    args::{Args, Name, Predicate},
    attrs,
    task::{ImplBlock, Member, Task},
    tokens, types,
};

/// Writes a function with its calls counted.
pub fn function(task: &Task, args: &Args) -> TokenStream {
    Context {
        task,
        args,
        place: Place::Unknown,
    }
    .expand()
}

/// Writes an `impl` block with the calls of its methods counted.
pub fn block(block: &ImplBlock, args: &Args) -> TokenStream {
    let members = block.members.iter().map(|member| match member {
        Member::Other(tokens) => tokens.clone(),
        Member::Task(task) => {
            let (task, own) = &**task;
            let args = own.clone().or(args);
            Context {
                task,
                args: &args,
                place: Place::Method(block),
            }
            .expand()
        }
    });
    let braces = with_span_of(&block.braces, members.collect());
    let head = &block.head;
    quote_spanned!(Span::mixed_site()=> #head #braces)
}

/// Where the function stands.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// It has the attribute itself, which sees nothing around it.
    Unknown,
    /// In an `impl` block that has the attribute.
    Method(&'a ImplBlock),
}

/// A function on its way into an expansion.
struct Context<'a> {
    task: &'a Task,
    args: &'a Args,
    place: Place<'a>,
}

/// A new signature and what stands between the function's braces.
struct Expansion {
    sig: Signature,
    body: TokenStream,
    /// Whether the signature reads differently.
    is_changed: bool,
}

impl Context<'_> {
    fn expand(&self) -> TokenStream {
        let output = &self.task.sig.output;
        let expansion = if self.task.sig.asyncness.is_some() {
            future::of_async(self)
        } else if let Some(returned) = types::returned(output) {
            future::of_returned(self, &returned)
        } else if self.args.predicate.is_none() && types::is_always_success(output) {
            value::always_success(self)
        } else {
            value::judged(self)
        };
        self.item(expansion)
    }

    /// The whole item, with the user's own braces around the new body: lints go by the span of the whole.
    fn item(&self, expansion: Expansion) -> TokenStream {
        let Task {
            attrs,
            vis,
            defaultness,
            body: user,
            ..
        } = self.task;
        let Expansion {
            sig,
            body,
            is_changed,
        } = expansion;
        let mut stream = user.attrs.clone();
        stream.extend(body);
        let block = with_span_of(&user.block, stream);
        let item = quote_spanned!(Span::mixed_site()=> #(#attrs)* #vis #defaultness #sig #block);
        if !is_changed || self.has_macros() {
            return item;
        }
        // The documentation shows what the user wrote.
        let original = self.task.unchanged();
        quote_spanned!(Span::mixed_site()=> #[cfg(not(doc))] #item #[cfg(doc)] #original)
    }

    /// The module that the expansion names.
    fn root(&self) -> TokenStream {
        self.args.root(Span::mixed_site())
    }

    /// Where the body's value comes from, for what is wrong with it: its first and its last token.
    fn end(&self) -> (Span, Span) {
        let body = &self.task.body;
        let (first, last) = tokens::end(body.stream()).map_or_else(
            || (body.block.span(), body.block.span()),
            |(first, last)| (first.span(), last.span()),
        );
        let of_ours = |span| Span::mixed_site().located_at(span);
        (of_ours(first), of_ours(last))
    }

    /// A call of a function of the library, which is what the annotated function returns. To the compiler it goes
    /// from the first to the last token of the user's own value.
    fn tail_call(&self, function: &str, generics: &TokenStream, arguments: TokenStream) -> TokenStream {
        let (first, last) = self.end();
        let function = Ident::new(function, first);
        let root = self.args.root(first);
        let mut parentheses = Group::new(Delimiter::Parenthesis, arguments);
        parentheses.set_span(last);
        quote_spanned!(first=> #root::#function #generics #parentheses)
    }

    /// The call site: a static of the function, shared by all of its instances.
    fn site(&self) -> TokenStream {
        let root = self.root();
        let name = match (&self.args.name, self.place) {
            (Some(Name::Literal(literal)), _) => literal.to_token_stream(),
            (Some(Name::Const(path)), _) => {
                let root = self.args.root(path.span());
                quote_spanned!(Span::mixed_site().located_at(path.span())=> #root::task_name(#path))
            }
            (None, Place::Unknown) => self.ident().into_token_stream(),
            (None, Place::Method(block)) => {
                format!("{}.{}", block.type_name, self.ident()).into_token_stream()
            }
        };
        let make = if self.args.has_setup() {
            let setup = self.setup();
            quote_spanned!(Span::mixed_site()=> with(#name, #setup))
        } else {
            quote_spanned!(Span::mixed_site()=> new(#name))
        };
        quote_spanned!(Span::mixed_site()=> static __TASK_SITE: #root::Site = #root::Site::#make;)
    }

    /// What the call site asks for besides its name.
    fn setup(&self) -> TokenStream {
        let root = self.root();
        let Args {
            prefix,
            timing,
            sample_rate,
            in_flight,
            ..
        } = self.args;
        let prefix = prefix.iter();
        let timing = timing.iter();
        let sample_rate = sample_rate.iter().map(|rate| {
            let root = self.args.root(rate.span());
            quote_spanned!(Span::mixed_site().located_at(rate.span())=> #root::sample_rate(#rate))
        });
        let in_flight = in_flight.iter().map(|_| true);
        let tags = self
            .args
            .static_tags()
            .map(|(key, value)| quote_spanned!(key.span()=> (#key, #value)));
        quote_spanned! {Span::mixed_site()=>
            #root::Setup {
                #(prefix: #prefix,)*
                #(timing: #root::Timing::#timing,)*
                #(sample_rate: ::core::option::Option::Some(#sample_rate),)*
                #(in_flight: #in_flight,)*
                tags: &[#(#tags),*],
                ..#root::Setup::NONE
            }
        }
    }

    /// Where a call that runs on the spot counts: statements that find out, and the expression.
    fn place(&self) -> (TokenStream, TokenStream) {
        let site = quote_spanned!(Span::mixed_site()=> &__TASK_SITE);
        let client = quote_spanned!(Span::mixed_site()=> __task_client);
        Self::found(self.place_at(&site, &client), site)
    }

    /// Where a future counts.
    fn future_place(&self) -> (TokenStream, TokenStream) {
        let root = self.root();
        let site = quote_spanned!(Span::mixed_site()=> #root::At(|| &__TASK_SITE));
        let client = quote_spanned!(Span::mixed_site()=> #root::Client::clone(__task_client));
        Self::found(self.place_at(&site, &client), site)
    }

    fn found(statements: Option<TokenStream>, site: TokenStream) -> (TokenStream, TokenStream) {
        match statements {
            None => (TokenStream::new(), site),
            Some(statements) => (statements, quote_spanned!(Span::mixed_site()=> __task_place)),
        }
    }

    /// Statements that find out where a call with tags or a client of its own counts; `None` for others.
    fn place_at(&self, site: &TokenStream, client: &TokenStream) -> Option<TokenStream> {
        let root = self.root();
        let (keys, values): (Vec<_>, Vec<_>) = self.args.call_tags().unzip();
        let tagged = (!keys.is_empty()).then(|| {
            let values = values
                .iter()
                .map(|value| quote_spanned!(value.span()=> &(#value)));
            quote_spanned! {Span::mixed_site()=>
                let __task_place = #root::tagged(#site, &[#(#keys),*], &[#(#values),*]);
            }
        });
        let inner = if tagged.is_some() {
            quote_spanned!(Span::mixed_site()=> __task_place)
        } else {
            site.clone()
        };
        let within = self.args.client.as_ref().map(|expr| {
            let expr = quote_spanned!(expr.span()=> &(#expr));
            quote_spanned! {Span::mixed_site()=>
                let __task_client: &#root::Client = #expr;
                let __task_place = #root::within(#inner, #client);
            }
        });
        (tagged.is_some() || within.is_some()).then(|| quote_spanned!(Span::mixed_site()=> #tagged #within))
    }

    fn ident(&self) -> String {
        self.task.sig.ident.unraw().to_string()
    }

    /// A closure that says how the returned value counts: by its type, unless the user has a say. What `is_plain`
    /// can be no error.
    fn judge(&self, is_plain: bool) -> TokenStream {
        let root = self.root();
        let probe = quote_spanned! {Span::mixed_site()=>
            use #root::{ByTrait as _, Otherwise as _};
        };
        let end = match &self.args.predicate {
            Some(Predicate::Ok(ok)) => self.asked("ok_if", ok),
            Some(Predicate::Error(error)) => self.asked("error_if", error),
            None if is_plain => return quote_spanned!(Span::mixed_site()=> |_| #root::End::Success),
            None => quote_spanned! {Span::mixed_site()=>
                { #probe (&#root::Probe(__task_value)).instrument_task_end() }
            },
        };
        let kind = match &self.args.error_kind {
            Some(kind) if self.args.error_kind_key().is_some() => self.asked("error_kind", kind),
            // What a whole block asks for is asked of those of its methods that can tell.
            Some(kind) if !is_plain => quote_spanned! {Span::mixed_site().located_at(kind.span())=>
                { #probe (&#root::Probe(__task_value)).instrument_task_kind(#kind) }
            },
            _ => return quote_spanned!(Span::mixed_site()=> |__task_value| #end),
        };
        quote_spanned! {Span::mixed_site()=>
            |__task_value| #root::Kinded { end: #end, kind: #kind }
        }
    }

    /// What `asks` says of the returned value, by a function of the user's. What is wrong with that is reported there.
    fn asked(&self, asks: &str, function: &Expr) -> TokenStream {
        let span = Span::mixed_site().located_at(function.span());
        let (root, asks) = (self.args.root(span), Ident::new(asks, span));
        quote_spanned!(span=> #root::#asks(__task_value, #function))
    }

    /// Whether a macro attribute will be given what this one makes.
    fn has_macros(&self) -> bool {
        let around = match self.place {
            Place::Unknown => false,
            Place::Method(block) => block.has_macros,
        };
        around || self.task.attrs.iter().any(attrs::is_macro)
    }
}

/// The user's block as an expression among tokens of ours. One expression alone in braces would look as if it
/// needed none, so it gets company.
fn in_own_scope(block: &Group) -> Group {
    if tokens::has_statement(block.stream()) {
        return block.clone();
    }
    let mut stream = quote_spanned!(Span::mixed_site()=> const _: () = (););
    stream.extend(block.stream());
    with_span_of(block, stream)
}

/// Braces around `stream` that the compiler takes for `group`'s own.
fn with_span_of(group: &Group, stream: TokenStream) -> Group {
    let mut braces = Group::new(Delimiter::Brace, stream);
    braces.set_span(group.span());
    braces
}
