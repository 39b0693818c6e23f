use instrument_task::instrument_task;

struct A;
struct B;
struct C;
struct D;

#[instrument_task(name = "a")]
impl A {
    fn run(&self) {}
}

#[instrument_task(skip)]
impl B {
    fn run(&self) {}
}

#[instrument_task]
impl C {
    #[instrument_task(name = "a b")]
    fn run(&self) {}

    #[instrument_task(skip)]
    fn skipped(&self) {}
}

#[instrument_task(ok_if = Option::is_some)]
impl D {
    #[instrument_task(skip)]
    fn run(&self) {}
}

fn main() {
    A.run();
    B.run();
    C.run();
    C.skipped();
    D.run();
}
