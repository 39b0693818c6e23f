// What was written:

#[instrument_task]
fn print(words: &[String]) {
    if words.is_empty() {
        return;
    }
    println!("{words:?}");
}

// What it becomes:

fn print(words: &[String]) {
    static __TASK_SITE: ::instrument_task::__private::Site = ::instrument_task::__private::Site::new("print");
    let mut __task_token = ::instrument_task::__private::GuardToken::off();
    let __task_call = ::instrument_task::__private::CallGuard::enter(&__TASK_SITE, &mut __task_token);
    {
        if words.is_empty() {
            return;
        }
        println!("{words:?}");
    }
    #[allow(unreachable_code)]
    __task_call.succeed();
}
