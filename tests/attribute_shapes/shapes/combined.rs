//! Several of the things at once that each have a shape of their own.

pub mod arguments_of_a_trait {
    use crate::support::{Fault, assert_send, block_on, counts, mixed, pause};
    use instrument_task::instrument_task;
    use std::{fmt::Display, future::Future};

    fn kind(_: &Fault) -> &'static str {
        "fault"
    }

    trait Store<const SIZE: usize> {
        fn put<T>(&self, item: T) -> impl Future<Output = Result<usize, Fault>> + Send
        where
            T: Display + Send;

        #[instrument_task(name = "store.take", in_flight, error_kind = kind, tags(size = SIZE, at = index))]
        fn take(&mut self, index: usize) -> Result<[u8; SIZE], Fault> {
            if index < SIZE {
                return Ok([1; SIZE]);
            }
            Err(Fault)
        }
    }

    struct Memory<T>(T);

    impl<const SIZE: usize, U: Sync> Store<SIZE> for Memory<U> {
        #[instrument_task(
            prefix = "memory",
            tags(kind = "batch", size = SIZE, item = item, "region:eu"),
            error_kind = kind,
            in_flight,
            time = always,
        )]
        async fn put<T>(&self, item: T) -> Result<usize, Fault>
        where
            T: Display + Send,
        {
            pause().await;
            let text = item.to_string();
            if text.is_empty() {
                return Err(Fault);
            }
            Ok(text.len() + SIZE)
        }
    }

    pub fn check() {
        let expected = [("memory.put", mixed(1, 1)), ("store.take", mixed(1, 1))];
        counts(&expected, || {
            let mut store = Memory(());
            assert_eq!(block_on(assert_send(Store::<3>::put(&store, "ab"))), Ok(5));
            assert_eq!(block_on(Store::<1>::put(&store, "")), Err(Fault));
            assert_eq!(Store::<2>::take(&mut store, 1), Ok([1; 2]));
            assert_eq!(Store::<0>::take(&mut store, 0), Err(Fault));
        });
    }
}

pub mod predicates_on_borrows {
    use crate::support::{Fault, block_on, counts, mixed, pause};
    use instrument_task::instrument_task;
    use std::borrow::Cow;

    struct Lines(Vec<String>);

    impl Lines {
        #[instrument_task(ok_if = |line| line.is_some_and(|line| !line.is_empty()))]
        fn get(&self, index: usize) -> Option<&String> {
            self.0.get(index)
        }

        #[instrument_task(error_if = |line: &Result<&mut String, Fault>| line.as_ref().is_ok_and(|line| line.is_empty()))]
        fn get_mut(&mut self, index: usize) -> Result<&mut String, Fault> {
            let line = self.0.get_mut(index).ok_or(Fault)?;
            Ok(line)
        }

        #[instrument_task(ok_if = |line| line.as_ref().is_ok_and(|line| line.len() > 1))]
        async fn later<'a>(&'a self, index: usize, other: &'a str) -> Result<Cow<'a, str>, Fault> {
            pause().await;
            let line = self.0.get(index).ok_or(Fault)?;
            Ok(if line.is_empty() { Cow::Borrowed(other) } else { Cow::Borrowed(line) })
        }

        #[instrument_task(error_if = |line: &&str| line.is_empty())]
        fn first<'a>(&'a self, other: &'a str) -> &'a str {
            let Some(line) = self.0.first() else { return other };
            line
        }
    }

    pub fn check() {
        let expected =
            [("get", mixed(1, 2)), ("get_mut", mixed(2, 1)), ("later", mixed(2, 1)), ("first", mixed(1, 1))];
        counts(&expected, || {
            let mut lines = Lines(vec!["a".to_owned(), String::new()]);
            assert_eq!(lines.get(0).map(String::as_str), Some("a"));
            assert_eq!((lines.get(1), lines.get(2)), (Some(&String::new()), None));
            lines.get_mut(0).unwrap().push('b');
            assert_eq!(lines.get_mut(1).unwrap(), "");
            assert!(lines.get_mut(2).is_err());
            assert_eq!(block_on(lines.later(0, "cd")).as_deref(), Ok("ab"));
            assert_eq!(block_on(lines.later(1, "cd")).as_deref(), Ok("cd"));
            assert_eq!(block_on(lines.later(2, "cd")), Err(Fault));
            assert_eq!(lines.first(""), "ab");
            assert_eq!(Lines(Vec::new()).first(""), "");
        });
    }
}

pub mod in_macros {
    use crate::support::{Fault, block_on, counts, mixed, succeed};

    macro_rules! task {
        ($(#[$attr:meta])* $vis:vis [$($asyncness:tt)?] fn $name:ident($($arg:ident: $ty:ty),*) -> $output:ty, $label:expr, $size:expr, $body:block) => {
            #[cfg_attr(all(), instrument_task::instrument_task(name = $label, tags(size = $size)))]
            $(#[$attr])*
            $vis $($asyncness)? fn $name($($arg: $ty),*) -> $output $body
        };
    }

    macro_rules! judged {
        ($name:ident, $judge:expr, $path:path, $($lifetime:lifetime)?, $value:pat => $tail:expr) => {
            #[::instrument_task::instrument_task(name = $path, ok_if = $judge)]
            fn $name<$($lifetime)?>($value: (&$($lifetime)? u8, u8)) -> Option<&$($lifetime)? u8> {
                $tail
            }
        };
    }

    const LABEL: &str = "a.label";

    task!(#[inline] pub(crate) [] fn halve(n: u8, by: u8) -> Result<u8, Fault>, "in.macro", by, { Ok(n.checked_div(by).ok_or(Fault)?) });
    task!([async] fn later(n: u8) -> Result<u8, Fault>, "in.macro.later", n + 1, {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    });
    task!([] fn from_const(n: u8) -> impl Fn(u8) -> u8, "closure", n, { move |more| n + more });
    judged!(judged, |found| found.is_some_and(|n| *n > 1), LABEL, 'a, (one, more) => if more == 0 { None } else { Some(one) });

    pub fn check() {
        let expected = [
            ("in.macro", mixed(1, 1)),
            ("in.macro.later", mixed(1, 1)),
            ("closure", succeed(1)),
            ("a.label", mixed(1, 2)),
        ];
        counts(&expected, || {
            assert_eq!((halve(4, 2), halve(4, 0)), (Ok(2), Err(Fault)));
            assert_eq!((block_on(later(1)), block_on(later(0))), (Ok(1), Err(Fault)));
            assert_eq!(from_const(1)(2), 3);
            assert_eq!((judged((&2, 1)), judged((&2, 0)), judged((&1, 1))), (Some(&2), None, Some(&1)));
        });
    }
}

#[allow(clippy::items_after_statements, non_snake_case)]
pub mod names_of_any_kind {
    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;

    trait Named {
        const NAME: &'static str;
    }

    struct Größe<T>(T);

    impl<T> Named for Größe<T> {
        const NAME: &'static str = "of.the.trait";
    }

    #[instrument_task]
    impl Größe<u8> {
        fn prüfe(&self, naïve: u8) -> Result<u8, Fault> {
            if naïve == self.0 {
                return Err(Fault);
            }
            Ok(naïve)
        }

        async fn r#await(&self, r#type: u8) -> Result<u8, Fault> {
            let r#match = r#type.checked_sub(self.0).ok_or(Fault)?;
            Ok(r#match)
        }
    }

    #[instrument_task(name = <Größe<u8> as Named>::NAME)]
    fn qualified(n: u8) -> Option<u8> {
        Some(n)
    }

    #[instrument_task(name = Größe::<u8>::NAME)]
    fn with_arguments(n: u8) -> Option<u8> {
        Some(n)
    }

    #[instrument_task(tags(r#type = r#type, größe = "1"))]
    fn outer(r#type: u8) -> u8 {
        #[instrument_task(name = "inner")]
        fn outer(n: u8) -> Result<u8, Fault> {
            #[instrument_task(name = "innermost")]
            async fn outer(n: u8) -> u8 {
                n + 1
            }
            let n = block_on(outer(n));
            if n == 1 { Err(Fault) } else { Ok(n) }
        }
        let in_a_closure = |n| {
            #[instrument_task]
            fn deep(n: u8) -> u8 {
                n
            }
            deep(n)
        };
        in_a_closure(outer(r#type).unwrap_or_default())
    }

    pub fn check() {
        let expected = [
            ("Größe.prüfe", mixed(1, 1)),
            ("Größe.await", mixed(1, 1)),
            // Two tasks by one name, which share their counts.
            ("of.the.trait", succeed(2)),
            ("outer", succeed(2)),
            ("inner", mixed(1, 1)),
            ("innermost", succeed(2)),
            ("deep", succeed(2)),
        ];
        counts(&expected, || {
            let größe = Größe(1);
            assert_eq!((größe.prüfe(2), größe.prüfe(1)), (Ok(2), Err(Fault)));
            assert_eq!((block_on(größe.r#await(1)), block_on(größe.r#await(0))), (Ok(0), Err(Fault)));
            assert_eq!((qualified(1), with_arguments(1)), (Some(1), Some(1)));
            assert_eq!((outer(0), outer(1)), (0, 2));
        });
    }
}

pub mod lifetimes_of_futures {
    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::{future::Future, pin::Pin};

    // The future holds nothing of the lifetime that its output names.
    #[instrument_task]
    fn outlives<'a>(n: u8) -> Pin<Box<dyn Future<Output = Option<&'a str>> + Send>> {
        Box::pin(async move { [""].get(usize::from(n)).copied() })
    }

    #[instrument_task]
    fn outlives_opaque<'a>(n: u8) -> impl Future<Output = Result<&'a str, Fault>> + Send + 'static
    where
        'a: 'static,
    {
        async move { if n == 0 { Err(Fault) } else { Ok("a") } }
    }

    #[instrument_task]
    fn pending_once(all: &[u8]) -> impl Future<Output = Result<u8, Fault>> + use<'_> {
        std::future::ready(all.first().copied().ok_or(Fault))
    }

    // Only the signature says what these come to.
    #[instrument_task]
    fn inferred(n: u8) -> Pin<Box<dyn Future<Output = Result<u8, Fault>>>> {
        Box::pin(async move {
            if n == 0 {
                Err(Fault)?;
            }
            Ok("1".parse().map_err(|_| Fault)?)
        })
    }

    #[instrument_task]
    fn never_ready(n: u8) -> impl Future<Output = Vec<u8>> {
        assert!(n > 0);
        std::future::pending()
    }

    pub fn check() {
        let expected = [
            ("outlives", succeed(1)),
            ("outlives_opaque", mixed(1, 1)),
            ("pending_once", mixed(1, 1)),
            ("inferred", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert_eq!(block_on(outlives(0)), Some(""));
            assert_eq!((block_on(outlives_opaque(1)), block_on(outlives_opaque(0))), (Ok("a"), Err(Fault)));
            assert_eq!((block_on(pending_once(&[1])), block_on(pending_once(&[]))), (Ok(1), Err(Fault)));
            assert_eq!((block_on(inferred(1)), block_on(inferred(0))), (Ok(1), Err(Fault)));
            drop(never_ready(1));
        });
    }
}

pub mod signatures_of_all_parts {
    use crate::support::{Fault, assert_send, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::{
        convert::Infallible,
        fmt::Debug,
        future::Future,
        pin::Pin,
        str::FromStr,
        ops::AsyncFn,
    };

    #[derive(Debug, PartialEq)]
    struct Word(String);

    impl FromStr for Word {
        type Err = Fault;

        #[instrument_task]
        fn from_str(text: &str) -> Result<Self, Self::Err> {
            let Some(first) = text.split(' ').next().filter(|first| !first.is_empty()) else {
                return Err(Fault);
            };
            Ok(Self(first.to_owned()))
        }
    }

    trait Nested {
        type Of<'a>: Iterator<Item = &'a u8>
        where
            Self: 'a;

        fn all<'a>(&'a self, more: impl Into<usize>) -> Result<Self::Of<'a>, Fault>;

        #[instrument_task]
        fn first(&self) -> Option<<Self::Of<'_> as Iterator>::Item>
        where
            Self: Sized,
        {
            let mut all = self.all(0_usize).ok()?;
            all.next()
        }

        #[instrument_task]
        async fn later(self: Pin<&mut Self>, __task_value: u8) -> Result<u8, Fault>
        where
            Self: Unpin + Sized,
        {
            pause().await;
            let all = &*self.get_mut();
            let first = all.first().ok_or(Fault)?;
            Ok(first + __task_value)
        }
    }

    impl Nested for [u8; 2] {
        type Of<'a> = std::slice::Iter<'a, u8>;

        #[instrument_task]
        fn all<'a>(&'a self, more: impl Into<usize>) -> Result<Self::Of<'a>, Fault> {
            let all = self.get(more.into()..).ok_or(Fault)?;
            Ok(all.iter())
        }
    }

    #[instrument_task]
    fn opaque_in_a_result<'a, T: ?Sized + AsRef<[u8]>>(
        all: &'a T,
        skipped: usize,
        keep: &mut dyn FnMut(&u8) -> bool,
    ) -> Result<impl Iterator<Item = &'a u8> + use<'a, T>, Fault> {
        let rest = all.as_ref().get(skipped..).ok_or(Fault)?;
        let kept: Vec<_> = rest.iter().filter(|n| keep(n)).collect();
        Ok(kept.into_iter())
    }

    #[instrument_task]
    async fn two_lifetimes<'a, 'b: 'a>(all: &'a mut Vec<&'b str>, more: &'b str) -> Result<&'a mut &'b str, Fault> {
        all.push(more);
        pause().await;
        all.first_mut().filter(|first| !first.is_empty()).ok_or(Fault)
    }

    #[instrument_task]
    async fn calls<F>(f: F, once: Box<dyn FnOnce(u8) -> u8 + Send>) -> Result<u8, Fault>
    where
        F: AsyncFn(u8) -> Result<u8, Fault>,
    {
        let n = f(once(1)).await?;
        let inner = async |n: u8| -> Result<u8, Fault> { Ok(f(n).await?) };
        inner(n).await
    }

    #[instrument_task]
    fn returns_none_but_errors(n: u8) -> Result<Infallible, Fault> {
        'outer: loop {
            for m in 0.. {
                match m {
                    m if m > n => break 'outer,
                    3 if n == 3 => return Err(Fault),
                    _ => {}
                }
            }
        }
        Err(Fault)
    }

    #[instrument_task]
    extern "C" fn instrument_task_shape_of_all_parts(__task_call: u8, site: u8) -> Option<&'static u8> {
        const ALL: &[u8] = &[1, 2];
        ALL.get(usize::from(__task_call + site))
    }

    #[instrument_task]
    fn debugged(value: &(impl Debug + ?Sized)) -> Result<impl Debug, Fault> {
        let text = format!("{value:?}");
        if text.is_empty() { Err(Fault)? }
        Ok(text)
    }

    #[instrument_task]
    fn sends(n: u8) -> impl Future<Output = Result<(), Box<dyn std::error::Error + Send + Sync>>> + Send {
        async move {
            if n == 0 {
                return Err(Box::new(Fault).into());
            }
            Ok(())
        }
    }

    pub fn check() {
        let expected = [
            ("from_str", mixed(1, 1)),
            ("all", mixed(2, 1)),
            ("first", succeed(2)),
            ("later", succeed(1)),
            ("opaque_in_a_result", mixed(1, 1)),
            ("two_lifetimes", mixed(1, 1)),
            ("calls", mixed(1, 1)),
            ("returns_none_but_errors", mixed(0, 2)),
            ("instrument_task_shape_of_all_parts", succeed(2)),
            ("debugged", succeed(1)),
            ("sends", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert_eq!("a b".parse(), Ok(Word("a".to_owned())));
            assert_eq!("".parse::<Word>(), Err(Fault));
            let mut all = [1, 2];
            assert_eq!(Nested::first(&all), Some(&1));
            assert!(all.all(3_usize).is_err());
            assert_eq!(block_on(Nested::later(Pin::new(&mut all), 1)), Ok(2));
            let mut seen = 0;
            let mut keep = |n: &u8| {
                seen += n;
                *n > 1
            };
            assert_eq!(opaque_in_a_result(&all, 0, &mut keep).ok().map(Iterator::count), Some(1));
            assert!(opaque_in_a_result(&all, 3, &mut keep).is_err());
            assert_eq!(seen, 3);
            let mut words = Vec::new();
            assert_eq!(block_on(two_lifetimes(&mut words, "a")), Ok(&mut "a"));
            assert_eq!(block_on(two_lifetimes(&mut vec![""], "a")), Err(Fault));
            let double = async |n: u8| n.checked_mul(2).filter(|n| *n < 250).ok_or(Fault);
            assert_eq!(block_on(calls(double, Box::new(|n| n))), Ok(4));
            assert_eq!(block_on(calls(double, Box::new(|_| 255))), Err(Fault));
            assert!(returns_none_but_errors(1).is_err() && returns_none_but_errors(3).is_err());
            assert_eq!(instrument_task_shape_of_all_parts(0, 1), Some(&2));
            assert_eq!(instrument_task_shape_of_all_parts(1, 1), None);
            assert_eq!(format!("{:?}", debugged("a").unwrap()), "\"\\\"a\\\"\"");
            assert!(block_on(assert_send(sends(1))).is_ok() && block_on(sends(0)).is_err());
        });
    }
}
