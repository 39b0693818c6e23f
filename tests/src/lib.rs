//! What the tests share: a real statsd server, child processes, and waiting with a bound.

pub mod children;
pub mod etsy;
pub mod example;
pub mod log;
pub mod wait;
