//! What an annotated function does is what it did without the attribute: what it drops and when, which auto traits
//! its future has, what a panic carries, how deep its backtrace is.

use std::{
    backtrace::Backtrace,
    cell::RefCell,
    future::Future,
    hint::black_box,
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    pin::pin,
    rc::Rc,
};

use instrument_task::testing::capture;
use instrument_task_shapes_2024::support::{block_on, pause, poll_once};
use instrument_task_tests::bounds;

/// Writes its name down when it is dropped.
struct Noisy(&'static str, Log);

type Log = Rc<RefCell<Vec<&'static str>>>;

impl Drop for Noisy {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

struct Owner {
    second: Noisy,
    first: Noisy,
}

/// How a function is left.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leave {
    AtTheEnd,
    Early,
    ByPanic,
    BeforeTheEnd,
    Unpolled,
}

const ALL: [Leave; 3] = [Leave::AtTheEnd, Leave::Early, Leave::ByPanic];

macro_rules! functions {
    ($name:ident: $($attr:tt)*) => {
        mod $name {
            #![allow(clippy::manual_async_fn, clippy::needless_pass_by_value, clippy::unused_async)]
            use super::*;

            $($attr)*
            pub(super) fn unit(a: Noisy, (b, _): (Noisy, Noisy), _: Noisy, c: Noisy, leave: Leave) {
                let _local = Noisy("local", Rc::clone(&a.1));
                if leave == Leave::Early {
                    return drop(b);
                }
                assert!(leave == Leave::AtTheEnd);
                let _late = Noisy(c.0, Rc::clone(&c.1));
            }

            $($attr)*
            pub(super) fn straight(a: Noisy, (b, _): (Noisy, Noisy), _: Noisy, leave: Leave) -> Option<usize> {
                let _local = Noisy("local", Rc::clone(&a.1));
                let wanted = [leave == Leave::ByPanic].len() - usize::from(leave != Leave::ByPanic);
                let _divided = 1_usize.checked_div(1 - wanted).map(std::convert::identity);
                if wanted == 1 { panic_any(b.0) } else { Some(b.0.len()) }
            }

            $($attr)*
            pub(super) fn judged(a: Noisy, (b, _): (Noisy, Noisy), _: Noisy, c: Noisy, leave: Leave) -> Result<(), ()> {
                let _local = Noisy("local", Rc::clone(&a.1));
                if leave == Leave::Early {
                    drop(c);
                    return Err(());
                }
                assert!(leave == Leave::AtTheEnd);
                let _moved = b;
                Ok(())
            }

            impl Owner {
                $($attr)*
                pub(super) fn $name(self, more: Noisy, leave: Leave) -> Result<(), ()> {
                    let _local = Noisy("local", Rc::clone(&more.1));
                    if leave == Leave::Early {
                        drop(self.first);
                        return Err(());
                    }
                    assert!(leave == Leave::AtTheEnd);
                    let _second = &self.second;
                    Ok(())
                }
            }

            $($attr)*
            pub(super) async fn flat(a: Noisy, _: Noisy, b: Noisy, leave: Leave) -> Result<(), ()> {
                let _local = Noisy("local", Rc::clone(&a.1));
                pause().await;
                if leave == Leave::Early {
                    drop(b);
                    return Err(());
                }
                assert!(leave == Leave::AtTheEnd);
                Ok(())
            }

            $($attr)*
            pub(super) async fn patterns(a: Noisy, (b, _): (Noisy, Noisy), _: Noisy, c: Noisy, leave: Leave) -> usize {
                let _local = Noisy("local", Rc::clone(&a.1));
                pause().await;
                if leave == Leave::Early {
                    drop(c);
                    return 0;
                }
                assert!(leave == Leave::AtTheEnd);
                b.0.len()
            }

            $($attr)*
            #[must_use]
            pub(super) async fn kept(a: Noisy, (b, _): (Noisy, Noisy), _: Noisy, c: Noisy, leave: Leave) -> usize {
                let _local = Noisy("local", Rc::clone(&a.1));
                pause().await;
                if leave == Leave::Early {
                    drop(b);
                    return 0;
                }
                assert!(leave == Leave::AtTheEnd);
                c.0.len()
            }

            $($attr)*
            pub(super) fn opaque(a: Noisy, b: Noisy, _: Noisy, leave: Leave) -> impl Future<Output = usize> {
                let _local = Noisy("constructed", Rc::clone(&a.1));
                async move {
                    let _local = Noisy("local", Rc::clone(&b.1));
                    pause().await;
                    if leave == Leave::Early {
                        return 0;
                    }
                    assert!(leave == Leave::AtTheEnd);
                    b.0.len()
                }
            }
        }
    };
}

functions!(bare:);
functions!(annotated: #[instrument_task::instrument_task]);

/// What `run` drops, in order. It gets a maker of values that write their name down.
fn dropped(run: impl FnOnce(&dyn Fn(&'static str) -> Noisy)) -> Vec<&'static str> {
    let log = Log::default();
    let _ = catch_unwind(AssertUnwindSafe(|| run(&|name| Noisy(name, Rc::clone(&log)))));
    log.take()
}

macro_rules! same_drops {
    ($leave:ident in $all:expr, $new:ident => $module:ident $call:expr) => {
        for $leave in $all {
            let bare = dropped(|$new| {
                use bare as $module;
                $call
            });
            let annotated = dropped(|$new| {
                use annotated as $module;
                $call
            });
            assert!(!bare.is_empty());
            assert_eq!(annotated, bare, "{} {:?}", stringify!($call), $leave);
        }
    };
}

/// Polls once, and on to the end unless the future is to be dropped before it.
fn drive<T>(future: impl Future<Output = T>, leave: Leave) {
    let mut future = pin!(future);
    if leave == Leave::Unpolled {
        return;
    }
    assert!(poll_once(future.as_mut()).is_pending());
    if leave != Leave::BeforeTheEnd {
        block_on(future);
    }
}

#[test]
fn values_are_dropped_in_the_same_order() {
    same_drops!(l in ALL, n => m m::unit(n("a"), (n("b"), n("b.1")), n("_"), n("c"), l));
    same_drops!(l in ALL, n => m { black_box(m::straight(n("a"), (n("b"), n("b.1")), n("_"), l)); });
    same_drops!(l in ALL, n => m { let _result = m::judged(n("a"), (n("b"), n("b.1")), n("_"), n("c"), l); });
    for leave in ALL {
        let owner = |n: &dyn Fn(&'static str) -> Noisy| Owner {
            second: n("second"),
            first: n("first"),
        };
        let bare = dropped(|n| {
            let _result = owner(n).bare(n("more"), leave);
        });
        let annotated = dropped(|n| {
            let _result = owner(n).annotated(n("more"), leave);
        });
        assert_eq!(annotated, bare, "{leave:?}");
    }
}

#[test]
fn futures_drop_in_the_same_order() {
    let all = [Leave::AtTheEnd, Leave::Early, Leave::ByPanic, Leave::BeforeTheEnd];
    same_drops!(l in all, n => m drive(m::flat(n("a"), n("_"), n("b"), l), l));
    same_drops!(l in all, n => m drive(m::patterns(n("a"), (n("b"), n("b.1")), n("_"), n("c"), l), l));
    same_drops!(l in all, n => m drive(m::kept(n("a"), (n("b"), n("b.1")), n("_"), n("c"), l), l));
    same_drops!(l in all, n => m drive(m::opaque(n("a"), n("b"), n("_"), l), l));
}

/// A future that was never polled drops its arguments from the first to the last where the function stays `async`.
/// A flat one stores them once, in the order in which a running one has to drop them.
#[test]
fn unpolled_futures_drop_all_they_own() {
    let all = [Leave::Unpolled];
    same_drops!(l in all, n => m drive(m::kept(n("a"), (n("b"), n("b.1")), n("_"), n("c"), l), l));
    same_drops!(l in all, n => m drive(m::opaque(n("a"), n("b"), n("_"), l), l));
    let mut bare = dropped(|n| drop(bare::flat(n("a"), n("_"), n("b"), Leave::Unpolled)));
    let annotated = dropped(|n| drop(annotated::flat(n("a"), n("_"), n("b"), Leave::Unpolled)));
    bare.reverse();
    assert_eq!(annotated, bare);
}

#[allow(clippy::unused_self)]
mod auto_traits {
    use std::{
        cell::Cell,
        marker::{PhantomData, PhantomPinned},
        panic::UnwindSafe,
        rc::Rc,
    };

    use instrument_task::instrument_task;
    use instrument_task_shapes_2024::support::pause;

    /// Tells what a type implements: an inherent method where it does, the trait's where it does not.
    struct Is<T>(PhantomData<T>);

    impl<T> Is<T> {
        fn of(_: &T) -> Self {
            Self(PhantomData)
        }
    }

    trait IsNot {
        fn send(&self) -> bool {
            false
        }
        fn sync(&self) -> bool {
            false
        }
        fn unpin(&self) -> bool {
            false
        }
        fn unwind_safe(&self) -> bool {
            false
        }
    }

    impl<T> IsNot for Is<T> {}

    impl<T: Send> Is<T> {
        fn send(&self) -> bool {
            true
        }
    }

    impl<T: Sync> Is<T> {
        fn sync(&self) -> bool {
            true
        }
    }

    impl<T: Unpin> Is<T> {
        fn unpin(&self) -> bool {
            true
        }
    }

    impl<T: UnwindSafe> Is<T> {
        fn unwind_safe(&self) -> bool {
            true
        }
    }

    macro_rules! traits_of {
        ($value:expr) => {{
            let is = Is::of(&$value);
            [is.send(), is.sync(), is.unpin(), is.unwind_safe()]
        }};
    }

    macro_rules! functions {
        ($name:ident: $($attr:tt)*) => {
            mod $name {
                use super::*;

                $($attr)*
                pub(super) async fn plain(n: u8) -> u8 {
                    pause().await;
                    n
                }

                $($attr)*
                pub(super) async fn rc(n: Rc<u8>) -> u8 {
                    pause().await;
                    *n
                }

                $($attr)*
                pub(super) async fn cell(n: Cell<u8>) -> u8 {
                    pause().await;
                    n.get()
                }

                $($attr)*
                pub(super) async fn before_await(n: u8) -> u8 {
                    let rc = Rc::new(n);
                    let n = *rc;
                    drop(rc);
                    pause().await;
                    n
                }

                $($attr)*
                pub(super) async fn unused(_n: &mut u8, _pinned: PhantomPinned) {}

                $($attr)*
                pub(super) fn ready(n: u8) -> impl std::future::Future<Output = u8> {
                    std::future::ready(n)
                }
            }
        };
    }

    functions!(bare:);
    functions!(annotated: #[instrument_task]);

    #[test]
    fn futures_have_the_same_auto_traits() {
        assert_eq!(traits_of!(annotated::plain(1)), traits_of!(bare::plain(1)));
        assert_eq!(
            traits_of!(annotated::rc(Rc::new(1))),
            traits_of!(bare::rc(Rc::new(1)))
        );
        assert_eq!(
            traits_of!(annotated::cell(Cell::new(1))),
            traits_of!(bare::cell(Cell::new(1)))
        );
        assert_eq!(
            traits_of!(annotated::before_await(1)),
            traits_of!(bare::before_await(1))
        );
        let mut n = 1;
        assert_eq!(
            traits_of!(annotated::unused(&mut n, PhantomPinned)),
            traits_of!(bare::unused(&mut n, PhantomPinned))
        );
        assert_eq!(traits_of!(annotated::ready(1)), traits_of!(bare::ready(1)));
        assert_eq!(traits_of!(annotated::ready(1)), [true; 4]);
    }
}

mod traces {
    use std::hint::black_box;

    use super::Backtrace;
    use instrument_task::instrument_task;

    macro_rules! functions {
        ($name:ident: $($attr:tt)*) => {
            pub(super) mod $name {
                use super::*;

                $($attr)*
                #[inline(never)]
                pub(in super::super) fn judged(deep: bool) -> Result<usize, ()> {
                    if !deep {
                        return Err(());
                    }
                    Ok(frames())
                }

                $($attr)*
                #[inline(never)]
                pub(in super::super) fn plain(deep: bool) -> usize {
                    if !deep {
                        return 0;
                    }
                    frames()
                }

                $($attr)*
                pub(in super::super) async fn asynchronous() -> Result<usize, ()> {
                    Ok(frames())
                }
            }
        };
    }

    functions!(bare:);
    functions!(annotated: #[instrument_task]);

    /// How many frames a backtrace has here.
    #[inline(never)]
    fn frames() -> usize {
        let text = Backtrace::force_capture().to_string();
        black_box(
            text.lines()
                .filter(|line| !line.trim_start().starts_with("at "))
                .count(),
        )
    }
}

#[test]
fn backtraces_grow_by_two_frames_at_most() {
    let frames = || {
        let bare = [
            traces::bare::judged(true),
            Ok(traces::bare::plain(true)),
            block_on(traces::bare::asynchronous()),
        ];
        let annotated = [
            traces::annotated::judged(true),
            Ok(traces::annotated::plain(true)),
            block_on(traces::annotated::asynchronous()),
        ];
        (bare.map(Result::unwrap), annotated.map(Result::unwrap))
    };
    let (bare, annotated) = frames();
    for (bare, annotated) in bare.into_iter().zip(annotated) {
        assert!(
            bare > 0 && annotated <= bare + 2,
            "{annotated} frames instead of {bare}"
        );
    }
}

mod stack {
    use std::hint::black_box;

    use instrument_task::instrument_task;

    macro_rules! functions {
        ($name:ident: $($attr:tt)*) => {
            pub(super) mod $name {
                use super::*;

                $($attr)*
                #[inline(never)]
                pub(in super::super) fn judged(depth: usize) -> Result<usize, ()> {
                    if depth == 0 {
                        return Ok(position());
                    }
                    Ok(black_box(judged(depth - 1)?))
                }

                $($attr)*
                #[inline(never)]
                pub(in super::super) fn plain(depth: usize) -> usize {
                    if depth == 0 {
                        return position();
                    }
                    black_box(plain(depth - 1))
                }
            }
        };
    }

    functions!(bare:);
    functions!(annotated: #[instrument_task]);

    #[inline(never)]
    pub(super) fn position() -> usize {
        let here = black_box(0_u8);
        (&raw const here).addr()
    }
}

#[test]
fn a_call_takes_little_stack() {
    const DEPTH: usize = 1000;
    let used = |deepest: usize| (stack::position() - deepest) / DEPTH;
    let per_call = || {
        let bare = [stack::bare::judged(DEPTH).unwrap(), stack::bare::plain(DEPTH)].map(used);
        let annotated = [
            stack::annotated::judged(DEPTH).unwrap(),
            stack::annotated::plain(DEPTH),
        ]
        .map(used);
        (bare, annotated)
    };
    for (bare, annotated) in [per_call(), capture(per_call).value] {
        for (bare, annotated) in bare.into_iter().zip(annotated) {
            println!("stack of a call: {annotated} B, {bare} B without the attribute");
            assert!(annotated <= bare + 256, "{annotated} B instead of {bare} B");
        }
    }
}

mod large {
    #![allow(clippy::large_stack_arrays)]

    use std::hint::black_box;

    use instrument_task::instrument_task;
    use instrument_task_shapes_2024::support::pause;

    #[instrument_task]
    pub async fn future(n: u8) -> u8 {
        let block = [n; 100 * 1024];
        pause().await;
        black_box(&block)[0]
    }
}

/// Without optimisation a future is on the stack once more for each function that passes it on: twice without the attribute, three
/// times with it.
#[test]
fn a_large_future_fits_the_stack() {
    let run = || block_on(large::future(1));
    let thread = std::thread::Builder::new().stack_size(360 * 1024);
    assert_eq!(thread.spawn(run).unwrap().join().unwrap(), 1);
}

#[instrument_task::instrument_task]
fn raises(n: u8) -> Result<(), ()> {
    if n > 1 {
        panic_any(vec![n]);
    }
    Err(())
}

#[test]
fn a_panic_keeps_its_payload() {
    let payload = catch_unwind(|| raises(7)).unwrap_err();
    assert_eq!(payload.downcast_ref(), Some(&vec![7_u8]));
}

mod sizes {
    use instrument_task::instrument_task;
    use instrument_task_shapes_2024::support::pause;

    macro_rules! functions {
        ($name:ident: $($attr:tt)*) => {
            pub(super) mod $name {
                #![allow(clippy::large_types_passed_by_value, clippy::large_futures)]
                use super::*;

                $($attr)*
                pub(in super::super) async fn nothing() {
                    pause().await;
                }

                $($attr)*
                pub(in super::super) async fn two(a: String, b: Vec<u8>) -> usize {
                    pause().await;
                    a.len() + b.len()
                }

                $($attr)*
                pub(in super::super) async fn argument(block: [u8; 1024]) -> usize {
                    pause().await;
                    block.len()
                }

                $($attr)*
                pub(in super::super) async fn local(n: u8) -> u8 {
                    let block = [n; 1024];
                    pause().await;
                    block[usize::from(n)]
                }

                $($attr)*
                pub(in super::super) async fn nested(block: [u8; 256]) -> Result<usize, ()> {
                    two_levels(block).await
                }

                $($attr)*
                async fn two_levels(block: [u8; 256]) -> Result<usize, ()> {
                    three_levels(block).await
                }

                $($attr)*
                async fn three_levels(block: [u8; 256]) -> Result<usize, ()> {
                    four_levels(block).await
                }

                $($attr)*
                async fn four_levels(block: [u8; 256]) -> Result<usize, ()> {
                    pause().await;
                    Ok(block.len())
                }
            }
        };
    }

    functions!(bare:);
    functions!(annotated: #[instrument_task]);
    functions!(kept: #[instrument_task] #[must_use = "a reason to stay async"]);
}

#[test]
fn futures_store_an_argument_once() {
    macro_rules! sizes {
        ($name:ident $arguments:tt) => {
            [
                size_of_val(&sizes::bare::$name $arguments),
                size_of_val(&sizes::annotated::$name $arguments),
                size_of_val(&sizes::kept::$name $arguments),
            ]
        };
    }
    let two = 2 * size_of::<String>();
    // The size of the argument that it holds, and whether it holds it itself.
    let all = [
        ("()", Some(0), sizes!(nothing()), true),
        (
            "two owned arguments",
            Some(two),
            sizes!(two(String::new(), Vec::new())),
            true,
        ),
        (
            "an argument of 1 KiB",
            Some(1024),
            sizes!(argument([0; 1024])),
            true,
        ),
        ("a local of 1 KiB", None, sizes!(local(0)), true),
        (
            "256 B through four levels",
            Some(256),
            sizes!(nested([0; 256])),
            false,
        ),
    ];
    for (name, argument, [bare, flat, kept], is_leaf) in all {
        println!("{name}: {bare} B without the attribute, {flat} B flat, {kept} B where `async fn` is kept");
        let limit = argument.map_or(bare + bounds::FUTURE, |argument| {
            if is_leaf {
                argument + bounds::FUTURE_BESIDES_ARGUMENT
            } else {
                bare
            }
        });
        assert!(flat <= limit, "{name}: {flat} B, more than {limit} B");
        // A function that stays `async` stores what it passes on once more.
        let limit = if is_leaf {
            bare + bounds::FUTURE
        } else {
            bounds::FUTURE_KEPT * bare
        };
        assert!(kept <= limit, "{name}: {kept} B, more than {limit} B");
    }
}
