//! Functions with other attributes, of the language and of other macros.

pub mod of_the_language {
    use crate::support::{Fault, block_on, counts, mixed, succeed};
    use instrument_task::instrument_task;

    /// Documented.
    #[instrument_task]
    #[inline]
    #[must_use]
    fn inlined(n: u8) -> u8 {
        n
    }

    #[inline(never)]
    #[cold]
    #[instrument_task]
    fn cold(n: u8) -> Result<u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    }

    #[instrument_task]
    #[deprecated = "for a reason"]
    async fn old() {}

    #[instrument_task]
    #[cfg(panic = "unwind")]
    #[cfg_attr(panic = "unwind", must_use = "for a reason")]
    async fn configured() -> u8 {
        1
    }

    #[instrument_task]
    #[cfg(any())]
    fn missing() -> Missing {}

    #[instrument_task]
    #[allow(clippy::many_single_char_names, clippy::too_many_arguments)]
    fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) -> Result<u8, Fault> {
        if a == 0 {
            return Err(Fault);
        }
        Ok(a + b + c + d + e + f + g + h + i)
    }

    #[instrument_task]
    #[expect(unused_variables, reason = "it is")]
    fn expecting(unused: u8) -> Result<u8, Fault> {
        let n = "1".parse().map_err(|_| Fault)?;
        Ok(n)
    }

    #[instrument_task]
    #[expect(unused_variables, reason = "it is")]
    async fn expecting_async(unused: u8) -> Result<u8, Fault> {
        let n = "1".parse().map_err(|_| Fault)?;
        Ok(n)
    }

    #[instrument_task]
    fn on_arguments(#[expect(unused_variables)] unused: u8, #[allow(unused_mut)] mut n: u8) -> Result<u8, Fault> {
        if n == 0 {
            return Err(Fault);
        }
        Ok(n)
    }

    #[instrument_task]
    async fn on_arguments_async(#[expect(unused_variables)] unused: u8, #[expect(unused_mut)] mut n: u8) -> u8 {
        n
    }

    #[allow(deprecated)]
    pub fn check() {
        let expected = [
            ("inlined", succeed(1)),
            ("cold", mixed(1, 1)),
            ("old", succeed(1)),
            ("configured", succeed(1)),
            ("many", succeed(1)),
            ("expecting", succeed(1)),
            ("expecting_async", succeed(1)),
            ("on_arguments", mixed(1, 1)),
            ("on_arguments_async", succeed(1)),
        ];
        counts(&expected, || {
            assert_eq!(inlined(1), 1);
            assert_eq!((cold(1), cold(0)), (Ok(1), Err(Fault)));
            block_on(old());
            assert_eq!(block_on(configured()), 1);
            assert_eq!(many(1, 1, 1, 1, 1, 1, 1, 1, 1), Ok(9));
            assert_eq!((expecting(1), block_on(expecting_async(1))), (Ok(1), Ok(1)));
            assert_eq!((on_arguments(1, 0), on_arguments(1, 1)), (Err(Fault), Ok(1)));
            assert_eq!(block_on(on_arguments_async(1, 2)), 2);
        });
    }
}

pub mod async_traits {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use async_trait::async_trait;
    use instrument_task::instrument_task;

    #[async_trait]
    trait Worker {
        async fn perform(&mut self, n: u8) -> Result<u8, Fault>;

        #[instrument_task]
        async fn twice(&mut self, n: u8) -> Result<u8, Fault>
        where
            Self: Send,
        {
            let n = self.perform(n).await?;
            self.perform(n).await
        }

        async fn name<'a>(&'a self, prefix: &'a str) -> String;
    }

    struct Mail<T>(T);

    #[async_trait]
    impl<T: Into<u8> + Copy + Send + Sync> Worker for Mail<T> {
        #[instrument_task]
        async fn perform(&mut self, n: u8) -> Result<u8, Fault> {
            pause().await;
            let n = n.checked_sub(self.0.into()).ok_or(Fault)?;
            Ok(n)
        }

        #[instrument_task(name = "mail.name")]
        async fn name<'a>(&'a self, prefix: &'a str) -> String {
            format!("{prefix}{}", self.0.into())
        }
    }

    #[async_trait(?Send)]
    trait Local {
        async fn go(&self) -> u8;
    }

    #[async_trait(?Send)]
    impl Local for std::rc::Rc<u8> {
        #[instrument_task]
        async fn go(&self) -> u8 {
            pause().await;
            **self
        }
    }

    pub fn check() {
        let expected =
            [("perform", mixed(2, 1)), ("twice", mixed(1, 1)), ("mail.name", succeed(1)), ("go", succeed(1))];
        counts(&expected, || {
            let mut mail: Box<dyn Worker> = Box::new(Mail(2_u8));
            assert_eq!(block_on(mail.name("mail")), "mail2");
            drop(mail.perform(9));
            let mut mail = Mail(2_u8);
            assert_eq!(block_on(mail.twice(5)), Ok(1));
            assert_eq!(block_on(mail.twice(1)), Err(Fault));
            assert_eq!(block_on(std::rc::Rc::new(3).go()), 3);
        });
    }
}

pub mod traced {
    use crate::support::{Fault, block_on, counts, mixed, pause};
    use instrument_task::instrument_task;
    use tracing::instrument;

    #[instrument_task]
    #[instrument(skip_all)]
    fn above(n: u8) -> Result<u8, Fault> {
        let n = n.checked_sub(1).ok_or(Fault)?;
        Ok(n)
    }

    #[instrument(skip_all)]
    #[instrument_task]
    fn below(n: u8) -> Result<u8, Fault> {
        let n = n.checked_sub(1).ok_or(Fault)?;
        Ok(n)
    }

    #[instrument_task]
    #[instrument(err, ret)]
    async fn above_async(n: u8) -> Result<u8, Fault> {
        pause().await;
        let n = n.checked_sub(1).ok_or(Fault)?;
        Ok(n)
    }

    #[instrument(err, ret)]
    #[instrument_task]
    async fn below_async(n: u8) -> Result<u8, Fault> {
        pause().await;
        let n = n.checked_sub(1).ok_or(Fault)?;
        Ok(n)
    }

    pub fn check() {
        let both = mixed(1, 1);
        let expected = [("above", both), ("below", both), ("above_async", both), ("below_async", both)];
        counts(&expected, || {
            for (n, result) in [(1, Ok(0)), (0, Err(Fault))] {
                assert_eq!(above(n), result);
                assert_eq!(below(n), result);
                assert_eq!(block_on(above_async(n)), result);
                assert_eq!(block_on(below_async(n)), result);
            }
        });
    }
}

pub mod of_tokio {
    use crate::support::{Fault, counts, mixed};
    use instrument_task::instrument_task;

    #[instrument_task]
    #[tokio::main(flavor = "current_thread")]
    async fn above() -> Result<(), Fault> {
        tokio::task::yield_now().await;
        Err(Fault)
    }

    #[tokio::main(flavor = "current_thread")]
    #[instrument_task]
    async fn below() -> Result<(), Fault> {
        tokio::task::yield_now().await;
        Err(Fault)
    }

    pub fn check() {
        counts(&[("above", mixed(0, 1)), ("below", mixed(0, 1))], || {
            assert_eq!((above(), below()), (Err(Fault), Err(Fault)));
        });
    }
}
