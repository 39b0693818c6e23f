//! The attribute of `instrument-task`. Use that crate, which re-exports it and documents it.
//!
//! The path of an expansion is the order of the files: [`args`] reads what stands in the attribute, [`task`]
//! reads the function (its body stays a stream of tokens, so that a half-typed one survives), [`validate`] says
//! what cannot be instrumented, [`expand`] writes the result, and [`fallback`] writes the item as it was when
//! one of them failed.

mod args;
mod expand;
mod fallback;
mod params;
mod returns;
mod task;
mod tokens;
mod validate;

use proc_macro::TokenStream;

/// Counts every call of a function as started and as one of success, exception or cancelled, and times it.
///
/// See the documentation of the `instrument-task` crate.
#[proc_macro_attribute]
pub fn instrument_task(args: TokenStream, item: TokenStream) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    expand(args.into(), item.clone())
        .unwrap_or_else(|error| fallback::item_and_error(&item, &error))
        .into()
}

fn expand(
    args: proc_macro2::TokenStream,
    item: proc_macro2::TokenStream,
) -> syn::Result<proc_macro2::TokenStream> {
    let args = args::parse(args)?;
    let task = task::parse(item)?;
    validate::task(&task)?;
    Ok(expand::task(&task, &args))
}
