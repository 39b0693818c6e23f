//! What is claimed, and whether this run bears it out.

use instrument_task_benches::figures::Samples;
use instrument_task_peers::contenders::{cadence, limits, metrics, ours, socket, tracing};
use instrument_task_tests::bounds;

use super::{
    paced::Paced,
    rounds::{Calls, Threads},
};

/// Which side of its bound a figure is to be on.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// A claim.
#[derive(Debug)]
pub struct Claim {
    /// What is claimed.
    pub text: &'static str,
    /// What was seen.
    pub seen: f64,
    /// What is promised.
    pub bound: Bound,
    /// What it would be if a timed call cost nothing but its two clock readings, where that is a limit.
    pub at_best: Option<f64>,
    /// The reason if it does not hold.
    pub why: &'static str,
}

impl Claim {
    fn new(text: &'static str, seen: f64, bound: Bound) -> Self {
        Self {
            text,
            seen,
            bound,
            at_best: None,
            why: "",
        }
    }

    fn at_best(self, limit: f64) -> Self {
        Self {
            at_best: Some(limit),
            ..self
        }
    }

    fn because(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    /// Whether it holds.
    pub fn holds(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.seen <= most,
            Bound::AtLeast(least) => self.seen >= least,
        }
    }
}

const READINGS: &str = "A reading of the clock does not overlap with what stands around it, so what an untimed call spends on counting \
                        comes on top of the two readings; see the parts of a timed call.";
const NO_CLIENT: &str = "The call has a frame that holds its token, so that with a client no register has to be saved for it. That is a \
                         store, and some registers saved, more than a disabled attribute of tracing's has.";
const PEER: &str =
    "The peer is as dear as this machine makes it, and a timed call no cheaper than its two readings.";
const SOCKET: &str = "Opening a socket costs a few system calls. Where they are quick and the clock is slow to read, as in many virtual \
                      machines, the ratio is lower.";

const BACKGROUND: &str = "The callers' share is a few nanoseconds, so the flusher has about a millisecond a second, of which sending 40 \
                          datagrams and ten drains' wake-ups are the most: it is the system's time.";

/// Judges all of them.
pub fn judge(calls: &Calls, threads: &Threads, series: &[(usize, Samples)], paced: &[Paced]) -> Vec<Claim> {
    let mut claims = of_calls(calls);
    claims.extend(of_threads(threads));
    if let ([(_, one), .., (_, many)], true) = (series, series.len() > 1) {
        claims.push(Claim::new(
            "a timed call under 10 000 names in turn, in calls under one name",
            many.median() / one.median(),
            Bound::AtMost(bounds::MANY_SERIES),
        ));
    }
    claims.extend(of_workers(calls, paced));
    claims
}

fn of_calls(calls: &Calls) -> Vec<Claim> {
    use Bound::{AtLeast, AtMost};

    let claim = Claim::new;
    let bare = calls.of(limits::BARE);
    let over = |name: &str| calls.of(name).over(bare);
    let reads = calls.of(limits::RAW_READS);
    let (timed, untimed) = (over(ours::TIMED), over(ours::UNTIMED));
    let dearer = |peer: &str, ours: &Samples| over(peer).by(ours).median();
    let by_timed =
        |text, peer, least| claim(text, dearer(peer, &timed), AtLeast(least)).at_best(dearer(peer, reads));
    let future = calls.of(ours::FUTURE).over(calls.of(limits::FUTURE));
    vec![
        claim(
            "a timed call over the bare one, in two raw clock reads",
            timed.by(reads).median(),
            AtMost(bounds::TIMED),
        )
        .at_best(1.0)
        .because(READINGS),
        claim(
            "an untimed call over the bare one, in two raw clock reads",
            untimed.by(reads).median(),
            AtMost(bounds::UNTIMED),
        ),
        claim(
            "without a client over the bare call, in ns more than a disabled tracing::instrument",
            over(ours::OFF).median() - over(tracing::DISABLED).median(),
            AtMost(bounds::OFF_OVER_TRACING),
        )
        .because(NO_CLIENT),
        by_timed(
            "metrics + dogstatsd with cached handles, in timed calls of ours",
            metrics::HANDLES,
            bounds::TIMED_BY_METRICS,
        )
        .because(PEER),
        claim(
            "the same, in untimed calls of ours",
            dearer(metrics::HANDLES, &untimed),
            AtLeast(bounds::UNTIMED_BY_METRICS),
        ),
        by_timed(
            "cadence, queuing + buffered, in timed calls of ours",
            cadence::QUEUING,
            bounds::TIMED_BY_CADENCE,
        )
        .because(PEER),
        by_timed(
            "a socket per call, in timed calls of ours",
            socket::SOCKET,
            bounds::TIMED_BY_SOCKET,
        )
        .because(SOCKET),
        claim(
            "a timed future that is ready over its bare one, in timed calls over theirs",
            future.by(&timed).median(),
            AtMost(bounds::FUTURE_BY_CALL),
        ),
    ]
}

fn of_threads(threads: &Threads) -> Option<Claim> {
    let of = |name: &str| {
        threads
            .iter()
            .find(|(of, _)| *of == name)
            .map(|(_, samples)| samples)
    };
    let ([bare, bare_twice, ..], [timed, timed_twice, ..]) = (of(limits::BARE)?, of(ours::TIMED)?);
    let ratio = timed_twice.by(bare_twice).by(&timed.by(bare));
    Some(Claim::new(
        "a timed call on two threads at once, in calls on one (each beside the bare call)",
        ratio.median(),
        Bound::AtMost(bounds::TWO_THREADS),
    ))
}

fn of_workers(calls: &Calls, paced: &[Paced]) -> Vec<Claim> {
    let of = |name: &str| paced.iter().find(|paced| paced.name == name);
    let (Some(bare), Some(own), Some(cadence)) = (of(limits::BARE), of(ours::DEFAULT), of(cadence::BUFFERED))
    else {
        return Vec::new();
    };
    let callers = calls.of(ours::DEFAULT).over(calls.of(limits::BARE)).median();
    vec![
        Claim::new(
            "processor time of the background at a million tasks a second, by the callers' over the bare task",
            // A nanosecond a call is a millisecond a million calls. At its pace the caller mostly sleeps and wakes, which hides it.
            (own.others - bare.others) / callers,
            Bound::AtMost(bounds::BACKGROUND),
        )
        .because(BACKGROUND),
        Claim::new(
            "packets at a million tasks a second, by those of cadence, buffered",
            own.packets / cadence.packets,
            Bound::AtMost(bounds::PACKETS_BY_CADENCE),
        ),
        Claim::new(
            "the share of the starts that arrived",
            own.delivered,
            Bound::AtLeast(bounds::DELIVERED),
        ),
    ]
}
