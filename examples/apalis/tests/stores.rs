//! The example as a user runs it, on both of its stores: it ends well only if its metrics are what the store says.

use std::process::Command;

use instrument_task_examples::servers::Redis;
use instrument_task_tests::{children, example};

fn run(arguments: &[&str]) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_instrument-task-example-apalis"));
    children::without_configuration(&mut program);
    let ended = children::run(program.args(["--jobs", "300"]).args(arguments));
    assert!(ended.status.success(), "{}", ended.output);
    assert!(
        ended.output.contains("What arrived is what the store says."),
        "{}",
        ended.output
    );
}

#[test]
fn it_needs_no_server() {
    run(&[]);
}

#[test]
fn it_works_on_redis() {
    let Some(redis) = example::or_skip(Redis::start()) else {
        return;
    };
    run(&["--redis", &redis.url()]);
}
