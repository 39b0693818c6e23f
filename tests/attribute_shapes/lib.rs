//! One corpus of function shapes, compiled as two crates: in edition 2021 and in edition 2024.
//!
//! A shape is a module with a `check` that calls its functions, looks at their values and at what was counted. The
//! crate is compiled with every warning denied.

#![deny(
    warnings,
    clippy::pedantic,
    unsafe_code,
    missing_debug_implementations,
    trivial_numeric_casts,
    unused_import_braces,
    unused_lifetimes,
    unused_qualifications,
    let_underscore_drop,
    keyword_idents,
    rust_2018_idioms
)]
#![allow(missing_docs, reason = "a shape is documented by its name")]
#![allow(
    clippy::default_trait_access,
    clippy::elidable_lifetime_names,
    clippy::let_and_return,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::needless_pass_by_value,
    clippy::needless_question_mark,
    clippy::unnecessary_wraps,
    clippy::unused_async,
    clippy::unused_unit,
    reason = "the shapes of functions are the point, not what they do"
)]

mod shapes;
pub mod support;

pub use shapes::all;
