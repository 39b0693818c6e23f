//! A strict reader of statsd lines: it takes what every server would take alike, and nothing else.
//!
//! Numbers are plain decimals, a rate stands before tags and lies above 0 and up to 1, a line holds one value, and
//! names hold what needs no interpretation. What other clients send and some servers forgive is an error here, so
//! that a test sees it.

/// One line.
#[derive(Debug, PartialEq)]
pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) value: Value<'a>,
    /// As they came: `key:value` or `key`.
    pub(super) tags: Vec<&'a str>,
}

/// What a line says.
#[derive(Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// An amount to add, and the share of events that were sent.
    Counter { amount: Amount, rate: f64 },
    /// A level; one with a sign is a difference to the level before.
    Gauge { level: f64, signed: bool },
    /// One duration in milliseconds, or one value of a histogram or distribution.
    Timer { value: f64, rate: f64 },
    /// A member of a set.
    Member(&'a str),
}

/// A counter's amount, kept exact where it is whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Amount {
    Whole(i128),
    Fraction(f64),
}

/// Reads `line`, which has no line end; the error says what is wrong with it.
pub(super) fn parse(line: &str) -> Result<Line<'_>, &'static str> {
    let (name, rest) = line.split_once(':').ok_or("no colon after a name")?;
    check_name(name)?;
    let mut fields = rest.split('|');
    let text = fields.next().unwrap_or_default();
    let kind = fields.next().ok_or("no type after the value")?;
    let mut fields = fields.peekable();
    let rate = match fields.peek().and_then(|field| field.strip_prefix('@')) {
        Some(rate) => Some(parse_rate(rate)?),
        None => None,
    };
    if rate.is_some() {
        fields.next();
    }
    let tags = match fields.peek().and_then(|field| field.strip_prefix('#')) {
        Some(list) => Some(parse_tags(list)?),
        None => None,
    };
    if tags.is_some() {
        fields.next();
    }
    for field in fields {
        check_origin(field)?;
    }
    let value = match (kind, rate) {
        ("c", rate) => Value::Counter {
            amount: parse_amount(text)?,
            rate: rate.unwrap_or(1.0),
        },
        ("ms" | "h" | "d", rate) => Value::Timer {
            value: parse_decimal(text)?,
            rate: rate.unwrap_or(1.0),
        },
        ("g", None) => {
            let number = text.strip_prefix('+').unwrap_or(text);
            if number.len() < text.len() && number.starts_with('-') {
                return Err("two signs");
            }
            Value::Gauge {
                level: parse_decimal(number)?,
                signed: text.starts_with(['+', '-']),
            }
        }
        ("s", None) if is_clean(text) => Value::Member(text),
        ("s", None) => return Err("not a set member"),
        ("g" | "s", Some(_)) => return Err("a rate on a type that has none"),
        _ => return Err("an unknown type"),
    };
    Ok(Line {
        name,
        value,
        tags: tags.unwrap_or_default(),
    })
}

fn check_name(name: &str) -> Result<(), &'static str> {
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    {
        return Err("a character in the name that servers read differently");
    }
    if name.split('.').any(str::is_empty) {
        return Err("an empty node in the name");
    }
    Ok(())
}

/// Digits, perhaps a point and more digits, perhaps a minus in front.
fn is_decimal(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(unsigned),
    }
}

fn parse_decimal(text: &str) -> Result<f64, &'static str> {
    const NO: &str = "not a plain decimal number";
    if is_decimal(text) {
        text.parse().map_err(|_| NO)
    } else {
        Err(NO)
    }
}

fn parse_amount(text: &str) -> Result<Amount, &'static str> {
    let decimal = parse_decimal(text)?;
    Ok(text.parse().map_or(Amount::Fraction(decimal), Amount::Whole))
}

fn parse_rate(text: &str) -> Result<f64, &'static str> {
    match parse_decimal(text)? {
        rate if rate > 0.0 && rate <= 1.0 => Ok(rate),
        _ => Err("a rate that is not above 0 and up to 1"),
    }
}

fn parse_tags(list: &str) -> Result<Vec<&str>, &'static str> {
    let is_tag = |tag: &&str| !tag.starts_with(':') && is_clean(tag) && !tag.contains(['#', '@', ';']);
    let tags: Vec<_> = list.split(',').collect();
    if tags.iter().all(is_tag) {
        Ok(tags)
    } else {
        Err("not a list of tags")
    }
}

/// The fields that may follow the tags: container, external data, cardinality and time.
fn check_origin(field: &str) -> Result<(), &'static str> {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let known = ["c:", "e:", "card:"]
        .iter()
        .any(|key| field.strip_prefix(key).is_some_and(is_clean))
        || field.strip_prefix('T').is_some_and(number);
    if known {
        Ok(())
    } else {
        Err("an unknown field, or one out of order")
    }
}

/// Not empty, and free of what could end a line or a word.
fn is_clean(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Dialect, Sample, Wire};
    use proptest::prelude::*;

    fn value(line: &str) -> Value<'_> {
        parse(line).unwrap().value
    }

    #[test]
    fn every_type() {
        let whole = |n| Value::Counter {
            amount: Amount::Whole(n),
            rate: 1.0,
        };
        assert_eq!(value("a.b-c_D9:5|c"), whole(5));
        assert_eq!(value("a:-5|c"), whole(-5));
        assert_eq!(value("a:1000000000000000|c"), whole(1_000_000_000_000_000));
        assert_eq!(
            value("a:0.5|c|@0.1"),
            Value::Counter {
                amount: Amount::Fraction(0.5),
                rate: 0.1
            }
        );
        assert_eq!(
            value("a:0.083|ms|@0.25"),
            Value::Timer {
                value: 0.083,
                rate: 0.25
            }
        );
        assert_eq!(
            value("a:3|h"),
            Value::Timer {
                value: 3.0,
                rate: 1.0
            }
        );
        assert_eq!(
            value("a:1.5|g"),
            Value::Gauge {
                level: 1.5,
                signed: false
            }
        );
        assert_eq!(
            value("a:-1.5|g"),
            Value::Gauge {
                level: -1.5,
                signed: true
            }
        );
        assert_eq!(
            value("a:+1|g"),
            Value::Gauge {
                level: 1.0,
                signed: true
            }
        );
        assert_eq!(value("a:user-7|s"), Value::Member("user-7"));
    }

    #[test]
    fn tags_and_what_may_follow() {
        assert_eq!(
            parse("a:1|c|@0.5|#k:v,bare|c:ci-1|e:it-false,cn-x|T1700000000|card:low")
                .unwrap()
                .tags,
            ["k:v", "bare"]
        );
        assert!(parse("a:1|c").unwrap().tags.is_empty());
    }

    #[test]
    fn what_servers_read_differently_is_an_error() {
        let words = "a a: a:1 a:1| a:|c :1|c a:1|x a:1|C a..b:1|c .a:1|c a.:1|c a;k=v:1|c a:1:2|ms a:1e5|c a:1e-5|ms \
                     a:nan|c a:inf|g a:+1|c a:1.|c a:.5|c a:--1|g a:+-1|g a:1|c|@ a:1|c|@0 a:1|c|@1.5 \
                     a:1|c|@1e-05 a:1|c|@+0.5 a:1|c|@-0.5 a:1|c|@0.5|@0.5 a:1|c|#k:v|@0.5 a:1|g|@0.5 a:x|s|@0.5 \
                     a:1|c| a:1|c|# a:1|c|#, a:1|c|#:v a:1|c|#a|#b a:1|c|x:y a:1|c|T a:1|c|e: ä:1|c";
        let spaced = [
            "",
            "a b:1|c",
            "a: 1|c",
            "a:1|c|@ 0.5",
            "a:1|c|#a b",
            "a:1|c\r",
            "a:1|c\0",
            "a:b c|s",
        ];
        for line in words.split_whitespace().chain(spaced) {
            assert!(parse(line).is_err(), "{line:?} passed as {:?}", parse(line));
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_the_library_writes(task in any::<String>(), key in any::<String>(), tag in "(?s).{0,220}",
                                            delta in any::<u64>(), level in any::<f64>(),
                                            values in 1..1_000_u64, more in 0..1_000_u64) {
            let tags = vec![(key, tag)];
            for (dialect, fold) in [(Dialect::Statsd, false), (Dialect::Statsd, true), (Dialect::DogStatsd, false)] {
                let wire = Wire::new(dialect, Some(&task), &tags, fold);
                let names = wire.task(&task, &[], 0);
                let mut out = Vec::new();
                wire.counter(&names.started, delta, &mut out);
                let text = String::from_utf8(out).unwrap();
                let line = parse(&text).unwrap();
                prop_assert_eq!(line.name, names.started.as_str());
                prop_assert_eq!(line.value, Value::Counter { amount: Amount::Whole(delta.into()), rate: 1.0 });
                prop_assert_eq!(line.tags.len(), usize::from(dialect == Dialect::DogStatsd));

                let mut out = Vec::new();
                let sample = Sample { values, calls: values + more };
                wire.timer(&names.duration_success, delta, Some(sample), &mut out);
                let text = String::from_utf8(out).unwrap();
                let Value::Timer { rate, .. } = parse(&text).unwrap().value else { panic!("{text}") };
                prop_assert!((values as f64 / rate - (values + more) as f64).abs() < 0.5);

                let mut out = Vec::new();
                if wire.gauge(&wire.own("level"), level, &mut out) {
                    let text = String::from_utf8(out).unwrap();
                    // In a plain dialect a negative level is a difference to the zero before it.
                    let sum: f64 = text.split('\n').map(|line| match parse(line).unwrap().value {
                        Value::Gauge { level, .. } => level,
                        other => panic!("{other:?}"),
                    }).sum();
                    prop_assert!((sum - level).abs() < 1e-15);
                }
            }
        }

        #[test]
        fn it_reads_any_text_without_a_panic(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
