// What was written:

#[instrument_task]
pub async fn send(to: &str, mail: Mail) -> Result<(), Error> {
    connect(to).await?.send(mail).await
}

// What it becomes:

#[cfg(not(doc))]
pub fn send(to: &str, mail: Mail) -> impl ::core::future::Future<Output = Result<(), Error>> {
    static __TASK_SITE: ::instrument_task::__private::Site = ::instrument_task::__private::Site::new("send");
    ::instrument_task::__private::future::<Result<(), Error>, _, _, _, _>(
        ::instrument_task::__private::At(|| &__TASK_SITE),
        async move {
            let _ = &mail;
            if let ::core::option::Option::Some(__task_value) =
                ::core::option::Option::None::<Result<(), Error>>
            {
                return __task_value;
            }
            {
                {
                    const _: () = ();
                    connect(to).await?.send(mail).await
                }
            }
        },
        |__task_value| {
            use ::instrument_task::__private::{ByTrait as _, Otherwise as _};
            (&::instrument_task::__private::Probe(__task_value)).instrument_task_end()
        },
    )
}
#[cfg(doc)]
pub async fn send(to: &str, mail: Mail) -> Result<(), Error> {
    connect(to).await?.send(mail).await
}
