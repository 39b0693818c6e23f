use instrument_task::instrument_task;

#[instrument_task]
#[unsafe(naked)]
extern "C" fn bare() -> u8 {
    core::arch::naked_asm!("ret")
}

fn main() {
    let _ = bare as extern "C" fn() -> u8;
}
