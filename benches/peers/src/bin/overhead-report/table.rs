//! The report as a page of Markdown.

use std::fmt::Write as _;

use instrument_task_benches::{figures::Samples, machine};
use instrument_task_peers::contenders::{limits, ours};

use super::{
    brief,
    claims::{Bound, Claim},
    instructions::{COLUMNS, Instructions},
    memory::{Memory, SIZES},
    paced::{Paced, RATE, Share},
    rounds::{Calls, RATES, Rates, THREADS, Threads},
};

/// Everything that was measured.
#[derive(Debug)]
pub struct Seen<'a> {
    pub calls: &'a Calls,
    pub threads: &'a Threads,
    pub series: &'a [(usize, Samples)],
    pub cold: &'a [(&'static str, Samples)],
    pub paced: &'a [Paced],
    pub share: &'a Share,
    pub rates: &'a Rates,
    pub memory: &'a Memory,
    pub instructions: &'a Instructions,
    pub claims: &'a [Claim],
}

/// The page.
pub fn markdown(seen: &Seen<'_>) -> String {
    let mut page = String::from("# What measuring a task costs\n");
    // Writing to a string does not fail.
    let _ = write!(
        page,
        "\n{}. {}.\n\nMedians of interleaved rounds. Quote the ratios: nanoseconds are this machine's.\n",
        machine::describe(),
        machine::versions().join(", ")
    );
    brief::section(&mut page, seen.calls, seen.instructions, seen.memory);
    section_claims(&mut page, seen.claims);
    section_calls(&mut page, seen.calls);
    section_parts(&mut page, seen.calls);
    section_instructions(&mut page, seen.instructions);
    section_rates(&mut page, seen.rates);
    section_threads(&mut page, seen.threads);
    section_series(&mut page, seen.series);
    section_cold(&mut page, seen.cold);
    section_paced(&mut page, seen.paced, seen.share);
    section_memory(&mut page, seen.memory);
    page
}

pub fn row(page: &mut String, cells: &[String]) {
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

pub fn heading(page: &mut String, title: &str, about: &str, columns: &[&str]) {
    let _ = write!(page, "\n## {title}\n\n{about}\n\n");
    row(page, &columns.iter().map(ToString::to_string).collect::<Vec<_>>());
    let rules = columns.iter().enumerate();
    row(
        page,
        &rules
            .map(|(at, _)| if at == 0 { "---" } else { "--:" }.to_owned())
            .collect::<Vec<_>>(),
    );
}

fn section_claims(page: &mut String, claims: &[Claim]) {
    heading(
        page,
        "Claims",
        "What the library promises, and what this run saw. *At best* is what it would be if a timed call cost nothing but its two clock \
         readings.",
        &["claim", "bound", "seen", "at best", ""],
    );
    let mut reasons = Vec::new();
    for claim in claims {
        let bound = match claim.bound {
            Bound::AtMost(most) => format!("≤ {most}"),
            Bound::AtLeast(least) => format!("≥ {least}"),
        };
        let verdict = if claim.holds() {
            "holds".to_owned()
        } else if claim.why.is_empty() {
            "**does not hold**".to_owned()
        } else {
            let number = reasons.iter().position(|why| *why == claim.why);
            let number = number.unwrap_or_else(|| {
                reasons.push(claim.why);
                reasons.len() - 1
            });
            format!("**does not hold** ({})", number + 1)
        };
        row(
            page,
            &[
                claim.text.to_owned(),
                bound,
                short(claim.seen),
                claim.at_best.map_or_else(|| "–".to_owned(), short),
                verdict,
            ],
        );
    }
    for (at, why) in reasons.iter().enumerate() {
        let _ = write!(page, "{}{}. {why}", if at == 0 { "\n" } else { "" }, at + 1);
        page.push('\n');
    }
}

/// What a timed call is made of.
fn section_parts(page: &mut String, calls: &Calls) {
    heading(
        page,
        "A timed call in parts",
        "An untimed call counts as a timed one does, and reads no clock. The rest is the value on the ring, and what waits for the \
         readings.",
        &["", "ns", "of the whole"],
    );
    let (bare, reads) = (calls.of(limits::BARE), calls.of(limits::RAW_READS));
    let over = |name: &str| calls.of(name).over(bare);
    let (timed, untimed) = (over(ours::TIMED), over(ours::UNTIMED));
    for (name, part) in [
        ("two raw clock reads", reads),
        ("counting", &untimed),
        ("the rest", &timed.over(reads).over(&untimed)),
        ("all", &timed),
    ] {
        let share = part.by(&timed).median() * 100.0;
        row(
            page,
            &[name.to_owned(), short(part.median()), format!("{share:.0} %")],
        );
    }
}

fn section_calls(page: &mut String, calls: &Calls) {
    heading(
        page,
        "A call",
        "What it costs the caller over the same function, future or recursion by itself.",
        &["", "over", "ns", "in two raw clock reads"],
    );
    let reads = calls.of(limits::RAW_READS);
    for limit in calls.limits() {
        let samples = calls.of(limit.name);
        row(
            page,
            &[
                limit.name.to_owned(),
                "–".to_owned(),
                short(samples.median()),
                short(samples.by(reads).median()),
            ],
        );
    }
    for contender in calls.contenders() {
        let over = calls.over_base(contender);
        row(
            page,
            &[
                contender.name.to_owned(),
                contender.base.to_owned(),
                short(over.median()),
                short(over.by(reads).median()),
            ],
        );
    }
}

fn section_instructions(page: &mut String, instructions: &Instructions) {
    if instructions.is_empty() {
        return;
    }
    let mut titles = vec!["form of the function"];
    titles.extend(COLUMNS);
    heading(
        page,
        "Instructions",
        "What a call executes over the bare one, as valgrind counts it. The forms are those of `tests/src/bin/overhead_instructions.rs`.",
        &titles,
    );
    for (shape, counts) in instructions {
        let mut cells = vec![format!("`{shape}`")];
        cells.extend(counts.iter().map(|count| format!("{count:.0}")));
        row(page, &cells);
    }
}

fn section_threads(page: &mut String, threads: &Threads) {
    let columns = THREADS.map(|count| format!("{count} at once"));
    let mut titles = vec!["ns of a call"];
    titles.extend(columns.iter().map(String::as_str));
    heading(
        page,
        "Threads",
        "What a call costs while so many threads call at once. What grows with the threads is shared between them.",
        &titles,
    );
    for (name, samples) in threads {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(samples.iter().map(|samples| short(samples.median())));
        row(page, &cells);
    }
}

fn section_series(page: &mut String, series: &[(usize, Samples)]) {
    heading(
        page,
        "Names",
        "What a timed call costs over the bare one when so many tasks are called in turn. It grows by what the caches miss.",
        &["tasks", "ns"],
    );
    for (count, samples) in series {
        row(page, &[count.to_string(), short(samples.median())]);
    }
}

fn section_cold(page: &mut String, cold: &[(&str, Samples)]) {
    heading(
        page,
        "Now and then",
        "What a single call costs over the bare one after 16 MiB of something else went through the caches.",
        &["", "ns"],
    );
    for (name, samples) in cold {
        row(page, &[(*name).to_owned(), short(samples.median())]);
    }
}

fn section_rates(page: &mut String, rates: &Rates) {
    let columns = RATES.map(|rate| rate.to_string());
    let mut titles = vec!["ns of a call"];
    titles.extend(columns.iter().map(String::as_str));
    heading(
        page,
        "Calls a second",
        "What a call costs a thread that makes so many a second and sleeps between them, in portions of a millisecond: over the bare one, \
         in the first line. One call a second or one a millisecond finds little of itself in the caches. From some 10 000 a second \
         on, timed calls fill a thread's ring between two drains, and are sampled.",
        &titles,
    );
    for (name, figures) in rates {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(figures.iter().map(|figure| short(*figure)));
        row(page, &cells);
    }
}

fn section_memory(page: &mut String, memory: &Memory) {
    let columns = SIZES.map(|(threads, names)| format!("{threads} × {names}"));
    let mut titles = vec!["threads × names"];
    titles.extend(columns.iter().map(String::as_str));
    heading(
        page,
        "Memory",
        "KiB by which a process grew at most when so many threads called tasks of so many names each, and all was sent once. The bare \
         call's are the threads.",
        &titles,
    );
    for (name, figures) in memory {
        let mut cells = vec![(*name).to_owned()];
        cells.extend(figures.iter().map(|figure| format!("{figure:.0}")));
        row(page, &cells);
    }
}

fn section_paced(page: &mut String, paced: &[Paced], share: &Share) {
    heading(
        page,
        "A worker",
        &format!(
            "One thread that calls {RATE} times a second, if it can, into a server on loopback with the default receive \
             buffer. Processor time, packets and bytes are for a million calls, the time and the growth after the first second. At \
             this rate a timed call fills its thread's ring, and is sampled."
        ),
        &[
            "",
            "calls/s",
            "caller, ms",
            "background, ms",
            "packets",
            "KiB sent",
            "starts that arrived",
            "durations",
            "KiB grown",
        ],
    );
    for one in paced {
        let sent = one.packets > 0.0;
        row(
            page,
            &[
                one.name.to_owned(),
                format!("{:.0}", one.rate),
                short(one.caller),
                short(one.others),
                short(one.packets),
                short(one.bytes / 1_024.0),
                if sent {
                    format!("{:.2} %", one.delivered * 100.0)
                } else {
                    "–".to_owned()
                },
                if sent {
                    format!("{:.2} %", one.durations * 100.0)
                } else {
                    "–".to_owned()
                },
                format!("{:.0}", one.memory),
            ],
        );
    }
    let _ = write!(
        page,
        "\nOver the bare task, in {} turns beside it, the default budget takes {} ms of the caller's processor time for a million calls (from {} \
         to {}), and {} of the background's ({} to {}).\n",
        share.caller.0.len(),
        short(share.caller.median()),
        short(share.caller.least()),
        short(share.caller.most()),
        short(share.background.median()),
        short(share.background.least()),
        short(share.background.most()),
    );
}

/// Three digits or so.
pub fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 0.01 => format!("{number:.2}"),
        size if size > 0.0 => format!("{number:.4}"),
        _ => "0".to_owned(),
    }
}
