//! A body that stays in place although its value is looked at and it may be left early.
//!
//! A closure would see every exit, but does not know the function's caller. So for a `#[track_caller]` function the exits are
//! written anew instead: the body becomes a labelled block, `return` a `break` out of it, and a `?` that leaves makes
//! the value to be returned and breaks with that.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{
    Block, Expr, ExprReturn, ExprTry, Lifetime, Macro, Stmt, Token, Type,
    parse::Parser,
    punctuated::Punctuated,
    spanned::Spanned,
    visit_mut::{self, VisitMut},
};

use super::{Context, in_own_scope, with_span_of};
use crate::{tokens, types};

/// The body as an expression of type `output` that is left at its end only. None where an exit might stay unseen: in a macro
/// that is not the standard library's, unless it would be counted right, or in a body that does not parse.
pub(super) fn labelled(context: &Context<'_>, output: &Type) -> Option<TokenStream> {
    let user = &context.task.body;
    let mut exits = Exits {
        root: context.root(),
        label: Lifetime::new(LABEL, Span::mixed_site()),
        output,
        are_seen: !types::is_infer(output),
    };
    let mut statements = Block::parse_within.parse2(user.stream()).ok()?;
    for statement in &mut statements {
        exits.visit_stmt_mut(statement);
    }
    let stream = statements.iter().map(Stmt::to_token_stream).collect();
    let block = in_own_scope(&with_span_of(&user.block, stream));
    let label = exits.label;
    // An exit that a macro hides is counted as a success, which is what a method that returns its own type has.
    let may_hide = types::is_self(output);
    // The label would give its span to the user's own braces, and lints go by those.
    (exits.are_seen || may_hide).then(|| quote_spanned!(Span::mixed_site()=> #label: { #block }))
}

/// The block that the body is.
const LABEL: &str = "'__task_body";

/// Writes the exits of a body anew.
struct Exits<'a> {
    root: TokenStream,
    label: Lifetime,
    output: &'a Type,
    /// Whether there is none that it could not see.
    are_seen: bool,
}

impl Exits<'_> {
    fn of_return(exit: &ExprReturn) -> TokenStream {
        let span = Span::mixed_site().located_at(exit.return_token.span);
        let label = Lifetime::new(LABEL, span);
        let value = exit.expr.as_deref().map(|value| match value {
            Expr::Paren(_) => value.to_token_stream(),
            value => quote_spanned!(Span::mixed_site()=> (#value)),
        });
        quote_spanned!(span=> break #label #value)
    }

    /// The operand is looked at. One that leaves is turned into the value that is returned, by a function that passes the caller
    /// on to `From`, as `?` does; any other meets the `?` where it stood.
    fn of_question_mark(&self, exit: &ExprTry) -> TokenStream {
        let Self {
            root, label, output, ..
        } = self;
        let (operand, sign) = (&exit.expr, &exit.question_token);
        // Nothing of the user's is in sight of the variable, so it may have his span: then what is wrong with the `?` is
        // reported there.
        let value = Ident::new("__task_operand", exit.expr.span());
        let looked_at = quote_spanned! {Span::mixed_site()=>
            match (#operand) {
                #value => {
                    use #root::NeverLeaves as _;
                    if (&#root::Probe(&#value)).instrument_task_leaves() {
                        break #label (#root::Leaving::<_, #output>::new(#value)).instrument_task_leave()
                    }
                    #value
                }
            }
        };
        let mut operand = Group::new(Delimiter::Parenthesis, looked_at);
        operand.set_span(exit.expr.span());
        quote_spanned!(Span::mixed_site()=> #operand #sign)
    }
}

impl VisitMut for Exits<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        let rewritten = match expr {
            Expr::Return(exit) => Self::of_return(exit),
            Expr::Try(exit) => self.of_question_mark(exit),
            // What syn does not understand may hold anything.
            Expr::Verbatim(_) | Expr::TryBlock(_) => {
                self.are_seen = false;
                return;
            }
            _ => return,
        };
        *expr = Expr::Verbatim(rewritten);
    }

    fn visit_macro_mut(&mut self, call: &mut Macro) {
        let name = call.path.segments.last().map(|last| &last.ident);
        if !name.is_some_and(tokens::is_std_macro) {
            self.are_seen = false;
        } else if tokens::may_leave_early(call.tokens.clone()) {
            let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
            match arguments.parse2(call.tokens.clone()) {
                Ok(mut arguments) => {
                    for argument in &mut arguments {
                        self.visit_expr_mut(argument);
                    }
                    call.tokens = arguments.into_token_stream();
                }
                Err(_) => self.are_seen = false,
            }
        }
    }

    // These are left by exits of their own.
    fn visit_expr_closure_mut(&mut self, _: &mut syn::ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut syn::ExprAsync) {}
    fn visit_expr_const_mut(&mut self, _: &mut syn::ExprConst) {}
    fn visit_item_mut(&mut self, _: &mut syn::Item) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_pat_mut(&mut self, _: &mut syn::Pat) {}
}
