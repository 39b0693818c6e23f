//! From drained cells to datagrams on their way: `budget` (how many durations to take), `rows` (which task a series counts in),
//! `task`, `durations` and `own` (what is pending), `tick` (the pure middle), `engine` and `pace` (what is sent when), `worker` (the one thread) and `handle` (how the rest of the program talks to it).

pub(crate) mod budget;
mod durations;
mod engine;
pub(crate) mod handle;
mod own;
mod pace;
mod rows;
mod task;
pub(crate) mod tick;
mod trouble;
mod worker;
