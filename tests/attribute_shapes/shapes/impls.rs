//! Whole `impl` blocks.

pub mod inherent {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;

    pub struct Mailer<T> {
        sent: Vec<T>,
    }

    #[instrument_task]
    impl<T: Clone + PartialEq> Mailer<T> {
        #![allow(clippy::len_without_is_empty)]

        const LIMIT: usize = { 2 };

        pub const fn new() -> Self {
            Self { sent: Vec::new() }
        }

        /// Documented.
        pub fn send(&mut self, mail: T) -> Result<usize, Fault> {
            if self.sent.len() == Self::LIMIT {
                return Err(Fault);
            }
            self.sent.push(mail);
            Ok(self.sent.len())
        }

        pub async fn send_later(&mut self, mail: T) -> Result<usize, Fault> {
            pause().await;
            self.send(mail)
        }

        #[instrument_task(skip)]
        pub fn len(&self) -> usize {
            self.sent.len()
        }

        #[instrument_task(name = "mails.first", ok_if = Option::is_some)]
        fn first(&self) -> Option<&T> {
            self.sent.first()
        }

        fn make(first: T) -> Self {
            Self { sent: vec![first] }
        }
    }

    pub fn check() {
        let expected = [
            ("Mailer.send", mixed(2, 1)),
            ("Mailer.send_later", mixed(1, 1)),
            ("Mailer.make", succeed(1)),
            ("mails.first", mixed(1, 1)),
        ];
        counts(&expected, || {
            let mut mailer = Mailer::new();
            assert_eq!(mailer.first(), None);
            assert_eq!(mailer.send("a"), Ok(1));
            assert_eq!(block_on(mailer.send_later("b")), Ok(2));
            assert_eq!(block_on(mailer.send_later("c")), Err(Fault));
            assert_eq!(mailer.len(), 2);
            assert_eq!(mailer.first(), Some(&"a"));
            assert_eq!(Mailer::make(1).len(), 1);
        });
    }
}

pub mod of_traits {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::future::Future;

    trait Task {
        type Output;
        const NAME: &'static str;

        fn run(&self) -> Result<Self::Output, Fault>;
        async fn run_later(&self, n: u8) -> Result<Self::Output, Fault>;
        fn future(&self) -> impl Future<Output = u8> + Send;
        fn with_default(&self) -> u8 {
            1
        }
    }

    struct A(u8);
    struct B<'a>(&'a str);

    #[instrument_task]
    impl Task for A {
        type Output = u8;
        const NAME: &'static str = "a";

        fn run(&self) -> Result<u8, Fault> {
            let n = self.0.checked_sub(1).ok_or(Fault)?;
            Ok(n)
        }

        async fn run_later(&self, n: u8) -> Result<u8, Fault> {
            pause().await;
            Ok(self.run()? + n)
        }

        fn future(&self) -> impl Future<Output = u8> + Send {
            std::future::ready(self.0)
        }
    }

    #[instrument_task]
    impl<'a> Task for B<'a> {
        type Output = &'a str;
        const NAME: &'static str = "b";

        fn run(&self) -> Result<&'a str, Fault> {
            Ok(self.0.get(1..).ok_or(Fault)?)
        }

        async fn run_later(&self, _: u8) -> Result<&'a str, Fault> {
            Ok(self.0)
        }

        async fn future(&self) -> u8 {
            9
        }
    }

    pub fn check() {
        let expected = [
            ("A.run", mixed(2, 1)),
            ("A.run_later", succeed(1)),
            ("A.future", succeed(1)),
            ("B.run", mixed(1, 1)),
            ("B.run_later", succeed(1)),
            ("B.future", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!((A(3).run(), A(0).run()), (Ok(2), Err(Fault)));
            assert_eq!(block_on(A(3).run_later(1)), Ok(3));
            assert_eq!(block_on(A(3).future()), 3);
            assert_eq!((B("ab").run(), B("").run()), (Ok("b"), Err(Fault)));
            assert_eq!(block_on(B("x").run_later(1)), Ok("x"));
            assert_eq!(block_on(B("x").future()), 9);
            assert_eq!(A(1).with_default(), 1);
            assert_eq!((A::NAME, B::NAME), ("a", "b"));
        });
    }
}

pub mod of_odd_types {
    use crate::support::{counts, succeed};
    use instrument_task::instrument_task;

    trait Named {
        fn called(&self) -> String;
    }

    mod inner {
        pub struct Deep;
    }

    #[instrument_task]
    impl Named for inner::Deep {
        fn called(&self) -> String {
            "deep".to_owned()
        }
    }

    #[instrument_task]
    impl<T: Named> Named for Option<T> {
        fn called(&self) -> String {
            self.as_ref().map_or_else(String::new, Named::called)
        }
    }

    #[instrument_task]
    impl Named for &u8 {
        fn called(&self) -> String {
            "byte".to_owned()
        }
    }

    #[instrument_task]
    impl Named for [u8] {
        fn called(&self) -> String {
            "bytes".to_owned()
        }
    }

    #[instrument_task]
    impl Named for (u8, u8) {
        fn called(&self) -> String {
            "pair".to_owned()
        }
    }

    #[instrument_task]
    impl dyn Named + '_ {
        fn twice(&self) -> String {
            self.called() + &self.called()
        }
    }

    macro_rules! named {
        ($ty:ty) => {
            #[instrument_task]
            impl Named for $ty {
                fn called(&self) -> String {
                    stringify!($ty).to_owned()
                }
            }
        };
    }
    named!(u16);

    pub fn check() {
        let expected = [
            ("Deep.called", succeed(3)),
            ("Option.called", succeed(1)),
            ("u8.called", succeed(1)),
            ("slice.called", succeed(1)),
            ("tuple.called", succeed(1)),
            ("Named.twice", succeed(1)),
            ("u16.called", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!(Some(inner::Deep).called(), "deep");
            assert_eq!((&1_u8).called() + &[1_u8][..].called() + &(1, 2).called(), "bytebytespair");
            let deep: &dyn Named = &inner::Deep;
            assert_eq!(deep.twice(), "deepdeep");
            assert_eq!(1_u16.called(), "u16");
        });
    }
}

pub mod under_async_trait {
    use crate::support::{Fault, block_on, counts, mixed, pause};
    use async_trait::async_trait;
    use instrument_task::instrument_task;

    #[async_trait]
    trait Worker {
        async fn perform(&self, n: u8) -> Result<u8, Fault>;
    }

    struct Outer;
    struct Inner;

    #[instrument_task]
    #[async_trait]
    impl Worker for Outer {
        async fn perform(&self, n: u8) -> Result<u8, Fault> {
            pause().await;
            Ok(n.checked_sub(1).ok_or(Fault)?)
        }
    }

    #[async_trait]
    #[instrument_task]
    impl Worker for Inner {
        async fn perform(&self, n: u8) -> Result<u8, Fault> {
            pause().await;
            Ok(n.checked_sub(1).ok_or(Fault)?)
        }
    }

    pub fn check() {
        counts(&[("Outer.perform", mixed(1, 1)), ("Inner.perform", mixed(1, 1))], || {
            let workers: [Box<dyn Worker>; 2] = [Box::new(Outer), Box::new(Inner)];
            for worker in workers {
                assert_eq!(block_on(worker.perform(1)), Ok(0));
                assert_eq!(block_on(worker.perform(0)), Err(Fault));
            }
        });
    }
}

pub mod under_conditions {
    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;

    struct Mixed(u8);

    #[instrument_task]
    impl Mixed {
        #[cfg_attr(all(), instrument_task(skip))]
        fn skipped(&self) -> u8 {
            self.0
        }

        #[cfg_attr(any(), instrument_task(skip))]
        fn not_skipped(&self) -> u8 {
            self.0
        }

        #[cfg_attr(all(), inline, instrument_task::instrument_task(name = "a.name", ok_if = Option::is_some))]
        fn named(&self) -> Option<u8> {
            self.0.checked_sub(1)
        }

        #[cfg_attr(any(), instrument_task(name = "a.name"), must_use)]
        async fn not_named(&self) -> Result<u8, Fault> {
            self.0.checked_sub(1).ok_or(Fault)
        }
    }

    pub fn check() {
        let expected = [
            ("Mixed.not_skipped", succeed(1)),
            ("a.name", mixed(1, 1)),
            ("Mixed.not_named", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert_eq!(Mixed(1).skipped() + Mixed(1).not_skipped(), 2);
            assert_eq!((Mixed(1).named(), Mixed(0).named()), (Some(0), None));
            assert_eq!((block_on(Mixed(1).not_named()), block_on(Mixed(0).not_named())), (Ok(0), Err(Fault)));
        });
    }
}

pub mod kinds_of_a_block {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::future::Future;

    struct Mixed(u8);

    fn kind(_: &Fault) -> &'static str {
        "fault"
    }

    #[instrument_task(error_kind = kind, in_flight, time = always)]
    impl Mixed {
        fn result(&self) -> Result<u8, Fault> {
            if self.0 == 0 {
                return Err(Fault);
            }
            Ok(self.0)
        }

        fn option(&self) -> Option<u8> {
            self.0.checked_sub(1)
        }

        fn plain(&self) -> u8 {
            self.0
        }

        async fn later(&self) -> u8 {
            pause().await;
            self.0
        }

        async fn later_option(&self) -> Option<u8> {
            pause().await;
            Some(self.0.checked_sub(1)?)
        }

        fn future(&self) -> impl Future<Output = Result<u8, Fault>> {
            std::future::ready(self.result())
        }
    }

    pub fn check() {
        let expected = [
            ("Mixed.result", mixed(1, 1)),
            ("Mixed.option", succeed(1)),
            ("Mixed.plain", succeed(1)),
            ("Mixed.later", succeed(1)),
            ("Mixed.later_option", succeed(1)),
            ("Mixed.future", mixed(0, 1)),
        ];
        counts(&expected, || {
            assert_eq!(Mixed(1).result(), Ok(1));
            assert_eq!((Mixed(1).option(), Mixed(1).plain()), (Some(0), 1));
            assert_eq!((block_on(Mixed(1).later()), block_on(Mixed(1).later_option())), (1, Some(0)));
            assert_eq!(block_on(Mixed(0).future()), Err(Fault));
        });
    }
}
