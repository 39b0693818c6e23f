//! Clients that send to a receiver of the test's own.

use std::time::Duration;

use instrument_task::{Client, ClientBuilder, Guard, testing::Receiver};

use crate::wait::BOUND;

/// A client that sends to `receiver` ten times a second, whatever the environment says.
pub fn builder(receiver: &Receiver) -> ClientBuilder {
    Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .flush_interval(Duration::from_millis(100))
}

/// Sends what is left, and waits until all has arrived.
///
/// # Panics
/// If anything was lost, or did not arrive as it should.
#[track_caller]
pub fn finish(client: Guard, receiver: &Receiver) {
    let handle = client.client();
    let report = client.shutdown(BOUND);
    assert_eq!((report.pending, report.dropped), (0, 0));
    let ledger = handle.ledger();
    assert!(ledger.is_balanced(), "{ledger:?}");
    assert!(receiver.wait_until(BOUND, |receiver| receiver.packets_seen() >= ledger.packets));
    assert_eq!(receiver.bad_lines(), Vec::<String>::new());
}
