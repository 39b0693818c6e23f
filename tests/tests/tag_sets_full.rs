//! Tag sets that were looked up and never counted take up the room that there is only for as long as somebody holds them.

use std::{future::Future, net::UdpSocket, time::Duration};

use instrument_task::{Client, instrument_task};
use instrument_task_tests::wait::until;

#[instrument_task(tags(id = id), time = never)]
fn offer(id: u32) -> impl Future<Output = u32> {
    async move { id }
}

#[instrument_task(tags(id = id), time = never)]
fn handle(id: u32) {
    let _ = id;
}

#[test]
fn futures_that_nobody_polls_do_not_take_the_room_of_others_for_ever() {
    let deaf = UdpSocket::bind("127.0.0.1:0").unwrap();
    let client = Client::builder()
        .ignore_environment()
        .address(deaf.local_addr().unwrap().to_string())
        .drain_interval(Duration::from_millis(5))
        .flush_interval(Duration::from_millis(20))
        .idle_expiry(Duration::from_millis(40))
        .install()
        .unwrap();
    // More than the process has room for.
    for id in 0..100_100 {
        drop(offer(id));
    }
    let mut id = 0;
    until("there is room again", || {
        id += 1;
        handle(id);
        let folded = client.ledger().folded_calls;
        // Looking up goes on, since it is what lets go of the old ones.
        for _ in 0..1_000 {
            drop(offer(7));
        }
        id += 1;
        handle(id);
        (client.flush(Duration::from_secs(10)).pending == 0 && client.ledger().folded_calls == folded)
            .then_some(())
    });
}
