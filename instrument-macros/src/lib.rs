//! The attribute of `instrument-task`. Use that crate, which re-exports it and documents it.
//!
//! The path of an expansion is the order of the files: [`args`] reads what stands in the attribute, [`task`]
//! reads the function (its body stays a stream of tokens, so that a half-typed one survives), [`validate`] says
//! what cannot be instrumented, [`expand`] writes the result, and [`fallback`] writes the item as it was when
//! one of them failed. [`params`], [`types`], [`attrs`] and [`tokens`] know the parts of a function.

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
/// See the documentation of the `instrument-task` crate.
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
