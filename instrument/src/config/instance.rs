//! What tells this process from others, unless somebody gave it a name.

use std::{env, fs, process};

/// `host.pid`.
pub(super) fn own() -> String {
    format!("{}.{}", host(), process::id())
}

/// The host's name, as well as it can be had without asking the C library.
fn host() -> String {
    let from_kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let from_environment = || env::var("HOSTNAME").or_else(|_| env::var("COMPUTERNAME")).ok();
    from_kernel
        .or_else(from_environment)
        .map(|name| String::from(name.trim()))
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".into())
}
