//! Calls that are futures.

pub mod lifecycle {
    use crate::support::{block_on, counts, panics, pause, poll_once};
    use instrument_task::{instrument_task, testing::capture};
    use std::{future::Future, mem, pin::pin, task::Poll};

    #[instrument_task]
    async fn flat(n: u8) -> u8 {
        pause().await;
        assert!(n != 7, "seven");
        n
    }

    #[instrument_task]
    #[must_use]
    async fn kept(n: u8) -> u8 {
        pause().await;
        assert!(n != 7, "seven");
        n
    }

    #[instrument_task]
    #[allow(clippy::manual_async_fn)]
    fn opaque(n: u8) -> impl Future<Output = u8> {
        async move {
            pause().await;
            assert!(n != 7, "seven");
            n
        }
    }

    fn life<F: Future<Output = u8>>(name: &str, make: impl Fn(u8) -> F) {
        // Never polled: no call.
        counts(&[], || drop(make(1)));
        counts(&[(name, [1, 1, 0, 0, 0])], || assert_eq!(block_on(make(1)), 1));
        // Dropped on the way: cancelled.
        counts(&[(name, [1, 0, 0, 1, 0])], || {
            let mut future = Box::pin(make(1));
            assert!(poll_once(future.as_mut()).is_pending());
        });
        // Still running.
        let mut running = None;
        counts(&[(name, [1, 0, 0, 0, 0])], || {
            let mut future = Box::pin(make(1));
            assert!(poll_once(future.as_mut()).is_pending());
            running = Some(future);
        });
        // It belongs to whom it started under, wherever it ends.
        let seen = capture(|| drop(running));
        assert_eq!(seen.task(name).cancelled, 0);
        // A panic counts as it leaves the poll, also where the future lives on, or is never dropped.
        counts(&[(name, [1, 0, 1, 0, 1])], || {
            let mut future = Box::pin(make(7));
            assert!(poll_once(future.as_mut()).is_pending());
            assert_eq!(panics(|| poll_once(future.as_mut())), "seven");
            // Polling on is a bug of the caller's, and counts nothing.
            panics(|| poll_once(future.as_mut()));
            mem::forget(future);
        });
        // After the end neither a poll nor the drop counts.
        counts(&[(name, [1, 1, 0, 0, 0])], || {
            let mut future = pin!(make(1));
            while poll_once(future.as_mut()).is_pending() {}
            panics(|| poll_once(future.as_mut()));
        });
    }

    pub fn check() {
        life("flat", flat);
        life("kept", kept);
        life("opaque", opaque);
        assert_eq!(poll_once(pin!(pause())), Poll::Pending);
    }
}

pub mod opaque_futures {
    use crate::support::{Fault, assert_send, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::future::{self, Future, Ready};

    #[instrument_task]
    fn by_block(n: u8) -> impl Future<Output = Result<u8, Fault>> + Send {
        let n = n.checked_sub(1);
        async move {
            pause().await;
            let n = n.ok_or(Fault)?;
            if n > 100 {
                return Err(Fault);
            }
            Ok(n)
        }
    }

    #[instrument_task]
    fn by_call<'a>(text: &'a str) -> impl Future<Output = usize> + 'a {
        async fn inner(text: &str) -> usize {
            pause().await;
            text.len()
        }
        inner(text)
    }

    #[instrument_task]
    fn ready(n: u8) -> impl Future<Output = u8> + Unpin {
        if n > 3 {
            return future::ready(3);
        }
        future::ready(n)
    }

    #[instrument_task]
    fn with_macros(n: u8) -> impl Future<Output = String> {
        let text = format!("{n}");
        async move { format!("<{text}>") }
    }

    #[instrument_task]
    fn bound_first(n: u8) -> impl Future<Output = u8> {
        let future = async move {
            pause().await;
            n
        };
        drop(String::new());
        future
    }

    #[instrument_task]
    fn generic<T: Into<u64> + Send>(n: T) -> impl Future<Output = Result<u64, impl std::fmt::Debug + Send>> + Send {
        async move {
            let n: u64 = n.into();
            u8::try_from(n).map(u64::from)
        }
    }

    /// A named type is what it is: a value, made at once.
    #[instrument_task]
    fn named(n: u8) -> Ready<u8> {
        future::ready(n)
    }

    #[instrument_task]
    fn more_than_a_future(n: u8) -> impl Future<Output = u8> + Clone {
        future::ready(n)
    }

    pub fn check() {
        let expected = [
            ("by_block", mixed(1, 2)),
            ("by_call", succeed(1)),
            ("ready", succeed(2)),
            ("with_macros", succeed(1)),
            ("bound_first", succeed(1)),
            ("generic", mixed(1, 1)),
            ("named", succeed(1)),
            ("more_than_a_future", succeed(1)),
        ];
        counts(&expected, || {
            for (n, result) in [(0, Err(Fault)), (1, Ok(0)), (200, Err(Fault))] {
                assert_eq!(block_on(assert_send(by_block(n))), result);
            }
            drop(by_block(1));
            assert_eq!(block_on(by_call("ab")), 2);
            assert_eq!(block_on(ready(1)) + block_on(ready(9)), 4);
            assert_eq!(block_on(with_macros(1)), "<1>");
            assert_eq!(block_on(bound_first(1)), 1);
            assert!(block_on(generic(1_u8)).is_ok() && block_on(assert_send(generic(300_u64))).is_err());
            assert_eq!(block_on(named(1)), 1);
            assert_eq!(block_on(more_than_a_future(1)), 1);
        });
    }
}

pub mod boxed_futures {
    use crate::support::{Fault, assert_send, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::{future::Future, pin::Pin};

    type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

    #[instrument_task]
    fn tail(n: u8) -> Pin<Box<dyn Future<Output = Result<u8, Fault>> + Send>> {
        Box::pin(async move {
            pause().await;
            let n = n.checked_sub(1).ok_or(Fault)?;
            Ok(n)
        })
    }

    #[instrument_task]
    fn statements(n: u8) -> Pin<Box<dyn Future<Output = u8>>> {
        let more = n + 1;
        let log = std::rc::Rc::new(more);
        Box::pin(async move {
            pause().await;
            n + *log
        })
    }

    #[instrument_task]
    fn early<'a>(text: &'a str) -> Pin<Box<dyn Future<Output = usize> + Send + 'a>> {
        if text.is_empty() {
            return Box::pin(std::future::ready(0));
        }
        ::std::boxed::Box::pin(async move {
            pause().await;
            text.len()
        })
    }

    #[instrument_task]
    fn matched(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        match n {
            0 => Box::pin(async { 10 }),
            n => Box::pin(std::future::ready(n)),
        }
    }

    #[instrument_task]
    fn aliased(n: &u8) -> BoxFuture<'_, Result<u8, Fault>> {
        Box::pin(async move { n.checked_sub(1).ok_or(Fault) })
    }

    #[instrument_task]
    fn passed_on(n: u8) -> BoxFuture<'static, u8> {
        let future = matched(n);
        future
    }

    #[instrument_task]
    fn factorial(n: u64) -> Pin<Box<dyn Future<Output = u64> + Send>> {
        Box::pin(async move { if n == 0 { 1 } else { n * factorial(n - 1).await } })
    }

    pub fn check() {
        let expected = [
            ("tail", mixed(1, 1)),
            ("statements", succeed(1)),
            ("early", succeed(2)),
            ("matched", succeed(3)),
            ("aliased", mixed(1, 1)),
            ("passed_on", succeed(1)),
            ("factorial", succeed(6)),
        ];
        counts(&expected, || {
            assert_eq!((block_on(tail(1)), block_on(assert_send(tail(0)))), (Ok(0), Err(Fault)));
            drop(tail(1));
            assert_eq!(block_on(statements(1)), 3);
            assert_eq!(block_on(early("")) + block_on(early("ab")), 2);
            assert_eq!(block_on(matched(0)) + block_on(matched(1)), 11);
            assert_eq!((block_on(aliased(&1)), block_on(aliased(&0))), (Ok(0), Err(Fault)));
            assert_eq!(block_on(passed_on(4)), 4);
            assert_eq!(block_on(factorial(5)), 120);
        });
    }
}

pub mod aliases {
    use crate::support::{Fault, assert_send, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::{fmt::Display, future::Future, pin::Pin};

    // By the names of the `futures` crate, but with arguments of one's own.
    type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;
    type LocalBoxFuture = Pin<Box<dyn Future<Output = u8>>>;

    mod of_a_library {
        use std::{future::Future, pin::Pin};

        pub type BoxFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;
    }

    #[instrument_task]
    fn borrowed<'a>(text: &'a str) -> BoxFuture<'a, &'a str> {
        Box::pin(async move {
            pause().await;
            text.strip_prefix('-').ok_or(Fault)
        })
    }

    #[instrument_task]
    fn early(n: &u8) -> BoxFuture<'_, u8> {
        if *n == 0 {
            return Box::pin(async { Err(Fault) });
        }
        Box::pin(async move { Ok(*n) })
    }

    #[instrument_task]
    fn two_arguments(n: u8) -> of_a_library::BoxFuture<u8, Fault> {
        Box::pin(async move { Ok(n.checked_sub(1).ok_or(Fault)?) })
    }

    #[instrument_task]
    fn no_argument(n: u8) -> LocalBoxFuture {
        Box::pin(async move { n })
    }

    pub fn check() {
        let both = mixed(1, 1);
        let expected =
            [("borrowed", both), ("early", both), ("two_arguments", both), ("no_argument", succeed(1))];
        counts(&expected, || {
            assert_eq!((block_on(borrowed("-a")), block_on(borrowed("a"))), (Ok("a"), Err(Fault)));
            assert_eq!((block_on(early(&1)), block_on(early(&0))), (Ok(1), Err(Fault)));
            assert_eq!((block_on(two_arguments(1)), block_on(assert_send(two_arguments(0)))), (Ok(0), Err(Fault)));
            assert_eq!(block_on(no_argument(1)), 1);
        });
        open_outputs();
    }

    #[instrument_task]
    fn pinned(n: u8) -> Pin<Box<impl Future<Output = Result<u8, Fault>> + Send>> {
        Box::pin(async move { n.checked_sub(1).ok_or(Fault) })
    }

    #[instrument_task]
    fn pinned_early(n: u8) -> Pin<Box<impl Future<Output = u8>>> {
        if n == 0 {
            return Box::pin(std::future::ready(1));
        }
        Box::pin(std::future::ready(n))
    }

    #[instrument_task]
    fn any_output(n: u8) -> impl Future {
        async move { n.checked_sub(1).ok_or(Fault) }
    }

    #[instrument_task]
    fn bounded_output(n: u8) -> impl Future<Output: Display> + Send {
        async move { n }
    }

    #[instrument_task]
    fn boxed_bounded_output(n: u8) -> Pin<Box<dyn Future<Output = impl Display>>> {
        Box::pin(async move { n })
    }

    fn open_outputs() {
        let expected = [
            ("pinned", mixed(1, 1)),
            ("pinned_early", succeed(2)),
            ("any_output", mixed(1, 1)),
            ("bounded_output", succeed(1)),
            ("boxed_bounded_output", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!((block_on(pinned(1)), block_on(assert_send(pinned(0)))), (Ok(0), Err(Fault)));
            drop(pinned(1));
            assert_eq!(block_on(pinned_early(0)) + block_on(pinned_early(2)), 3);
            block_on(async {
                any_output(0).await;
                any_output(1).await;
            });
            let bounded = (block_on(bounded_output(1)), block_on(boxed_bounded_output(2)));
            assert_eq!(bounded.0.to_string() + &bounded.1.to_string(), "12");
        });
    }
}

/// As deep as futures may be nested before the compiler asks for a higher `recursion_limit` to see that they are `Send`.
pub mod deep_nesting {
    use crate::support::{assert_send, block_on, counts, pause, succeed};
    use instrument_task::instrument_task;

    macro_rules! levels {
        ($name:ident) => {
            #[instrument_task]
            async fn $name() {
                pause().await;
            }
        };
        ($name:ident $next:ident $($rest:ident)*) => {
            #[instrument_task(name = "level")]
            async fn $name() {
                $next().await;
            }
            levels! { $next $($rest)* }
        };
    }

    levels! { a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 b1 b2 b3 b4 b5 b6 b7 b8 b9 b10 c1 c2 c3 c4 last }

    pub fn check() {
        counts(&[("level", succeed(24)), ("last", succeed(1))], || block_on(assert_send(a1())));
    }
}

pub mod recursion {
    use crate::support::{assert_send, block_on, counts, pause, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    async fn down(n: u32) -> u32 {
        pause().await;
        if n == 0 { 0 } else { 1 + Box::pin(down(n - 1)).await }
    }

    struct Tree(Vec<Tree>);

    impl Tree {
        #[instrument_task]
        pub async fn size(&self) -> usize {
            let mut size = 1;
            for child in &self.0 {
                size += Box::pin(child.size()).await;
            }
            size
        }

        #[instrument_task]
        async fn depth(&self) -> usize {
            let mut depth = 0;
            for child in &self.0 {
                depth = depth.max(Box::pin(child.depth()).await);
            }
            depth + 1
        }
    }

    pub fn check() {
        counts(&[("down", succeed(11)), ("size", succeed(4)), ("depth", succeed(4))], || {
            assert_eq!(block_on(assert_send(down(10))), 10);
            let tree = Tree(vec![Tree(vec![]), Tree(vec![Tree(vec![])])]);
            assert_eq!(block_on(tree.size()), 4);
            assert_eq!(block_on(tree.depth()), 3);
        });
    }
}

pub mod local {
    use crate::support::{block_on, counts, pause, succeed};
    use instrument_task::instrument_task;
    use std::{cell::RefCell, rc::Rc};

    #[instrument_task]
    async fn not_send(log: Rc<RefCell<Vec<u8>>>, n: u8) -> usize {
        log.borrow_mut().push(n);
        pause().await;
        log.borrow().len()
    }

    #[instrument_task]
    async fn holds_local(n: u8) -> Option<u8> {
        let log = Rc::new(n);
        pause().await;
        log.checked_sub(1)?;
        Some(*log)
    }

    pub fn check() {
        counts(&[("not_send", succeed(1)), ("holds_local", succeed(1))], || {
            let log = Rc::default();
            assert_eq!(block_on(not_send(Rc::clone(&log), 3)), 1);
            assert_eq!(*log.borrow(), [3]);
            assert_eq!(block_on(holds_local(1)), Some(1));
        });
    }
}

pub mod borrows {
    use crate::support::{Fault, assert_send, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    async fn flows_out<'a>(all: &'a mut Vec<String>, more: &str) -> Result<&'a mut String, Fault> {
        pause().await;
        all.push(more.to_owned());
        all.first_mut().ok_or(Fault)
    }

    #[instrument_task]
    async fn two_lifetimes<'a, 'b>(a: &'a str, b: &'b str) -> Option<(&'a str, &'b str)> {
        pause().await;
        a.strip_prefix('-')?;
        Some((a, b))
    }

    #[instrument_task]
    async fn generic<T, const N: usize>(all: [T; N], of: &T) -> usize
    where
        T: AsRef<str> + Send + Sync,
    {
        pause().await;
        all.iter().map(|item| item.as_ref().len()).sum::<usize>() + of.as_ref().len()
    }

    #[instrument_task]
    async fn callback<F>(f: F, text: &str) -> usize
    where
        F: for<'x> FnOnce(&'x str) -> &'x str,
    {
        pause().await;
        f(text).len()
    }

    #[instrument_task]
    async fn mutated(mut n: u8, mut all: Vec<u8>) -> (u8, Vec<u8>) {
        n += 1;
        pause().await;
        all.push(n);
        (n, all)
    }

    pub fn check() {
        let expected = [
            ("flows_out", mixed(1, 0)),
            ("two_lifetimes", succeed(2)),
            ("generic", succeed(1)),
            ("callback", succeed(1)),
            ("mutated", succeed(1)),
        ];
        counts(&expected, || {
            let mut all = vec!["a".to_owned()];
            block_on(assert_send(flows_out(&mut all, "b"))).unwrap().push('c');
            assert_eq!(all, ["ac", "b"]);
            assert_eq!(block_on(two_lifetimes("-a", "b")), Some(("-a", "b")));
            assert_eq!(block_on(two_lifetimes("a", "b")), None);
            assert_eq!(block_on(assert_send(generic(["a", "b"], &"c"))), 3);
            assert_eq!(block_on(callback(str::trim, " a ")), 1);
            assert_eq!(block_on(mutated(1, vec![])), (2, vec![2]));
        });
    }
}

pub mod never {
    use crate::support::{counts, panics, pause, poll_once};
    use instrument_task::instrument_task;
    use std::pin::pin;

    #[instrument_task]
    async fn forever(n: &mut u8) -> ! {
        loop {
            *n += 1;
            pause().await;
        }
    }

    #[instrument_task]
    async fn fails() -> ! {
        pause().await;
        panic!("at last")
    }

    #[instrument_task]
    async fn passes_on() -> ! {
        fails().await
    }

    pub fn check() {
        counts(&[("forever", [1, 0, 0, 1, 0]), ("fails", [1, 0, 1, 0, 1]), ("passes_on", [1, 0, 1, 0, 1])], || {
            let mut n = 0;
            {
                let mut forever = pin!(forever(&mut n));
                for _ in 0..3 {
                    assert!(poll_once(forever.as_mut()).is_pending());
                }
            }
            assert_eq!(n, 3);
            let mut fails = pin!(passes_on());
            assert!(poll_once(fails.as_mut()).is_pending());
            assert_eq!(panics(|| poll_once(fails.as_mut()).is_pending()), "at last");
        });
    }
}

pub mod as_values {
    use crate::support::{assert_send, block_on, counts, pause, succeed};
    use instrument_task::instrument_task;
    use std::future::Future;

    #[instrument_task]
    async fn double(n: &u8) -> u8 {
        pause().await;
        n * 2
    }

    #[instrument_task]
    async fn owned(n: u8) -> u8 {
        n + 1
    }

    async fn apply<F, R>(f: F, n: u8) -> u8
    where
        F: Fn(u8) -> R,
        R: Future<Output = u8> + Send + 'static,
    {
        f(n).await
    }

    async fn apply_borrowed(f: impl AsyncFn(&u8) -> u8, n: u8) -> u8 {
        f(&n).await
    }

    async fn spawned() -> u8 {
        tokio::spawn(owned(4)).await.unwrap()
    }

    pub fn check() {
        counts(&[("owned", succeed(2)), ("double", succeed(1))], || {
            assert_eq!(block_on(assert_send(apply(owned, 1))), 2);
            assert_eq!(block_on(apply_borrowed(double, 2)), 4);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            assert_eq!(runtime.block_on(spawned()), 5);
        });
    }
}

pub mod cancelled_by_a_timeout {
    use crate::support::{Fault, counts};
    use instrument_task::instrument_task;
    use std::time::Duration;

    #[instrument_task]
    async fn hangs() -> Result<(), Fault> {
        tokio::time::sleep(Duration::from_secs(3600)).await;
        Err(Fault)
    }

    #[instrument_task]
    async fn waits() -> Result<(), tokio::time::error::Elapsed> {
        tokio::time::timeout(Duration::from_millis(1), hangs()).await?.unwrap();
        Ok(())
    }

    #[instrument_task]
    async fn selects() -> u8 {
        tokio::select! {
            _ = hangs() => 1,
            () = std::future::ready(()) => 2,
        }
    }

    pub fn check() {
        let expected = [("hangs", [1, 0, 0, 1, 0]), ("waits", [1, 0, 1, 0, 0])];
        counts(&expected, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            assert!(runtime.block_on(waits()).is_err());
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let seen = instrument_task::testing::capture(|| runtime.block_on(selects()));
        assert_eq!(seen.value, 2);
        // Whether the hanging branch was polled first is up to the macro.
        assert_eq!(seen.task("hangs").started, seen.task("hangs").cancelled);
        assert_eq!(seen.task("selects").success, 1);
    }
}

pub mod streams {
    use crate::support::{counts, poll_once, succeed};
    use futures_core::Stream;
    use instrument_task::instrument_task;
    use std::{
        future::poll_fn,
        pin::{Pin, pin},
        task::{Context, Poll},
    };

    struct Up(u8);

    impl Stream for Up {
        type Item = Result<u8, String>;

        #[instrument_task]
        fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
            self.0 += 1;
            if self.0 > 2 {
                return Poll::Ready(None);
            }
            Poll::Ready(Some(Ok(self.0)))
        }
    }

    #[instrument_task]
    fn stream(from: u8) -> impl Stream<Item = Result<u8, String>> {
        Up(from)
    }

    #[instrument_task]
    fn boxed<'a>(from: &'a u8) -> Pin<Box<dyn Stream<Item = Result<u8, String>> + Send + 'a>> {
        Box::pin(Up(*from))
    }

    fn next<S: Stream + ?Sized>(mut stream: Pin<&mut S>) -> Poll<Option<S::Item>> {
        poll_once(pin!(poll_fn(|context| stream.as_mut().poll_next(context))))
    }

    pub fn check() {
        counts(&[("stream", succeed(1)), ("boxed", succeed(1)), ("poll_next", succeed(4))], || {
            let mut up = pin!(stream(0));
            assert_eq!(next(up.as_mut()), Poll::Ready(Some(Ok(1))));
            assert_eq!(next(up.as_mut()), Poll::Ready(Some(Ok(2))));
            assert_eq!(next(up.as_mut()), Poll::Ready(None));
            assert_eq!(next(boxed(&2).as_mut()), Poll::Ready(None));
        });
    }
}
