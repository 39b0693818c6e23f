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
/// panics, drop order, borrows and auto traits stay as they are. Put it **above** the macro of a job queue, such as
/// `#[celery::task]`.
///
/// # Arguments
///
/// All are optional.
///
/// | argument | default | meaning |
/// |---|---|---|
/// | `"name"`, `name = "name"`, `name = CONST` | the function's name | what the task is called; tasks of equal names share their counts, and the first one that runs decides the rest of this table |
/// | `prefix = "billing"` | none | goes before the name, with a dot between them |
/// | `tags(kind = "batch", size = n, id = self.id, "region:eu")` | none | tags of the series; a value that is no literal is formatted by `Display` once a call (for a future when it is made), and only if there is a client. A dialect without tags has them in the names |
/// | `ok_if = path or closure` | by type | gets a reference to the returned value; true is a success, false an exception |
/// | `error_if = path or closure` | by type | the other way round; exclude each other |
/// | `error_kind = path or closure` | none | gets a reference to the error, gives a `&'static str`: counts `….exceptions.<kind>` beside the total (in a dialect with tags, `….exceptions_by_kind` tagged `kind`); 64 kinds a task, the rest are `_other` |
/// | `time = success`, `always` or `never` | the client's | which outcomes are timed |
/// | `sample_rate = 0.1` | the client's | the share of calls that is timed at most; counters are never sampled |
/// | `in_flight` | off | sends the number of calls in flight as the gauge `tasks.status.<task>.in_flight` |
/// | `client = expression` | the current one | the `&Client` that the call counts in; it costs a few locks a call |
/// | `skip` | | on a method: leaves it out of its `impl` block's attribute |
/// | `crate = path` | `::instrument_task` | where the library is, if it is re-exported |
///
/// `prefix`, `error_kind`, `time`, `sample_rate`, `in_flight`, `client` and `crate` may stand on an `impl` block, for all of its
/// methods.
///
/// Without `ok_if` and `error_if`, `Err` of a `Result` under any alias is an exception, a type with `ToOutcome` says itself what it
/// is, and everything else is a success.
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
