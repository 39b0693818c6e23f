//! The annotated item: a function, or an `impl` block full of them. Signatures are parsed, bodies stay as they
//! were typed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{
    Attribute, Error, Generics, Meta, Result, Signature, Token, Type, Visibility,
    parse::{Parse, ParseStream, Parser},
    token,
};

use crate::{args, args::Args, attrs, types};

/// What the attribute stands on.
pub enum Item {
    Fn(Box<Task>),
    Impl(ImplBlock),
}

/// An annotated function.
#[derive(Clone)]
pub struct Task {
    pub attrs: Vec<Attribute>,
    pub vis: Visibility,
    pub defaultness: Option<Token![default]>,
    pub sig: Signature,
    pub body: Body,
}

/// A function's body: the attributes at its start, and the block without them.
#[derive(Clone)]
pub struct Body {
    pub attrs: TokenStream,
    pub block: Group,
}

/// An annotated `impl` block.
pub struct ImplBlock {
    /// Everything before the braces.
    pub head: TokenStream,
    /// The name of the type, without its path and its arguments.
    pub type_name: String,
    /// Whether a macro attribute will see the block after this one.
    pub has_macros: bool,
    pub braces: Group,
    pub members: Vec<Member>,
}

/// One item of an `impl` block.
pub enum Member {
    /// To be instrumented.
    Task(Box<(Task, Args)>),
    /// To be left as it is.
    Other(TokenStream),
}

/// Reads an annotated item.
pub fn parse(item: TokenStream) -> Result<Item> {
    let is_impl = (|input: ParseStream| {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        let is_impl = starts_impl(input);
        input.parse::<TokenStream>()?;
        Ok(is_impl)
    })
    .parse2(item.clone())?;
    if is_impl {
        ImplBlock::parse(item).map(Item::Impl)
    } else {
        Task::parse.parse2(item).map(Box::new).map(Item::Fn)
    }
}

fn starts_impl(input: ParseStream) -> bool {
    input.peek(Token![impl])
        || ((input.peek(Token![unsafe]) || input.peek(Token![default])) && input.peek2(Token![impl]))
}

fn starts_fn(input: ParseStream) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || (input.peek(Token![unsafe]) && (input.peek2(Token![fn]) || input.peek2(Token![extern])))
        || (input.peek(Token![extern]) && !input.peek2(Token![crate]))
        || starts_const_fn(input)
}

/// Whether a block of foreign functions comes next.
fn starts_foreign_block(input: ParseStream) -> bool {
    let ahead = input.fork();
    let abi = ahead
        .parse::<Option<Token![unsafe]>>()
        .and_then(|_| ahead.parse::<syn::Abi>());
    abi.is_ok() && ahead.peek(token::Brace)
}

fn starts_const_fn(input: ParseStream) -> bool {
    input.peek(Token![const])
        && (input.peek2(Token![fn])
            || input.peek2(Token![async])
            || input.peek2(Token![unsafe])
            || input.peek2(Token![extern]))
}

impl Parse for Task {
    fn parse(input: ParseStream) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let defaultness = input.parse()?;
        // A function in an `extern` block may say that it is safe to call.
        input.parse::<Option<Token![safe]>>()?;
        if input.peek(Token![trait]) || input.peek2(Token![trait]) {
            return Err(
                input.error("put `#[instrument_task]` on those methods of the trait that have a body")
            );
        }
        if !starts_fn(input) || starts_foreign_block(input) {
            return Err(input.error("`#[instrument_task]` goes on a function, a method or an `impl` block"));
        }
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            input.parse::<TokenStream>()?;
            return Err(Error::new(
                sig.ident.span(),
                "there is no body to instrument here; put `#[instrument_task]` where the function is implemented",
            ));
        }
        let body = Body::new(brace_group(input.parse()?)?);
        Ok(Self {
            attrs,
            vis,
            defaultness,
            sig,
            body,
        })
    }
}

/// The block of a function, also where a `macro_rules` variable put it into an invisible group.
fn brace_group(token: TokenTree) -> Result<Group> {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Ok(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut inner = group.stream().into_iter();
            match (inner.next(), inner.next()) {
                (Some(token), None) => brace_group(token),
                _ => Err(Error::new(group.span(), "expected the function's body")),
            }
        }
        other => Err(Error::new(other.span(), "expected the function's body")),
    }
}

impl Body {
    /// Takes the attributes off the start of `group`: they belong to the function, and stay legal only as the
    /// first thing in its body.
    fn new(group: Group) -> Self {
        let (attrs, rest) = split_inner_attrs(group.stream());
        if attrs.is_empty() {
            return Self { attrs, block: group };
        }
        let mut block = Group::new(Delimiter::Brace, rest);
        block.set_span(group.span());
        Self { attrs, block }
    }

    /// What stands between the block's braces.
    pub fn stream(&self) -> TokenStream {
        self.block.stream()
    }
}

fn split_inner_attrs(stream: TokenStream) -> (TokenStream, TokenStream) {
    let mut attrs = TokenStream::new();
    let mut rest = stream.into_iter();
    loop {
        let mut ahead = rest.clone();
        match (ahead.next(), ahead.next(), ahead.next()) {
            (
                Some(TokenTree::Punct(pound)),
                Some(TokenTree::Punct(bang)),
                Some(TokenTree::Group(content)),
            ) if pound.as_char() == '#'
                && bang.as_char() == '!'
                && content.delimiter() == Delimiter::Bracket =>
            {
                attrs.extend(rest.by_ref().take(3));
            }
            _ => return (attrs, rest.collect()),
        }
    }
}

impl ImplBlock {
    /// The methods to be instrumented.
    pub fn tasks(&self) -> impl Iterator<Item = (&Task, &Args)> {
        self.members.iter().filter_map(|member| match member {
            Member::Task(task) => Some((&task.0, &task.1)),
            Member::Other(_) => None,
        })
    }

    fn parse(item: TokenStream) -> Result<Self> {
        let mut head: Vec<TokenTree> = item.into_iter().collect();
        let last = head.pop().expect("an item has tokens");
        let braces = brace_group(last)?;
        let head: TokenStream = head.into_iter().collect();
        let parsed: Head = syn::parse2(head.clone())?;
        let members = Member::parse_all.parse2(braces.stream())?;
        Ok(Self {
            head,
            type_name: types::type_name(&parsed.self_type),
            has_macros: parsed.attrs.iter().any(attrs::is_macro),
            braces,
            members,
        })
    }
}

/// What stands before the braces of an `impl` block.
struct Head {
    attrs: Vec<Attribute>,
    self_type: Type,
}

impl Parse for Head {
    fn parse(input: ParseStream) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        input.parse::<Option<Token![default]>>()?;
        input.parse::<Option<Token![unsafe]>>()?;
        input.parse::<Token![impl]>()?;
        // `impl <T as Trait>::Type` is the one case in which `<` starts no generics; nobody writes it.
        input.parse::<Generics>()?;
        let mut self_type: Type = input.parse()?;
        if input.parse::<Option<Token![for]>>()?.is_some() {
            self_type = input.parse()?;
        }
        input.parse::<Option<syn::WhereClause>>()?;
        Ok(Self { attrs, self_type })
    }
}

impl Member {
    fn parse_all(input: ParseStream) -> Result<Vec<Self>> {
        let mut members = Vec::new();
        let inner: TokenStream = input
            .call(Attribute::parse_inner)?
            .iter()
            .map(quote::ToTokens::to_token_stream)
            .collect();
        members.push(Self::Other(inner));
        while !input.is_empty() {
            Self::parse(input, &mut members)?;
        }
        Ok(members)
    }

    /// Reads one member.
    fn parse(input: ParseStream, members: &mut Vec<Self>) -> Result<()> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        ahead.parse::<Option<Token![default]>>()?;
        if !starts_fn(&ahead) {
            // Braces inside the value of a constant do not end it.
            let ends_at_braces = !ahead.peek(Token![const]) && !ahead.peek(Token![type]);
            members.push(Self::Other(other_member(input, ends_at_braces)?));
            return Ok(());
        }
        let mut task: Task = input.parse()?;
        // Whether its condition holds is not known yet, so there is a method for either case.
        let own = task
            .attrs
            .iter()
            .enumerate()
            .find_map(|(index, attr)| Some((index, attrs::conditional(attr)?)));
        if let Some((index, conditional)) = own {
            task.attrs.splice(index..=index, conditional.otherwise);
            members.push(Self::of(task.clone())?);
            task.attrs.remove(index);
            task.attrs.splice(index..index, conditional.then);
        }
        members.push(Self::of(task)?);
        Ok(())
    }

    fn of(mut task: Task) -> Result<Self> {
        if task.sig.constness.is_some() {
            return Ok(Self::Other(task.unchanged()));
        }
        let own = task.attrs.iter().position(attrs::is_ours);
        let args = match own.map(|index| task.attrs.remove(index).meta) {
            Some(Meta::List(list)) => args::parse(list.tokens)?,
            _ => Args::default(),
        };
        if args.skip.is_some() {
            return Ok(Self::Other(task.unchanged()));
        }
        Ok(Self::Task(Box::new((task, args))))
    }
}

/// One item that is no function, as it was typed.
fn other_member(input: ParseStream, ends_at_braces: bool) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && ends_at_braces,
            TokenTree::Ident(_) | TokenTree::Literal(_) => false,
        };
        tokens.extend([token]);
        if ends {
            break;
        }
    }
    Ok(tokens)
}

impl Task {
    /// The function as it stands, without the attributes that were taken off it.
    pub fn unchanged(&self) -> TokenStream {
        let Self {
            attrs,
            vis,
            defaultness,
            sig,
            body,
        } = self;
        // The user's own braces where they can be: a half-typed body is told of once then.
        let mut block = body.block.clone();
        if !body.attrs.is_empty() {
            let mut stream = body.attrs.clone();
            stream.extend(body.stream());
            block = Group::new(Delimiter::Brace, stream);
            block.set_span(body.block.span());
        }
        quote::quote!(#(#attrs)* #vis #defaultness #sig #block)
    }
}
