// What was written:

#[instrument_task]
impl<T: Display> Mailer<T> {
    const LIMIT: usize = 3;
    pub const fn new() -> Self {
        Self
    }
    fn send(&self) -> u8 {
        1
    }
    #[instrument_task(skip)]
    fn len(&self) -> usize {
        0
    }
    #[instrument_task(name = "mail.first", ok_if = Option::is_some)]
    fn first(&self) -> Option<&T> {
        None
    }
}

// What it becomes:

impl<T: Display> Mailer<T> {
    const LIMIT: usize = 3;
    pub const fn new() -> Self {
        Self
    }
    fn send(&self) -> u8 {
        static __TASK_SITE: ::instrument_task::__private::Site =
            ::instrument_task::__private::Site::new("Mailer.send");
        let mut __task_token = ::instrument_task::__private::Token::off();
        let __task_call = ::instrument_task::__private::Call::start(&__TASK_SITE, &mut __task_token);
        let __task_value: u8 = match () {
            () => {
                const _: () = ();
                1
            }
        };
        #[allow(unreachable_code)]
        __task_call.succeed();
        __task_value
    }
    fn len(&self) -> usize {
        0
    }
    fn first(&self) -> Option<&T> {
        static __TASK_SITE: ::instrument_task::__private::Site =
            ::instrument_task::__private::Site::new("mail.first");
        let mut __task_token = ::instrument_task::__private::Token::off();
        let __task_call = ::instrument_task::__private::Call::start(&__TASK_SITE, &mut __task_token);
        let __task_value: Option<&T> = match () {
            () => {
                const _: () = ();
                None
            }
        };
        #[allow(unreachable_code)]
        __task_call.end(&__task_value, |__task_value| {
            ::instrument_task::__private::ok_if(__task_value, Option::is_some)
        });
        __task_value
    }
}
