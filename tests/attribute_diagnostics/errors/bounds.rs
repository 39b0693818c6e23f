use instrument_task::instrument_task;

#[instrument_task]
fn shown<T>(value: T) -> Result<String, ()> {
    if size_of::<T>() == 0 {
        return Err(());
    }
    Ok(value.to_string())
}

#[instrument_task]
fn summed<T>(all: &[T]) -> T {
    all.iter().sum()
}

#[instrument_task]
async fn cloned<T>(value: &T) -> T {
    value.clone()
}

fn main() {}
