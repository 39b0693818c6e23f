// What was written:

#[instrument_task("mail.parse")]
fn parse(&self, mut text: String, (from, _): (usize, usize)) -> Result<u8, ParseIntError> {
    text.push('1');
    let n = text[from..].parse()?;
    Ok(n)
}

// What it becomes:

fn parse(&self, text: String, (from, _): (usize, usize)) -> Result<u8, ParseIntError> {
    static __TASK_SITE: ::instrument_task::__private::Site =
        ::instrument_task::__private::Site::new("mail.parse");
    ::instrument_task::__private::call(
        &__TASK_SITE,
        move || -> Result<u8, ParseIntError> {
            let mut text = text;
            {
                {
                    text.push('1');
                    let n = text[from..].parse()?;
                    Ok(n)
                }
            }
        },
        |__task_value| {
            use ::instrument_task::__private::{ByTrait as _, Otherwise as _};
            (&::instrument_task::__private::Probe(__task_value)).instrument_task_end()
        },
    )
}
