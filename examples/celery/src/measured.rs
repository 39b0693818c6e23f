//! Metrics around a celery task that is left as it is. Copy this file, and register the new type in the task's place.

use std::{any::Any, sync::Arc};

use celery::{
    error::TaskError,
    task::{Request, Task},
};

/// Declares a type that is a given task, with its metrics around it: `measured! { pub struct New(the::task); }`.
///
/// They are called as those of the attribute, by the name that celery knows the task by. An exception is also counted by its
/// [`kind`](exception_kind), which tells a retry from a failure.
///
/// A panic of the task is a `TaskError::UnexpectedError` to celery (retried like any other, unless the app or the task says
/// otherwise). Without that celery would wait for the task for ever when it shuts down.
macro_rules! measured {
    ($(#[$meta:meta])* $vis:vis struct $new:ident($task:ty);) => {
        $(#[$meta])*
        $vis struct $new {
            task: $task,
            request: ::celery::task::Request<Self>,
            options: ::celery::task::TaskOptions,
        }

        impl $new {
            const TASK_NAME: &'static str = <$task as ::celery::task::Task>::NAME;

            #[::instrument_task::instrument_task(
                name = $new::TASK_NAME,
                error_kind = $crate::measured::exception_kind
            )]
            async fn measure(
                &self,
                params: <$task as ::celery::task::Task>::Params,
            ) -> ::celery::task::TaskResult<<$task as ::celery::task::Task>::Returns> {
                ::celery::task::Task::run(&self.task, params).await
            }
        }

        #[::async_trait::async_trait]
        impl ::celery::task::Task for $new {
            const NAME: &'static str = <$task as ::celery::task::Task>::NAME;
            const ARGS: &'static [&'static str] = <$task as ::celery::task::Task>::ARGS;
            const DEFAULTS: ::celery::task::TaskOptions = <$task as ::celery::task::Task>::DEFAULTS;

            type Params = <$task as ::celery::task::Task>::Params;
            type Returns = <$task as ::celery::task::Task>::Returns;

            fn from_request(
                request: ::celery::task::Request<Self>,
                options: ::celery::task::TaskOptions,
            ) -> Self {
                let task = <$task as ::celery::task::Task>::from_request(
                    $crate::measured::request_of(&request),
                    options,
                );
                Self { task, request, options }
            }

            fn request(&self) -> &::celery::task::Request<Self> {
                &self.request
            }

            fn options(&self) -> &::celery::task::TaskOptions {
                &self.options
            }

            async fn run(&self, params: Self::Params) -> ::celery::task::TaskResult<Self::Returns> {
                let call = ::std::panic::AssertUnwindSafe(self.measure(params));
                ::futures_util::FutureExt::catch_unwind(call)
                    .await
                    .unwrap_or_else(|panic| Err($crate::measured::panic_error(&*panic)))
            }

            async fn on_failure(&self, error: &::celery::error::TaskError) {
                ::celery::task::Task::on_failure(&self.task, error).await;
            }

            async fn on_success(&self, returned: &Self::Returns) {
                ::celery::task::Task::on_success(&self.task, returned).await;
            }

            fn retry_eta(&self) -> Option<::chrono::DateTime<::chrono::Utc>> {
                ::celery::task::Task::retry_eta(&self.task)
            }

            fn retry_for_unexpected(&self) -> bool {
                ::celery::task::Task::retry_for_unexpected(&self.task)
            }

            fn time_limit(&self) -> Option<u32> {
                ::celery::task::Task::time_limit(&self.task)
            }

            fn max_retries(&self) -> Option<u32> {
                ::celery::task::Task::max_retries(&self.task)
            }

            fn min_retry_delay(&self) -> u32 {
                ::celery::task::Task::min_retry_delay(&self.task)
            }

            fn max_retry_delay(&self) -> u32 {
                ::celery::task::Task::max_retry_delay(&self.task)
            }

            fn acks_late(&self) -> bool {
                ::celery::task::Task::acks_late(&self.task)
            }
        }
    };
}

pub(crate) use measured;

/// What kind of exception an error of celery's is.
pub fn exception_kind(error: &TaskError) -> &'static str {
    match error {
        TaskError::ExpectedError(_) => "expected",
        TaskError::UnexpectedError(_) => "unexpected",
        TaskError::TimeoutError => "timeout",
        TaskError::Retry(_) => "retry",
    }
}

/// What a panic of the task is to celery.
pub fn panic_error(panic: &(dyn Any + Send)) -> TaskError {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    TaskError::UnexpectedError(format!(
        "panicked: {}",
        message.unwrap_or("with a value of its own")
    ))
}

/// The request of a task as that of another one with the same parameters.
pub fn request_of<A: Task, B: Task<Params = A::Params>>(request: &Request<A>) -> Request<B> {
    Request {
        app: Arc::clone(&request.app),
        id: request.id.clone(),
        group: request.group.clone(),
        chord: request.chord.clone(),
        correlation_id: request.correlation_id.clone(),
        params: request.params.clone(),
        origin: request.origin.clone(),
        retries: request.retries,
        eta: request.eta,
        expires: request.expires,
        hostname: request.hostname.clone(),
        reply_to: request.reply_to.clone(),
        time_limit: request.time_limit,
    }
}
