// What was written:

#[instrument_task]
#[track_caller]
fn at(all: &[u8], n: usize) -> Result<u8, Missing> {
    Ok(*all.get(n).ok_or_else(Missing::here)?)
}

// What it becomes:

#[track_caller]
fn at(all: &[u8], n: usize) -> Result<u8, Missing> {
    static __TASK_SITE: ::instrument_task::__private::Site = ::instrument_task::__private::Site::new("at");
    let mut __task_token = ::instrument_task::__private::Token::off();
    let __task_call = ::instrument_task::__private::Call::start(&__TASK_SITE, &mut __task_token);
    let __task_value: Result<u8, Missing> = match () {
        () => '__task_body: {
            {
                const _: () = ();
                Ok(*(match (all.get(n).ok_or_else(Missing::here)) {
                    __task_operand => {
                        use ::instrument_task::__private::NeverLeaves as _;
                        if (&::instrument_task::__private::Probe(&__task_operand)).instrument_task_leaves() {
                            break '__task_body (::instrument_task::__private::Leaving::<
                                _,
                                Result<u8, Missing>,
                            >::new(__task_operand))
                            .instrument_task_leave();
                        }
                        __task_operand
                    }
                })?)
            }
        }
    };
    #[allow(unreachable_code)]
    __task_call.end(&__task_value, |__task_value| {
        use ::instrument_task::__private::{ByTrait as _, Otherwise as _};
        (&::instrument_task::__private::Probe(__task_value)).instrument_task_end()
    });
    __task_value
}
