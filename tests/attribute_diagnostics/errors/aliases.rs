use instrument_task::instrument_task;
use std::{fmt::Display, future::Future, pin::Pin, rc::Rc};

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

#[instrument_task]
fn wrong_output(n: u8) -> BoxFuture<'static, u8> {
    drop(n);
    Box::pin(async move { Ok("text") })
}

#[instrument_task]
fn wrong_error(n: u8) -> BoxFuture<'static, u8> {
    Box::pin(async move { Ok("1".parse::<u8>()? + n) })
}

#[instrument_task]
fn not_send(n: Rc<u8>) -> BoxFuture<'static, u8> {
    Box::pin(async move { Ok(*n) })
}

#[instrument_task]
fn no_future(n: u8) -> BoxFuture<'static, u8> {
    Box::pin(n)
}

#[instrument_task]
fn wrong_return(n: u8) -> BoxFuture<'static, u8> {
    if n == 0 {
        return Box::pin(async { 1 });
    }
    Box::pin(async move { Ok(n) })
}

#[instrument_task]
fn wrong_output_of_a_pinned(n: u8) -> Pin<Box<impl Future<Output = u8>>> {
    drop(n);
    Box::pin(async move { "text" })
}

#[instrument_task]
fn wrong_item(n: u8) -> Result<Box<dyn Iterator<Item = impl Display>>, ()> {
    if n == 0 {
        return Err(());
    }
    Ok(Box::new(vec![vec![n]].into_iter()))
}

fn main() {}
