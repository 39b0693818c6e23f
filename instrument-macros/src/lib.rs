//! (skeleton)
use proc_macro::TokenStream;
/// (skeleton)
#[proc_macro_attribute]
pub fn instrument_task(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
