//! Code around the function that an expansion could trip over.

#[allow(dead_code, non_camel_case_types, clippy::upper_case_acronyms, clippy::items_after_statements)]
pub mod shadowed_prelude {
    use crate::support::{block_on, counts, mixed, succeed};
    use ::instrument_task::instrument_task;

    pub struct Result;
    pub struct Option;
    pub struct Box;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub struct String;
    pub struct Vec;
    pub trait Future {}
    pub trait Fn {}
    pub trait FnOnce {}
    pub trait Drop {}
    pub trait Send {}
    pub mod core {}
    pub mod std {}
    pub mod alloc {}
    pub mod instrument_task {}
    macro_rules! panic { () => {}; }
    macro_rules! unreachable { () => {}; }
    macro_rules! matches { () => {}; }

    type R<T> = ::core::result::Result<T, ()>;

    #[instrument_task]
    fn sync(n: u8) -> R<u8> {
        if n == 0 {
            return R::Err(());
        }
        R::Ok(n)
    }

    #[instrument_task]
    fn plain(n: u8) -> u8 {
        if n == 0 {
            return 1;
        }
        n
    }

    #[instrument_task]
    async fn asynchronous(n: u8) -> R<u8> {
        if n == 0 {
            return R::Err(());
        }
        R::Ok(n)
    }

    #[instrument_task]
    async fn never() -> ! {
        loop {
            ::std::future::pending::<()>().await;
        }
    }

    #[instrument_task]
    fn boxed(n: u8) -> ::std::pin::Pin<::std::boxed::Box<dyn ::std::future::Future<Output = u8>>> {
        if n == 0 {
            return ::std::boxed::Box::pin(::std::future::ready(1));
        }
        ::std::boxed::Box::pin(::std::future::ready(n))
    }

    pub fn check() {
        panic!();
        unreachable!();
        matches!();
        let both = mixed(1, 1);
        let expected =
            [("sync", both), ("asynchronous", both), ("plain", succeed(2)), ("boxed", succeed(2))];
        counts(&expected, || {
            assert!(sync(1).is_ok() && sync(0).is_err());
            assert_eq!(plain(1) + plain(0), 2);
            assert!(block_on(asynchronous(1)).is_ok() && block_on(asynchronous(0)).is_err());
            assert_eq!(block_on(boxed(1)) + block_on(boxed(0)), 2);
            drop(never());
        });
    }
}

pub mod no_prelude {
    #![no_implicit_prelude]

    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use ::instrument_task::instrument_task;
    use ::std::{
        assert_eq,
        clone::Clone,
        convert::From,
        option::Option::{self, None, Some},
        result::Result::{self, Err, Ok},
    };

    #[instrument_task]
    fn sync(n: u8) -> Result<u8, Fault> {
        let n = n.checked_sub(1).ok_or(Fault)?;
        Ok(n)
    }

    #[instrument_task]
    async fn asynchronous(n: u8) -> Result<u8, Fault> {
        n.checked_sub(1).ok_or(Fault)
    }

    #[instrument_task]
    #[must_use]
    async fn kept(n: u8) -> Option<u8> {
        Some(n.checked_sub(1)?)
    }

    #[instrument_task]
    fn plain(n: u8) -> u64 {
        u64::from(n)
    }

    struct S(u8);

    #[instrument_task]
    impl S {
        fn method(&self) -> Result<u8, Fault> {
            if self.0 == 0 {
                return Err(Fault);
            }
            Ok(Clone::clone(&self.0))
        }
    }

    pub fn check() {
        let both = mixed(1, 1);
        let expected = [
            ("sync", both),
            ("asynchronous", both),
            ("kept", succeed(2)),
            ("plain", succeed(1)),
            ("S.method", both),
        ];
        counts(&expected, || {
            assert_eq!((sync(1), sync(0)), (Ok(0), Err(Fault)));
            assert_eq!((block_on(asynchronous(1)), block_on(asynchronous(0))), (Ok(0), Err(Fault)));
            assert_eq!((block_on(kept(1)), block_on(kept(0))), (Some(0), None));
            assert_eq!(plain(1), 1);
            assert_eq!((S(1).method(), S(0).method()), (Ok(1), Err(Fault)));
        });
    }
}

#[allow(non_upper_case_globals, non_camel_case_types, dead_code)]
pub mod same_names {
    use crate::support::{Fault, block_on, counts, mixed};
    use instrument_task::instrument_task;

    static __SITE: u8 = 1;
    const __value: u8 = 2;
    struct __body;

    trait Everything {
        fn end(&self) -> u8 {
            1
        }
        fn succeed(&self) -> u8 {
            1
        }
        fn is_err(&self) -> u8 {
            1
        }
        fn to_outcome(&self) -> u8 {
            1
        }
        fn start(&self) -> u8 {
            1
        }
        fn poll(&self) -> u8 {
            1
        }
    }

    impl<T: ?Sized> Everything for T {}

    #[instrument_task]
    fn sync(__guard: u8, __arg0: u8, (__arg1, __future): (u8, u8)) -> Result<u8, Fault> {
        let local = __guard + __arg0 + __arg1 + __future + __value;
        if local == 2 {
            return Err(Fault);
        }
        Ok(local)
    }

    #[instrument_task]
    async fn asynchronous(__site: u8, (__arg0, __arg1): (u8, u8), __call: u8) -> Result<u8, Fault> {
        let local = __site + __arg0 + __arg1 + __call + __value;
        if local == 2 {
            return Err(Fault);
        }
        Ok(local)
    }

    #[instrument_task]
    fn r#static(n: u8) -> Result<u8, Fault> {
        static __SITE: u8 = 7;
        if n == 0 {
            return Err(Fault);
        }
        Ok(__SITE)
    }

    pub fn check() {
        let both = mixed(1, 1);
        counts(&[("sync", both), ("asynchronous", both), ("static", both)], || {
            assert_eq!((sync(1, 1, (1, 1)), sync(0, 0, (0, 0))), (Ok(6), Err(Fault)));
            let (ok, err) = (asynchronous(1, (1, 1), 1), asynchronous(0, (0, 0), 0));
            assert_eq!((block_on(ok), block_on(err)), (Ok(6), Err(Fault)));
            assert_eq!((r#static(1), r#static(0)), (Ok(7), Err(Fault)));
        });
    }
}

pub mod macros_that_return {
    use crate::support::{Fault, block_on, counts, mixed, panics, succeed};
    use instrument_task::instrument_task;
    use std::{future::Future, pin::Pin};

    macro_rules! give_up {
        ($value:expr) => {
            return $value
        };
    }

    #[instrument_task]
    fn unit(n: u8) {
        if n == 0 {
            give_up!(());
        }
        assert!(n == 1, "unit");
    }

    #[instrument_task]
    fn judged(n: u8) -> Result<u8, Fault> {
        if n == 0 {
            give_up!(Err(Fault));
        }
        Ok(n)
    }

    mod elsewhere {
        macro_rules! leave {
            ($value:expr) => {
                return $value
            };
        }
        pub(super) use leave;
    }

    // The path of the macro is one token, which hides its name.
    macro_rules! by_a_path {
        ($leave:path) => {
            #[instrument_task]
            fn by_path(n: u8) -> Result<u8, Fault> {
                if n == 0 {
                    $leave!(Err(Fault));
                }
                Ok(n)
            }

            #[instrument_task]
            #[track_caller]
            fn by_path_tracked(n: u8) -> Result<u8, Fault> {
                if n == 0 {
                    $leave!(Err(Fault));
                }
                Ok(n)
            }
        };
    }

    by_a_path!(elsewhere::leave);

    #[instrument_task]
    async fn asynchronous(n: u8) -> Result<u8, Fault> {
        if n == 0 {
            give_up!(Err(Fault));
        }
        Ok(n)
    }

    #[instrument_task]
    fn opaque(n: u8) -> impl Future<Output = u8> {
        if n == 0 {
            give_up!(std::future::ready(1));
        }
        std::future::ready(n)
    }

    #[instrument_task]
    fn boxed(n: u8) -> Pin<Box<dyn Future<Output = u8>>> {
        if n == 0 {
            give_up!(Box::pin(async { 1 }));
        }
        Box::pin(async move { n })
    }

    pub fn check() {
        let expected = [
            ("unit", [3, 2, 1, 0, 1]),
            ("judged", mixed(1, 1)),
            ("by_path", mixed(1, 1)),
            ("by_path_tracked", mixed(1, 1)),
            ("asynchronous", mixed(1, 1)),
            ("opaque", succeed(2)),
            ("boxed", succeed(2)),
        ];
        counts(&expected, || {
            unit(0);
            unit(1);
            assert_eq!(panics(|| unit(2)), "unit");
            assert_eq!((judged(0), judged(1)), (Err(Fault), Ok(1)));
            assert_eq!((by_path(0), by_path(1)), (Err(Fault), Ok(1)));
            assert_eq!((by_path_tracked(0), by_path_tracked(1)), (Err(Fault), Ok(1)));
            assert_eq!((block_on(asynchronous(0)), block_on(asynchronous(1))), (Err(Fault), Ok(1)));
            assert_eq!(block_on(opaque(0)) + block_on(opaque(1)), 2);
            assert_eq!(block_on(boxed(0)) + block_on(boxed(1)), 2);
        });
    }
}

#[forbid(unsafe_code)]
pub mod forbidden_unsafe {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;

    #[instrument_task]
    fn sync(n: u8) -> Result<u8, Fault> {
        n.checked_sub(1).ok_or(Fault)
    }

    #[instrument_task]
    async fn asynchronous(n: u8) -> u8 {
        pause().await;
        n
    }

    #[instrument_task]
    #[track_caller]
    fn tracked(n: u8) -> Result<u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    }

    pub fn check() {
        counts(&[("sync", mixed(1, 1)), ("asynchronous", succeed(1)), ("tracked", mixed(1, 1))], || {
            assert_eq!((sync(1), sync(0)), (Ok(0), Err(Fault)));
            assert_eq!(block_on(asynchronous(1)), 1);
            assert_eq!((tracked(1), tracked(0)), (Ok(1), Err(Fault)));
        });
    }
}
