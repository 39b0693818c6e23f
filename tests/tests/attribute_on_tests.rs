//! The attribute on tests: the harness finds them as before, and they count when they are called.

use std::{future::pending, time::Duration};

use instrument_task::{instrument_task, testing::capture};

#[instrument_task]
#[test]
fn above_test() {
    assert_eq!(1 + 1, 2);
}

#[test]
#[instrument_task]
fn below_test() -> Result<(), std::num::ParseIntError> {
    let n: u8 = "1".parse()?;
    assert_eq!(n, 1);
    Ok(())
}

#[instrument_task]
#[test]
#[should_panic = "on purpose"]
fn panics() {
    panic!("on purpose");
}

#[instrument_task]
#[tokio::test]
async fn above_tokio() {
    tokio::time::sleep(Duration::ZERO).await;
}

#[tokio::test]
#[instrument_task]
async fn below_tokio() -> Result<(), tokio::time::error::Elapsed> {
    let elapsed = tokio::time::timeout(Duration::ZERO, pending::<()>()).await;
    assert!(elapsed.is_err());
    Ok(())
}

#[test]
fn tests_are_counted() {
    let seen = capture(|| {
        above_test();
        below_test().unwrap();
        above_tokio();
        below_tokio().unwrap();
        assert!(std::panic::catch_unwind(panics).is_err());
    });
    let counts: Vec<_> = seen
        .tasks()
        .map(|(name, counts)| (name, counts.started, counts.success, counts.panics))
        .collect();
    let expected = [
        ("above_test", 1, 1, 0),
        ("above_tokio", 1, 1, 0),
        ("below_test", 1, 1, 0),
        ("below_tokio", 1, 1, 0),
        ("panics", 1, 0, 1),
    ];
    assert_eq!(counts, expected);
}
