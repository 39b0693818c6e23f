//! Lines as they leave, friendly input and hostile.

use super::*;
use proptest::prelude::*;

fn tags(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).into(), (*value).into()))
        .collect()
}

fn plain() -> Wire {
    Wire::new(Dialect::Statsd, Some("celery"), &[], false)
}

fn line(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn the_names_of_the_decorator() {
    let names = plain().task("mytask", &[], 0);
    assert_eq!(names.started.text.as_ref(), "celery.tasks.status.mytask.started");
    assert_eq!(names.success.text.as_ref(), "celery.tasks.status.mytask.success");
    assert_eq!(
        names.exceptions.text.as_ref(),
        "celery.tasks.status.mytask.exceptions"
    );
    assert_eq!(
        names.cancelled.text.as_ref(),
        "celery.tasks.status.mytask.cancelled"
    );
    assert_eq!(names.panics.text.as_ref(), "celery.tasks.status.mytask.panics");
    assert_eq!(
        names.duration_success.text.as_ref(),
        "celery.tasks.duration.mytask.success"
    );
    assert_eq!(
        names.duration_exceptions.text.as_ref(),
        "celery.tasks.duration.mytask.exceptions"
    );
    assert_eq!(
        names.duration_cancelled.text.as_ref(),
        "celery.tasks.duration.mytask.cancelled"
    );
    assert_eq!(
        plain().own("packets.sent").text.as_ref(),
        "celery.instrument_task.packets.sent"
    );
}

#[test]
fn no_prefix_and_empty_prefixes_start_at_tasks() {
    for prefix in [None, Some(""), Some("."), Some("...")] {
        let wire = Wire::new(Dialect::Statsd, prefix, &[], false);
        assert_eq!(
            wire.task("t", &[], 0).started.text.as_ref(),
            "tasks.status.t.started"
        );
    }
    let wire = Wire::new(Dialect::Statsd, Some("a.b."), &[], false);
    assert_eq!(
        wire.task("t", &[], 0).started.text.as_ref(),
        "a.b.tasks.status.t.started"
    );
}

#[test]
fn lines_of_each_type() {
    let wire = plain();
    let names = wire.task("mytask", &[], 0);
    let name = &names.started;
    assert_eq!(
        line(|out| wire.counter(name, 5, out)),
        "celery.tasks.status.mytask.started:5|c"
    );
    let timer = |sample| line(|out| wire.timer(&names.duration_success, 83_000, sample, out));
    let start = "celery.tasks.duration.mytask.success:0.083|ms";
    assert_eq!(timer(None), start);
    assert_eq!(
        timer(Some(Sample { values: 1, calls: 4 })),
        format!("{start}|@0.25")
    );
    assert_eq!(timer(Some(Sample { values: 4, calls: 4 })), start);
    assert_eq!(timer(Some(Sample { values: 0, calls: 4 })), start);
    assert_eq!(timer(Some(Sample { values: 5, calls: 4 })), start);
}

#[test]
fn a_negative_gauge_is_set_by_two_lines_where_a_sign_means_a_difference() {
    let tags = tags(&[("env", "prod")]);
    for (dialect, value, expected) in [
        (Dialect::Statsd, 2.5, "instrument_task.g:2.5|g"),
        (
            Dialect::Statsd,
            -2.5,
            "instrument_task.g:0|g\ninstrument_task.g:-2.5|g",
        ),
        (Dialect::Statsd, -0.0, "instrument_task.g:0|g"),
        (Dialect::DogStatsd, -2.5, "instrument_task.g:-2.5|g|#env:prod"),
    ] {
        let wire = Wire::new(dialect, None, &tags, false);
        assert_eq!(
            line(|out| assert!(wire.gauge(&wire.own("g"), value, out))),
            expected
        );
    }
    for dialect in [Dialect::Statsd, Dialect::DogStatsd] {
        let wire = Wire::new(dialect, None, &tags, false);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(line(|out| assert!(!wire.gauge(&wire.own("g"), value, out))), "");
        }
    }
}

#[test]
fn plain_names_stay_without_being_asked_and_fold_when_asked() {
    let tags = tags(&[("version", "1.2"), ("env", "prod"), ("canary", "")]);
    let quiet = Wire::new(Dialect::Statsd, None, &tags, false);
    assert_eq!(
        line(|out| quiet.counter(&quiet.task("t", &[], 0).started, 1, out)),
        "tasks.status.t.started:1|c"
    );
    let folding = Wire::new(Dialect::Statsd, None, &tags, true);
    assert_eq!(
        line(|out| folding.counter(&folding.task("t", &[], 0).started, 1, out)),
        "tasks.status.t.started.canary.env.prod.version.1_2:1|c"
    );
}

#[test]
fn dogstatsd_ends_lines_with_rate_tags_and_origin_in_that_order() {
    let tags = tags(&[("env", "prod"), ("canary", ""), ("", "x")]);
    let wire = Wire::new(Dialect::DogStatsd, None, &tags, true);
    let names = wire.task("t", &[], 0);
    assert_eq!(
        line(|out| wire.timer(
            &names.duration_success,
            5_000_000,
            Some(Sample { values: 1, calls: 2 }),
            out
        )),
        "tasks.duration.t.success:5|ms|@0.5|#env:prod,canary,_:x"
    );
    let origin = Origin {
        external_data: Some("it-false,cn-a|b,pu-1".into()),
        cardinality: Some("low".into()),
    };
    let wire = wire.with_origin(&origin);
    let names = wire.task("t", &[], 0);
    assert_eq!(
        line(|out| wire.counter(&names.started, 1, out)),
        "tasks.status.t.started:1|c|#env:prod,canary,_:x|e:it-false,cn-a_b,pu-1|card:low"
    );
    let plain = plain().with_origin(&origin);
    assert_eq!(
        line(|out| plain.counter(&plain.own("a"), 1, out)),
        "celery.instrument_task.a:1|c"
    );
}

#[test]
fn the_longest_line_is_the_longest() {
    let long = "x".repeat(1_000);
    let tags = vec![(long.clone(), long.clone())];
    for (dialect, fold) in [
        (Dialect::Statsd, false),
        (Dialect::Statsd, true),
        (Dialect::DogStatsd, false),
    ] {
        let wire = Wire::new(dialect, Some(&long), &tags, fold);
        let in_flight = |wire: &Wire| {
            let name = wire.task(&long, &[], 0).in_flight;
            line(|out| assert!(wire.gauge(&name, u64::MAX as f64, out))).len()
        };
        let named = wire.clone().with_instance(&long);
        assert!((named.longest_line() - 2..=named.longest_line()).contains(&in_flight(&named)));
        assert!(in_flight(&wire) <= wire.longest_line());
        let name = wire.task(&long, &[], 0).duration_exceptions;
        // Neither the longest duration nor the longest rate occurs in practice.
        let sample = Sample {
            values: 1,
            calls: u64::MAX,
        };
        let longest = line(|out| wire.timer(&name, u64::MAX, Some(sample), out)).len();
        let kind = line(|out| wire.counter(&wire.kind(&long, &long, &[], 0), u64::MAX, out)).len();
        let of_all = longest.max(kind);
        assert!((wire.longest_line() - 1..=wire.longest_line()).contains(&of_all));
        let of_counter = wire.metric_kind(&long, &long, &[], 0);
        assert!(line(|out| wire.counter(&of_counter, u64::MAX, out)).len() <= of_all);
        assert!(line(|out| wire.counter(&name, u64::MAX, out)).len() <= longest);
    }
    for dialect in [Dialect::Statsd, Dialect::DogStatsd] {
        let wire = Wire::new(dialect, Some(&long), &[], false);
        assert!(wire.with_instance(&long).longest_line() <= 512);
    }
}

#[test]
fn gauges_alone_carry_the_instance_whatever_room_there_is() {
    let tags = [("kind".into(), "batch".into())];
    let wire =
        |dialect| Wire::new(dialect, None, &[("env".into(), "prod".into())], false).with_instance("a.b|c");
    let in_flight = |dialect, room| {
        let names = wire(dialect).task("t", &tags, room);
        line(|out| assert!(wire(dialect).gauge(&names.in_flight, 2.0, out)))
    };
    assert_eq!(
        in_flight(Dialect::Statsd, 100),
        "tasks.status.t.in_flight.instance.a_b_c.kind.batch:2|g"
    );
    assert_eq!(
        in_flight(Dialect::DogStatsd, 100),
        "tasks.status.t.in_flight:2|g|#kind:batch,instance:a.b_c,env:prod"
    );
    assert_eq!(
        in_flight(Dialect::Statsd, 0),
        "tasks.status.t.in_flight.instance.a_b_c:2|g"
    );
    let plain = wire(Dialect::Statsd);
    assert_eq!(plain.task("t", &[], 0).started.as_str(), "tasks.status.t.started");
    assert_eq!(plain.metric("m", &[], 0).as_str(), "m");
    assert_eq!(plain.own_gauge("g", &[], 0).as_str(), "g.instance.a_b_c");
    let own = [(INSTANCE.into(), "x".into())];
    assert_eq!(plain.own_gauge("g", &own, 100).as_str(), "g.instance.x");
    let alone = plain.with_instance("");
    assert_eq!(
        alone.task("t", &[], 0).in_flight.as_str(),
        "tasks.status.t.in_flight"
    );
}

/// What other clients let through: a second metric in a tag's value, and worse.
const HOSTILE: &[&str] = &[
    "",
    ".",
    "..",
    "a..b",
    ".a.",
    "/a\nadmin.logins:999|c",
    "a\r\nb:1|c",
    "x:1|c",
    "x|c|@0.1",
    "x|#a:b",
    "x,y=z",
    "x;k=v",
    "x[k=v]",
    "\0",
    "\u{85}\u{2028}\u{2029}",
    "_e{5,4}:title|text",
    "_sc|name|0",
    "constructor",
    "__proto__",
    "ünï cödé",
];

/// The whole grammar of a `DogStatsD` counter line, as the strictest reader would have it.
fn is_one_counter(text: &str) -> bool {
    let mut parts = text.split('|');
    let Some((name, value)) = parts.next().and_then(|start| start.split_once(':')) else {
        return false;
    };
    let name_ok = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    let value_ok = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    let type_ok = parts.next() == Some("c");
    let tags_ok = parts.next().is_none_or(|tags| {
        tags.strip_prefix('#').is_some_and(|list| {
            list.split(',')
                .all(|tag| !tag.is_empty() && !tag.starts_with(':') && tag.matches(':').count() <= 1)
        })
    });
    let clean = !text.contains(|c: char| c.is_control() || c.is_whitespace());
    name_ok && value_ok && type_ok && tags_ok && clean && parts.next().is_none()
}

#[test]
fn nothing_hostile_forges_a_metric() {
    let whole = HOSTILE.concat();
    for text in HOSTILE.iter().copied().chain([whole.as_str()]) {
        for other in HOSTILE {
            let tags = tags(&[(text, other), (other, text)]);
            for dialect in [Dialect::Statsd, Dialect::DogStatsd] {
                let wire = Wire::new(dialect, Some(other), &tags, true);
                let written = line(|out| wire.counter(&wire.task(text, &[], 0).success, 1, out));
                assert!(
                    is_one_counter(&written),
                    "{text:?} and {other:?} gave {written:?}"
                );
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_at_all_forges_a_metric(task in any::<String>(), prefix in any::<String>(),
                                      key in any::<String>(), value in "(?s).{0,220}", delta in any::<u64>()) {
        let tags = vec![(key, value)];
        for dialect in [Dialect::Statsd, Dialect::DogStatsd] {
            let wire = Wire::new(dialect, Some(&prefix), &tags, true);
            let written = line(|out| wire.counter(&wire.task(&task, &[], 0).success, delta, out));
            prop_assert!(is_one_counter(&written), "{:?}", written);
            prop_assert!(written.len() <= wire.longest_line());
        }
    }
}

#[test]
fn tags_of_a_call_end_its_lines_or_its_names() {
    let tags = [("kind".into(), "ba|tch".into()), ("bare".into(), "".into())];
    let global = [("env".to_owned(), "prod".to_owned())];
    let line = |wire: &Wire, room| {
        let mut out = Vec::new();
        wire.counter(&wire.task("t", &tags, room).started, 1, &mut out);
        String::from_utf8(out).unwrap()
    };
    let dog = Wire::new(Dialect::DogStatsd, None, &global, false);
    assert_eq!(
        line(&dog, 100),
        "tasks.status.t.started:1|c|#kind:ba_tch,bare,env:prod"
    );
    assert_eq!(
        line(&Wire::new(Dialect::Statsd, None, &global, false), 100),
        "tasks.status.t.started.bare.kind.ba_tch:1|c"
    );
    let cut = line(&dog, 19);
    assert!(
        cut.starts_with("tasks.status.t.started:1|c|#cut:") && cut.ends_with(",env:prod"),
        "{cut}"
    );
    assert_eq!(line(&dog, 0), "tasks.status.t.started:1|c|#env:prod");
}

#[test]
fn a_kind_is_a_node_or_a_tag() {
    let name = |dialect, tags| Wire::new(dialect, Some("p"), &[], false).kind("t", "time.out", tags, 100);
    let tags = [(Box::from("queue"), Box::from("mail"))];
    for (tags, folded, tagged) in [(&[][..], "", ""), (&tags[..], ".queue.mail", ",queue:mail")] {
        assert_eq!(
            *name(Dialect::Statsd, tags).text,
            *format!("p.tasks.status.t.exceptions.time_out{folded}")
        );
        let dog = name(Dialect::DogStatsd, tags);
        assert_eq!(&*dog.text, "p.tasks.status.t.exceptions_by_kind");
        assert_eq!(*dog.suffix, *format!("|#kind:time.out{tagged}"));
        let of_counter =
            |dialect| Wire::new(dialect, Some("p"), &[], false).metric_kind("m", "time.out", tags, 100);
        assert_eq!(
            *of_counter(Dialect::Statsd).text,
            *format!("p.m.time_out{folded}")
        );
        let dog = of_counter(Dialect::DogStatsd);
        assert_eq!(
            (&*dog.text, &*dog.suffix),
            ("p.m_by_kind", &*format!("|#kind:time.out{tagged}"))
        );
    }
}
