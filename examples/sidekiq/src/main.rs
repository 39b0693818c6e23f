//! Workers of Sidekiq whose jobs are counted and timed: a producer that fills a queue in Redis, a processor that empties it, and
//! the numbers.
//!
//! ```text
//! cargo run -p instrument-task-example-sidekiq
//! ```

mod throughput;
mod workers;

use std::{error::Error, process, process::ExitCode};

use instrument_task_examples::{
    command::{self, Arguments},
    metrics::Metrics,
    servers::Server,
    tally::{self, End, Plan},
    wait::until,
};
use sidekiq::{Processor, ProcessorConfig, RedisConnectionManager, RedisPool, Worker, with_custom_namespace};
use tokio::{
    runtime::Runtime,
    select,
    signal::unix::{SignalKind, signal},
};

use workers::{Job, NAMES, ResizeImage, SendEmail, TALLY};

const ABOUT: &str = "\
Workers of Sidekiq that report to statsd: a producer that fills a queue in Redis, and a processor that empties it.";

/// Jobs that are under way at once.
const CONCURRENT: usize = 20;

const QUEUE: &str = "default";

fn main() -> ExitCode {
    command::main("sidekiq", ABOUT, |arguments| {
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

/// What stands before this run's keys: jobs of others are not for this processor.
fn namespace() -> String {
    format!("instrument-task-example-{}", process::id())
}

async fn connect(url: &str) -> Result<RedisPool, Box<dyn Error>> {
    let manager = RedisConnectionManager::new(url)?;
    let pool = bb8::Pool::builder()
        .max_size(u32::try_from(2 * CONCURRENT)?)
        .connection_customizer(with_custom_namespace(namespace()))
        .build(manager)
        .await?;
    Ok(pool)
}

fn processor(redis: &RedisPool) -> Processor {
    let config = ProcessorConfig::default().num_workers(CONCURRENT);
    Processor::new(redis.clone(), vec![QUEUE.to_owned()]).with_config(config)
}

/// The job of this number, and its task. Every tenth of a task fails.
fn job(number: u64) -> (&'static str, Job) {
    let job = Job {
        number,
        fail: number / 2 % 10 == 7,
    };
    (NAMES[(number % 2) as usize], job)
}

/// What the metrics are to say of so many jobs.
fn plan(jobs: u64) -> Plan<{ NAMES.len() }> {
    let ends = |job: Job| -> &'static [End] {
        if job.fail {
            &[End::Exception]
        } else {
            &[End::Success]
        }
    };
    tally::plan(NAMES, (0..jobs).map(job).map(|(task, job)| (task, ends(job))))
}

async fn produce(redis: &RedisPool, jobs: u64) -> sidekiq::Result<()> {
    for (task, job) in (0..jobs).map(job) {
        // What fails goes to the dead jobs at once.
        match task {
            "resize_image" => ResizeImage::opts().retry(false).perform_async(redis, job).await?,
            _ => SendEmail::opts().retry(false).perform_async(redis, job).await?,
        }
    }
    Ok(())
}

/// Produces, works, reports, and says whether every number got where it should.
fn run(arguments: &Arguments, runtime: Runtime, url: &str) -> Result<bool, Box<dyn Error>> {
    // In a program of your own: `let _metrics = instrument_task::init()?;`
    let metrics = Metrics::start()?;
    let plan = plan(arguments.jobs);
    let done = runtime.block_on(async {
        let redis = connect(url).await?;
        produce(&redis, arguments.jobs).await?;
        println!("{} jobs wait in the namespace {}.", arguments.jobs, namespace());
        work(&redis, arguments.jobs).await
    })?;
    // Whatever is still under way ends here, as cancelled: before the numbers are sent.
    drop(runtime);
    if !done {
        println!("Told to stop. What is left stays in the queue.");
    }
    Ok(metrics.finish(&TALLY.calls(), done.then_some(&plan[..]), arguments.json))
}

/// Works until so many jobs are done, which it says, or until a signal comes. Jobs under way are ended.
async fn work(redis: &RedisPool, jobs: u64) -> Result<bool, Box<dyn Error>> {
    let mut processor = processor(redis);
    processor.register(ResizeImage);
    processor.register(SendEmail);
    let stop = processor.get_cancellation_token();
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let watch = async {
        let done = select! {
            _ = terminate.recv() => false,
            _ = interrupt.recv() => false,
            () = until(|| TALLY.ended() >= jobs) => true,
        };
        stop.cancel();
        done
    };
    let ((), done) = tokio::join!(processor.run(), watch);
    Ok(done)
}
