//! Functions that know their caller.

pub mod caller_location {
    use crate::support::{Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::panic::Location;

    #[instrument_task]
    #[track_caller]
    fn plain() -> u32 {
        Location::caller().line()
    }

    #[instrument_task]
    #[track_caller]
    fn guarded(early: bool) -> &'static Location<'static> {
        if early {
            return Location::caller();
        }
        Location::caller()
    }

    #[instrument_task]
    #[track_caller]
    fn judged<T: Into<u32>>(_: String, (n, _): (T, String)) -> Result<u32, Fault> {
        if n.into() == 0 {
            return Err(Fault);
        }
        Ok(Location::caller().line())
    }

    struct Owner<T>(T);

    impl<T: Copy + Into<u32>> Owner<T> {
        #[instrument_task]
        #[track_caller]
        pub fn method(&self, _: &str) -> Result<u32, Fault> {
            if self.0.into() == 0 {
                return Err(Fault);
            }
            Ok(Location::caller().line())
        }

        #[instrument_task]
        #[track_caller]
        fn private(&self) -> Result<u32, Fault> {
            if self.0.into() == 0 {
                return Err(Fault);
            }
            Ok(Location::caller().line())
        }

        #[instrument_task]
        #[track_caller]
        fn associated(n: T) -> Result<u32, Fault> {
            if n.into() == 0 {
                return Err(Fault);
            }
            Ok(Location::caller().line())
        }
    }

    #[instrument_task]
    impl Owner<u32> {
        #[track_caller]
        fn in_block(mut self, mut more: u32) -> Result<u32, Fault> {
            more += 0;
            self.0 += 0;
            if self.0 + more == 0 {
                return Err(Fault);
            }
            Ok(Location::caller().line())
        }
    }

    macro_rules! leave_if_even {
        ($n:expr, $otherwise:expr) => {
            if $n % 2 == 0 {
                return $otherwise;
            }
        };
    }

    struct Builder {
        line: u32,
    }

    #[instrument_task]
    impl Builder {
        /// The macro may hide a `return`, but not of an error.
        #[track_caller]
        fn with(mut self, n: u32) -> Self {
            leave_if_even!(n, Self { line: Location::caller().line() + 1000 });
            if n == 1 {
                return self;
            }
            self.line = Location::caller().line();
            self
        }
    }

    struct Stream<RW>(RW);

    impl<RW: Copy + Into<u32>> Stream<RW> {
        #[instrument_task]
        #[track_caller]
        pub fn with(size: u32, stream: RW) -> Result<Stream<RW>, Fault> {
            if size == 0 {
                return Err(Fault);
            }
            Ok(Stream(stream))
        }

        #[instrument_task]
        #[track_caller]
        fn in_place(stream: RW) -> (u32, Option<Stream<RW>>) {
            (Location::caller().line(), Some(Stream(stream)))
        }

        #[instrument_task]
        #[track_caller]
        fn in_place_judged(stream: RW) -> Result<u32, Stream<RW>> {
            Some(Location::caller().line()).ok_or(Stream(stream))
        }
    }

    trait Tracked {
        #[track_caller]
        fn tracked(&self) -> Result<u32, Fault>;

        #[track_caller]
        fn tracked_in_place(&self) -> Result<u32, Fault>;
    }

    impl Tracked for u8 {
        #[instrument_task]
        #[track_caller]
        fn tracked(&self) -> Result<u32, Fault> {
            if *self == 0 {
                return Err(Fault);
            }
            Ok(Location::caller().line())
        }

        #[instrument_task]
        #[track_caller]
        fn tracked_in_place(&self) -> Result<u32, Fault> {
            Some(Location::caller().line()).filter(|_| *self > 0).ok_or(Fault)
        }
    }

    pub fn check() {
        let expected = [
            ("plain", succeed(1)),
            ("guarded", succeed(2)),
            ("judged", mixed(1, 1)),
            ("method", mixed(1, 1)),
            ("private", mixed(1, 1)),
            ("associated", mixed(1, 1)),
            ("Owner.in_block", mixed(1, 1)),
            ("tracked", mixed(1, 1)),
            ("tracked_in_place", mixed(1, 1)),
            ("Builder.with", succeed(3)),
            ("with", mixed(1, 1)),
            ("in_place", succeed(1)),
            ("in_place_judged", succeed(1)),
        ];
        counts(&expected, || {
            let more = String::new;
            assert_eq!(plain(), line!());
            assert_eq!(guarded(true).line(), line!());
            assert_eq!(guarded(false).line(), line!());
            assert_eq!(judged(more(), (1_u8, more())), Ok(line!()));
            assert_eq!(judged(more(), (0_u8, more())), Err(Fault));
            assert_eq!(Owner(1_u8).method(""), Ok(line!()));
            assert_eq!(Owner(0_u8).method(""), Err(Fault));
            assert_eq!(Owner(1_u8).private(), Ok(line!()));
            assert_eq!(Owner(0_u8).private(), Err(Fault));
            assert_eq!(Owner::associated(1_u8), Ok(line!()));
            assert_eq!(Owner::associated(0_u8), Err(Fault));
            assert_eq!(Owner(1).in_block(1), Ok(line!()));
            assert_eq!(Owner(0).in_block(0), Err(Fault));
            assert_eq!(1.tracked(), Ok(line!()));
            assert_eq!(0.tracked(), Err(Fault));
            assert_eq!(1.tracked_in_place(), Ok(line!()));
            assert_eq!(0.tracked_in_place(), Err(Fault));
            assert_eq!(Builder { line: 0 }.with(1).line, 0);
            assert_eq!(Builder { line: 0 }.with(2).line, line!() + 1000);
            assert_eq!(Builder { line: 0 }.with(3).line, line!());
            assert!(Stream::with(0, 1_u8).is_err() && Stream::with(1, 1_u8).is_ok_and(|stream| stream.0 == 1));
            assert_eq!(Stream::in_place(1_u8).0, line!());
            assert!(Stream::in_place_judged(1_u8).is_ok_and(|at| at == line!()));
        });
    }
}

/// An error that notes where it was made, as many libraries' do.
pub mod noted_location {
    use crate::support::{Expected, Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::{panic::Location, task::Poll};

    #[derive(Debug)]
    struct Noted {
        line: u32,
    }

    impl From<Fault> for Noted {
        #[track_caller]
        fn from(_: Fault) -> Self {
            Self { line: Location::caller().line() }
        }
    }

    fn down(n: u8) -> Result<u8, Fault> {
        n.checked_sub(1).ok_or(Fault)
    }

    #[instrument_task]
    #[track_caller]
    fn tried(n: u8) -> Result<u8, Noted> {
        let n = down(n)?;
        Ok(n + down(n)?)
    }

    #[instrument_task]
    #[track_caller]
    fn returned(n: u8) -> Result<u8, Noted> {
        if n == 0 {
            return Err(Fault.into());
        }
        Ok(n)
    }

    #[instrument_task]
    #[track_caller]
    fn polled(n: u8) -> Poll<Option<Result<u8, Noted>>> {
        let n = Poll::Ready(down(n))?.map(|n| n + 1);
        down(1)?;
        n.map(Ok).map(Some)
    }

    pub fn check() {
        let expected: [Expected<'_>; 3] =
            [("tried", mixed(1, 2)), ("returned", mixed(0, 1)), ("polled", mixed(1, 1))];
        counts(&expected, || {
            assert_eq!(tried(2).unwrap(), 1);
            let (here, lines) = (line!(), (tried(0).unwrap_err().line, tried(1).unwrap_err().line));
            assert_eq!(lines, (here, here));
            let (here, line) = (line!(), returned(0).unwrap_err().line);
            assert_eq!(line, here);
            let (here, polled_none) = (line!(), polled(0));
            assert!(matches!(polled_none, Poll::Ready(Some(Err(Noted { line }))) if line == here));
            assert!(matches!(polled(1), Poll::Ready(Some(Ok(1)))));
        });
        counts(&[("returned", succeed(1))], || assert_eq!(returned(1).unwrap(), 1));
    }
}

/// The exits of a body that knows its caller: each kind, and what only looks like one.
pub mod exits {
    use crate::support::{Expected, Fault, counts, mixed, succeed};
    use instrument_task::instrument_task;
    use std::{
        collections::HashMap,
        hash::Hash,
        ops::ControlFlow,
        panic::Location,
        task::Poll,
    };

    #[derive(Debug, PartialEq)]
    struct Wrapped(Fault);

    impl From<Fault> for Wrapped {
        fn from(fault: Fault) -> Self {
            Self(fault)
        }
    }

    fn down(n: u32) -> Result<u32, Fault> {
        n.checked_sub(1).ok_or(Fault)
    }

    #[derive(Debug)]
    struct Table<Key, const LEN: usize>(HashMap<Key, [u8; LEN]>);

    impl<'map, Key: Eq + Hash + 'map, const LEN: usize> Table<Key, LEN> {
        #[instrument_task]
        #[track_caller]
        fn of(key: Key, n: u32) -> Result<(Table<Key, LEN>, u32), Wrapped> {
            let n = down(n)?;
            let mut map: HashMap<Key, [u8; LEN]> = HashMap::new();
            map.insert(key, [0; LEN]);
            Ok((Table(map), n + Location::caller().line()))
        }

        #[instrument_task]
        #[track_caller]
        fn first(all: &'map [Key], n: usize) -> Result<&'map Key, u32> {
            if n == LEN {
                return Err(Location::caller().line());
            }
            all.get(n).ok_or(Location::caller().line())
        }
    }

    #[instrument_task]
    #[track_caller]
    fn labels(n: u32) -> Result<u32, Wrapped> {
        let mut left = n;
        let found = 'outer: loop {
            for step in [0, 2] {
                if left == 7 {
                    return Ok(Location::caller().line());
                }
                left = match down(left) {
                    Ok(0) => break 'outer step,
                    Ok(less) => less,
                    Err(_) => return if n == 0 { Err(Wrapped(Fault)) } else { Ok(0) },
                };
            }
        };
        let Ok(more) = down(found) else {
            return 'once: {
                if found == 0 {
                    break 'once Ok(1);
                }
                Err(Wrapped(Fault))
            };
        };
        Ok(more)
    }

    #[instrument_task]
    #[track_caller]
    fn own_exits(n: u32) -> Result<u32, Wrapped> {
        fn item(n: u32) -> Result<u32, Fault> {
            if n == 9 {
                return Ok(n);
            }
            Ok(down(n)?)
        }
        let closure = |n| -> Result<u32, Fault> {
            if n == 9 {
                return Err(Fault);
            }
            Ok(item(n)? + 1)
        };
        let inner = closure(n);
        drop(async {
            if down(1)? == 1 {
                return Ok::<_, Fault>(1);
            }
            Ok(2)
        });
        assert_eq!(vec![down(5)?, inner?], [4, n], "{}", format_args!("{}", down(n)?));
        Ok(Location::caller().line() - u32::from(!matches!(down(n)?, 0..=3)))
    }

    #[allow(clippy::cast_possible_wrap, clippy::identity_op, reason = "a `?` stands in every place")]
    #[instrument_task]
    #[track_caller]
    fn chained(all: &[&str]) -> Option<(usize, u32)> {
        let len = -i32::from(*all.first()?.as_bytes().first()? as i8).abs();
        let at = &all.get(1)?.to_owned()[..].len() + 0;
        (len < 0).then_some(())?;
        Some((at, Location::caller().line()))
    }

    #[instrument_task]
    #[track_caller]
    fn polled(part: Poll<Result<u8, Fault>>) -> Poll<Result<u32, Wrapped>> {
        let _: Poll<u8> = part?;
        Poll::Ready(Ok(Location::caller().line()))
    }

    #[instrument_task]
    #[track_caller]
    fn streamed(part: Poll<Option<Result<u8, Fault>>>) -> Poll<Option<Result<u32, Wrapped>>> {
        let _: Poll<Option<u8>> = part?;
        Poll::Ready(Some(Ok(Location::caller().line())))
    }

    #[instrument_task]
    #[track_caller]
    fn flow(n: u32) -> ControlFlow<u32, u32> {
        (if n == 0 { ControlFlow::Break(0) } else { ControlFlow::Continue(()) })?;
        ControlFlow::Break(Location::caller().line())
    }

    #[instrument_task(ok_if = |r: &Result<u32, Wrapped>| matches!(r, Ok(_) | Err(Wrapped(Fault))))]
    #[track_caller]
    fn asked(n: u32) -> Result<u32, Wrapped> {
        Ok(down(n)? + Location::caller().line())
    }

    fn kind(_: &Wrapped) -> &'static str {
        "wrapped"
    }

    #[instrument_task(error_kind = kind)]
    #[track_caller]
    fn of_a_kind(n: u32) -> Result<u32, Wrapped> {
        Ok(down(n)? + Location::caller().line())
    }

    // The type that comes out has no name, so only a closure can tell the compiler what it is.
    #[instrument_task]
    #[track_caller]
    fn opaque(n: u32) -> Result<impl Fn() -> u32, Wrapped> {
        let n = down(n)? + Location::caller().line();
        Ok(move || n)
    }

    #[instrument_task]
    #[track_caller]
    fn dropping(order: &std::cell::RefCell<Vec<u8>>, fails: bool, _first: Noisy<'_>, _: Noisy<'_>) -> Result<u32, Fault> {
        let _local = Noisy(3, order);
        if fails {
            Err(Fault)?;
        }
        let _later = Noisy(4, order);
        return Ok(Location::caller().line());
    }

    struct Noisy<'a>(u8, &'a std::cell::RefCell<Vec<u8>>);

    impl Drop for Noisy<'_> {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }

    macro_rules! refuse {
        () => {
            return Err(Wrapped(Fault))
        };
    }

    // The way out is hidden in a macro: it is counted, and the location is the attribute's.
    #[instrument_task]
    #[track_caller]
    fn hidden(n: u32) -> Result<u32, Wrapped> {
        if n == 0 {
            refuse!();
        }
        Ok(Location::caller().line())
    }

    pub fn check() {
        let expected: [Expected<'_>; 13] = [
            ("of", mixed(1, 1)),
            ("first", mixed(1, 2)),
            ("labels", mixed(3, 1)),
            ("own_exits", mixed(1, 1)),
            ("chained", succeed(3)),
            ("polled", mixed(2, 1)),
            ("streamed", mixed(2, 1)),
            ("flow", succeed(2)),
            ("asked", succeed(2)),
            ("of_a_kind", mixed(1, 1)),
            ("opaque", mixed(1, 1)),
            ("dropping", mixed(1, 1)),
            ("hidden", mixed(1, 1)),
        ];
        counts(&expected, || {
            assert!(Table::<_, 2>::of("a", 1).is_ok_and(|(table, at)| table.0["a"] == [0; 2] && at == line!()));
            assert_eq!(Table::<_, 2>::of("a", 0).unwrap_err(), Wrapped(Fault));
            assert_eq!(Table::<_, 1>::first(&["a"], 0), Ok(&"a"));
            assert_eq!(Table::<_, 1>::first(&["a"], 1), Err(line!()));
            assert_eq!(Table::<_, 1>::first(&["a"], 2), Err(line!()));
            assert_eq!((labels(7), labels(0)), (Ok(line!()), Err(Wrapped(Fault))));
            assert_eq!((labels(1), labels(2)), (Ok(1), Ok(1)));
            assert_eq!((own_exits(4), own_exits(9)), (Ok(line!()), Err(Wrapped(Fault))));
            assert_eq!(chained(&["a", "bc"]), Some((2, line!())));
            assert_eq!((chained(&[]), chained(&["a"])), (None, None));
            assert_eq!(polled(Poll::Ready(Ok(1))), Poll::Ready(Ok(line!())));
            assert_eq!(polled(Poll::Ready(Err(Fault))), Poll::Ready(Err(Wrapped(Fault))));
            assert_eq!(polled(Poll::Pending), Poll::Ready(Ok(line!())));
            assert_eq!(streamed(Poll::Ready(None)), Poll::Ready(Some(Ok(line!()))));
            assert_eq!(streamed(Poll::Ready(Some(Err(Fault)))), Poll::Ready(Some(Err(Wrapped(Fault)))));
            assert_eq!(streamed(Poll::Pending), Poll::Ready(Some(Ok(line!()))));
            assert_eq!((flow(1), flow(0)), (ControlFlow::Break(line!()), ControlFlow::Break(0)));
            assert_eq!((asked(1), asked(0)), (Ok(line!()), Err(Wrapped(Fault))));
            assert_eq!((of_a_kind(1), of_a_kind(0)), (Ok(line!()), Err(Wrapped(Fault))));
            assert!(opaque(1).is_ok_and(|n| n() > 0) && opaque(0).is_err());
            let order = std::cell::RefCell::default();
            let noisy = |n| Noisy(n, &order);
            assert_eq!(dropping(&order, true, noisy(1), noisy(2)), Err(Fault));
            assert_eq!(order.take(), [3, 2, 1]);
            assert_eq!(dropping(&order, false, noisy(1), noisy(2)), Ok(line!()));
            assert_eq!(order.take(), [4, 3, 2, 1]);
            assert!(hidden(1).is_ok() && hidden(0).is_err());
        });
    }
}
