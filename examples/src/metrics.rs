//! Where an example's numbers go, and what became of them.

use std::{env, error::Error, time::Duration};

use instrument_task::{Client, FlushReport, Guard, Ledger, testing::Receiver};

use crate::{
    summary::{self, Arrived},
    tally::Calls,
};

/// The variables that name a server, or switch everything off.
const SERVER_VARIABLES: [&str; 10] = [
    "STATSD_DISABLED",
    "STATSD_URL",
    "STATSD_SOCKET_PATH",
    "STATSD_ADDR",
    "STATSD_HOST",
    "STATSD_PORT",
    "DD_DOGSTATSD_URL",
    "DD_DOGSTATSD_SOCKET",
    "DD_AGENT_HOST",
    "DD_DOGSTATSD_PORT",
];

/// How long what is left may take to be sent, and to arrive.
const DEADLINE: Duration = Duration::from_secs(5);

/// What became of all that was counted.
pub struct Sent {
    /// What the last flush says.
    pub report: FlushReport,
    /// The client's books.
    pub ledger: Ledger,
    /// Where it arrived, unless the environment names another server.
    pub receiver: Option<Receiver>,
}

/// An installed client, and the server that it sends to if the environment names none.
pub struct Metrics {
    guard: Guard,
    receiver: Option<Receiver>,
}

impl Metrics {
    /// Starts a client and says where it sends to: the server that the environment names, else one of its own.
    ///
    /// # Errors
    /// Those of [`init`](instrument_task::init), and those of a socket.
    pub fn start() -> Result<Self, Box<dyn Error>> {
        let metrics = if let Some(variables) = server_in_environment() {
            // What every program does: a guard in `main`, configured by the environment.
            println!("Sending to the server that the environment names: {variables}");
            Self {
                guard: instrument_task::init()?,
                receiver: None,
            }
        } else {
            // No server is needed to look at it: the library brings one for tests.
            let receiver = Receiver::start()?;
            let address = receiver.address().to_string();
            println!("No server in the environment; receiving on {address}.");
            Self {
                guard: Client::builder().address(address).install()?,
                receiver: Some(receiver),
            }
        };
        if !metrics.guard.is_enabled() {
            println!("Metrics are switched off: nothing is counted or sent.");
        }
        Ok(metrics)
    }

    /// Sends what is left, and waits until it has arrived.
    #[must_use]
    pub fn send(self) -> Sent {
        // Dropping the guard would send the rest too; this way it also tells what came of it.
        let client = self.guard.client();
        let report = self.guard.shutdown(DEADLINE);
        let ledger = client.ledger();
        if let Some(receiver) = &self.receiver {
            receiver.wait_until(DEADLINE, |receiver| receiver.packets_seen() >= ledger.packets);
        }
        Sent {
            report,
            ledger,
            receiver: self.receiver,
        }
    }

    /// Sends what is left, shows all of it beside what the worker counted by itself, and says whether every number got
    /// where it should. `planned` is what it was to do, if that is known; `json` adds a last line for programs.
    #[must_use]
    pub fn finish(
        self,
        calls: &[(&'static str, Calls)],
        planned: Option<&[(&'static str, Calls)]>,
        json: bool,
    ) -> bool {
        let Sent {
            report,
            ledger,
            receiver,
        } = self.send();
        let mut complete = if let Some(receiver) = &receiver {
            let arrived = Arrived::at(receiver);
            let seen = arrived.calls(calls.iter().map(|(task, _)| *task));
            println!(
                "\nWhat arrived:\n{}",
                summary::table(&seen, |task, q| arrived.quantile(task, q))
            );
            println!(
                "The first packets on the wire:\n{}",
                summary::first_lines(&receiver.packets())
            );
            let bad_lines = receiver.bad_lines();
            for line in &bad_lines {
                println!("malformed: {line}");
            }
            seen == calls && bad_lines.is_empty()
        } else {
            println!("\nWhat the worker did:\n{}", summary::table(calls, |_, _| None));
            let lost = ledger.counters.dropped + ledger.timers.dropped_at_shutdown;
            report.pending == 0 && lost == 0
        };
        println!("Ledger:\n{}", summary::ledger(&ledger));
        println!(
            "{}",
            match (complete, &receiver) {
                (true, Some(_)) => "Every call arrived.",
                (true, None) if ledger.packets == 0 => "There was nothing to send.",
                (true, None) => "Every call was handed to the network.",
                (false, Some(_)) => "What arrived is not what the worker did.",
                (false, None) => "Some of it could not be sent: is the server there?",
            }
        );
        if let Some(planned) = planned.filter(|planned| *planned != calls) {
            complete = false;
            println!(
                "The worker was to do something else:\n{}",
                summary::table(planned, |_, _| None)
            );
        }
        if json {
            println!("{}", summary::json(calls, planned, &ledger));
        }
        complete
    }
}

/// The variables that name a server, with their values; an empty one counts as unset.
fn server_in_environment() -> Option<String> {
    let set: Vec<_> = SERVER_VARIABLES
        .iter()
        .filter_map(|variable| Some((variable, env::var_os(variable)?)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(variable, value)| format!("{variable}={}", value.to_string_lossy()))
        .collect();
    (!set.is_empty()).then(|| set.join(" "))
}
