// What was written:

#[instrument_task]
#[track_caller]
fn at(all: &[u8], n: usize) -> Result<u8, Missing> {
    Ok(*all.get(n).ok_or_else(Missing::here)?)
}

// What it becomes:

#[track_caller]
fn at(all: &[u8], n: usize) -> Result<u8, Missing> {
    #[allow(dead_code, clippy::too_many_arguments)]
    #[doc(hidden)]
    #[inline]
    #[track_caller]
    fn __task_body(all: &[u8], n: usize) -> Result<u8, Missing> {
        Ok(*all.get(n).ok_or_else(Missing::here)?)
    }
    static __TASK_SITE: ::instrument_task::__private::Site = ::instrument_task::__private::Site::new("at");
    let mut __task_token = ::instrument_task::__private::Token::off();
    let __task_call = ::instrument_task::__private::Call::start(&__TASK_SITE, &mut __task_token);
    let __task_value = __task_body(all, n);
    __task_call.end(&__task_value, |__task_value| {
        #[allow(unused_imports)]
        use ::instrument_task::__private::{ByTrait as _, Otherwise as _};
        (&::instrument_task::__private::Probe(__task_value)).instrument_task_end()
    });
    __task_value
}
