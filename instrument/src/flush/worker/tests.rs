//! The whole flusher, thread and all, before a transport that does what a script says.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    panic::resume_unwind,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use proptest::prelude::*;

use crate::{
    flush::{
        handle::{self, Handle, Times},
        tick::{Settings, Tick},
    },
    ledger::{FlushReport, Ledger},
    record::{local, recorder::Recorder, snapshot::Reader},
    task::{
        guard::Call,
        site::{End, Site, Token},
    },
    transport::{Cause, SendError, Transport, Verdict},
};

const BOUND: Duration = Duration::from_secs(30);

static SITES: [Site; 3] = [
    Site::new("scripted_a"),
    Site::new("scripted_b"),
    Site::new("scripted_c"),
];

/// What a transport does with a payload that it is offered.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take,
    /// It is taken, and an earlier one was refused too late.
    TakeLate,
    Refuse(Option<Cause>),
    /// Of what is left of it, so many parts in 255 are taken.
    Part(u8),
    /// The stream breaks.
    Break,
    Panic,
}

fn step() -> impl Strategy<Value = Step> {
    let cause = prop_oneof![
        Just(None),
        Just(Some(Cause::Full)),
        Just(Some(Cause::Closed)),
        Just(Some(Cause::Refused)),
        Just(Some(Cause::TooLarge)),
        Just(Some(Cause::Other)),
    ];
    prop_oneof![
        3 => Just(Step::Take),
        1 => Just(Step::TakeLate),
        2 => cause.prop_map(Step::Refuse),
        4 => any::<u8>().prop_map(Step::Part),
        1 => Just(Step::Break),
        1 => Just(Step::Panic),
    ]
}

/// What arrived, and what the transport saw.
#[derive(Debug, Default)]
struct Seen {
    counters: BTreeMap<String, u64>,
    /// Durations, and the calls that they stand for.
    timers: BTreeMap<String, (u64, f64)>,
    offered: u64,
    panics: u64,
    late: u64,
    /// A payload of which a part was taken is neither complete nor given up.
    is_cut: bool,
    faults: Vec<String>,
}

impl Seen {
    fn line(&mut self, line: &str) {
        let Some((name, rest)) = line.split_once(':') else {
            self.faults.push(format!("no value: {line}"));
            return;
        };
        let fields: Vec<_> = rest.split('|').collect();
        match fields[..] {
            [delta, "c"] => {
                *self.counters.entry(name.into()).or_default() += delta.parse::<u64>().unwrap_or(0);
            }
            [_, "ms"] => self.value(name, 1.0),
            [_, "ms", rate] => self.value(name, 1.0 / rate[1..].parse::<f64>().unwrap_or(f64::NAN)),
            _ => self.faults.push(format!("of no type: {line}")),
        }
    }

    fn value(&mut self, name: &str, calls: f64) {
        let (values, sum) = self.timers.entry(name.into()).or_default();
        *values += 1;
        *sum += calls;
    }
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    offer: Condvar,
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Scripted {
    shared: Arc<Shared>,
    script: VecDeque<Step>,
    /// A frame with its length in front is read whole or not at all.
    whole_frames: bool,
    /// The payload of which a part was taken, and how much with its line end.
    under_way: Option<(Vec<u8>, usize)>,
    error: Option<SendError>,
    late: u64,
}

impl Scripted {
    fn refuse(&mut self, cause: Option<Cause>) {
        self.error = cause.map(|cause| SendError {
            cause,
            address: None,
            error: io::ErrorKind::Other.into(),
        });
    }

    /// The lines arrive that end within `bytes`.
    fn arrive(&self, payload: &[u8], bytes: usize) {
        let mut end = 0;
        for line in payload.split(|byte| *byte == b'\n') {
            end += line.len();
            if end <= bytes {
                self.shared.seen().line(&String::from_utf8_lossy(line));
            }
            end += 1;
        }
    }
}

impl Transport for Scripted {
    fn send(&mut self, _: Instant, payload: &[u8]) -> Verdict {
        let step = self.script.pop_front().unwrap_or(Step::Take);
        let shared = Arc::clone(&self.shared);
        shared.seen().offered += 1;
        shared.offer.notify_all();
        let written = match &self.under_way {
            Some((cut, written)) => {
                if cut != payload {
                    shared
                        .seen()
                        .faults
                        .push("another payload behind a cut one".into());
                }
                *written
            }
            None => 0,
        };
        let frame = payload.len() + 1;
        let verdict = match step {
            Step::Take => Verdict::Taken,
            Step::TakeLate => {
                self.late += 1;
                shared.seen().late += 1;
                Verdict::Taken
            }
            Step::Part(share) => {
                let written = written + (frame - written) * usize::from(share) / 255;
                self.under_way = Some((payload.to_vec(), written));
                self.refuse(Some(Cause::Full));
                match written {
                    0 => Verdict::Refused,
                    _ if written == frame => Verdict::Taken,
                    _ => Verdict::Unfinished,
                }
            }
            Step::Refuse(cause) if written == 0 => {
                self.refuse(cause);
                Verdict::Refused
            }
            Step::Refuse(_) => Verdict::Unfinished,
            Step::Break => {
                self.refuse(Some(Cause::Closed));
                match self.abandon() {
                    0 => Verdict::Refused,
                    bytes => Verdict::TakenUpTo(bytes),
                }
            }
            Step::Panic => {
                shared.seen().panics += 1;
                // As a panic does, but for the message.
                resume_unwind(Box::new("scripted"));
            }
        };
        if verdict == Verdict::Taken {
            self.arrive(payload, payload.len());
        }
        if verdict != Verdict::Unfinished {
            self.under_way = None;
        }
        shared.seen().is_cut = self.under_way.is_some();
        verdict
    }

    fn abandon(&mut self) -> usize {
        let (payload, written) = self.under_way.take().unwrap_or_default();
        self.shared.seen().is_cut = false;
        let bytes = if self.whole_frames {
            0
        } else {
            written.min(payload.len())
        };
        if bytes > 0 {
            self.arrive(&payload, bytes);
        }
        bytes
    }

    fn refused_late(&self) -> u64 {
        self.late
    }

    fn last_error(&self) -> Option<&SendError> {
        self.error.as_ref()
    }
}

/// What the program does meanwhile.
#[derive(Clone, Copy, Debug)]
enum Act {
    Calls {
        site: usize,
        good: u8,
        bad: u8,
    },
    /// With so many milliseconds.
    Flush(u8),
    Ledger,
    /// Until the transport is offered something, or nothing for a moment.
    Wait,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..SITES.len(), 0..60_u8, 0..5_u8).prop_map(|(site, good, bad)| Act::Calls { site, good, bad }),
        1 => (0..20_u8).prop_map(Act::Flush),
        1 => Just(Act::Ledger),
        2 => Just(Act::Wait),
    ]
}

/// A flusher of calls that count in `recorder`, and what its transport sees.
struct Run {
    recorder: Arc<Recorder>,
    handle: Handle,
    shared: Arc<Shared>,
    /// Counted by hand.
    counted: BTreeMap<String, u64>,
    reports: u64,
}

impl Run {
    fn new(script: Vec<Step>, whole_frames: bool) -> Self {
        let recorder = local::scoped();
        let shared = Arc::new(Shared::default());
        let transport = Scripted {
            shared: Arc::clone(&shared),
            script: script.into(),
            whole_frames,
            under_way: None,
            error: None,
            late: 0,
        };
        let times = Times {
            drain_interval: Duration::from_millis(1),
            flush_interval: Duration::from_millis(1),
            shutdown_deadline: Duration::ZERO,
        };
        let reader = Reader::new(Arc::clone(&recorder));
        let (handle, _) = handle::start(
            reader,
            Tick::new(Settings::unbounded(1_000)),
            Box::new(transport),
            times,
        )
        .expect("there is a thread to be had");
        Self {
            recorder,
            handle,
            shared,
            counted: BTreeMap::new(),
            reports: 0,
        }
    }

    fn count(&mut self, site: usize, what: &str, more: u8) {
        let task = ["scripted_a", "scripted_b", "scripted_c"][site];
        *self
            .counted
            .entry(format!("tasks.status.{task}.{what}"))
            .or_default() += u64::from(more);
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Calls { site, good, bad } => {
                local::within(&self.recorder, || {
                    for _ in 0..good {
                        Call::start(&SITES[site], &mut Token::off()).succeed();
                    }
                    for _ in 0..bad {
                        Call::start(&SITES[site], &mut Token::off()).end(&(), |()| End::Panic);
                    }
                });
                self.count(site, "started", good + bad);
                self.count(site, "success", good);
                self.count(site, "exceptions", bad);
                self.count(site, "panics", bad);
            }
            Act::Flush(millis) => self.report(self.handle.flush(Duration::from_millis(millis.into()))),
            Act::Ledger => check(&self.handle.ledger()),
            Act::Wait => {
                let seen = self.shared.seen();
                let offered = seen.offered;
                let moment = Duration::from_millis(5);
                drop(
                    self.shared
                        .offer
                        .wait_timeout_while(seen, moment, |seen| seen.offered == offered),
                );
            }
        }
    }

    fn report(&mut self, report: FlushReport) {
        self.reports += report.sent;
        check(&report.ledger);
    }
}

#[track_caller]
fn check(ledger: &Ledger) {
    assert!(ledger.is_balanced(), "{ledger:?}");
}

/// Everything that a server refuses, cuts or breaks off arrives once, or is in the books.
fn conserved(script: Vec<Step>, whole_frames: bool, acts: Vec<Act>, delivers: bool) {
    let mut run = Run::new(script, whole_frames);
    for act in acts {
        run.act(act);
    }
    if delivers {
        let start = Instant::now();
        while run.handle.flush(BOUND).pending > 0 {
            assert!(start.elapsed() < BOUND, "{:?}", run.handle.ledger());
        }
    }
    run.report(
        run.handle
            .shut_down(Duration::from_millis(if delivers { 20_000 } else { 10 })),
    );
    // It asks for a moment's patience, and a busy machine may take longer.
    let start = Instant::now();
    while !run.handle.has_ended() {
        assert!(start.elapsed() < BOUND, "it does not end");
    }

    let books = run.handle.ledger();
    check(&books);
    let seen = run.shared.seen();
    assert_eq!(seen.faults, [""; 0]);
    assert!(!seen.is_cut, "a payload is half sent");
    assert_eq!(
        (books.flusher_panics, books.refused_late),
        (seen.panics, seen.late)
    );

    // Increments, series by series.
    run.counted.retain(|_, count| *count > 0);
    let mut lost = 0;
    for (name, counted) in &run.counted {
        let arrived = seen.counters.get(name).copied().unwrap_or(0);
        assert!(arrived <= *counted, "{name}: {arrived} of {counted}");
        lost += counted - arrived;
    }
    assert!(
        seen.counters.keys().all(|name| run.counted.contains_key(name)),
        "{seen:?}"
    );
    assert_eq!((books.counters.pending, books.counters.dropped), (0, lost));
    assert_eq!(books.counters.sent, seen.counters.values().sum::<u64>());

    // Durations: each one that was measured.
    let values: u64 = seen.timers.values().map(|(values, _)| values).sum();
    assert_eq!((books.timers.sent, books.timers.pending), (values, 0));
    assert_eq!(books.timers.dropped(), books.timers.dropped_at_shutdown);
    for (name, (values, calls)) in &seen.timers {
        let success = run.counted[&name.replace("duration", "status")];
        assert!(*values <= success, "{name}: {values} of {success}");
        if delivers {
            assert_eq!(*values, success, "{name}");
            assert!(
                (calls - success as f64).abs() < 0.501,
                "{name}: {calls} of {success}"
            );
        }
    }
    if delivers {
        assert_eq!((lost, books.timers.dropped()), (0, 0));
    }
    assert!(run.reports <= books.counters.sent + books.timers.sent);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_a_faulty_transport_takes_is_what_was_counted(
        script in prop::collection::vec(step(), 0..60),
        whole_frames: bool,
        acts in prop::collection::vec(act(), 0..14),
        delivers: bool,
    ) {
        conserved(script, whole_frames, acts, delivers);
    }
}

#[test]
fn a_payload_that_never_finishes_is_given_up_with_its_stream() {
    for whole_frames in [false, true] {
        let calls = Act::Calls {
            site: 0,
            good: 40,
            bad: 3,
        };
        // From then on no byte is taken.
        let script = [vec![Step::Take, Step::Part(100)], vec![Step::Part(0); 100_000]].concat();
        conserved(
            script,
            whole_frames,
            vec![calls, Act::Wait, Act::Wait, calls, Act::Flush(10)],
            false,
        );
    }
}

#[test]
fn a_flush_that_panics_break_off_is_answered_when_it_is_done() {
    let mut run = Run::new(vec![Step::Panic; 100], false);
    run.act(Act::Calls {
        site: 1,
        good: 50,
        bad: 0,
    });
    let report = run.handle.flush(BOUND);
    assert_eq!(report.pending, 0, "{report:?}");
    assert_eq!(report.ledger.counters.sent + report.ledger.timers.sent, 150);
    assert_eq!(run.shared.seen().panics, 100);
    assert_eq!(report.ledger.flusher_panics, 100);
}
