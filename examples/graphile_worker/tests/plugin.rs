//! The plugin of a worker on a real `PostgreSQL`, and what other plugins may do to it.

use std::{
    future::{Future, pending},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

use graphile_worker::{
    AfterJobRun, AfterJobRunContext, FailureReason, HookRegistry, HookResult, IntoTaskHandlerResult, Job,
    JobCompleteContext, JobFailContext, JobInterruptedContext, JobPermanentlyFailContext, JobSpec,
    JobStartContext, TaskHandler, WorkerContext, WorkerOptions,
};
use instrument_task::{
    graphile_worker::MetricsPlugin,
    testing::{Captured, Receiver, capture},
};
use instrument_task_examples::{panics, servers::Postgres, wait::until};
use instrument_task_tests::{example, receiving};
use serde::{Deserialize, Serialize};
use tokio::{runtime::Runtime, select, time::sleep};

const DEADLINE: Duration = Duration::from_secs(30);
const SCHEMA: &str = "plugin";

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Wish {
    Succeed,
    /// Fails at its first attempt.
    Retry,
    Fail,
    Panic,
    /// Never ends.
    Hang,
}

#[derive(Serialize, Deserialize)]
struct SendLetter {
    wish: Wish,
}

impl TaskHandler for SendLetter {
    const IDENTIFIER: &'static str = "send_letter";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        match self.wish {
            Wish::Succeed => Ok(()),
            Wish::Retry if *context.job().attempts() > 1 => Ok(()),
            Wish::Panic => panic!("corrupt letter"),
            Wish::Hang => pending().await,
            Wish::Retry | Wish::Fail => Err("no such street"),
        }
    }
}

/// A handler of the same name that takes something else: a producer of another version.
#[derive(Serialize, Deserialize)]
struct OldLetter {
    street: String,
}

impl TaskHandler for OldLetter {
    const IDENTIFIER: &'static str = "send_letter";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {}
}

fn kind(error: &str) -> &'static str {
    if error.contains("no such street") {
        "address"
    } else {
        "_other"
    }
}

#[test]
fn attempts_are_what_the_store_says() {
    let Some(postgres) = example::or_skip(Postgres::start()) else {
        return;
    };
    panics::hide("corrupt ");
    let receiver = Receiver::start().unwrap();
    let metrics = receiving::builder(&receiver).install().unwrap();
    let plugin = MetricsPlugin::new()
        .instance("test.1")
        .concurrency(10)
        .error_kind(kind);

    let count = |what: &str| receiver.counter(&format!("tasks.status.send_letter.{what}"));
    let gauge = |what: &str| receiver.gauge(&format!("tasks.status.send_letter.{what}.instance.test_1"));
    let runtime = Runtime::new().unwrap();
    let finished = runtime.block_on(async {
        let worker = WorkerOptions::default()
            .database_url(&postgres.url())
            .schema(SCHEMA)
            .concurrency(10)
            .poll_interval(Duration::from_millis(5))
            .shutdown_grace_period(Duration::from_millis(100))
            .define_job::<SendLetter>()
            .add_plugin(plugin)
            .init()
            .await
            .unwrap();
        let queue = worker.create_utils();
        let spec = |attempts| JobSpec {
            max_attempts: Some(attempts),
            ..JobSpec::default()
        };
        let plan = [
            (20, Wish::Succeed, 1),
            (3, Wish::Retry, 2),
            (4, Wish::Fail, 1),
            (2, Wish::Panic, 1),
            (2, Wish::Hang, 1),
        ];
        for (jobs, wish, attempts) in plan {
            for _ in 0..jobs {
                queue.add_job(SendLetter { wish }, spec(attempts)).await.unwrap();
            }
        }
        let street = "of old".into();
        queue.add_job(OldLetter { street }, spec(1)).await.unwrap();

        let all_but_hanging =
            || count("success") + count("exceptions") + count("retries") == 20 + 2 * 3 + 4 + 2 + 1;
        let busy = || gauge("in_flight") == Some(2.0) && gauge("saturation") == Some(0.2);
        let mut running = pin!(worker.run());
        select! {
            ended = &mut running => panic!("the worker ended: {ended:?}"),
            () = until(|| all_but_hanging() && busy()) => {
                worker.request_shutdown();
                running.await.unwrap();
                true
            }
            () = sleep(DEADLINE) => false,
        }
    });
    drop(runtime);
    receiving::finish(metrics, &receiver);
    assert!(finished, "{:?}", receiver.counters());

    assert_eq!(count("started"), 20 + 2 * 3 + 4 + 2 + 2 + 1);
    assert_eq!(
        (count("success"), count("retries"), count("cancelled")),
        (23, 3, 2)
    );
    // A payload that the handler cannot take is an error like any other.
    assert_eq!((count("exceptions"), count("panics")), (4 + 2 + 1, 2));
    assert_eq!(count("exhausted"), 4 + 2 + 1);
    assert_eq!((count("exceptions.address"), count("exceptions._other")), (4, 1));
    assert_eq!((count("retries.address"), count("retries._other")), (3, 0));
    let waited = receiver.timer("tasks.duration.send_letter.queue_latency");
    assert_eq!(
        waited.expect("of every job").values.len(),
        32,
        "at its first attempt"
    );
    for name in ["in_flight", "saturation", "uptime"] {
        assert!(
            gauge(name).is_none_or(|value| value == 0.0),
            "{name} of a worker that is gone"
        );
    }

    let rows = |rows: &str| {
        let query = format!("select count(*) from {SCHEMA}._private_jobs where {rows}");
        let answer = postgres.query(&query).expect("an answer");
        answer.trim().parse::<u64>().expect("a number")
    };
    // A job that is done is gone; one that hung may go on later, since its attempt did not count.
    assert_eq!(
        rows("last_error is not null and attempts = max_attempts"),
        4 + 2 + 1
    );
    // By which a first attempt is told from one after an interruption.
    assert_eq!(rows("last_error is not null and attempts = 0"), 2);
    assert_eq!(rows("true"), 4 + 2 + 1 + 2);
}

/// Does what is ready at once.
fn now<R>(future: impl Future<Output = R>) -> R {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

fn job(id: i64, attempts: i16, max_attempts: i16) -> Arc<Job> {
    let job = Job::builder()
        .id(id)
        .attempts(attempts)
        .max_attempts(max_attempts);
    Arc::new(job.task_identifier("press").build())
}

fn start(hooks: &HookRegistry, job: &Arc<Job>) {
    now(hooks.emit(JobStartContext {
        job: Arc::clone(job),
        worker_id: "one".into(),
    }));
}

fn after(hooks: &HookRegistry, job: &Arc<Job>, result: Result<(), String>) -> HookResult {
    now(hooks.intercept(AfterJobRunContext {
        job: Arc::clone(job),
        worker_id: "one".into(),
        result,
        duration: Duration::ZERO,
    }))
}

#[test]
fn an_end_that_another_plugin_keeps_back_is_told_by_the_release() {
    let mut hooks = HookRegistry::new();
    hooks.on(AfterJobRun, async |_| HookResult::Skip);
    let hooks = hooks.with_plugin(MetricsPlugin::new().prefix("print"));
    let worker_id = || "one".to_owned();
    let seen: Captured = capture(|| {
        let jobs = [
            job(1, 1, 2),
            job(2, 1, 2),
            job(3, 2, 2),
            job(4, 1, 2),
            job(5, 1, 2),
        ];
        for job in &jobs {
            start(&hooks, job);
            assert!(matches!(after(&hooks, job, Ok(())), HookResult::Skip));
        }
        let [done, retried, spent, interrupted, lost] = jobs;
        now(hooks.emit(JobCompleteContext {
            job: done,
            worker_id: worker_id(),
            duration: Duration::ZERO,
        }));
        // The next attempt may begin before the end of the last one is told of.
        let again = job(2, 2, 2);
        start(&hooks, &again);
        let error = String::from("TaskError(\"jam\")");
        now(hooks.emit(JobFailContext {
            job: retried,
            worker_id: worker_id(),
            error: error.clone(),
            will_retry: true,
        }));
        now(hooks.emit(JobCompleteContext {
            job: again,
            worker_id: worker_id(),
            duration: Duration::ZERO,
        }));
        now(hooks.emit(JobPermanentlyFailContext {
            job: spent,
            worker_id: worker_id(),
            error,
        }));
        now(hooks.emit(JobInterruptedContext {
            job: interrupted,
            worker_id: worker_id(),
            reason: FailureReason::ShutdownAborted,
        }));
        drop(lost);
        // One that a plugin refused before it ran.
        now(hooks.emit(JobPermanentlyFailContext {
            job: job(6, 2, 2),
            worker_id: worker_id(),
            error: "TaskError(\"refused\")".into(),
        }));
        // A worker that is dropped.
        drop(hooks);
    });
    let task = seen.task("print.press");
    assert_eq!((task.started, task.success, task.exceptions), (7, 2, 2));
    assert_eq!(task.cancelled, 2, "the interrupted one and the lost one");
    assert_eq!(seen.counter("tasks.status.print.press.retries"), 1);
    assert_eq!(seen.counter("tasks.status.print.press.exhausted"), 2);
}

#[test]
fn an_end_counts_once_however_often_it_is_told() {
    let hooks = HookRegistry::new().with_plugin(MetricsPlugin::new());
    let seen: Captured = capture(|| {
        let panicked = job(1, 1, 5);
        start(&hooks, &panicked);
        assert!(matches!(
            after(&hooks, &panicked, Err("TaskPanic(\"jam\")".into())),
            HookResult::Continue
        ));
        now(hooks.emit(JobFailContext {
            job: panicked,
            worker_id: "one".into(),
            error: "TaskPanic(\"jam\")".into(),
            will_retry: true,
        }));
    });
    let task = seen.task("press");
    assert_eq!((task.started, task.exceptions, task.panics), (1, 1, 1));
}

#[test]
fn a_job_that_was_interrupted_has_waited_once() {
    let hooks = HookRegistry::new().with_plugin(MetricsPlugin::new());
    let seen: Captured = capture(|| {
        let first = job(1, 1, 5);
        start(&hooks, &first);
        after(&hooks, &first, Err("TaskAborted".into()));
        now(hooks.emit(JobInterruptedContext {
            job: first,
            worker_id: "one".into(),
            reason: FailureReason::ShutdownAborted,
        }));
        // As the queue gives it back.
        let again = Job::builder().id(1).attempts(1).max_attempts(5);
        let again = again.last_error("Job recovered after worker interruption".to_owned());
        let again = Arc::new(again.task_identifier("press").build());
        start(&hooks, &again);
        after(&hooks, &again, Ok(()));
    });
    let task = seen.task("press");
    assert_eq!((task.started, task.cancelled, task.success), (2, 1, 1));
    assert_eq!(seen.values("tasks.duration.press.queue_latency").len(), 1);
}

#[test]
fn a_job_without_a_handler_is_an_error_of_its_own_kind() {
    let hooks = HookRegistry::new().with_plugin(MetricsPlugin::new().error_kind(kind));
    let seen: Captured = capture(|| {
        for (attempt, error) in [(1, "FnNotFound(\"press\")"), (2, "IdentifierNotFound(7)")] {
            let job = job(1, attempt, 2);
            start(&hooks, &job);
            after(&hooks, &job, Err(error.into()));
        }
    });
    assert_eq!(seen.counter("tasks.status.press.retries.unknown_task"), 1);
    assert_eq!(seen.kind("press", "unknown_task"), 1);
}
