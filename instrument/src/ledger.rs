//! Where everything that was ever recorded is now.

/// The books of a client: everything it recorded was handed to the kernel, is pending, or was dropped for a named cause.
///
/// There are two accounts, because they count different things: [`counters`](Self::counters) in increments, and
/// [`timers`](Self::timers) in durations. Each balances at the instant it is read
/// ([`is_balanced`](Self::is_balanced)); pending is summed from what has not been sent, not got by subtraction.
///
/// ```
/// use instrument_task::{Client, instrument_task, with_client};
///
/// #[instrument_task]
/// fn answer() -> u32 {
///     42
/// }
///
/// # fn main() -> Result<(), instrument_task::Error> {
/// let client = Client::builder().ignore_environment().build()?;
/// with_client(&client, || answer());
/// let ledger = client.ledger();
/// assert_eq!(ledger.counters.recorded, 2); // one start, one success
/// assert!(ledger.is_balanced());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ledger {
    /// Counter increments: a call makes one when it starts and one when it ends; a panic one more.
    pub counters: CounterAccount,
    /// Measured durations. A call that was not picked for timing is no entry here.
    pub timers: TimerAccount,
    /// Datagrams that the kernel took.
    pub packets: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// Datagrams that the kernel took and whose refusal came too late to be matched. They are counted as sent and are never
    /// sent again: when unsure, never double.
    pub refused_late: u64,
    /// Panics on the flusher's thread, of a `tracing` subscriber for instance. It goes on after each.
    pub flusher_panics: u64,
    /// Series past the cardinality cap, counted under `overflow`.
    pub folded: u64,
    /// Calls that found no room in the process, whatever the cap: those with tags beyond the 100 000 sets that it knows at a
    /// time, counted under the tag `overflow`, and exceptions beyond 64 kinds of a task, counted as the kind `_other`.
    pub folded_calls: u64,
}

/// What became of counter increments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CounterAccount {
    /// All increments so far.
    pub recorded: u64,
    /// Increments in datagrams that the kernel took.
    pub sent: u64,
    /// Increments that wait for the next flush.
    pub pending: u64,
    /// Increments given up when a shutdown ran into its deadline. Nothing else drops a counter.
    pub dropped: u64,
}

/// What became of measured durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TimerAccount {
    /// All measured durations so far.
    pub recorded: u64,
    /// Durations in datagrams that the kernel took.
    pub sent: u64,
    /// Durations that wait for the next flush.
    pub pending: u64,
    /// Durations that found their thread's ring full.
    pub dropped_ring_full: u64,
    /// Durations thinned out to keep to the timer budget; the sample rate on the wire accounts for them.
    pub dropped_over_budget: u64,
    /// Durations given up when a shutdown ran into its deadline.
    pub dropped_at_shutdown: u64,
}

impl TimerAccount {
    /// All durations that were dropped, for whatever cause.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped_ring_full + self.dropped_over_budget + self.dropped_at_shutdown
    }
}

impl Ledger {
    /// Whether both accounts add up: recorded = sent + pending + dropped. Anything else is a bug of this library.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let Self { counters, timers, .. } = self;
        counters.recorded == counters.sent + counters.pending + counters.dropped
            && timers.recorded == timers.sent + timers.pending + timers.dropped()
    }

    /// The report of a flush that began when the books stood at `before`.
    pub(crate) fn since(self, before: &Self) -> FlushReport {
        let dropped = |ledger: &Self| ledger.counters.dropped + ledger.timers.dropped_at_shutdown;
        FlushReport {
            sent: (self.counters.sent + self.timers.sent) - (before.counters.sent + before.timers.sent),
            pending: self.counters.pending + self.timers.pending,
            dropped: dropped(&self) - dropped(before),
            ledger: self,
        }
    }
}

/// What a flush did.
///
/// Everything arrived at the kernel if [`pending`](Self::pending) is 0. What the network or the server did with it
/// afterwards no sender of datagrams can know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlushReport {
    /// Counter increments and durations handed to the kernel by this flush.
    pub sent: u64,
    /// Counter increments and durations that still wait, because the deadline came or the server refused them. They go out
    /// with a later flush.
    pub pending: u64,
    /// Counter increments and durations lost: what a shutdown could not send by its deadline. Durations that were thinned to keep
    /// to the budget are no loss, since the rate accounts for them; the [`ledger`](Self::ledger) has them.
    pub dropped: u64,
    /// The books after it.
    pub ledger: Ledger,
}
