//! Handlers of `graphile_worker` whose attempts are counted and timed: a producer that fills a queue in `PostgreSQL`, a worker that
//! empties it, and the numbers.
//!
//! ```text
//! cargo run -p instrument-task-example-graphile-worker
//! ```

mod account;
mod handlers;
mod producer;
mod throughput;

use std::{error::Error, pin::pin, process, process::ExitCode, time::Duration};

use graphile_worker::WorkerOptions;
use instrument_task_examples::{
    command::{self, Arguments},
    metrics::Metrics,
    panics,
    servers::Server,
    wait::until,
};
use tokio::{runtime::Runtime, select};

use account::{Account, TALLY};
use handlers::{ResizeImage, SendEmail};

const ABOUT: &str = "\
Handlers of graphile_worker that report to statsd: a producer that fills a queue in PostgreSQL, and a worker that
empties it.";

/// Jobs that are under way at once.
const CONCURRENT: usize = 10;

fn main() -> ExitCode {
    command::main("graphile_worker", ABOUT, |arguments| {
        // Ends last.
        let server = Server::postgres()?;
        let runtime = Runtime::new()?;
        if arguments.throughput {
            throughput::compare(arguments, &runtime, &server)
        } else {
            run(arguments, runtime, server.url())
        }
    })
}

/// The schema of this run: jobs of others are not for this worker.
fn schema() -> String {
    format!("instrument_task_example_{}", process::id())
}

fn options(url: &str) -> WorkerOptions {
    WorkerOptions::default()
        .database_url(url)
        .schema(schema())
        .concurrency(CONCURRENT)
        // Each time it takes as many jobs as it has hands; by default that is once a second.
        .poll_interval(Duration::from_millis(5))
}

/// Produces, works, reports, and says whether every number got where it should.
fn run(arguments: &Arguments, runtime: Runtime, url: &str) -> Result<bool, Box<dyn Error>> {
    // In a program of your own: `let _metrics = instrument_task::init()?;`
    let metrics = Metrics::start()?;
    panics::hide("corrupt ");
    let plan = producer::plan(arguments.jobs);
    let attempts: u64 = plan.iter().map(|(_, calls)| calls.started).sum();
    runtime.block_on(async {
        let worker = options(url)
            .define_job::<ResizeImage>()
            .define_job::<SendEmail>()
            .add_plugin(Account)
            .init()
            .await?;
        producer::produce(&worker.create_utils(), arguments.jobs).await?;
        println!("{} jobs wait in the schema {}.", arguments.jobs, schema());
        let mut running = pin!(worker.run());
        let ended = select! {
            // A signal ended it.
            ended = &mut running => ended,
            () = until(|| TALLY.ended() >= attempts) => {
                worker.request_shutdown();
                running.await
            }
        };
        ended.map_err(Box::<dyn Error>::from)
    })?;
    // Whatever is still under way ends here, as cancelled: before the numbers are sent.
    drop(runtime);
    let done = TALLY.ended() >= attempts;
    if !done {
        println!("Told to stop. What is left stays in the queue.");
    }
    Ok(metrics.finish(&TALLY.calls(), done.then_some(&plan[..]), arguments.json))
}
