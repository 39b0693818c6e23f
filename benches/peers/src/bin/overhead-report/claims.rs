//! What is claimed, and whether this run bears it out.

use instrument_task_benches::figures::Samples;
use instrument_task_peers::contenders::{cadence, limits, metrics, ours, socket, tracing};

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
}

impl Claim {
    /// Whether it holds.
    pub fn holds(&self) -> bool {
        match self.bound {
            Bound::AtMost(most) => self.seen <= most,
            Bound::AtLeast(least) => self.seen >= least,
        }
    }
}

/// Judges all of them.
pub fn judge(calls: &Calls, threads: &Threads, series: &[(usize, Samples)], paced: &[Paced]) -> Vec<Claim> {
    use Bound::{AtLeast, AtMost};

    let claim = |text, seen, bound| Claim { text, seen, bound };
    let bare = calls.of(limits::BARE);
    let over = |name: &str| calls.of(name).over(bare);
    let reads = calls.of(limits::RAW_READS);
    let (timed, untimed) = (over(ours::TIMED), over(ours::UNTIMED));
    let dearer = |peer: &str, ours: &Samples| over(peer).by(ours).median();
    let future = calls.of(ours::FUTURE).over(calls.of(limits::FUTURE));
    let mut claims = vec![
        claim(
            "a timed call over the bare one, in two raw clock reads",
            timed.by(reads).median(),
            AtMost(1.10),
        ),
        claim(
            "an untimed call over the bare one, in two raw clock reads",
            untimed.by(reads).median(),
            AtMost(0.35),
        ),
        claim(
            "without a client over the bare call, in ns more than a disabled tracing::instrument",
            over(ours::OFF).median() - over(tracing::DISABLED).median(),
            AtMost(0.0),
        ),
        claim(
            "metrics + dogstatsd with cached handles, in timed calls of ours",
            dearer(metrics::HANDLES, &timed),
            AtLeast(4.0),
        ),
        claim(
            "the same, in untimed calls of ours",
            dearer(metrics::HANDLES, &untimed),
            AtLeast(10.0),
        ),
        claim(
            "cadence, queuing + buffered, in timed calls of ours",
            dearer(cadence::QUEUING, &timed),
            AtLeast(30.0),
        ),
        claim(
            "a socket per call, in timed calls of ours",
            dearer(socket::SOCKET, &timed),
            AtLeast(800.0),
        ),
        claim(
            "a timed future that is ready over its bare one, in timed calls over theirs",
            future.by(&timed).median(),
            AtMost(1.3),
        ),
    ];
    let of = |name: &str| {
        threads
            .iter()
            .find(|(of, _)| *of == name)
            .map(|(_, samples)| samples)
    };
    if let (Some([bare, bare_twice, ..]), Some([timed, timed_twice, ..])) =
        (of(limits::BARE), of(ours::TIMED))
    {
        let ratio = timed_twice.by(bare_twice).by(&timed.by(bare));
        claims.push(claim(
            "a timed call on two threads at once, in calls on one (each beside the bare call)",
            ratio.median(),
            AtMost(1.05),
        ));
    }
    if let ([(_, one), .., (_, many)], true) = (series, series.len() > 1) {
        claims.push(claim(
            "a timed call under 10 000 names in turn, in calls under one name",
            many.median() / one.median(),
            AtMost(3.0),
        ));
    }
    let of = |name: &str| paced.iter().find(|paced| paced.name == name);
    if let (Some(bare), Some(own), Some(cadence)) =
        (of(limits::BARE), of(ours::DEFAULT), of(cadence::BUFFERED))
    {
        claims.push(claim(
            "processor time of the background at a million tasks a second, by the callers' over the bare task",
            // A nanosecond a call is a millisecond a million calls. At its pace the caller mostly sleeps and wakes, which hides it.
            (own.others - bare.others) / over(ours::DEFAULT).median(),
            AtMost(0.2),
        ));
        claims.push(claim(
            "packets at a million tasks a second, by those of cadence, buffered",
            own.packets / cadence.packets,
            AtMost(0.01),
        ));
        claims.push(claim(
            "the share of the starts that arrived",
            own.delivered,
            AtLeast(1.0),
        ));
    }
    claims
}
