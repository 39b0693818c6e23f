//! What the library may cost: every bound that a test or a report holds it to, with its reason.
//!
//! The first part does not depend on the machine, and tests fail when it is passed. The second part is timings, as ratios
//! within one run; the reports show what was seen beside it.

/// What a call may execute besides its body, by `tests/overhead_instructions.rs`.
#[derive(Clone, Copy, Debug)]
pub struct Instructions {
    /// How calls are measured.
    pub mode: &'static str,
    /// Of a function.
    pub plain: u64,
    /// Of a function without a value that may be left early: its end is a drop, which may be a panic's, so it is asked for.
    pub guarded: u64,
    /// Of a future: it is looked at once more when it is polled and when it is dropped, because it keeps in memory what a
    /// function has in its frame.
    pub future: u64,
    /// Of a future in the future of an `async fn`.
    pub kept: u64,
    /// Of an attempt at a job, which keeps its worker and counts what is in flight besides, with four atomic read-modify-writes. A queue
    /// spends tens of thousands on a job.
    pub attempt: u64,
    /// Increments that it counts, per thousand calls.
    pub recorded: u64,
    /// Durations that it takes, per thousand calls.
    pub timed: u64,
}

/// Instructions of a call. Without a client they are exact, and no more than those of a disabled `tracing::instrument`, which is counted
/// beside them (but for `guarded` and `attempt`); the others leave room for one.
pub const INSTRUCTIONS: [Instructions; 3] = [
    // Three to look whether there is a client and three whether the call was counted, and three for the frame that its token stands in. One
    // that calls nothing saves a register besides.
    // A function that ends in a call of another one loses the short way to do so if its end is a guard's.
    Instructions {
        mode: "off",
        plain: 11,
        guarded: 15,
        future: 16,
        kept: 26,
        attempt: 140,
        recorded: 0,
        timed: 0,
    },
    // Two looks for the thread's cells, and an increment of each half.
    Instructions {
        mode: "untimed",
        plain: 48,
        guarded: 54,
        future: 53,
        kept: 63,
        attempt: 190,
        recorded: 2_000,
        timed: 0,
    },
    // Two readings of the counter, and a value on the ring.
    Instructions {
        mode: "timed",
        plain: 71,
        guarded: 77,
        future: 76,
        kept: 86,
        attempt: 210,
        recorded: 2_000,
        timed: 1_000,
    },
];

/// Instructions of a call without a client that the report promises: what the looks take, and little besides.
pub const OFF_INSTRUCTIONS: f64 = 8.0;

/// The same in those of a disabled `tracing::instrument`, which most programs have on more functions than this.
pub const OFF_BY_TRACING: f64 = 1.0;

/// Allocations of any number of calls, once their thread has called that task: whoever allocates may wait for a lock.
pub const ALLOCATIONS: u64 = 0;

/// System calls of any number of calls, once their thread has called that task: the network is the flusher's.
pub const SYSTEM_CALLS: usize = 0;

/// How often the flusher yields its processor to look whether there is something to do: it sleeps until there is.
pub const FLUSHER_YIELDS: usize = 0;

/// Cache lines by which a call grows, in hundredths, from one task to ten thousand called in turn: the call site's, and the one with
/// the series' cells. What is over is the table's next page and the like.
pub const LINES_OF_A_SERIES: u64 = 202;

/// Cache lines of a call of the only task, in hundredths: a value on the ring is a fourth of a line.
pub const LINES_OF_A_CALL: u64 = 30;

/// Crates of the default build, this one among them: much less than an exporter of the `metrics` family takes.
pub const CRATES: usize = 20;

/// Bytes by which a future may be larger than without the attribute: the token of its call, where it stands, and its state.
pub const FUTURE: usize = 32;

/// Bytes that a future may have besides an argument of it: that is stored once, and the bare one stores it twice.
pub const FUTURE_BESIDES_ARGUMENT: usize = 64;

/// How many times the bare future one may be that stays an `async fn`, and passes an argument on: it stores it once more.
pub const FUTURE_KEPT: usize = 2;

/// Bytes of optimised code and data of an annotated function over the bare one: less than what tracing's attribute takes, which the report
/// shows beside it.
pub const OBJECT_SYNC: u64 = 500;

/// The same for an asynchronous function.
pub const OBJECT_ASYNC: u64 = 1_300;

/// Time to check an annotated function, in that of tracing's attribute: it is the one that most programs have.
pub const CHECK_BY_TRACING: f64 = 0.6;

/// A timed call over the bare one, in two raw clock readings, which a timed call cannot do without.
pub const TIMED: f64 = 1.10;

/// An untimed call over the bare one, in two raw clock readings: so little that timing is the price, and not counting.
pub const UNTIMED: f64 = 0.35;

/// What a call without a client may cost more than one with a disabled `tracing::instrument`, in nanoseconds: the attribute
/// stays on functions of programs that never start a client.
pub const OFF_OVER_TRACING: f64 = 0.0;

/// How many timed calls one is worth with `metrics` and its exporter for dogstatsd, handles cached.
pub const TIMED_BY_METRICS: f64 = 4.0;

/// The same in untimed calls, which is what a busy task's are.
pub const UNTIMED_BY_METRICS: f64 = 10.0;

/// How many timed calls one is worth with cadence, queuing and buffered.
pub const TIMED_BY_CADENCE: f64 = 30.0;

/// How many timed calls one is worth that opens a socket.
pub const TIMED_BY_SOCKET: f64 = 800.0;

/// A timed future that is ready at once over its bare one, in timed calls over theirs: it is polled and dropped besides.
pub const FUTURE_BY_CALL: f64 = 1.3;

/// A timed call on two threads at once, in calls on one: threads share nothing that is written.
pub const TWO_THREADS: f64 = 1.05;

/// A timed call under 10 000 names in turn, in calls under one: two cache lines are missed (see [`LINES_OF_A_SERIES`]).
pub const MANY_SERIES: f64 = 3.0;

/// Processor time of the flusher at a million tasks a second, by the callers' over the bare task.
pub const BACKGROUND: f64 = 0.2;

/// Packets at a million tasks a second, by those of cadence, buffered: counters are sums, and durations have a budget.
pub const PACKETS_BY_CADENCE: f64 = 0.01;

/// The share of the starts that arrives in a server on the same host with the default receive buffer.
pub const DELIVERED: f64 = 1.0;

/// The throughput of a job queue's worker with metrics, over that without: what a job costs the queue itself, its store and the network is
/// a hundred times what the metrics take. The examples with a queue hold themselves to it (`--throughput`).
pub const WORKER_THROUGHPUT: f64 = 0.99;
