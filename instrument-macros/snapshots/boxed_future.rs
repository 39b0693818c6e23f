// What was written:

#[instrument_task]
fn run<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<u8, Error>> + Send + 'a>> {
    Box::pin(async move { Ok(self.step().await?) })
}

// What it becomes:

fn run<'a>(&'a self) -> Pin<Box<dyn Future<Output = Result<u8, Error>> + Send + 'a>> {
    static __TASK_SITE: ::instrument_task::__private::Site = ::instrument_task::__private::Site::new("run");
    Box::pin(::instrument_task::__private::declared_future::<
        Result<u8, Error>,
        _,
        _,
        _,
        _,
        _,
    >(
        || -> Result<u8, Error> { ::instrument_task::__private::declared() },
        ::instrument_task::__private::At(|| &__TASK_SITE),
        async move { Ok(self.step().await?) },
        |__task_value| {
            use ::instrument_task::__private::{ByTrait as _, Otherwise as _};
            (&::instrument_task::__private::Probe(__task_value)).instrument_task_end()
        },
    ))
}
