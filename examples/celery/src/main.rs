//! Celery tasks whose calls are counted and timed: a producer that fills a queue in Redis, a worker that empties it, and the
//! numbers.
//!
//! ```text
//! cargo run -p instrument-task-example-celery
//! REDIS_URL=redis://127.0.0.1:6379/ STATSD_HOST=127.0.0.1 cargo run -p instrument-task-example-celery
//! ```

// What the macro `celery::task` writes.
#![allow(non_local_definitions)]

mod producer;
mod tasks;
mod throughput;
mod worker;

use std::{error::Error, process, process::ExitCode, sync::Arc};

use celery::{Celery, error::CeleryError};
use instrument_task::celery::Measured;
use instrument_task_examples::{
    command::{self, Arguments},
    metrics::Metrics,
    panics,
    servers::Server,
};
use tokio::runtime::Runtime;

use tasks::{TALLY, fetch_report, resize_image, send_email, vendor::purge_cache};
use worker::Stopped;

const ABOUT: &str = "\
Celery tasks that report to statsd: a producer that fills a queue in Redis, and a worker that empties it.";

fn main() -> ExitCode {
    command::main("celery", ABOUT, |arguments| {
        // Ends last.
        let server = Server::redis()?;
        let runtime = Runtime::new()?;
        if arguments.throughput {
            throughput::compare(arguments, &runtime, &server)
        } else {
            run(arguments, runtime, server.url())
        }
    })
}

/// The name of this run's queue: jobs of others are not for this worker.
fn queue() -> String {
    format!("instrument-task-example-{}", process::id())
}

async fn app(url: &str) -> Result<Arc<Celery>, CeleryError> {
    celery::app!(
        broker = RedisBroker { url },
        tasks = [resize_image, send_email, fetch_report, Measured<purge_cache>],
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
    panics::hide("corrupt ");
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
