//! What comes back, and how it counts.

pub mod results {
    use crate::support::{Fault, counts, mixed};
    use instrument_task::instrument_task;
    use std::{fmt, io};

    type Alias<T> = Result<T, Fault>;
    type Whole = Result<u8, Fault>;

    #[instrument_task]
    fn io_result(fail: bool) -> io::Result<u8> {
        if fail {
            return Err(io::Error::other("no"));
        }
        Ok("7".parse().map_err(io::Error::other)?)
    }

    #[instrument_task]
    fn fmt_result(fail: bool) -> fmt::Result {
        if fail { Err(fmt::Error) } else { Ok(()) }
    }

    #[instrument_task]
    fn any(text: &str) -> anyhow::Result<i32> {
        let n: i32 = text.parse()?;
        anyhow::ensure!(n > 0, "{n} is too small");
        if n > 9 {
            anyhow::bail!("{n} is too large");
        }
        Ok(n)
    }

    #[instrument_task]
    fn alias(n: u8) -> Alias<u8> {
        n.checked_sub(1).ok_or(Fault)
    }

    #[instrument_task]
    fn whole(n: u8) -> Whole {
        alias(n)
    }

    #[instrument_task]
    fn dynamic(text: &str) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        if text.is_empty() {
            return Err("empty".into());
        }
        Ok(text.parse()?)
    }

    #[instrument_task]
    fn nested(n: u8) -> Result<Result<u8, Fault>, Fault> {
        match n {
            0 => Err(Fault),
            1 => Ok(Err(Fault)),
            n => Ok(Ok(n)),
        }
    }

    #[instrument_task]
    fn transposed(n: Option<u8>) -> Option<Result<u8, Fault>> {
        Some(n?.checked_sub(1).ok_or(Fault))
    }

    #[instrument_task]
    #[allow(clippy::result_unit_err)]
    fn full_path(n: u8) -> ::std::result::Result<(), ()> {
        (n > 0).then_some(()).ok_or(())
    }

    #[instrument_task]
    fn borrowed<'a>(all: &'a [&'a str]) -> Result<&'a str, &'a [&'a str]> {
        let [one] = all else { return Err(all) };
        Ok(one)
    }

    pub fn check() {
        let expected = [
            ("io_result", mixed(1, 1)),
            ("fmt_result", mixed(1, 1)),
            ("any", mixed(1, 3)),
            ("alias", mixed(1, 1)),
            ("whole", mixed(1, 0)),
            ("dynamic", mixed(1, 2)),
            // The inner error is the value of a call that worked.
            ("nested", mixed(2, 1)),
            ("transposed", mixed(2, 0)),
            ("full_path", mixed(1, 1)),
            ("borrowed", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert!(io_result(true).is_err() && io_result(false).is_ok());
            assert!(fmt_result(true).is_err() && fmt_result(false).is_ok());
            assert_eq!(any("1").unwrap(), 1);
            assert!(any("x").is_err() && any("0").is_err() && any("10").is_err());
            assert_eq!((alias(0), whole(3)), (Err(Fault), Ok(2)));
            assert!(dynamic("").is_err() && dynamic("x").is_err() && dynamic("1").is_ok());
            assert_eq!((nested(0), nested(1), nested(2)), (Err(Fault), Ok(Err(Fault)), Ok(Ok(2))));
            assert_eq!((transposed(None), transposed(Some(0))), (None, Some(Err(Fault))));
            assert!(full_path(1).is_ok() && full_path(0).is_err());
            assert!(borrowed(&["a"]).is_ok() && borrowed(&[]).is_err());
        });
    }
}

pub mod plain_values {
    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::{
        ops::ControlFlow,
        process::ExitCode,
        task::{Context, Poll},
    };

    #[instrument_task]
    fn poll(ready: bool) -> Poll<Result<u8, Fault>> {
        if ready {
            return Poll::Ready(Err(Fault));
        }
        Poll::Pending
    }

    type Next<T> = Poll<Option<Result<T, Fault>>>;

    fn kind(fault: &Fault) -> &'static str {
        assert_eq!(*fault, Fault);
        "fault"
    }

    #[instrument_task(error_kind = kind)]
    fn next(item: Option<Result<u8, Fault>>) -> Next<u8> {
        Poll::Ready(item)
    }

    #[instrument_task]
    async fn awaited(item: Result<u8, Fault>) -> Poll<Result<u8, Fault>> {
        Poll::Ready(item)
    }

    #[instrument_task]
    fn flow(n: u8) -> ControlFlow<u8, ()> {
        if n > 1 {
            return ControlFlow::Break(n);
        }
        ControlFlow::Continue(())
    }

    #[instrument_task]
    fn exit() -> ExitCode {
        ExitCode::FAILURE
    }

    #[instrument_task]
    fn tuple() -> (u8, Result<u8, Fault>) {
        (1, Err(Fault))
    }

    #[instrument_task]
    fn explicit_unit() -> () {
        let mut n = 0;
        n += 1;
        assert_eq!(n, 1);
    }

    #[instrument_task]
    fn array() -> [Result<u8, Fault>; 2] {
        [Ok(1), Err(Fault)]
    }

    #[instrument_task]
    fn pointer(n: &u8) -> *const u8 {
        n
    }

    #[instrument_task]
    fn pointed(context: &mut Context<'_>) -> Poll<()> {
        context.waker().wake_by_ref();
        Poll::Ready(())
    }

    pub fn check() {
        let expected = [
            ("poll", mixed(1, 1)),
            ("next", mixed(2, 1)),
            ("awaited", mixed(1, 1)),
            ("flow", succeed(2)),
            ("exit", succeed(1)),
            ("tuple", succeed(1)),
            ("explicit_unit", succeed(1)),
            ("array", succeed(1)),
            ("pointer", succeed(1)),
            ("pointed", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!((poll(true), poll(false)), (Poll::Ready(Err(Fault)), Poll::Pending));
            assert!(next(None).is_ready() && next(Some(Ok(1))).is_ready() && next(Some(Err(Fault))).is_ready());
            assert!(block_on(awaited(Ok(1))).is_ready() && block_on(awaited(Err(Fault))).is_ready());
            assert_eq!((flow(1), flow(2)), (ControlFlow::Continue(()), ControlFlow::Break(2)));
            assert_eq!(exit(), ExitCode::FAILURE);
            assert_eq!(tuple(), (1, Err(Fault)));
            explicit_unit();
            assert_eq!(array()[0], Ok(1));
            let n = 1;
            assert_eq!(pointer(&n), &raw const n);
            assert_eq!(pointed(&mut Context::from_waker(std::task::Waker::noop())), Poll::Ready(()));
        });
    }
}

pub mod coercions {
    use crate::support::{Fault, block_on, counts, pause, succeed};
    use instrument_task::instrument_task;
    use std::fmt::Display;

    #[instrument_task]
    fn boxed(n: u8) -> Box<dyn Display> {
        if n == 0 {
            return Box::new("zero");
        }
        match n {
            1 => Box::new(1_u8),
            n => Box::new(f64::from(n)),
        }
    }

    #[instrument_task]
    fn boxed_straight(n: u8) -> Box<dyn Display> {
        Box::new(n)
    }

    #[instrument_task]
    fn boxed_in_result(n: u8) -> Result<Box<dyn Display>, Fault> {
        if n == 0 {
            return Ok(Box::new("zero"));
        }
        Ok(Box::new(n))
    }

    #[instrument_task]
    async fn boxed_async(n: u8) -> Box<dyn Display + Send> {
        pause().await;
        if n == 0 {
            return Box::new("zero");
        }
        Box::new(n)
    }

    #[instrument_task]
    async fn in_result_async(n: u8) -> Result<Box<dyn Display + Send>, Box<dyn std::error::Error + Send + Sync>> {
        pause().await;
        if n == 0 {
            return Ok(Box::new("zero"));
        }
        let n: u8 = n.to_string().parse()?;
        Ok(Box::new(n))
    }

    #[instrument_task]
    fn slice() -> &'static [u8] {
        &[1, 2, 3]
    }

    #[instrument_task]
    fn text(owned: &String) -> &str {
        owned
    }

    #[instrument_task]
    fn shared(unique: &mut Vec<u8>, empty: bool) -> Option<&[u8]> {
        if empty {
            return None;
        }
        unique.push(1);
        Some(unique)
    }

    #[instrument_task]
    fn reborrowed(unique: &mut u8) -> &u8 {
        unique
    }

    #[instrument_task]
    fn pointer(twice: bool) -> fn(u8) -> u8 {
        fn double(n: u8) -> u8 {
            n * 2
        }
        if twice {
            return double;
        }
        |n| n
    }

    #[instrument_task]
    fn diverges(n: Option<u8>) -> Option<u8> {
        let Some(n) = n else { panic!("none") };
        if n == 0 {
            let _: u8 = match n {
                0 => return None,
                n => n,
            };
        }
        Some(n)
    }

    #[instrument_task]
    fn todo_like(n: u8) -> String {
        if n > 200 { unreachable!() } else { n.to_string() }
    }

    pub fn check() {
        let expected = [
            ("boxed", succeed(3)),
            ("boxed_straight", succeed(1)),
            ("boxed_in_result", succeed(2)),
            ("boxed_async", succeed(2)),
            ("in_result_async", succeed(2)),
            ("slice", succeed(1)),
            ("text", succeed(1)),
            ("shared", succeed(2)),
            ("reborrowed", succeed(1)),
            ("pointer", succeed(2)),
            ("diverges", succeed(2)),
            ("todo_like", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!(format!("{}{}{}", boxed(0), boxed(1), boxed(2)), "zero12");
            assert_eq!(boxed_straight(3).to_string(), "3");
            assert_eq!(format!("{}{}", boxed_in_result(0).unwrap(), boxed_in_result(1).unwrap()), "zero1");
            assert_eq!(format!("{}{}", block_on(boxed_async(0)), block_on(boxed_async(1))), "zero1");
            let both = [block_on(in_result_async(0)).unwrap(), block_on(in_result_async(1)).unwrap()];
            assert_eq!(format!("{}{}", both[0], both[1]), "zero1");
            assert_eq!((slice(), text(&"a".to_owned())), (&[1, 2, 3][..], "a"));
            let mut bytes = vec![0];
            assert_eq!(shared(&mut bytes, false), Some(&[0, 1][..]));
            assert_eq!(shared(&mut bytes, true), None);
            assert_eq!(*reborrowed(&mut 3), 3);
            assert_eq!((pointer(true)(2), pointer(false)(2)), (4, 2));
            assert_eq!((diverges(Some(0)), diverges(Some(1))), (None, Some(1)));
            assert_eq!(todo_like(3), "3");
        });
    }
}

pub mod inference {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::collections::BTreeMap;

    #[instrument_task]
    fn collected(text: &str) -> Result<Vec<u8>, std::num::ParseIntError> {
        text.split(',').map(str::parse).collect()
    }

    #[instrument_task]
    fn collected_with_question(text: &str) -> Result<BTreeMap<u8, Vec<u8>>, Fault> {
        if text.is_empty() {
            Err(Fault)?;
        }
        Ok(text.bytes().map(|byte| (byte, vec![byte; 2])).collect())
    }

    #[instrument_task]
    fn defaulted() -> (u8, String) {
        Default::default()
    }

    #[instrument_task]
    fn converted(text: &str) -> Option<Box<str>> {
        if text.is_empty() {
            return Default::default();
        }
        Some(text.into())
    }

    #[instrument_task]
    fn parsed(text: &str) -> Result<u8, Box<dyn std::error::Error>> {
        Ok(text.parse()?)
    }

    #[instrument_task]
    async fn parsed_async(text: &str) -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        pause().await;
        Ok(text.parse()?)
    }

    #[instrument_task]
    async fn collected_async(text: &str) -> Result<Vec<u8>, std::num::ParseIntError> {
        pause().await;
        text.split(',').map(str::parse).collect()
    }

    #[instrument_task]
    async fn only_question(text: &str) -> Result<u8, std::num::ParseIntError> {
        Err(text.parse::<u8>().unwrap_err())?
    }

    #[instrument_task]
    async fn into_async(n: u8) -> Option<u64> {
        if n == 0 {
            return Default::default();
        }
        Some(n.into())
    }

    pub fn check() {
        let expected = [
            ("collected", mixed(1, 1)),
            ("collected_with_question", mixed(1, 1)),
            ("defaulted", succeed(1)),
            ("converted", succeed(2)),
            ("parsed", mixed(1, 1)),
            ("parsed_async", mixed(1, 1)),
            ("collected_async", mixed(1, 1)),
            ("only_question", mixed(0, 1)),
            ("into_async", succeed(2)),
        ];
        counts(&expected, || {
            assert_eq!(collected("1,2"), Ok(vec![1, 2]));
            assert!(collected("x").is_err());
            assert_eq!(collected_with_question("a").unwrap()[&97], [97, 97]);
            assert_eq!(collected_with_question(""), Err(Fault));
            assert_eq!(defaulted(), (0, String::new()));
            assert_eq!((converted("a").as_deref(), converted("")), (Some("a"), None));
            assert!(parsed("1").is_ok() && parsed("").is_err());
            assert!(block_on(parsed_async("1")).is_ok() && block_on(parsed_async("")).is_err());
            assert_eq!(block_on(collected_async("1,2")), Ok(vec![1, 2]));
            assert!(block_on(collected_async("")).is_err());
            assert!(block_on(only_question("")).is_err());
            assert_eq!((block_on(into_async(0)), block_on(into_async(1))), (None, Some(1)));
        });
    }
}

pub mod temporaries {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::{cell::RefCell, sync::Mutex};

    // The guard in the tail lives longer than the locals in edition 2021, and must not outlive the arguments.

    #[instrument_task]
    fn of_argument(lock: Mutex<u8>) -> Result<u8, Fault> {
        if lock.is_poisoned() {
            return Err(Fault);
        }
        Ok(*lock.lock().unwrap())
    }

    #[instrument_task]
    fn of_argument_straight(lock: Mutex<u8>) -> u8 {
        *lock.lock().unwrap()
    }

    #[instrument_task]
    async fn of_argument_async(lock: Mutex<u8>) -> u8 {
        pause().await;
        *lock.lock().unwrap()
    }

    #[instrument_task]
    async fn of_pattern_async((lock, n): (RefCell<u8>, u8)) -> Option<u8> {
        pause().await;
        lock.borrow().checked_sub(n)
    }

    #[instrument_task]
    fn of_reference(cell: &RefCell<Vec<u8>>) -> Option<u8> {
        let first = cell.borrow().first().copied()?;
        first.checked_add(cell.borrow().last().copied()?)
    }

    #[instrument_task]
    fn matched(lock: &Mutex<Option<u8>>) -> Result<u8, Fault> {
        match *lock.lock().unwrap() {
            Some(n) => Ok(n),
            None => Err(Fault)?,
        }
    }

    pub fn check() {
        let expected = [
            ("of_argument", succeed(1)),
            ("of_argument_straight", succeed(1)),
            ("of_argument_async", succeed(1)),
            ("of_pattern_async", succeed(1)),
            ("of_reference", succeed(2)),
            ("matched", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert_eq!(of_argument(Mutex::new(1)), Ok(1));
            assert_eq!(of_argument_straight(Mutex::new(1)), 1);
            assert_eq!(block_on(of_argument_async(Mutex::new(1))), 1);
            assert_eq!(block_on(of_pattern_async((RefCell::new(3), 1))), Some(2));
            assert_eq!(of_reference(&RefCell::new(vec![1, 2])), Some(3));
            assert_eq!(of_reference(&RefCell::new(vec![])), None);
            assert_eq!((matched(&Mutex::new(Some(1))), matched(&Mutex::new(None))), (Ok(1), Err(Fault)));
        });
    }
}

pub mod closures {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn adder(n: u8) -> impl Fn(u8) -> u8 {
        move |m| m + n
    }

    #[instrument_task]
    fn inferred(n: usize) -> impl Fn(&str) -> usize + Clone {
        if n > 100 {
            return move |text| text.len() + n;
        }
        panic!("small")
    }

    #[instrument_task]
    fn higher_ranked() -> impl for<'a> Fn(&'a str) -> &'a str {
        |text| text.trim()
    }

    #[instrument_task]
    fn boxed<'a>(prefix: &'a str) -> Box<dyn FnMut(&str) -> String + 'a> {
        let mut calls = 0;
        Box::new(move |text| {
            calls += 1;
            format!("{prefix}{text}{calls}")
        })
    }

    #[instrument_task]
    fn maybe(n: u8) -> Result<impl Fn(u8) -> u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(move |m| m + n)
    }

    #[instrument_task]
    fn returning_closures() -> impl Fn(u8) -> Box<dyn Fn(u8) -> u8> {
        |n| Box::new(move |m| n + m)
    }

    #[instrument_task]
    async fn from_async(n: u8) -> impl Fn(u8) -> u8 {
        pause().await;
        move |m: u8| m + n
    }

    pub fn check() {
        let expected = [
            ("adder", succeed(1)),
            ("inferred", succeed(1)),
            ("higher_ranked", succeed(1)),
            ("boxed", succeed(1)),
            ("maybe", mixed(1, 1)),
            ("returning_closures", succeed(1)),
            ("from_async", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!(adder(1)(2), 3);
            assert_eq!(inferred(101)("ab"), 103);
            assert_eq!(higher_ranked()(" a "), "a");
            let mut f = boxed("a");
            assert_eq!(f("b") + &f("c"), "ab1ac2");
            assert_eq!(maybe(1).unwrap()(2), 3);
            assert!(maybe(0).is_err());
            assert_eq!(returning_closures()(1)(2), 3);
            assert_eq!(block_on(from_async(1))(2), 3);
        });
    }
}

pub mod iterators {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::fmt::{Debug, Display};

    #[instrument_task]
    fn evens<'a>(all: &'a [u8]) -> impl Iterator<Item = &'a u8> + Clone + 'a {
        all.iter().filter(|n| **n % 2 == 0)
    }

    #[instrument_task]
    fn early(n: u8) -> impl DoubleEndedIterator<Item = u8> {
        if n == 0 {
            return Vec::new().into_iter();
        }
        vec![n; 3].into_iter()
    }

    #[instrument_task]
    fn boxed<'a>(all: &'a [u8], twice: bool) -> Box<dyn Iterator<Item = u8> + 'a> {
        if twice {
            return Box::new(all.iter().chain(all).copied());
        }
        Box::new(all.iter().copied())
    }

    #[instrument_task]
    fn fallible(n: u8) -> Result<impl Iterator<Item = u8>, Fault> {
        let n = n.checked_sub(1).ok_or(Fault)?;
        Ok((0..n).map(|k| k * 2))
    }

    #[instrument_task]
    fn optional(n: u8) -> Option<impl Display + Clone> {
        if n == 0 {
            return None;
        }
        Some(n)
    }

    #[instrument_task]
    fn pair(n: u8) -> (impl Display, impl Debug) {
        if n == 0 {
            return (0_u8, "none");
        }
        (n, "some")
    }

    #[instrument_task]
    fn boxed_opaque(n: u8) -> Box<dyn Iterator<Item = impl Display>> {
        if n == 0 {
            return Box::new(0..1_u8);
        }
        Box::new(0..n)
    }

    #[instrument_task]
    async fn fallible_boxed_opaque(n: u8) -> Result<Box<dyn Iterator<Item = impl Display>>, Fault> {
        pause().await;
        if n == 0 {
            return Err(Fault);
        }
        Ok(Box::new(0..n))
    }

    /// What is behind `impl Trait` may well be a `Result`.
    #[instrument_task]
    fn hidden(n: u8) -> impl IntoIterator<Item = u8> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    }

    #[instrument_task]
    async fn fallible_async(n: u8) -> Result<impl Iterator<Item = u8>, Fault> {
        pause().await;
        if n == 0 {
            return Err(Fault);
        }
        Ok(0..n)
    }

    #[instrument_task]
    async fn hidden_async(n: u8) -> impl Debug {
        pause().await;
        n.checked_sub(1).ok_or(Fault)
    }

    pub fn check() {
        let expected = [
            ("evens", succeed(1)),
            ("early", succeed(2)),
            ("boxed", succeed(2)),
            ("fallible", mixed(1, 1)),
            ("optional", succeed(2)),
            ("pair", succeed(2)),
            ("boxed_opaque", succeed(2)),
            ("fallible_boxed_opaque", mixed(1, 1)),
            ("hidden", mixed(1, 1)),
            ("fallible_async", mixed(1, 1)),
            ("hidden_async", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert_eq!(evens(&[1, 2]).collect::<Vec<_>>(), [&2]);
            assert_eq!(early(1).rev().count() + early(0).count(), 3);
            assert_eq!(boxed(&[1], true).chain(boxed(&[2], false)).collect::<Vec<_>>(), [1, 1, 2]);
            assert_eq!(fallible(3).unwrap().sum::<u8>(), 2);
            assert!(fallible(0).is_err());
            assert!(optional(0).is_none() && optional(1).is_some());
            assert_eq!(pair(0).0.to_string() + &format!("{:?}", pair(1).1), "0\"some\"");
            assert_eq!(boxed_opaque(0).count() + boxed_opaque(2).count(), 3);
            assert!(block_on(fallible_boxed_opaque(0)).is_err() && block_on(fallible_boxed_opaque(1)).is_ok());
            assert_eq!(hidden(1).into_iter().chain(hidden(0)).count(), 1);
            assert!(block_on(fallible_async(0)).is_err() && block_on(fallible_async(1)).is_ok());
            assert_eq!(format!("{:?}{:?}", block_on(hidden_async(0)), block_on(hidden_async(1))), "Err(Fault)Ok(0)");
        });
    }
}

pub mod own_types {
    use crate::support::{block_on, counts, pause};
    use instrument_task::{Outcome, ToOutcome, instrument_task};

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Job {
        Done,
        Rejected,
        GivenUp,
    }

    impl ToOutcome for Job {
        fn to_outcome(&self) -> Outcome {
            match self {
                Self::Done => Outcome::Success,
                Self::Rejected => Outcome::Exception,
                Self::GivenUp => Outcome::Cancelled,
            }
        }
    }

    type Alias = Job;

    #[instrument_task]
    fn sync(job: Job) -> Alias {
        job
    }

    #[instrument_task]
    async fn asynchronous(job: Job) -> Job {
        pause().await;
        job
    }

    #[instrument_task]
    fn bounded<T: ToOutcome>(value: T) -> T {
        value
    }

    #[instrument_task]
    fn unbounded<T>(value: T) -> T {
        value
    }

    pub fn check() {
        let expected = [
            ("sync", [3, 1, 1, 1, 0]),
            ("asynchronous", [3, 1, 1, 1, 0]),
            ("bounded", [3, 1, 1, 1, 0]),
            ("unbounded", [3, 3, 0, 0, 0]),
        ];
        counts(&expected, || {
            for job in [Job::Done, Job::Rejected, Job::GivenUp] {
                assert_eq!(sync(job), job);
                assert_eq!(block_on(asynchronous(job)), job);
                assert_eq!(bounded(job), job);
                assert_eq!(unbounded(job), job);
            }
        });
    }
}

pub mod panics {
    use crate::support::{Fault, block_on, counts, panics, pause};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn plain(n: u8) {
        let all = [0_u8; 2];
        let index = usize::from(n);
        assert_eq!(all[index], 0);
    }

    #[instrument_task]
    fn guarded(n: u8) {
        if n == 0 {
            return;
        }
        panic!("guarded {n}");
    }

    #[instrument_task]
    fn judged(n: u8) -> Result<u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        assert!(n == 1, "judged {n}");
        Ok(n)
    }

    #[instrument_task]
    fn straight(n: u8) -> Option<u8> {
        Some(10 / n)
    }

    #[instrument_task]
    async fn asynchronous(n: u8) -> Result<u8, Fault> {
        pause().await;
        assert!(n == 1, "asynchronous {n}");
        Ok(n)
    }

    #[instrument_task]
    #[allow(clippy::manual_async_fn)]
    fn constructs(n: u8) -> impl Future<Output = u8> {
        assert!(n == 1, "constructs {n}");
        async move { n }
    }

    use std::future::Future;

    pub fn check() {
        let expected = [
            ("plain", [2, 1, 1, 0, 1]),
            ("guarded", [2, 1, 1, 0, 1]),
            ("judged", [3, 1, 2, 0, 1]),
            ("straight", [2, 1, 1, 0, 1]),
            ("asynchronous", [2, 1, 1, 0, 1]),
            // A call begins with the first poll; one that panics before it is no call yet.
            ("constructs", [1, 1, 0, 0, 0]),
        ];
        counts(&expected, || {
            plain(0);
            panics(|| plain(2));
            guarded(0);
            assert_eq!(panics(|| guarded(1)), "guarded 1");
            assert_eq!((judged(1), judged(0)), (Ok(1), Err(Fault)));
            assert_eq!(panics(|| judged(2)), "judged 2");
            assert_eq!(straight(2), Some(5));
            panics(|| straight(0));
            assert_eq!(block_on(asynchronous(1)), Ok(1));
            assert_eq!(panics(|| block_on(asynchronous(2))), "asynchronous 2");
            assert_eq!(block_on(constructs(1)), 1);
            assert_eq!(panics(|| constructs(2)), "constructs 2");
        });
    }
}

pub mod while_unwinding {
    use crate::support::{Fault, counts, mixed, panics, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn guarded(n: &mut u8) {
        if *n > 200 {
            return;
        }
        *n += 1;
    }

    #[instrument_task]
    fn judged(n: u8) -> Result<u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    }

    #[instrument_task]
    fn straight(n: u8) -> u8 {
        n
    }

    struct Calls;

    impl Drop for Calls {
        fn drop(&mut self) {
            guarded(&mut 0);
            guarded(&mut 201);
            assert!(judged(0).is_err() && judged(1).is_ok());
            straight(1);
        }
    }

    pub fn check() {
        counts(&[("guarded", succeed(2)), ("judged", mixed(1, 1)), ("straight", succeed(1))], || {
            let message = panics(|| {
                let _calls = Calls;
                panic!("on the way");
            });
            assert_eq!(message, "on the way");
        });
    }
}
