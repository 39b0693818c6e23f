//! Methods, by every kind of receiver, and items of traits.

#[allow(clippy::needless_arbitrary_self_type)]
pub mod references {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;

    struct Store {
        items: Vec<String>,
    }

    impl Store {
        #[instrument_task]
        fn new() -> Self {
            Self { items: vec!["a".to_owned()] }
        }

        #[instrument_task]
        pub fn len(&self) -> usize {
            self.items.len()
        }

        #[instrument_task]
        fn first(&self) -> Result<&str, Fault> {
            let first = self.items.first().ok_or(Fault)?;
            Ok(first)
        }

        #[instrument_task]
        fn first_mut<'a>(&'a mut self, _why: &str) -> Result<&'a mut String, Fault> {
            let first = self.items.first_mut().ok_or(Fault)?;
            Ok(first)
        }

        #[instrument_task]
        pub async fn first_async(&self) -> Result<&str, Fault> {
            pause().await;
            let first = self.items.first().ok_or(Fault)?;
            Ok(first)
        }

        #[instrument_task]
        async fn first_mut_async(&mut self, more: &str) -> Option<&mut String> {
            pause().await;
            let first = self.items.first_mut()?;
            first.push_str(more);
            Some(first)
        }

        #[instrument_task]
        pub async fn push(&mut self, more: impl Into<String>) -> usize {
            self.items.push(more.into());
            pause().await;
            self.items.len()
        }

        #[instrument_task]
        fn typed(self: &Self) -> u8 {
            u8::from(self.items.is_empty())
        }

        #[instrument_task]
        fn typed_mut(self: &mut Self) -> Option<String> {
            let last = self.items.pop()?;
            Some(last)
        }
    }

    pub fn check() {
        let expected = [
            ("new", succeed(1)),
            ("len", succeed(1)),
            ("first", mixed(1, 1)),
            ("first_mut", succeed(1)),
            ("first_async", succeed(1)),
            ("first_mut_async", succeed(1)),
            ("push", succeed(1)),
            ("typed", succeed(1)),
            ("typed_mut", succeed(3)),
        ];
        counts(&expected, || {
            let mut store = Store::new();
            assert_eq!(store.len(), 1);
            assert_eq!(store.first(), Ok("a"));
            store.first_mut("").unwrap().push('b');
            assert_eq!(block_on(store.first_async()), Ok("ab"));
            block_on(store.first_mut_async("c")).unwrap().push('d');
            assert_eq!(block_on(store.push("e")), 2);
            assert_eq!(store.typed(), 0);
            assert_eq!(store.typed_mut().as_deref(), Some("e"));
            assert_eq!(store.typed_mut().as_deref(), Some("abcd"));
            assert_eq!(store.typed_mut(), None);
            assert_eq!(store.first(), Err(Fault));
        });
    }
}

#[allow(clippy::boxed_local, clippy::needless_arbitrary_self_type, clippy::unused_self)]
pub mod owned {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::{pin::Pin, rc::Rc, sync::Arc};

    #[derive(Clone)]
    struct Token(String);

    impl Token {
        #[instrument_task]
        fn by_value(self) -> Result<String, Fault> {
            if self.0.is_empty() {
                return Err(Fault);
            }
            Ok(self.0)
        }

        #[instrument_task]
        fn by_mut_value(mut self) -> Option<String> {
            self.0.pop()?;
            Some(self.0)
        }

        #[instrument_task]
        fn boxed(self: Box<Self>) -> Result<String, Fault> {
            let token = *self;
            (!token.0.is_empty()).then_some(token.0).ok_or(Fault)
        }

        #[instrument_task]
        fn counted(self: Rc<Self>) -> Result<Rc<Self>, Fault> {
            if self.0.is_empty() { Err(Fault)? }
            Ok(self)
        }

        #[instrument_task]
        fn shared(self: Arc<Self>) -> usize {
            Arc::strong_count(&self)
        }

        #[instrument_task]
        fn borrowed(self: &Arc<Self>) -> Option<Arc<Self>> {
            Some(Arc::clone(self)).filter(|token| !token.0.is_empty())
        }

        #[instrument_task]
        fn pinned(mut self: Pin<&mut Self>) -> Result<&str, Fault> {
            self.0.push('!');
            if self.0.len() > 9 {
                return Err(Fault);
            }
            let token: &Self = Pin::into_ref(self).get_ref();
            Ok(&token.0)
        }

        #[instrument_task]
        fn explicit(self: Self) -> Result<Self, Fault> {
            if self.0.is_empty() {
                return Err(Fault);
            }
            Ok(self)
        }

        #[instrument_task]
        async fn by_value_async(mut self) -> Result<String, Fault> {
            pause().await;
            self.0.push('?');
            if self.0.len() < 2 {
                return Err(Fault);
            }
            Ok(self.0)
        }

        #[instrument_task]
        pub async fn boxed_async(self: Box<Self>) -> String {
            pause().await;
            self.0
        }

        #[instrument_task]
        pub async fn shared_async(self: Arc<Self>, more: &str) -> usize {
            pause().await;
            self.0.len() + more.len()
        }

        #[instrument_task]
        pub async fn pinned_async(mut self: Pin<&mut Self>) -> usize {
            self.0.push('#');
            pause().await;
            self.0.len()
        }

        #[instrument_task]
        fn unused(self) -> Option<u8> {
            None?;
            Some(1)
        }
    }

    pub fn check() {
        let expected = [
            ("by_value", mixed(1, 1)),
            ("by_mut_value", succeed(2)),
            ("boxed", mixed(1, 1)),
            ("counted", mixed(1, 1)),
            ("shared", succeed(1)),
            ("borrowed", succeed(1)),
            ("pinned", mixed(1, 1)),
            ("explicit", mixed(1, 1)),
            ("by_value_async", mixed(1, 1)),
            ("boxed_async", succeed(1)),
            ("shared_async", succeed(1)),
            ("pinned_async", succeed(1)),
            ("unused", succeed(1)),
        ];
        counts(&expected, || {
            let (empty, mut token) = (Token(String::new()), Token("ab".to_owned()));
            assert_eq!((token.clone().by_value().as_deref(), empty.clone().by_value()), (Ok("ab"), Err(Fault)));
            assert_eq!(token.clone().by_mut_value().as_deref(), Some("a"));
            assert_eq!(empty.clone().by_mut_value(), None);
            assert_eq!(Box::new(token.clone()).boxed().as_deref(), Ok("ab"));
            assert_eq!(Box::new(empty.clone()).boxed(), Err(Fault));
            assert_eq!(Rc::new(token.clone()).counted().unwrap().0, "ab");
            assert!(Rc::new(empty.clone()).counted().is_err());
            assert_eq!(Arc::new(token.clone()).shared(), 1);
            assert!(Arc::new(token.clone()).borrowed().is_some());
            assert_eq!(Pin::new(&mut token).pinned(), Ok("ab!"));
            assert_eq!(Pin::new(&mut Token("0123456789".to_owned())).pinned(), Err(Fault));
            assert!(token.clone().explicit().is_ok() && empty.clone().explicit().is_err());
            assert_eq!(block_on(token.clone().by_value_async()).as_deref(), Ok("ab!?"));
            assert_eq!(block_on(empty.by_value_async()), Err(Fault));
            assert_eq!(block_on(Box::new(token.clone()).boxed_async()), "ab!");
            assert_eq!(block_on(Arc::new(token.clone()).shared_async("cd")), 5);
            assert_eq!(block_on(Pin::new(&mut token).pinned_async()), 4);
            assert_eq!(token.unused(), None);
        });
    }
}

pub mod generic_types {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;

    struct Wrap<'a, T, const N: usize> {
        all: [T; N],
        name: &'a str,
    }

    impl<'a, T: Clone + PartialEq, const N: usize> Wrap<'a, T, N> {
        const NAME: &'static str = "wrap";

        #[instrument_task]
        fn make(all: [T; N], name: &'a str) -> Result<Self, Fault> {
            if N == 0 {
                return Err(Fault);
            }
            Ok(Self { all, name })
        }

        #[instrument_task]
        fn find<Q>(&self, wanted: &Q) -> Option<(usize, &'a str)>
        where
            T: PartialEq<Q>,
        {
            let index = self.all.iter().position(|item| item == wanted)?;
            Some((index, self.name))
        }

        #[instrument_task]
        async fn last(self) -> Result<T, Fault> {
            pause().await;
            let [.., last] = self.all.as_slice() else { return Err(Fault) };
            Ok(last.clone())
        }

        #[instrument_task]
        fn constant() -> Option<&'static str> {
            Some(Self::NAME).filter(|name| name.len() > 1)
        }
    }

    pub fn check() {
        let expected = [("make", mixed(1, 1)), ("find", succeed(2)), ("last", succeed(1)), ("constant", succeed(1))];
        counts(&expected, || {
            assert!(Wrap::<u8, 0>::make([], "none").is_err());
            let wrap = Wrap::make([1, 2, 3], "some").unwrap();
            assert_eq!((wrap.find(&2), wrap.find(&4)), (Some((1, "some")), None));
            assert_eq!(block_on(wrap.last()), Ok(3));
            assert_eq!(Wrap::<u8, 1>::constant(), Some("wrap"));
        });
    }
}

pub mod traits {
    use crate::support::{Fault, block_on, counts, mixed, pause, succeed};
    use instrument_task::instrument_task;
    use std::{fmt::Display, future::Future};

    trait Job {
        type Output: Display;

        fn name(&self) -> String;

        #[instrument_task]
        fn describe(&self) -> String {
            format!("job {}", self.name())
        }

        #[instrument_task]
        fn checked(&self, n: u8) -> Result<u8, Fault> {
            assert_eq!(self.name(), "mail");
            Ok(n.checked_sub(1).ok_or(Fault)?)
        }

        fn output(&self) -> Self::Output;

        async fn run(&mut self, n: u8) -> Result<u8, Fault>;

        #[instrument_task]
        async fn twice(&mut self, n: u8) -> Result<u8, Fault> {
            let n = self.run(n).await?;
            self.run(n).await
        }

        fn later(&self, n: u8) -> impl Future<Output = u8> + Send;

        #[instrument_task]
        fn later_by_default(&self, n: u8) -> impl Future<Output = u8> + Send {
            async move { n }
        }
    }

    struct Mail(u8);

    impl Job for Mail {
        type Output = u8;

        #[instrument_task]
        fn name(&self) -> String {
            "mail".to_owned()
        }

        #[instrument_task]
        fn output(&self) -> Self::Output {
            self.0
        }

        #[instrument_task]
        async fn run(&mut self, n: u8) -> Result<u8, Fault> {
            pause().await;
            self.0 += 1;
            let n = n.checked_sub(self.0).ok_or(Fault)?;
            Ok(n)
        }

        #[instrument_task]
        fn later(&self, n: u8) -> impl Future<Output = u8> + Send {
            let more = self.0;
            async move { n + more }
        }
    }

    pub fn check() {
        let expected = [
            ("name", succeed(4)),
            ("describe", succeed(1)),
            ("checked", mixed(1, 1)),
            ("output", succeed(1)),
            ("run", mixed(2, 1)),
            ("twice", mixed(1, 1)),
            ("later", succeed(1)),
            ("later_by_default", succeed(1)),
        ];
        counts(&expected, || {
            let mut mail = Mail(0);
            assert_eq!(mail.describe() + &mail.name(), "job mailmail");
            assert_eq!((mail.checked(1), mail.checked(0)), (Ok(0), Err(Fault)));
            assert_eq!(mail.output(), 0);
            assert_eq!(block_on(mail.twice(9)), Ok(6));
            assert_eq!(block_on(mail.twice(2)), Err(Fault));
            assert_eq!(block_on(mail.later(3)), 6);
            assert_eq!(block_on(mail.later_by_default(3)), 3);
        });
    }
}

pub mod operators {
    use crate::support::{counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::{
        fmt,
        ops::{Add, Index},
        str::FromStr,
    };

    #[derive(Debug, PartialEq)]
    struct Count(u8);

    impl Add for Count {
        type Output = Self;

        #[instrument_task]
        fn add(self, other: Self) -> Self {
            Self(self.0 + other.0)
        }
    }

    impl Index<usize> for Count {
        type Output = u8;

        #[instrument_task(name = "index")]
        fn index(&self, _: usize) -> &u8 {
            &self.0
        }
    }

    impl FromStr for Count {
        type Err = std::num::ParseIntError;

        #[instrument_task]
        fn from_str(text: &str) -> Result<Self, Self::Err> {
            Ok(Self(text.parse()?))
        }
    }

    impl fmt::Display for Count {
        #[instrument_task]
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "<{}>", self.0)
        }
    }

    impl Drop for Count {
        #[instrument_task(name = "Count.drop")]
        fn drop(&mut self) {
            self.0 = 0;
        }
    }

    impl Iterator for Count {
        type Item = u8;

        #[instrument_task]
        fn next(&mut self) -> Option<Self::Item> {
            self.0 = self.0.checked_sub(1)?;
            Some(self.0)
        }
    }

    pub fn check() {
        let expected = [
            ("add", succeed(1)),
            ("index", succeed(1)),
            ("from_str", mixed(1, 1)),
            ("fmt", succeed(1)),
            ("Count.drop", succeed(4)),
            ("next", succeed(3)),
        ];
        counts(&expected, || {
            let sum = Count(1) + Count(2);
            assert_eq!(sum[0], 3);
            assert_eq!(sum.to_string(), "<3>");
            assert_eq!("2".parse::<Count>().unwrap().by_ref().collect::<Vec<_>>(), [1, 0]);
            assert!("x".parse::<Count>().is_err());
        });
    }
}
