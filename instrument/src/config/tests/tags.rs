//! Where tags come from, and how many fit.

use super::*;

#[test]
fn datadogs_variables_become_tags_and_origin_where_the_dialect_has_them() {
    let vars: Vars = &[
        ("DD_ENTITY_ID", "pod-1"),
        ("DD_ENV", "prod"),
        ("DD_SERVICE", "mailer"),
        ("DD_VERSION", "1.2"),
        ("DD_TAGS", "env:dev team:a canary"),
        ("STATSD_DEFAULT_TAGS", "service:stronger"),
        ("DD_EXTERNAL_ENV", "it-false,cn-app,pu-7"),
        ("DD_CARDINALITY", "LOW"),
    ];
    let plain = resolve(vars);
    assert_eq!(plain.tags, pairs(&[("service", "stronger")]));
    assert_eq!(plain.origin, Origin::default());
    let mut with_agent = vars.to_vec();
    with_agent.push(("DD_AGENT_HOST", "agent"));
    let config = resolve(&with_agent);
    assert_eq!(
        config.tags,
        pairs(&[
            ("service", "stronger"),
            ("dd.internal.entity_id", "pod-1"),
            ("env", "prod"),
            ("version", "1.2"),
            ("team", "a"),
            ("canary", ""),
        ])
    );
    let mut line = Vec::new();
    let wire = config.wire();
    wire.counter(&wire.own("x"), 1, &mut line);
    assert_eq!(
        String::from_utf8(line).unwrap(),
        "instrument_task.x:1|c|#service:stronger,dd.internal.entity_id:pod-1,env:prod,version:1.2,team:a,canary\
         |e:it-false,cn-app,pu-7|card:low"
    );
}

#[test]
fn an_instance_that_leaves_a_gauge_no_room_is_refused() {
    let long = "x".repeat(190);
    let builder = ClientBuilder::default()
        .dialect(Dialect::DogStatsd)
        .packet_size(512)
        .tag("env", "prod")
        .prefix("p".repeat(90));
    assert!(resolve_from(builder.clone().instance(""), &[]).is_ok());
    assert!(resolve_from(builder.clone().instance(&long), &[]).is_ok());
    let builder = builder.tag("team", "y".repeat(80));
    assert!(resolve_from(builder.clone().instance("web-3.4711"), &[]).is_ok());
    refusal(builder.clone().instance(&long), &[], "tag + instance", "env:prod");
    let vars: Vars = &[("STATSD_INSTANCE", &long)];
    refusal(builder, vars, "tag + STATSD_INSTANCE", "env:prod");
}

#[test]
fn tags_that_leave_a_line_no_room_are_refused() {
    let long = "x".repeat(190);
    let mut builder = ClientBuilder::default().dialect(Dialect::DogStatsd);
    for n in 0..7 {
        builder = builder.tag(format!("k{n}"), &long);
    }
    refusal(builder.clone(), &[("DD_TAGS", "a:b")], "tag + DD_TAGS", "k0:xxx");
    assert!(resolve_from(builder.clone().packet_size(2_000), &[]).is_ok());
    // Tags that are not sent take no room.
    assert!(resolve_from(builder.clone().dialect(Dialect::Statsd), &[]).is_ok());
    refusal(
        builder
            .dialect(Dialect::Statsd)
            .tags_in_names(true)
            .packet_size(900),
        &[],
        "tag",
        "k0:xxx",
    );
    let external: Vec<_> = (0..8).map(|_| "y".repeat(190)).collect();
    let vars = [("DD_AGENT_HOST", "a"), ("DD_EXTERNAL_ENV", &external.join(","))];
    refusal(ClientBuilder::default(), &vars, "DD_EXTERNAL_ENV", "yyy");
}
