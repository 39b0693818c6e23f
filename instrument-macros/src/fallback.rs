//! What is left when the attribute cannot be applied: the item as it was, and the error.
//!
//! With the item still there, one mistake in the attribute is one error, and not one more at every use of the
//! function.

use proc_macro2::TokenStream;
use quote::quote;

/// The item unchanged, followed by the error.
pub fn item_and_error(item: &TokenStream, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    quote!(#item #error)
}
