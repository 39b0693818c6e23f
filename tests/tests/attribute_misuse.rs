//! Each misuse of the attribute is one error, on the token that is wrong.

#[test]
fn misuse_is_reported_on_the_users_token() {
    trybuild::TestCases::new().compile_fail("ui/*.rs");
}
