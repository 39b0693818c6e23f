//! An annotated function inside the program's allocator: what the library allocates itself calls it again.
#![allow(unsafe_code, reason = "an allocator cannot be had without")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use instrument_task::{Client, instrument_task, testing::Receiver};
use instrument_task_tests::wait::{BOUND, until};

/// Whether allocations are instrumented, how many were, and how many are being asked for right now.
static ARMED: AtomicBool = AtomicBool::new(false);
static MADE: AtomicU64 = AtomicU64::new(0);
static INSIDE: AtomicU64 = AtomicU64::new(0);

struct Instrumented;

#[instrument_task]
fn allocate(layout: Layout) -> Layout {
    layout
}

/// Looking up tags takes memory too.
#[instrument_task(tags(align = layout.align()))]
fn sort(layout: Layout) -> Layout {
    layout
}

// SAFETY: every request goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Instrumented {
    unsafe fn alloc(&self, mut layout: Layout) -> *mut u8 {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        if ARMED.load(Ordering::SeqCst) {
            MADE.fetch_add(1, Ordering::Relaxed);
            layout = sort(allocate(layout));
        }
        INSIDE.fetch_sub(1, Ordering::SeqCst);
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Instrumented = Instrumented;

#[instrument_task]
fn fill(length: usize) -> Vec<String> {
    (0..length).map(|number| number.to_string()).collect()
}

#[test]
fn an_instrumented_allocator_neither_hangs_nor_loses_a_call() {
    let receiver = Receiver::start().unwrap();
    let metrics = Client::builder()
        .ignore_environment()
        .address(receiver.address().to_string())
        .install()
        .unwrap();
    ARMED.store(true, Ordering::SeqCst);
    // New threads, and with them the set-up of what they count in, inside of and around an allocation.
    for _ in 0..20 {
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| drop(fill(50)));
            }
        });
    }
    // It comes back; what the receiver's own threads call meanwhile may be pending.
    let _ = metrics.flush(BOUND);
    ARMED.store(false, Ordering::SeqCst);
    until("nobody is halfway into a call", || {
        (INSIDE.load(Ordering::SeqCst) == 0).then_some(())
    });

    let handle = metrics.client();
    assert_eq!(metrics.shutdown(BOUND).pending, 0);
    assert!(handle.ledger().is_balanced());
    let started = |task: &str| receiver.counter(&format!("tasks.status.{task}.started"));
    let arrived = |receiver: &Receiver| receiver.packets_seen() >= handle.ledger().packets;
    assert!(receiver.wait_until(BOUND, arrived));
    assert_eq!(started("fill"), 80);
    assert_eq!(started("allocate"), MADE.load(Ordering::Relaxed));
    assert_eq!(
        receiver.counter("tasks.status.allocate.success"),
        started("allocate")
    );
    assert!(started("allocate") > 80 * 50);
}
