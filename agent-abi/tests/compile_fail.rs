//! What the compiler reports to an author who makes a common mistake: the place, and the cure.
//!
//! The expected words lie beside the cases. After a change on purpose:
//! `TRYBUILD=overwrite cargo test -p agent-abi --test compile_fail`.

#[test]
fn common_mistakes_are_answered_at_their_place_with_a_cure() {
    trybuild::TestCases::new().compile_fail("tests/fail/*.rs");
}
