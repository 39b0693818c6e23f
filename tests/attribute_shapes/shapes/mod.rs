//! The shapes, by what is special about them.

macro_rules! shapes {
    ($($file:ident: $($shape:ident)*;)*) => {
        $(pub mod $file;)*

        /// Every shape: its name, and what checks it.
        pub fn all() -> Vec<(&'static str, fn())> {
            vec![$($((concat!(stringify!($file), "::", stringify!($shape)), $file::$shape::check as fn()),)*)*]
        }
    };
}

shapes! {
    free: unit arguments generics lifetimes impl_arguments patterns shadowed_arguments underscored_arguments
        raw_identifiers early_returns recursion never foreign_calls nested from_a_macro bodies one_line;
    receivers: references owned generic_types traits operators;
    impls: inherent of_traits of_odd_types under_async_trait under_conditions kinds_of_a_block;
    returns: results plain_values coercions inference temporaries closures iterators own_types panics
        while_unwinding;
    futures: lifecycle opaque_futures boxed_futures aliases deep_nesting recursion local borrows never as_values
        cancelled_by_a_timeout streams;
    attributes: of_the_language async_traits traced of_tokio;
    tracked: caller_location noted_location exits;
    arguments: names predicates elsewhere;
    combined: arguments_of_a_trait predicates_on_borrows in_macros names_of_any_kind lifetimes_of_futures signatures_of_all_parts;
    rare: lending asynchronous_closures futures_by_hand fragments abis_and_features items_within captures blanket_impls
        parameters_with_attributes;
    hostile: shadowed_prelude no_prelude same_names macros_that_return forbidden_unsafe;
}
