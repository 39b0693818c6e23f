//! The attribute on the plain shapes: values, drop order and future sizes.
#![deny(warnings, clippy::pedantic)]
#![allow(clippy::large_types_passed_by_value, clippy::semicolon_if_nothing_returned)]

use std::{
    cell::RefCell,
    fmt::Display,
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    rc::Rc,
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use instrument_task::instrument_task;

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

async fn pause() {
    let mut paused = false;
    std::future::poll_fn(|_| {
        if std::mem::replace(&mut paused, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}

#[instrument_task]
fn unit() {}

#[instrument_task(name = "app.plain")]
fn plain(a: u32, mut b: u32) -> u32 {
    b += 1;
    a + b
}

#[instrument_task]
fn fallible(fail: bool) -> io::Result<u8> {
    if fail {
        return Err(io::Error::other("no"));
    }
    let n: u8 = "7".parse().map_err(io::Error::other)?;
    Ok(n)
}

#[instrument_task]
fn tail_temporary(m: Mutex<u8>) -> Result<u8, String> {
    Ok(*m.lock().unwrap())
}

#[instrument_task]
fn opaque(n: u32) -> impl Display + Clone {
    if n > 3 {
        return "big";
    }
    "small"
}

#[instrument_task]
fn opaque_ok(n: u32) -> Result<impl Iterator<Item = u32>, String> {
    Ok((0..n).map(|n| n * 2))
}

#[instrument_task]
fn closure(n: u32) -> impl Fn(&str) -> usize {
    move |s| s.len() + n as usize
}

#[instrument_task]
fn boxed(n: u32) -> Result<Box<dyn Display>, String> {
    match n {
        0 => Ok(Box::new("zero")),
        n => Ok(Box::new(n)),
    }
}

struct Store {
    items: Vec<String>,
}

impl Store {
    #[instrument_task]
    fn first<'a>(&'a mut self, _why: &str) -> Result<&'a mut String, String> {
        self.items.first_mut().ok_or_else(|| "empty".to_owned())
    }

    #[instrument_task]
    async fn first_async(&mut self) -> Result<&mut String, String> {
        pause().await;
        self.items.first_mut().ok_or_else(|| "empty".to_owned())
    }

    #[instrument_task]
    fn into_items(self) -> Option<Vec<String>> {
        Some(self.items)
    }

    #[instrument_task]
    fn len(&self) -> usize {
        self.items.len()
    }
}

#[instrument_task]
async fn add(a: u32, mut b: u32) -> Result<u32, std::num::ParseIntError> {
    pause().await;
    b += 1;
    let c: u32 = "1".parse()?;
    Ok(a + b + c)
}

#[instrument_task]
async fn dynamic(n: u32) -> Result<Box<dyn Display + Send>, String> {
    pause().await;
    if n == 0 {
        return Ok(Box::new("zero"));
    }
    Ok(Box::new(n))
}

#[instrument_task]
#[must_use]
async fn kept(s: &str) -> usize {
    pause().await;
    s.len()
}

#[instrument_task]
async fn never() -> ! {
    loop {
        pause().await;
    }
}

#[instrument_task]
fn generic<'a, T: Clone, const N: usize>(all: &'a [T; N]) -> Result<&'a T, ()>
where
    T: Display,
{
    all.first().ok_or(())
}

#[test]
fn values() {
    unit();
    assert_eq!(plain(1, 2), 4);
    assert_eq!(fallible(false).unwrap(), 7);
    assert!(fallible(true).is_err());
    assert_eq!(tail_temporary(Mutex::new(3)), Ok(3));
    assert_eq!(opaque(1).to_string() + &opaque(4).to_string(), "smallbig");
    assert_eq!(opaque_ok(3).unwrap().sum::<u32>(), 6);
    assert_eq!(closure(2)("abc"), 5);
    assert_eq!(
        boxed(0).unwrap().to_string() + &boxed(5).unwrap().to_string(),
        "zero5"
    );
    let mut store = Store {
        items: vec!["a".to_owned()],
    };
    store.first("x").unwrap().push('b');
    block_on(store.first_async()).unwrap().push('c');
    assert_eq!(store.len(), 1);
    assert_eq!(store.into_items().unwrap(), ["abc"]);
    assert_eq!(block_on(add(1, 2)), Ok(5));
    assert_eq!(block_on(dynamic(0)).unwrap().to_string(), "zero");
    assert_eq!(block_on(kept("four")), 4);
    assert_eq!(generic(&[1, 2]), Ok(&1));
    let mut never = pin!(never());
    assert!(
        never
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_pending()
    );
}

#[derive(Clone)]
struct Log(Rc<RefCell<Vec<&'static str>>>);

struct Noisy(&'static str, Log);

impl Drop for Noisy {
    fn drop(&mut self) {
        self.1.0.borrow_mut().push(self.0);
    }
}

macro_rules! drop_order {
    ($($attr:tt)*) => {
        #[allow(clippy::unused_async)]
        $($attr)*
        pub(super) fn sync_order(a: Noisy, (b, _): (Noisy, Noisy), _: Noisy, c: Noisy, d: Noisy) -> Result<(), String> {
            let _local = Noisy("local", a.1.clone());
            if c.0.is_empty() {
                drop(c);
            }
            let _ = (&b, &d);
            Ok(())
        }

        $($attr)*
        pub(super) async fn async_order(a: Noisy, (b, _): (Noisy, Noisy), _: Noisy, c: Noisy, d: Noisy) -> Result<(), String> {
            let _local = Noisy("local", a.1.clone());
            pause().await;
            if c.0.is_empty() {
                drop(c);
            }
            let _ = (&b, &d);
            Ok(())
        }

        $($attr)*
        pub(super) async fn async_plain(a: Noisy, _: Noisy, c: Noisy, d: Noisy) -> Result<(), String> {
            let _local = Noisy("local", a.1.clone());
            pause().await;
            if c.0.is_empty() {
                drop(c);
            }
            if d.0.is_empty() {
                drop(d);
            }
            Ok(())
        }
    };
}

mod bare {
    use super::{Noisy, pause};
    drop_order!();
}

mod annotated {
    use super::{Noisy, pause};
    use instrument_task::instrument_task;
    drop_order!(#[instrument_task]);
}

fn recorded(run: impl FnOnce(&dyn Fn(&'static str) -> Noisy)) -> Vec<&'static str> {
    let log = Log(Rc::default());
    run(&|name| Noisy(name, log.clone()));
    let seen = log.0.borrow().clone();
    seen
}

#[test]
fn arguments_are_dropped_in_the_same_order() {
    let bare = recorded(|n| bare::sync_order(n("a"), (n("b"), n("b.1")), n("_"), n("c"), n("d")).unwrap());
    let ours =
        recorded(|n| annotated::sync_order(n("a"), (n("b"), n("b.1")), n("_"), n("c"), n("d")).unwrap());
    assert_eq!(ours, bare);
    let bare = recorded(|n| {
        block_on(bare::async_order(
            n("a"),
            (n("b"), n("b.1")),
            n("_"),
            n("c"),
            n("d"),
        ))
        .unwrap()
    });
    let ours = recorded(|n| {
        block_on(annotated::async_order(
            n("a"),
            (n("b"), n("b.1")),
            n("_"),
            n("c"),
            n("d"),
        ))
        .unwrap()
    });
    assert_eq!(ours, bare);
    let bare = recorded(|n| block_on(bare::async_plain(n("a"), n("_"), n("c"), n("d"))).unwrap());
    let ours = recorded(|n| block_on(annotated::async_plain(n("a"), n("_"), n("c"), n("d"))).unwrap());
    assert_eq!(ours, bare);
}

#[instrument_task]
async fn holds(block: [u8; 1024]) -> usize {
    pause().await;
    block.len()
}

#[instrument_task]
#[must_use]
async fn holds_kept(block: [u8; 1024]) -> usize {
    pause().await;
    block.len()
}

async fn holds_bare(block: [u8; 1024]) -> usize {
    pause().await;
    block.len()
}

#[test]
fn an_argument_is_stored_once() {
    let size = size_of_val(&holds([0; 1024]));
    let kept = size_of_val(&holds_kept([0; 1024]));
    let bare = size_of_val(&holds_bare([0; 1024]));
    println!("flat {size} kept {kept} bare {bare}");
    assert!(size <= 1024 + 64, "{size}");
    assert!(kept <= bare + 32, "{kept} {bare}");
}

#[instrument_task]
fn bursts(n: u32) -> Result<u32, String> {
    assert!(n < 3, "too many: {n}");
    Ok(n)
}

#[test]
fn a_panic_passes_through() {
    let payload = catch_unwind(AssertUnwindSafe(|| bursts(3))).unwrap_err();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), "too many: 3");
}
