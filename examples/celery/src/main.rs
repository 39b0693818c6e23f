//! Celery tasks whose calls are counted and timed: a producer that fills a queue in Redis, a worker that empties it, and the
//! numbers.
//!
//! ```text
//! cargo run -p instrument-task-example-celery
//! REDIS_URL=redis://127.0.0.1:6379/ STATSD_HOST=127.0.0.1 cargo run -p instrument-task-example-celery
//! ```

// What the macro `celery::task` writes.
#![allow(non_local_definitions)]

mod measured;
mod producer;
mod tasks;
mod throughput;
mod worker;

use std::{env, error::Error, panic, process, process::ExitCode, sync::Arc};

use celery::{Celery, error::CeleryError};
use instrument_task_examples::{
    command::{self, Arguments},
    metrics::Metrics,
    servers::Redis,
};
use tokio::runtime::Runtime;

use tasks::{PurgeCache, TALLY, fetch_report, resize_image, send_email};
use worker::Stopped;

const ABOUT: &str = "\
Celery tasks that report to statsd: a producer that fills a queue in Redis, and a worker that empties it.";

fn main() -> ExitCode {
    command::main("celery", ABOUT, |arguments| {
        // Ends last.
        let server = server()?;
        let url = server
            .as_ref()
            .map_or_else(|| env::var("REDIS_URL").unwrap_or_default(), Redis::url);
        let runtime = Runtime::new()?;
        if arguments.throughput {
            throughput::compare(arguments, &runtime, &url)
        } else {
            run(arguments, runtime, &url)
        }
    })
}

/// A Redis server, unless the environment names one.
fn server() -> Result<Option<Redis>, Box<dyn Error>> {
    if let Some(url) = env::var_os("REDIS_URL").filter(|url| !url.is_empty()) {
        println!(
            "Queueing in the Redis that the environment names: {}",
            url.display()
        );
        return Ok(None);
    }
    let server = Redis::start()?;
    println!(
        "No REDIS_URL in the environment; started a Redis at {}",
        server.url()
    );
    Ok(Some(server))
}

/// The name of this run's queue: jobs of others are not for this worker.
fn queue() -> String {
    format!("instrument-task-example-{}", process::id())
}

async fn app(url: &str) -> Result<Arc<Celery>, CeleryError> {
    celery::app!(
        broker = RedisBroker { url },
        tasks = [resize_image, send_email, fetch_report, PurgeCache],
        task_routes = ["*" => &queue()],
        task_max_retries = 3,
        // An error is not a reason to try again, unless the task says so.
        task_retry_for_unexpected = false,
    )
    .await
}

/// Produces, works, reports, and says whether every number got where it should.
fn run(arguments: &Arguments, runtime: Runtime, url: &str) -> Result<bool, Box<dyn Error>> {
    // In a program of your own: `let _metrics = instrument_task::init()?;`
    let metrics = Metrics::start()?;
    hide_expected_panics();
    let plan = producer::plan(arguments.jobs);
    let stopped = runtime.block_on(async {
        let app = app(url).await?;
        producer::produce(&app, arguments.jobs).await?;
        println!("{} jobs wait in the queue {}.", arguments.jobs, queue());
        let stopped = worker::work(&app, &queue(), producer::calls(&plan)).await?;
        app.close().await?;
        Ok::<_, CeleryError>(stopped)
    })?;
    // Whatever is still under way ends here, as cancelled: before the numbers are sent.
    drop(runtime);
    let planned = match stopped {
        Stopped::Done => Some(&plan[..]),
        Stopped::Told => {
            println!("Told to stop. What is left stays in the queue.");
            None
        }
    };
    Ok(metrics.finish(&TALLY.calls(), planned, arguments.json))
}

/// Keeps the panics that are meant to be off the screen.
fn hide_expected_panics() {
    let show = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>();
        if !message.is_some_and(|text| text.starts_with("corrupt ")) {
            show(info);
        }
    }));
}
