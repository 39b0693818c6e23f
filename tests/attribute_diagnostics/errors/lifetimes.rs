use instrument_task::instrument_task;

#[instrument_task]
fn other<'a, 'b>(a: &'a str, b: &'b str) -> Result<&'a str, ()> {
    if a.is_empty() {
        return Err(());
    }
    Ok(b)
}

#[instrument_task]
fn other_straight<'a, 'b>(_: &'a str, b: &'b str) -> Option<&'a str> {
    Some(b)
}

#[instrument_task]
fn to_static(text: &str) -> Result<&'static str, ()> {
    if text.is_empty() {
        return Err(());
    }
    Ok(text)
}

struct Owner(String);

impl Owner {
    #[instrument_task]
    fn elided(&self, more: &str) -> Result<&str, ()> {
        if self.0.is_empty() {
            return Err(());
        }
        Ok(more)
    }

    // Differs: plain.
    #[instrument_task]
    fn elided_early(&self, more: &str) -> Result<&str, ()> {
        if self.0.is_empty() {
            return Ok(more);
        }
        Ok(&self.0)
    }

    #[instrument_task]
    fn elided_straight(&self, more: &str) -> Option<&str> {
        Some(more)
    }

    #[instrument_task]
    async fn elided_async(&self, more: &str) -> Result<&str, ()> {
        Ok(more)
    }

    #[instrument_task]
    fn mutable<'a>(&'a mut self, more: &'a str) -> Result<&'a mut str, ()> {
        let first = &mut self.0;
        let second = &mut self.0;
        first.push('a');
        if more.is_empty() {
            return Err(());
        }
        Ok(second)
    }
}

fn main() {}
