//! The attribute's own arguments.

pub mod names {
    use crate::support::{counts, succeed};
    use instrument_task::instrument_task;

    const CONSTANT: &str = "a.constant";

    mod constants {
        pub const INNER: &str = concat!("inner", ".", "constant");
    }

    #[instrument_task("bare.literal")]
    fn bare() {}

    #[instrument_task(name = "named-literal_1",)]
    fn named() {}

    #[instrument_task(name = CONSTANT)]
    fn constant() {}

    #[instrument_task(name = constants::INNER)]
    async fn path() {}

    #[instrument_task(name = r"raw")]
    fn raw() {}

    #[instrument_task()]
    fn empty() {}

    pub fn check() {
        let all = ["bare.literal", "named-literal_1", "a.constant", "inner.constant", "raw", "empty"];
        counts(&all.map(|name| (name, succeed(1))), || {
            bare();
            named();
            constant();
            crate::support::block_on(path());
            raw();
            empty();
        });
    }
}

pub mod predicates {
    use crate::support::{Fault, block_on, counts, mixed, pause};
    use instrument_task::instrument_task;
    use std::{future::Future, pin::Pin};

    #[derive(Debug, PartialEq)]
    enum E {
        Retry,
        Real,
    }

    #[instrument_task(ok_if = Option::is_some)]
    fn found(n: u8) -> Option<u8> {
        let n = n.checked_sub(1)?;
        Some(n)
    }

    #[instrument_task(error_if = |r| matches!(r, Err(E::Real)))]
    fn real(n: u8) -> Result<u8, E> {
        match n {
            0 => Err(E::Real),
            1 => Err(E::Retry),
            n => Ok(n),
        }
    }

    #[instrument_task(name = "status", error_if = |r: &u16| *r >= 500)]
    fn status(n: u16) -> u16 {
        if n == 1 {
            return 501;
        }
        n
    }

    #[instrument_task(error_if = |r: &u16| *r >= 500)]
    fn status_straight(n: u16) -> u16 {
        n
    }

    fn is_good(text: &&str) -> bool {
        !text.is_empty()
    }

    #[instrument_task(ok_if = is_good)]
    fn text(n: usize) -> &'static str {
        &"abc"[n..]
    }

    #[instrument_task(ok_if = |()| false)]
    fn unit() {}

    #[instrument_task(ok_if = Result::is_err)]
    async fn asynchronous(n: u8) -> Result<u8, Fault> {
        pause().await;
        n.checked_sub(1).ok_or(Fault)
    }

    #[instrument_task(error_if = |n| *n == 0)]
    fn opaque(n: u8) -> impl Future<Output = u8> {
        std::future::ready(n)
    }

    #[instrument_task(error_if = |n| *n == 0)]
    fn boxed(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        Box::pin(std::future::ready(n))
    }

    #[instrument_task(ok_if = |all| all.len() == 1)]
    fn generic<T: Clone>(all: &[T]) -> Vec<T> {
        all.to_vec()
    }

    pub fn check() {
        let expected = [
            ("found", mixed(1, 1)),
            ("real", mixed(2, 1)),
            ("status", mixed(1, 2)),
            ("status_straight", mixed(1, 1)),
            ("text", mixed(1, 1)),
            ("unit", mixed(0, 1)),
            ("asynchronous", mixed(1, 1)),
            ("opaque", mixed(1, 1)),
            ("boxed", mixed(1, 1)),
            ("generic", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert_eq!((found(1), found(0)), (Some(0), None));
            assert_eq!((real(0), real(1), real(2)), (Err(E::Real), Err(E::Retry), Ok(2)));
            assert_eq!((status(1), status(200), status(500)), (501, 200, 500));
            assert_eq!(status_straight(200) + status_straight(500), 700);
            assert_eq!((text(0), text(3)), ("abc", ""));
            unit();
            assert_eq!((block_on(asynchronous(1)), block_on(asynchronous(0))), (Ok(0), Err(Fault)));
            assert_eq!((block_on(opaque(1)), block_on(opaque(0))), (1, 0));
            assert_eq!((block_on(boxed(1)), block_on(boxed(0))), (1, 0));
            assert_eq!((generic(&[1]), generic::<u8>(&[])), (vec![1], vec![]));
        });
    }
}

pub mod elsewhere {
    use crate::support::{Fault, block_on, counts, mixed};

    mod facade {
        pub mod metrics {
            pub use instrument_task::*;
        }
    }

    use facade::metrics::instrument_task as counted;

    #[counted(crate = facade::metrics)]
    fn sync(n: u8) -> Result<u8, Fault> {
        let n = n.checked_sub(1).ok_or(Fault)?;
        Ok(n)
    }

    #[counted(crate = self::facade::metrics, name = "later")]
    async fn asynchronous(n: u8) -> Result<u8, Fault> {
        n.checked_sub(1).ok_or(Fault)
    }

    struct S;

    #[counted(crate = crate::shapes::arguments::elsewhere::facade::metrics)]
    impl S {
        fn method(n: u8) -> Result<u8, Fault> {
            n.checked_sub(1).ok_or(Fault)
        }
    }

    pub fn check() {
        counts(&[("sync", mixed(1, 1)), ("later", mixed(1, 1)), ("S.method", mixed(1, 1))], || {
            assert_eq!((sync(1), sync(0)), (Ok(0), Err(Fault)));
            assert_eq!((block_on(asynchronous(1)), block_on(asynchronous(0))), (Ok(0), Err(Fault)));
            assert_eq!((S::method(1), S::method(0)), (Ok(0), Err(Fault)));
        });
    }
}
