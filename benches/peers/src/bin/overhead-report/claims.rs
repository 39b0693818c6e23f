//! What is claimed, and whether this run bears it out.

use instrument_task_benches::figures::Samples;
use instrument_task_peers::contenders::{cadence, limits, metrics, ours, socket, tracing};
use instrument_task_tests::{
    bounds,
    instructions::{FUNCTIONS, GUARDED},
};

use super::{
    instructions::{self, Instructions},
    paced::{Paced, Share},
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
const NO_CLIENT: &str = "Three look whether there is a client, three whether the call was counted, and three make the frame that its \
                         token stands in, which the compiler makes before anything is looked at; one that calls nothing saves a \
                         register besides. The look could be two if it was no atomic load. A copy of the body for calls without a client would save the frame, and cost four when there is one.";
const NO_CLIENT_TIME: &str = "Fewer instructions, but a store and a load of what it stored among them.";
const NO_CLIENT_GUARDED: &str = "A function that ends in a call of another one goes on there without coming back, which one whose end has to be counted cannot. \
                                 Its end is a drop, which also runs when a panic passes through, so the call is asked whether it was counted in two places.";
const TIMED: &str = "A timed call at its own bound would do; see the first claim.";
const PEER: &str =
    "The peer is as dear as this machine makes it, and a timed call no cheaper than its two readings.";
const SOCKET: &str = "Opening a socket costs a few system calls. Where they are quick and the clock is slow to read, as in many virtual \
                      machines, the ratio is lower.";

const BACKGROUND: &str = "The callers' share is a few nanoseconds a call, and what the flusher takes is mostly the system's: sending 40 \
                          datagrams a second, and waking up.";

/// Judges all of them.
pub fn judge(
    calls: &Calls,
    threads: &Threads,
    series: &[(usize, Samples)],
    paced: &[Paced],
    share: &Share,
    instructions: &Instructions,
) -> Vec<Claim> {
    let mut claims = of_calls(calls);
    claims.extend(without_a_client(instructions));
    claims.extend(of_threads(threads));
    if let ([(_, one), .., (_, many)], true) = (series, series.len() > 1) {
        claims.push(Claim::new(
            "a timed call under 10 000 names in turn, in calls under one name",
            many.median() / one.median(),
            Bound::AtMost(bounds::MANY_SERIES),
        ));
    }
    claims.extend(of_workers(paced, share));
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
    let by_timed = |text, peer, least, why| {
        let at_best = dearer(peer, reads);
        // What is left of it if a timed call keeps to its own bound.
        let is_ours = at_best / bounds::TIMED >= least;
        claim(text, dearer(peer, &timed), AtLeast(least))
            .at_best(at_best)
            .because(if is_ours { TIMED } else { why })
    };
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
        .because(NO_CLIENT_TIME),
        by_timed(
            "metrics + dogstatsd with cached handles, in timed calls of ours",
            metrics::HANDLES,
            bounds::TIMED_BY_METRICS,
            PEER,
        ),
        claim(
            "the same, in untimed calls of ours",
            dearer(metrics::HANDLES, &untimed),
            AtLeast(bounds::UNTIMED_BY_METRICS),
        ),
        by_timed(
            "cadence, queuing + buffered, in timed calls of ours",
            cadence::QUEUING,
            bounds::TIMED_BY_CADENCE,
            PEER,
        ),
        by_timed(
            "a socket per call, in timed calls of ours",
            socket::SOCKET,
            bounds::TIMED_BY_SOCKET,
            SOCKET,
        ),
        claim(
            "a timed future that is ready over its bare one, in timed calls over theirs",
            future.by(&timed).median(),
            AtMost(bounds::FUTURE_BY_CALL),
        ),
    ]
}

/// Nothing where instructions could not be counted.
fn without_a_client(counted: &Instructions) -> Vec<Claim> {
    let forms = [
        (
            &FUNCTIONS[..],
            "without a client over the bare call, in instructions of a function that returns a value",
            NO_CLIENT,
        ),
        (
            &GUARDED,
            "in instructions of one without a value that may be left early",
            NO_CLIENT_GUARDED,
        ),
    ];
    let of = |(shapes, text, why)| {
        let most = |column| instructions::most(counted, shapes, column);
        let (tracing, off) = (most(0)?, most(1)?);
        Some([
            Claim::new(text, off, Bound::AtMost(bounds::OFF_INSTRUCTIONS)).because(why),
            Claim::new(
                "the same, in instructions of a disabled tracing::instrument",
                off / tracing,
                Bound::AtMost(bounds::OFF_BY_TRACING),
            )
            .because(why),
        ])
    };
    forms.into_iter().filter_map(of).flatten().collect()
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

fn of_workers(paced: &[Paced], share: &Share) -> Vec<Claim> {
    let of = |name: &str| paced.iter().find(|paced| paced.name == name);
    let (Some(own), Some(cadence)) = (of(ours::DEFAULT), of(cadence::BUFFERED)) else {
        return Vec::new();
    };
    vec![
        Claim::new(
            "processor time of the background at a million tasks a second, by what the caller's rises over the bare task's",
            share.background.median() / share.caller.median(),
            Bound::AtMost(bounds::BACKGROUND),
        )
        .because(BACKGROUND),
        Claim::new(
            "packets at a million tasks a second, by those of cadence, buffered, which sends every duration",
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
