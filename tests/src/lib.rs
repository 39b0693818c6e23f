//! What the tests share: what the library may cost, a real statsd server, servers that end and come back, child processes, and waiting with a bound.

pub mod attempts;
pub mod bounds;
pub mod callgrind;
pub mod carbon;
pub mod children;
pub mod dialog;
pub mod etsy;
pub mod example;
#[cfg(unix)]
pub mod forked;
pub mod instructions;
#[cfg(unix)]
pub mod lives;
pub mod log;
pub mod process;
pub mod receiving;
pub mod wait;
