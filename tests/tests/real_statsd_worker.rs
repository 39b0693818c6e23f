//! The worker of the quickstart against the real Etsy statsd: every call is in the server's sums.

#[path = "../../examples/examples/quickstart/tasks.rs"]
mod tasks;
#[path = "../../examples/examples/quickstart/worker.rs"]
mod worker;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use instrument_task::Client;
use instrument_task_tests::etsy::Etsy;
use tokio::{runtime, task::JoinSet};

use worker::Tally;

const THREADS: usize = 8;
const CALLS: u64 = 200_000;
/// Jobs that a thread has under way at once.
const CONCURRENT: usize = 500;

/// Works off the jobs on one thread.
fn work(next: &AtomicU64, tally: &Arc<Tally>) {
    let runtime = runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut jobs = JoinSet::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= CALLS {
                break;
            }
            while jobs.len() >= CONCURRENT {
                jobs.join_next().await.unwrap().unwrap();
            }
            let tally = Arc::clone(tally);
            jobs.spawn(async move { worker::job(number, &tally).await });
        }
        jobs.join_all().await;
    });
}

#[test]
fn every_call_of_eight_threads_is_in_the_servers_sums() {
    let Some(server) = Etsy::start_or_skip() else {
        return;
    };
    let metrics = Client::builder()
        .ignore_environment()
        .address(server.address())
        .prefix("celery")
        // A flush fits into the server's receive buffer, or what overflows while the server waits for a processor would be lost.
        .client_timer_budget(1_000)
        .install()
        .unwrap();
    instrument_task_examples::panics::hide("corrupt image");
    let (tally, next) = (Arc::new(Tally::new(tasks::NAMES)), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| work(&next, &tally));
        }
    });

    let calls = tally.calls();
    assert_eq!(calls.iter().map(|(_, calls)| calls.started).sum::<u64>(), CALLS);
    let client = metrics.client();
    let report = metrics.shutdown(Duration::from_secs(30));
    assert_eq!(report.pending, 0, "{report:?}");
    let ledger = client.ledger();
    assert!(ledger.is_balanced(), "{ledger:?}");
    assert_eq!(
        (ledger.counters.dropped, ledger.timers.dropped_at_shutdown),
        (0, 0)
    );

    // What is not zero, under the names that the Python decorator's dashboards ask for.
    let expected: BTreeMap<String, u64> = calls
        .iter()
        .flat_map(|(task, calls)| {
            [
                ("started", calls.started),
                ("success", calls.success),
                ("exceptions", calls.exceptions),
                ("cancelled", calls.cancelled),
                ("panics", calls.panics),
            ]
            .map(|(what, count)| (format!("celery.tasks.status.{task}.{what}"), count))
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    assert_eq!(expected.len(), 4 + 4 + 2 + 1 + 1, "every kind of end occurs");
    server.wait_for_packets(ledger.packets);
    assert_eq!(server.counters(), expected);
    assert_eq!(server.bad_lines_seen(), 0);

    // Far past the budget, the values that were sent still stand for all calls.
    let received = server.stop();
    assert_eq!(received.timers.len(), calls.len());
    for (task, calls) in &calls {
        let timer = received.timer(&format!("celery.tasks.duration.{task}.success"));
        println!(
            "{task}: {} values for {} of {} calls",
            timer.values.len(),
            timer.count,
            calls.success
        );
        #[allow(clippy::cast_precision_loss)]
        let missed = (timer.count - calls.success as f64).abs();
        assert!(
            missed < 0.501,
            "{task}: {} for {} calls",
            timer.count,
            calls.success
        );
        assert!((timer.values.len() as u64) < calls.success / 2, "it was sampled");
    }
}
