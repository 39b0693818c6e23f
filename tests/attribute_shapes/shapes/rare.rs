//! Shapes that are seldom met, or new in the language.

pub mod lending {
    use crate::support::{counts, mixed, succeed};
    use instrument_task::instrument_task;

    trait Lend {
        type Item<'a>
        where
            Self: 'a;

        fn lend<'a>(&'a mut self) -> Option<Self::Item<'a>>;
        fn try_lend<'a>(&'a mut self, at: usize) -> Result<Self::Item<'a>, usize>;
    }

    struct Buffer(Vec<u8>);

    impl Lend for Buffer {
        type Item<'a> = &'a mut [u8];

        #[instrument_task]
        fn lend<'a>(&'a mut self) -> Option<Self::Item<'a>> {
            if self.0.is_empty() {
                return None;
            }
            Some(&mut self.0)
        }

        #[instrument_task]
        fn try_lend<'a>(&'a mut self, at: usize) -> Result<Self::Item<'a>, usize> {
            self.0.get_mut(at..).ok_or(at)
        }
    }

    pub fn check() {
        let mut buffer = Buffer(vec![1, 2]);
        counts(&[("lend", succeed(1)), ("try_lend", mixed(1, 1))], || {
            buffer.lend().unwrap()[0] = 3;
            buffer.try_lend(1).unwrap()[0] = 4;
            assert_eq!(buffer.try_lend(3), Err(3));
        });
        assert_eq!(buffer.0, [3, 4]);
    }
}

pub mod asynchronous_closures {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    async fn within(n: u32) -> u32 {
        let add = async |more: u32| {
            pause().await;
            n + more
        };
        add(1).await + add(2).await
    }

    #[instrument_task]
    async fn lent<F: AsyncFn(u32) -> u32>(add: F) -> u32 {
        pause().await;
        add(4).await
    }

    #[instrument_task]
    async fn lent_mutably(mut step: impl AsyncFnMut() -> Result<(), Fault>) -> Result<(), Fault> {
        step().await?;
        step().await
    }

    #[instrument_task]
    async fn spent<T>(make: impl AsyncFnOnce() -> T) -> T {
        make().await
    }

    #[instrument_task]
    fn made(n: u32) -> impl AsyncFn(u32) -> u32 {
        async move |more| n + more
    }

    pub fn check() {
        let expected = [
            ("within", succeed(1)),
            ("lent", succeed(1)),
            ("lent_mutably", mixed(1, 1)),
            ("spent", succeed(1)),
            ("made", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!(block_on(within(1)), 5);
            let base = 3;
            assert_eq!(block_on(lent(async |n| n + base)), 7);
            let mut steps = 0;
            let mut step = |most: u32| {
                block_on(lent_mutably(async || {
                    steps += 1;
                    if steps > most { Err(Fault) } else { Ok(()) }
                }))
            };
            assert_eq!(step(2), Ok(()));
            assert_eq!(step(2), Err(Fault));
            let text = String::from("spent");
            assert_eq!(block_on(spent(async move || text)), "spent");
            assert_eq!(block_on(made(1)(2)), 3);
        });
    }
}

pub mod futures_by_hand {
    use crate::support::{block_on, counts, succeed};
    use instrument_task::instrument_task;
    use std::{
        future::Future,
        pin::Pin,
        task::{Context, Poll},
    };

    struct Countdown(u8);

    /// Each poll is a call: nothing says that the type's author meant the future.
    #[instrument_task]
    impl Future for Countdown {
        type Output = Result<(), ()>;

        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            self.0 -= 1;
            if self.0 > 0 {
                return Poll::Pending;
            }
            Poll::Ready(Ok(()))
        }
    }

    #[instrument_task]
    async fn counted(from: u8) -> Result<(), ()> {
        Countdown(from).await?;
        Ok(())
    }

    pub fn check() {
        let expected = [("Countdown.poll", succeed(3)), ("counted", succeed(1))];
        counts(&expected, || assert_eq!(block_on(counted(3)), Ok(())));
    }
}

pub mod fragments {
    use crate::support::{counts, mixed};

    macro_rules! function {
        ($(#[$attribute:meta])* $vis:vis $name:ident, $argument:pat_param, $ty:ty, $ret:ty, $lifetime:lifetime, $label:literal,
            $bound:path, $first:stmt, $condition:expr, $early:block, $late:block, $item:item) => {
            $(#[$attribute])*
            #[instrument_task::instrument_task(name = $label)]
            $vis fn $name<$lifetime, T: $bound>($argument: $ty, text: &$lifetime str, _: T) -> $ret {
                $item
                $first
                if $condition {
                    return $early;
                }
                let _ = (text, LENGTH);
                $late
            }
        };
    }

    function!(
        /// It has a doc comment.
        #[inline]
        pub(super) choose,
        (a, mut b),
        (u8, u8),
        Result<u8, u8>,
        'text,
        "fragments.choose",
        Copy,
        b += 1,
        a > b,
        { Ok(a) },
        { Err(b) },
        const LENGTH: usize = 3;
    );

    macro_rules! of_a_block {
        ($name:ident $body:block) => {
            #[instrument_task::instrument_task]
            fn $name() -> Result<u8, u8> $body
        };
    }

    of_a_block!(questioned {
        Err::<u8, u8>(3)?;
        Ok(2)
    });

    pub fn check() {
        let expected = [("fragments.choose", mixed(1, 1)), ("questioned", mixed(0, 1))];
        counts(&expected, || {
            assert_eq!(choose((3, 1), "", 1), Ok(3));
            assert_eq!(choose((3, 4), "", ()), Err(5));
            assert_eq!(questioned(), Err(3));
        });
    }
}

pub mod abis_and_features {
    #![allow(unsafe_code, reason = "what is looked at cannot be had without")]

    use crate::support::{Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    extern "C-unwind" fn unwinds(n: i32) -> i32 {
        assert!(n < 9, "nine");
        n + 1
    }

    #[instrument_task]
    #[unsafe(export_name = concat!(env!("CARGO_PKG_NAME"), "_exported"))]
    pub extern "C" fn exported(n: i32) -> i32 {
        n + 2
    }

    #[cfg_attr(target_arch = "x86_64", instrument_task)]
    #[cfg_attr(target_arch = "x86_64", target_feature(enable = "sse2"))]
    #[cfg_attr(not(target_arch = "x86_64"), instrument_task)]
    fn vectors(n: u8) -> Result<u8, Fault> {
        if n > 1 { Err(Fault) } else { Ok(n) }
    }

    #[instrument_task]
    unsafe fn read(from: *const u8) -> Option<u8> {
        if from.is_null() {
            return None;
        }
        Some(unsafe { *from })
    }

    pub fn check() {
        let as_pointer: extern "C-unwind" fn(i32) -> i32 = unwinds;
        let expected = [
            ("unwinds", [2, 1, 1, 0, 1]),
            ("exported", succeed(1)),
            ("vectors", mixed(1, 1)),
            ("read", succeed(2)),
        ];
        counts(&expected, || {
            assert_eq!(as_pointer(1), 2);
            assert_eq!(crate::support::panics(|| as_pointer(9)), "nine");
            assert_eq!(exported(1), 3);
            #[allow(unused_unsafe, reason = "where the feature is always there it is safe")]
            // SAFETY: every processor of this architecture has the feature.
            let results = unsafe { [vectors(1), vectors(2)] };
            assert_eq!(results, [Ok(1), Err(Fault)]);
            // SAFETY: one is null, which it asks for, and the other valid.
            let read = unsafe { [read(std::ptr::null()), read(&7)] };
            assert_eq!(read, [None, Some(7)]);
        });
    }
}

pub mod items_within {
    use crate::support::{block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::sync::atomic::{AtomicU8, Ordering};

    #[instrument_task]
    fn numbered(result: u8, value: u8, body: u8, call: u8, token: u8, guard: u8) -> u8 {
        const SITE: u8 = 1;
        static CALLS: AtomicU8 = AtomicU8::new(0);
        struct Token(u8);
        impl Token {
            #[instrument_task(name = "numbered.within")]
            fn take(&self) -> u8 {
                self.0
            }
        }
        fn site() -> u8 {
            SITE
        }
        const { assert!(SITE == 1) };
        CALLS.fetch_add(1, Ordering::Relaxed);
        result + value + body + call + guard + site() + Token(token).take()
    }

    #[instrument_task]
    async fn blocks(most: u8) -> Result<u8, u8> {
        let labelled = 'all: {
            if most > 2 {
                break 'all Err(most);
            }
            'outer: loop {
                for n in 0.. {
                    pause().await;
                    if n >= most {
                        break 'outer;
                    }
                    if n == 200 {
                        continue 'outer;
                    }
                }
            }
            Ok(most)
        };
        let inner = async { Ok::<_, u8>(labelled? + 1) }.await;
        let Ok(found) = inner else {
            return inner;
        };
        Ok(found)
    }

    pub fn check() {
        let expected = [
            ("numbered", succeed(1)),
            ("numbered.within", succeed(1)),
            ("blocks", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert_eq!(numbered(1, 1, 1, 1, 1, 1), 7);
            assert_eq!(block_on(blocks(1)), Ok(2));
            assert_eq!(block_on(blocks(3)), Err(3));
        });
    }
}

pub mod captures {
    use crate::support::{block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::{borrow::Cow, fmt::Display, future::Future, rc::Rc};

    #[instrument_task]
    fn shown<'a, T: Display + ?Sized>(text: &'a str, other: &T) -> impl Display + use<'a, T> {
        assert_ne!(other.to_string(), text);
        text
    }

    #[instrument_task]
    #[allow(clippy::manual_async_fn)]
    fn measured<'a>(text: &'a str, _: &[u8; 64]) -> impl Future<Output = usize> + use<'a> {
        async move {
            pause().await;
            text.len()
        }
    }

    #[instrument_task]
    fn early<'long: 'short, 'short, T: ?Sized + 'long>(kept: &'long T, _: &'short T) -> &'short T {
        kept
    }

    #[instrument_task]
    async fn pushed(into: &mut Vec<u8>) -> &mut u8 {
        pause().await;
        into.push(2);
        into.last_mut().unwrap()
    }

    #[instrument_task]
    async fn either<'a>(text: Cow<'a, str>, make: &dyn Fn(&str) -> String) -> Cow<'a, str> {
        if text.is_empty() {
            return Cow::Owned(make(&text));
        }
        text
    }

    #[instrument_task]
    async fn shared(self_: Rc<Vec<u8>>, at: &usize) -> Result<impl Display + use<>, usize> {
        pause().await;
        let found = *self_.get(*at).ok_or(*at)?;
        Ok(found)
    }

    pub fn check() {
        let expected = [
            ("shown", succeed(1)),
            ("measured", succeed(1)),
            ("early", succeed(1)),
            ("pushed", succeed(1)),
            ("either", succeed(2)),
            ("shared", mixed(1, 1)),
        ];
        counts(&expected, || {
            let text = String::from("text");
            let shown = {
                let short = String::from("short");
                shown(&text, &short)
            };
            assert_eq!(shown.to_string(), "text");
            let length = {
                let short = [0; 64];
                measured(&text, &short)
            };
            assert_eq!(block_on(length), 4);
            assert_eq!(early("long", &text), "long");
            let mut all = vec![1];
            *block_on(pushed(&mut all)) += 1;
            assert_eq!(all, [1, 3]);
            let make = |_: &str| "made".to_owned();
            assert_eq!(block_on(either("".into(), &make)), "made");
            assert_eq!(block_on(either("kept".into(), &make)), "kept");
            let all = Rc::new(all);
            assert_eq!(block_on(shared(Rc::clone(&all), &1)).unwrap().to_string(), "3");
            assert_eq!(block_on(shared(all, &2)).err(), Some(2));
        });
    }
}

pub mod blanket_impls {
    use crate::support::{counts, succeed};
    use instrument_task::instrument_task;
    use std::fmt::Debug;

    trait Width {
        fn width(&self) -> usize;
        fn twice(&self) -> usize {
            2 * self.width()
        }
    }

    #[instrument_task]
    impl Width for &str {
        fn width(&self) -> usize {
            self.len()
        }
    }

    #[instrument_task]
    impl<A: Debug, const N: usize> Width for [A; N] {
        fn width(&self) -> usize {
            N
        }
    }

    #[instrument_task]
    impl Width for dyn Debug {
        fn width(&self) -> usize {
            format!("{self:?}").len()
        }
    }

    #[instrument_task]
    impl Width for fn(u8) -> u8 {
        fn width(&self) -> usize {
            self(8).into()
        }

        fn twice(&self) -> usize {
            0
        }
    }

    pub fn check() {
        let expected = [
            ("str.width", succeed(2)),
            ("array.width", succeed(1)),
            ("Debug.width", succeed(1)),
            ("fn.width", succeed(1)),
            ("fn.twice", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!(("text".width(), "text".twice()), (4, 8));
            assert_eq!([1, 2].width(), 2);
            let debug: &dyn Debug = &'x';
            assert_eq!(debug.width(), 3);
            let add: fn(u8) -> u8 = |n| n + 1;
            assert_eq!((add.width(), add.twice()), (9, 0));
        });
    }
}

pub mod parameters_with_attributes {
    use crate::support::{block_on, counts, mixed, pause};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn looked_at(#[cfg(not(panic = "unwind"))] no: u8, #[cfg(panic = "unwind")] yes: u8, #[allow(unused_variables)] idle: u8) -> Result<u8, u8> {
        if yes > 1 {
            return Err(yes);
        }
        Ok(yes)
    }

    #[instrument_task(tags(size = yes))]
    async fn awaited(#[cfg(not(panic = "unwind"))] no: u8, #[cfg(panic = "unwind")] yes: u8, #[expect(unused_variables)] idle: u8) -> Result<u8, u8> {
        pause().await;
        looked_at(yes, 1)
    }

    pub fn check() {
        let expected = [("looked_at", mixed(2, 2)), ("awaited", mixed(1, 1))];
        counts(&expected, || {
            assert_eq!((looked_at(1, 0), looked_at(2, 0)), (Ok(1), Err(2)));
            assert_eq!((block_on(awaited(1, 0)), block_on(awaited(2, 0))), (Ok(1), Err(2)));
        });
    }
}
