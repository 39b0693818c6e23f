//! Names, tags and values of any bytes, through the encoder, to a strict reader: each has to come out as one well-formed metric
//! of its own, under the name that the documented rule gives it, in a datagram that keeps to its limit.
//!
//! ```text
//! cargo +nightly fuzz run wire target/fuzz/corpus fuzz/seeds/wire -- -dict=fuzz/wire.dict -max_len=2048 -max_total_time=60
//! ```

#![no_main]

mod input;
mod model;
mod rule;
mod strict;

use instrument_task::fuzzing;
use libfuzzer_sys::fuzz_target;

use input::Input;
use model::Books;

fuzz_target!(|bytes: &[u8]| {
    let input = Input::read(bytes);
    let Ok(sent) = fuzzing::flush(input.client(), &input.series) else {
        // Refused, and the caller knows.
        return;
    };
    let mut arrived = Books::default();
    for datagram in &sent.datagrams {
        assert!(datagram.len() <= sent.packet_size, "{} bytes", datagram.len());
        for line in datagram.split(|byte| *byte == b'\n') {
            let metric = strict::read(line).unwrap_or_else(|why| panic!("{why}: {}", line.escape_ascii()));
            arrived.take(metric);
        }
    }
    assert!(sent.ledger.is_balanced(), "{:?}", sent.ledger);
    assert_eq!(
        (sent.ledger.counters.pending, sent.ledger.timers.pending),
        (0, 0),
        "{:?}",
        sent.ledger
    );
    assert_eq!(arrived, Books::expected(&input, sent.room));
});
