//! The attribute of `instrument-task`. Use that crate, which re-exports it and documents it.
//!
//! The path of an expansion is the order of the files: `args` reads what stands in the attribute, `task`
//! reads the function (its body stays a stream of tokens, so that a half-typed one survives), `validate` says
//! what cannot be instrumented, `expand` writes the result, and `fallback` writes the item as it was when
//! one of them failed. `params`, `types`, `attrs` and `tokens` know the parts of a function.

mod args;
mod attrs;
mod expand;
mod fallback;
mod params;
#[cfg(test)]
mod snapshots;
mod task;
mod tokens;
mod types;
mod validate;

use proc_macro::TokenStream;
use syn::Result;

/// Counts every call of a function as started and as one of success, exception or cancelled, and times it.
///
/// It goes on any function with a body but a `const fn`: free functions, methods with any receiver, async functions, functions that
/// return a future, trait items. On an `impl` block it goes for all methods, each called `Type.method`. The function's value,
/// panics, drop order, borrows and auto traits stay as they are.
///
/// # Beside other macros
///
/// | macro | where `#[instrument_task]` goes |
/// |---|---|
/// | `#[celery::task]` | **above** it. That one drops every attribute below it: nothing is counted, and the only sign of it is rustc's warning that the import of `instrument_task` is unused, which stays away if another function has the attribute |
/// | `#[async_trait]` | on either side of it on a whole `impl` block, or on the methods in it |
/// | `#[tokio::main]`, `#[tokio::test]`, `#[test]`, `#[tracing::instrument]` | on either side of it |
/// | none: handlers of apalis and `graphile_worker`, workers of sidekiq | on the handler, or on the method that the queue calls |
///
/// A task of `#[celery::task]` that can fail has to say so (`-> TaskResult<()>`), because what its macro adds to a body without a
/// return type comes too late to be counted: `?` and `return Err(…)` are refused there, but what another macro hides (`bail!`) is
/// not seen.
///
/// # Arguments
///
/// All are optional.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | `"name"`, `name = "name"`, `name = CONST`, `name = <T as Trait>::CONST` | the function's name | what the task is called; tasks of equal names share their counts, and the first one that runs decides the rest of this table |
/// | `prefix = "billing"` | none | goes before the name, with a dot between them |
/// | `tags(kind = "batch", size = n, id = self.id, "region:eu")` | none | tags of the series; a value that is no literal is formatted by `Display` once a call (for a future when it is made), and only if there is a client. A dialect without tags has them in the names |
/// | `ok_if = path or closure` | by type | gets a reference to the returned value; true is a success, false an exception |
/// | `error_if = path or closure` | by type | the other way round; exclude each other |
/// | `error_kind = path or closure` | none | gets a reference to the error, gives a `&'static str`: counts `….exceptions.<kind>` beside the total (in a dialect with tags, `….exceptions_by_kind` tagged `kind`); 64 kinds a task, the rest are `_other` |
/// | `time = success`, `always` or `never` | the client's | which outcomes are timed |
/// | `sample_rate = 0.1` | the client's | the share of calls that is timed at most; counters are never sampled |
/// | `in_flight` | off | sends the number of calls in flight as the gauge `tasks.status.<task>.in_flight`, with the client's instance behind it (in a dialect with tags, as the tag `instance`), since gauges of several processes would overwrite each other |
/// | `client = expression` | the current one | the `&Client` that the call counts in; it costs a few locks a call |
/// | `skip` | | on a method: leaves it out of its `impl` block's attribute |
/// | `crate = path` | `::instrument_task` | where the library is, if it is re-exported |
///
/// `prefix`, `error_kind`, `time`, `sample_rate`, `in_flight`, `client` and `crate` may stand on an `impl` block, for all of its
/// methods.
///
/// # What is an exception
///
/// A panic, and what `ok_if` or `error_if` says. Without them, the returned value is judged by its type, under any alias:
///
/// | returned | |
/// |---|---|
/// | `Err(_)` | exception |
/// | `Poll::Ready(Err(_))`, `Poll::Ready(Some(Err(_)))` | exception; every call of a hand-written `poll` counts, also one that is pending |
/// | a type with `ToOutcome` | what it says |
/// | anything else: `None`, `ControlFlow::Break(_)`, an `ExitCode` (they cannot be compared), a bare type parameter | success |
///
/// # What counts as a future
///
/// An `async fn`, and a function that returns `impl Future`, `Pin<Box<dyn Future>>` or `Pin<Box<impl Future>>`, or a `BoxFuture` or
/// `LocalBoxFuture` of whatever arguments: the future is counted, from its first poll. Under any other name (an alias of your own,
/// `Self::Future`, a macro in place of the type) a future is a value like any other, and what is counted is that it was made. Put the
/// attribute on the `async fn` that it runs, or write the type out.
///
/// # `#[track_caller]`
///
/// `Location::caller()` is what it is without the attribute, in free functions, methods and trait implementations alike. The one
/// exception: a function that is judged by its value, does not return `Self`, and calls a macro that is not the standard library's,
/// which may hide a `return`, or that may be left early and returns an `impl Trait`. To see how those are left, the body becomes a closure, and in
/// a closure the location is the attribute's own line. If it matters, move the body into a `#[track_caller]` function of its own.
///
/// # Errors in the body
///
/// The compiler reports them as it does without the attribute, at the same place. It points to the end of the body instead if a
/// value of the wrong lifetime leaves early (`return`, `?`), and
///
/// - the signature leaves that lifetime out (`&self … -> Result<&str, E>`), or has none but `'static` and is of an `async fn`;
/// - the function has `#[track_caller]` and is judged by its value.
///
/// # Limits
///
/// - A macro in place of the returned type may not come to an `impl Trait`, because the type is written inside the body too.
/// - A chain of about 30 nested async functions needs `#![recursion_limit = "256"]`; without the attribute it is 40.
/// - `unreachable_code` cannot be forbidden (`#![forbid(…)]`, also by the groups `unused` and `warnings`), only denied: what comes
///   after a body that never ends is allowed to be unreachable.
/// - In edition 2024 a temporary at the end of a body is dropped after its locals if only a raw pointer to it is returned.
///
/// # Lints that go quiet
///
/// Every lint but these says of an annotated function what it says without the attribute, at the same place. They look at how a
/// body is made, and the attribute makes some of it anew:
///
/// - of an `async fn`: `async_fn_in_trait`, `clippy::unused_async`, `clippy::missing_errors_doc` (it becomes a function that returns
///   `impl Future`, unless it has `#[must_use]`, never returns, or has another macro's attribute);
/// - of a function that returns a future: `clippy::manual_async_fn`;
/// - of any function: `clippy::missing_const_for_fn`, because it cannot be one;
/// - of a function that is judged by its value: `clippy::unnecessary_wraps`; and if it may be left early (`?`, `return`)
///   `unconditional_recursion`, `clippy::needless_pass_by_ref_mut`, `clippy::needless_pass_by_value`, `clippy::toplevel_ref_arg`,
///   `clippy::used_underscore_binding`; with `#[track_caller]`, instead of these, `clippy::needless_return`,
///   `clippy::question_mark`, `clippy::needless_question_mark`.
///
/// An `#[expect(…)]` of one of these is unfulfilled.
///
/// ```text
/// #[instrument_task(name = "mail.send", tags(kind = "batch"), error_kind = MailError::kind)]
/// async fn send_mail(to: &str) -> Result<(), MailError> { Ok(()) }
/// ```
#[proc_macro_attribute]
pub fn instrument_task(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    expansion(args.into(), item.clone())
        .unwrap_or_else(|error| fallback::item_and_error(item, &error))
        .into()
}

fn expansion(
    args: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> Result<proc_macro2::TokenStream> {
    let args = args::parse(args)?;
    match task::parse(item)? {
        task::Item::Fn(task) => {
            args.on_fn()?;
            validate::task(&task, &args)?;
            Ok(expand::function(&task, &args))
        }
        task::Item::Impl(block) => {
            args.on_impl()?;
            block
                .tasks()
                .try_for_each(|(task, args)| validate::task(task, args))?;
            Ok(expand::block(&block, &args))
        }
    }
}
