// What was written:

#[instrument_task]
pub fn count(words: &[String]) -> usize {
    let n = words.len();
    n.max(1)
}

// What it becomes:

pub fn count(words: &[String]) -> usize {
    static __TASK_SITE: ::instrument_task::__private::Site = ::instrument_task::__private::Site::new("count");
    let mut __task_token = ::instrument_task::__private::Token::off();
    let __task_call = ::instrument_task::__private::Call::start(&__TASK_SITE, &mut __task_token);
    let __task_value: usize = match () {
        () => {
            let n = words.len();
            n.max(1)
        }
    };
    #[allow(unreachable_code)]
    __task_call.succeed();
    __task_value
}
