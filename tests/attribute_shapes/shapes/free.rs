//! Functions that stand alone.

pub mod unit {
    use crate::support::{counts, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn unit() {}

    pub fn check() {
        counts(&[("unit", succeed(2))], || {
            unit();
            unit();
        });
    }
}

pub mod arguments {
    use crate::support::{counts, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn add(a: u32, mut b: u32) -> u32 {
        b += 1;
        a + b
    }

    #[instrument_task]
    fn add_some(a: u32, mut b: u32) -> Option<u32> {
        b += 1;
        a.checked_add(b)?.checked_mul(1)
    }

    pub fn check() {
        counts(&[("add", succeed(1)), ("add_some", succeed(2))], || {
            assert_eq!(add(1, 2), 4);
            assert_eq!(add_some(1, 2), Some(4));
            assert_eq!(add_some(u32::MAX, 2), None);
        });
    }
}

pub mod generics {
    use crate::support::{Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::fmt::Display;

    #[instrument_task]
    fn show<T: Display>(value: T) -> String {
        value.to_string()
    }

    #[instrument_task]
    fn first<T, const N: usize>(all: &[T; N]) -> Result<&T, Fault>
    where
        T: Clone,
    {
        let found = all.first().ok_or(Fault)?;
        Ok(found)
    }

    #[instrument_task]
    fn with<F, R>(f: F) -> R
    where
        F: FnOnce() -> R,
    {
        f()
    }

    #[instrument_task]
    fn either<T, E>(flag: bool, ok: T, err: E) -> Result<T, E> {
        if flag {
            return Ok(ok);
        }
        Err(err)
    }

    pub fn check() {
        counts(
            &[("show", succeed(2)), ("first", mixed(1, 1)), ("with", succeed(1)), ("either", mixed(1, 1))],
            || {
                assert_eq!(show(1) + &show("x"), "1x");
                assert_eq!(first(&[1, 2]), Ok(&1));
                assert_eq!(first::<u8, 0>(&[]), Err(Fault));
                // A bare `R` says nothing, whatever it is here.
                assert_eq!(with(|| Err::<(), _>(Fault)), Err(Fault));
                assert_eq!(either(true, 1, "no"), Ok(1));
                assert_eq!(either(false, 1, "no"), Err("no"));
            },
        );
    }
}

pub mod lifetimes {
    use crate::support::{counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::fmt::Debug;

    #[derive(Debug)]
    struct View<'a>(&'a str);

    #[instrument_task]
    fn elided(text: &str) -> Result<&str, String> {
        let n: usize = text.len();
        (n > 1).then_some(text).ok_or_else(|| "short".to_owned())
    }

    #[instrument_task]
    fn named<'a: 'b, 'b>(a: &'a str, b: &'b str) -> Result<&'b str, std::num::ParseIntError> {
        let n: i32 = b.parse()?;
        Ok(if n > 0 { a } else { b })
    }

    #[instrument_task]
    fn view(text: &str) -> Option<View<'_>> {
        let trimmed = text.strip_prefix('-')?;
        Some(View(trimmed))
    }

    #[instrument_task]
    fn higher<F>(f: F) -> Result<usize, String>
    where
        F: for<'x> Fn(&'x str) -> Result<&'x str, String>,
    {
        Ok(f("four")?.len())
    }

    #[instrument_task]
    fn pointers(f: for<'x> fn(&'x [u8]) -> &'x [u8]) -> for<'x> fn(&'x [u8]) -> &'x [u8] {
        f
    }

    #[instrument_task]
    fn debug<T: Debug + ?Sized>(value: &T) -> impl Debug + use<'_, T> {
        format!("{value:?}")
    }

    fn tail(bytes: &[u8]) -> &[u8] {
        &bytes[1..]
    }

    pub fn check() {
        counts(
            &[
                ("elided", mixed(1, 1)),
                ("named", mixed(1, 1)),
                ("view", succeed(2)),
                ("higher", mixed(1, 1)),
                ("pointers", succeed(1)),
                ("debug", succeed(1)),
            ],
            || {
                assert_eq!(elided("ab"), Ok("ab"));
                assert!(elided("a").is_err());
                assert_eq!(named("a", "1"), Ok("a"));
                assert!(named("a", "b").is_err());
                assert_eq!(view("-x").unwrap().0, "x");
                assert!(view("x").is_none());
                assert_eq!(higher(|x| Ok(x)), Ok(4));
                assert!(higher(|x| Err(x.to_owned())).is_err());
                assert_eq!(pointers(tail)(&[1, 2]), [2]);
                assert_eq!(format!("{:?}", debug("x")), "\"\\\"x\\\"\"");
            },
        );
    }
}

pub mod impl_arguments {
    use crate::support::{counts, mixed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn total(items: impl IntoIterator<Item = impl Into<u64>>, scale: impl Fn(u64) -> u64) -> Result<u64, String> {
        let mut sum = 0_u64;
        for item in items {
            sum = sum.checked_add(scale(item.into())).ok_or("too much")?;
        }
        Ok(sum)
    }

    pub fn check() {
        counts(&[("total", mixed(1, 1))], || {
            assert_eq!(total([1_u8, 2], |n| n * 2), Ok(6));
            assert!(total([1_u8, 2], |_| u64::MAX).is_err());
        });
    }
}

#[allow(clippy::toplevel_ref_arg)]
pub mod patterns {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;

    struct Pair {
        left: String,
        right: u8,
    }

    #[instrument_task]
    fn sync(
        (a, mut b): (u8, u8),
        Pair { left, right: inner @ 0..=255 }: Pair,
        [first, .., last]: [u8; 4],
        &reference: &u128,
        ref by_ref: u8,
        _: String,
    ) -> Result<String, Fault> {
        b += 1;
        if a == 0 {
            return Err(Fault);
        }
        Ok(format!("{a}{b}{left}{inner}{first}{last}{reference}{by_ref}"))
    }

    #[instrument_task]
    async fn asynchronous(
        (a, mut b): (u8, u8),
        Pair { left, right: inner @ 0..=255 }: Pair,
        [first, .., last]: [u8; 4],
        &reference: &u128,
        _: String,
    ) -> Result<String, Fault> {
        pause().await;
        b += 1;
        if a == 0 {
            return Err(Fault);
        }
        Ok(format!("{a}{b}{left}{inner}{first}{last}{reference}"))
    }

    #[instrument_task]
    fn changed(Pair { left: ref mut text, .. }: Pair, ref mut more: String) -> Result<String, Fault> {
        text.push('+');
        if more.is_empty() {
            return Err(Fault);
        }
        Ok(std::mem::take(text) + more)
    }

    #[instrument_task]
    async fn changed_later(Pair { left: ref mut text, .. }: Pair, (ref mut n, _): (u8, String)) -> String {
        pause().await;
        *n += 1;
        text.push('+');
        format!("{text}{n}")
    }

    #[instrument_task]
    fn in_place((a, b): (u8, u8), _: String) -> u8 {
        a + b
    }

    fn pair() -> Pair {
        Pair { left: "l".to_owned(), right: 3 }
    }

    pub fn check() {
        let expected = [
            ("sync", mixed(1, 1)),
            ("asynchronous", mixed(1, 1)),
            ("changed", mixed(1, 1)),
            ("changed_later", succeed(1)),
            ("in_place", succeed(1)),
        ];
        counts(&expected, || {
            let more = String::new;
            assert_eq!(sync((1, 1), pair(), [4, 0, 0, 5], &6, 7, more()).unwrap(), "12l34567");
            assert_eq!(sync((0, 1), pair(), [4, 0, 0, 5], &6, 7, more()), Err(Fault));
            assert_eq!(block_on(asynchronous((1, 1), pair(), [4, 0, 0, 5], &6, more())).unwrap(), "12l3456");
            assert_eq!(block_on(asynchronous((0, 1), pair(), [4, 0, 0, 5], &6, more())), Err(Fault));
            assert_eq!((changed(pair(), "m".to_owned()), changed(pair(), more())), (Ok("l+m".to_owned()), Err(Fault)));
            assert_eq!(block_on(changed_later(pair(), (1, more()))), "l+2");
            assert_eq!(in_place((1, 2), more()), 3);
        });
    }
}

pub mod shadowed_arguments {
    use crate::support::{block_on, counts, mixed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn sync(text: &str) -> Result<i32, std::num::ParseIntError> {
        let text = text.trim();
        let text: i32 = text.parse()?;
        Ok(text)
    }

    #[instrument_task]
    async fn asynchronous(text: String) -> Result<i32, std::num::ParseIntError> {
        let text = text.trim();
        let text: i32 = text.parse()?;
        Ok(text)
    }

    pub fn check() {
        counts(&[("sync", mixed(1, 1)), ("asynchronous", mixed(1, 1))], || {
            assert_eq!(sync(" 1"), Ok(1));
            assert!(sync("").is_err());
            assert_eq!(block_on(asynchronous(" 1".to_owned())), Ok(1));
            assert!(block_on(asynchronous(String::new())).is_err());
        });
    }
}

pub mod underscored_arguments {
    use crate::support::{Fault, block_on, counts, mixed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn sync(_unused: String, n: u8) -> Result<u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    }

    #[instrument_task]
    async fn asynchronous(_unused: String, n: u8) -> Result<u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    }

    pub fn check() {
        counts(&[("sync", mixed(1, 1)), ("asynchronous", mixed(1, 1))], || {
            assert_eq!((sync(String::new(), 1), sync(String::new(), 0)), (Ok(1), Err(Fault)));
            assert_eq!(block_on(asynchronous(String::new(), 1)), Ok(1));
            assert_eq!(block_on(asynchronous(String::new(), 0)), Err(Fault));
        });
    }
}

pub mod raw_identifiers {
    use crate::support::{block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn r#match(r#type: u8) -> Result<u8, String> {
        if r#type == 0 {
            return Err(format!("{type}"));
        }
        Ok(r#type)
    }

    #[instrument_task]
    async fn r#loop(r#type: u8) -> u8 {
        r#type
    }

    pub fn check() {
        counts(&[("match", mixed(1, 1)), ("loop", succeed(1))], || {
            assert_eq!(r#match(1), Ok(1));
            assert_eq!(r#match(0), Err("0".to_owned()));
            assert_eq!(block_on(r#loop(3)), 3);
        });
    }
}

pub mod early_returns {
    use crate::support::{Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn plain(n: u8) -> u8 {
        if n == 0 {
            return 9;
        }
        n
    }

    #[instrument_task]
    fn unit(n: &mut u8) {
        if *n == 0 {
            return;
        }
        *n -= 1;
    }

    #[instrument_task]
    fn labelled(limit: u8) -> Result<u8, Fault> {
        let mut found = 0;
        'outer: for step in 1.. {
            for n in 0..step {
                found += 1;
                if found == 200 {
                    return Err(Fault);
                }
                if n == limit {
                    continue 'outer;
                }
                if found > limit {
                    break 'outer;
                }
            }
        }
        let skipped = 'block: {
            if found == 3 {
                break 'block 0;
            }
            1
        };
        Ok(found + skipped)
    }

    pub fn check() {
        counts(&[("plain", succeed(2)), ("unit", succeed(2)), ("labelled", mixed(2, 1))], || {
            assert_eq!((plain(0), plain(1)), (9, 1));
            let mut n = 1;
            unit(&mut n);
            unit(&mut n);
            assert_eq!((labelled(2), labelled(3), labelled(250)), (Ok(3), Ok(5), Err(Fault)));
        });
    }
}

pub mod recursion {
    use crate::support::{Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::thread;

    #[instrument_task]
    fn plain(n: u64) -> u64 {
        if n == 0 { 0 } else { 1 + plain(n - 1) }
    }

    #[instrument_task]
    fn judged(n: u64) -> Result<u64, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        match judged(n - 1) {
            Ok(n) => Ok(n + 1),
            Err(Fault) => Ok(0),
        }
    }

    #[instrument_task]
    fn guarded(n: u64) -> u64 {
        assert!(n < 1_000_000);
        if n == 0 {
            return 0;
        }
        1 + guarded(n - 1)
    }

    pub fn check() {
        const DEPTH: u64 = 20_000;
        let deep = || {
            counts(
                &[
                    ("plain", succeed(DEPTH + 1)),
                    ("judged", mixed(DEPTH, 1)),
                    ("guarded", succeed(DEPTH + 1)),
                ],
                || {
                    assert_eq!(plain(DEPTH), DEPTH);
                    assert_eq!(judged(DEPTH), Ok(DEPTH - 1));
                    assert_eq!(guarded(DEPTH), DEPTH);
                },
            );
        };
        thread::Builder::new().stack_size(16 << 20).spawn(deep).unwrap().join().unwrap();
    }
}

pub mod never {
    use crate::support::{counts, panics};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn fails(why: &str) -> ! {
        panic!("never: {why}")
    }

    pub fn check() {
        counts(&[("fails", [1, 0, 1, 0, 1])], || {
            assert_eq!(panics(|| fails("mind")), "never: mind");
        });
    }
}

#[allow(unsafe_code)]
pub mod foreign_calls {
    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    extern "C" fn c(n: i32) -> i32 {
        n + 1
    }

    #[instrument_task]
    unsafe fn raw(pointer: *const u8) -> Result<u8, Fault> {
        let value = unsafe { *pointer };
        (value > 0).then_some(value).ok_or(Fault)
    }

    #[instrument_task]
    unsafe extern "C" fn both(pointer: *const u8) -> u8 {
        unsafe { *pointer }
    }

    #[instrument_task]
    async unsafe fn raw_async(pointer: *const u8) -> u8 {
        unsafe { *pointer }
    }

    pub fn check() {
        let expected =
            [("c", succeed(1)), ("raw", mixed(1, 1)), ("both", succeed(1)), ("raw_async", succeed(1))];
        counts(&expected, || {
            let f: extern "C" fn(i32) -> i32 = c;
            assert_eq!(f(1), 2);
            // SAFETY: the pointers come from references.
            unsafe {
                assert_eq!((raw(&1), raw(&0)), (Ok(1), Err(Fault)));
                assert_eq!(both(&2), 2);
                assert_eq!(block_on(raw_async(&3)), 3);
            }
        });
    }
}

pub mod nested {
    use crate::support::{Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn outer(n: u8) -> Result<u8, Fault> {
        #[instrument_task]
        fn inner(n: u8) -> u8 {
            #[instrument_task(name = "innermost")]
            fn inner(n: u8) -> Option<u8> {
                n.checked_sub(1)
            }
            inner(n).unwrap_or(0)
        }
        let inner = [inner(n)].map(|n| n + 1)[0];
        if inner == 1 { Err(Fault) } else { Ok(inner) }
    }

    pub fn check() {
        counts(&[("outer", mixed(1, 1)), ("inner", succeed(2)), ("innermost", succeed(2))], || {
            assert_eq!((outer(3), outer(1)), (Ok(3), Err(Fault)));
        });
    }
}

pub mod from_a_macro {
    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;

    macro_rules! tasks {
        ($(#[$meta:meta])* $vis:vis $name:ident ($arg:ident : $ty:ty) -> $ret:ty $body:block) => {
            $(#[$meta])*
            #[instrument_task]
            $vis fn $name($arg: $ty) -> $ret $body
        };
        (literal $label:literal $name:ident $value:expr) => {
            #[instrument_task(name = $label)]
            fn $name(hidden: u8) -> Result<u8, Fault> {
                let n = hidden + $value;
                if n == 0 {
                    return Err(Fault);
                }
                Ok(n)
            }
        };
        (async $name:ident $ret:ty, $body:block) => {
            #[instrument_task]
            async fn $name() -> $ret $body
        };
        (method $this:ident $name:ident $body:block) => {
            #[instrument_task]
            fn $name($this) -> Option<Self> $body
        };
    }

    struct Owner(u8);

    impl Owner {
        tasks!(method self halve { self.0.checked_div(2).map(Self) });
    }

    tasks!(
        /// Documented.
        #[allow(dead_code)]
        pub grouped(n: u8) -> Result<u8, Fault> { if n == 0 { Err(Fault)? } Ok(n) }
    );
    tasks!(literal "from.literal" labelled 1);
    tasks!(async grouped_async Result<u8, Fault>, { Err(Fault) });

    pub fn check() {
        let expected = [
            ("grouped", mixed(1, 1)),
            ("from.literal", succeed(1)),
            ("grouped_async", mixed(0, 1)),
            ("halve", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!((grouped(1), grouped(0)), (Ok(1), Err(Fault)));
            assert_eq!(labelled(1), Ok(2));
            assert_eq!(block_on(grouped_async()), Err(Fault));
            assert_eq!(Owner(4).halve().unwrap().0, 2);
        });
    }
}

pub mod bodies {
    use crate::support::{Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn inner_attributes(n: u8) -> Result<u8, Fault> {
        #![allow(unused_variables)]
        //! Documented from inside.
        let unused = 1;
        Ok(n.checked_sub(1).ok_or(Fault)?)
    }

    #[instrument_task]
    fn items() -> u8 {
        #![allow(clippy::items_after_statements)]
        let n = N;
        const N: u8 = 3;
        static S: u8 = 4;
        struct Local(u8);
        impl Local {
            fn get(self) -> u8 {
                self.0
            }
        }
        use std::convert::identity;
        identity(n) + S + Local(1).get()
    }

    #[instrument_task]
    fn conditional(#[cfg(any())] missing: Missing, #[cfg(panic = "unwind")] n: u8, #[allow(unused)] spare: u8) -> Result<u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    }

    #[instrument_task]
    fn closures(n: u8) -> Result<u8, Fault> {
        let checked = |n: u8| -> Result<u8, Fault> {
            let n = n.checked_sub(1).ok_or(Fault)?;
            Ok(n)
        };
        let n = checked(n)?;
        Ok([1, 2, 3].iter().map(|k| k * n).sum())
    }

    #[instrument_task]
    fn captured_in_formats(width: usize, value: f64, precision: usize) -> Result<String, Fault> {
        if value < 0.0 {
            return Err(Fault);
        }
        Ok(format!("{value:width$.precision$}"))
    }

    pub fn check() {
        let expected = [
            ("inner_attributes", mixed(1, 1)),
            ("items", succeed(1)),
            ("conditional", mixed(1, 1)),
            ("closures", mixed(1, 1)),
            ("captured_in_formats", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert_eq!((inner_attributes(1), inner_attributes(0)), (Ok(0), Err(Fault)));
            assert_eq!(items(), 8);
            assert_eq!((conditional(1, 1), conditional(0, 1)), (Ok(1), Err(Fault)));
            assert_eq!((closures(2), closures(0)), (Ok(6), Err(Fault)));
            assert_eq!(captured_in_formats(6, 1.0, 2).unwrap(), "  1.00");
            assert!(captured_in_formats(6, -1.0, 2).is_err());
        });
    }
}

#[rustfmt::skip]
pub mod one_line {
    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::{future::Future, pin::Pin};

    #[instrument_task] fn unit() { drop(String::new()) }
    #[instrument_task] fn plain() -> u8 { 1 }
    #[instrument_task] fn guarded(n: u8) -> String { format!("a{n}") }
    #[instrument_task] fn straight(n: u8) -> Result<u8, Fault> { n.checked_sub(1).ok_or(Fault) }
    #[instrument_task] fn judged(n: u8) -> Result<u8, Fault> { Ok(n.checked_sub(1).ok_or(Fault)?) }
    #[instrument_task] fn opaque() -> impl Iterator<Item = u8> { [1].into_iter() }
    #[instrument_task] async fn flat() -> u8 { 1 }
    #[instrument_task] #[must_use] async fn kept() -> u8 { 1 }
    #[instrument_task] fn future() -> impl Future<Output = u8> { std::future::ready(1) }
    #[instrument_task] fn boxed() -> Pin<Box<dyn Future<Output = u8>>> { Box::pin(async { 1 }) }
    #[instrument_task] fn fails() -> ! { panic!("fails") }
    #[instrument_task] #[track_caller] fn tracked(n: u8) -> Result<u8, Fault> { Ok(n.checked_sub(1).ok_or(Fault)?) }
    #[instrument_task(ok_if = |n| *n == 1)] fn predicate() -> u8 { 1 }

    pub fn check() {
        let (both, once) = (mixed(1, 1), succeed(1));
        let expected = [
            ("unit", once), ("plain", once), ("guarded", once), ("straight", both), ("judged", both), ("opaque", once),
            ("flat", once), ("kept", once), ("future", once), ("boxed", once), ("fails", [1, 0, 1, 0, 1]),
            ("tracked", both), ("predicate", once),
        ];
        counts(&expected, || {
            unit();
            assert_eq!((plain(), guarded(1).as_str(), opaque().sum::<u8>(), predicate()), (1, "a1", 1, 1));
            for n in 0..2 {
                assert_eq!((straight(n).is_ok(), judged(n).is_ok(), tracked(n).is_ok()), (n > 0, n > 0, n > 0));
            }
            assert_eq!((block_on(flat()), block_on(kept()), block_on(future()), block_on(boxed())), (1, 1, 1, 1));
            assert_eq!(crate::support::panics(|| fails()), "fails");
        });
    }
}
