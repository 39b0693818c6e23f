//! The time in a ULID: which is in the ids that the SQL and Redis stores give their jobs.

use std::{fmt, fmt::Write, time::Duration};

/// Characters of a ULID.
const LENGTH: usize = 26;
/// The first of them, which are its milliseconds since the Unix epoch.
const TIME: usize = 10;

/// Text of as many characters, without an allocation.
struct Text {
    bytes: [u8; LENGTH],
    length: usize,
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = self.length + more.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(more.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// When the ULID that `id` is written as was made, since the Unix epoch; `None` if it is none.
pub(super) fn time(id: &impl fmt::Display) -> Option<Duration> {
    let mut text = Text {
        bytes: [0; LENGTH],
        length: 0,
    };
    write!(text, "{id}").ok()?;
    if text.length != LENGTH {
        return None;
    }
    let digits = text.bytes.iter().map(|byte| digit(*byte));
    let mut millis = 0;
    for (at, digit) in digits.enumerate() {
        let digit = digit?;
        if at == 0 && digit > 7 {
            // More than 128 bits.
            return None;
        }
        if at < TIME {
            millis = millis << 5 | u64::from(digit);
        }
    }
    Some(Duration::from_millis(millis))
}

/// A digit in Crockford's base 32.
fn digit(byte: u8) -> Option<u8> {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let at = DIGITS
        .iter()
        .position(|digit| *digit == byte.to_ascii_uppercase())?;
    u8::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_in_the_first_ten_digits() {
        // The example of the specification.
        let made = Duration::from_millis(1_469_922_850_259);
        assert_eq!(time(&"01ARZ3NDEKTSV4RRFFQ69G5FAV"), Some(made));
        assert_eq!(
            time(&"01arz3ndektsv4rrffq69g5fav"),
            time(&"01ARZ3NDEKTSV4RRFFQ69G5FAV")
        );
        assert_eq!(time(&"00000000000000000000000000"), Some(Duration::ZERO));
        assert_eq!(
            time(&"7ZZZZZZZZZZZZZZZZZZZZZZZZZ"),
            Some(Duration::from_millis((1 << 48) - 1))
        );
    }

    #[test]
    fn what_is_no_ulid_has_no_time() {
        for id in [
            "",
            "17",
            "8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
            "01ARZ3NDEKTSV4RRFFQ69G5FA",
            "01ARZ3NDEKTSV4RRFFQ69G5FAVV",
            "01ARZ3NDEKTSV4RRFFQ69G5FAU",
            "550e8400-e29b-41d4-a716-446655440000",
        ] {
            assert_eq!(time(&id), None, "{id}");
        }
    }
}
