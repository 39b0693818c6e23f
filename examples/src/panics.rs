//! Panics that are part of the show.

use std::panic;

/// Keeps panics whose message begins so, which are meant to be, off the screen.
pub fn hide(beginning: &'static str) {
    let show = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let message = info.payload().downcast_ref::<String>();
        if !message.is_some_and(|text| text.starts_with(beginning)) {
            show(info);
        }
    }));
}
