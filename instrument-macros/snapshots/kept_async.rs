// What was written:

#[instrument_task]
#[must_use]
pub async fn ping(to: &str) -> bool {
    connect(to).await.is_ok()
}

// What it becomes:

#[must_use]
pub async fn ping(to: &str) -> bool {
    static __TASK_SITE: ::instrument_task::__private::Site = ::instrument_task::__private::Site::new("ping");
    ::instrument_task::__private::future::<bool, _, _, _, _>(
        ::instrument_task::__private::At(|| &__TASK_SITE),
        async move {
            if let ::core::option::Option::Some(__task_value) = ::core::option::Option::None::<bool> {
                return __task_value;
            }
            {
                {
                    const _: () = ();
                    connect(to).await.is_ok()
                }
            }
        },
        |_| ::instrument_task::__private::End::Success,
    )
    .await
}
