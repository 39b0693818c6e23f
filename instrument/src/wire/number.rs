//! Numbers as every statsd server reads them: plain decimal digits.
//!
//! An exponent, a plus sign, `NaN` or `inf` is read differently by almost every server (Etsy's takes the rate
//! `1e-05` for 1, netdata takes the count `1e15` for 1), so none of them is ever written.

use std::io::Write;

/// Significant digits of a sample rate.
///
/// A server multiplies back by 1 / rate. Twelve digits keep that product within half a call of the truth for
/// 5 × 10¹⁰ calls, far past what a flush holds.
const RATE_DIGITS: u32 = 12;

/// The longest text that [`millis`] writes: `18446744073709.552`.
pub(super) const MILLIS_LEN: usize = 18;

/// The longest text that [`rate`] writes: `0.`, the zeros that follow it, and the significant digits.
pub(super) const RATE_LEN: usize = 2 + 19 + RATE_DIGITS as usize;

/// The longest text that [`integer`] writes: `18446744073709551615`.
pub(super) const INTEGER_LEN: usize = 20;

/// A gauge nearer to zero than this is written as `0`, or one subnormal number would fill a packet with zeros.
const SMALLEST: f64 = 1e-15;

/// Writes `value` in decimal digits.
pub(super) fn integer(value: u64, out: &mut Vec<u8>) {
    padded(value, 1, out);
}

/// Writes a duration in milliseconds: to the nanosecond below 1 ms, to the nearest microsecond above.
///
/// Trailing zeros are trimmed, so 2 ms is `2` and nothing is `0`.
pub(super) fn millis(nanos: u64, out: &mut Vec<u8>) {
    if nanos < 1_000_000 {
        decimal(0, nanos, 6, out);
    } else {
        let micros = nanos / 1_000 + u64::from(nanos % 1_000 >= 500);
        decimal(micros / 1_000, micros % 1_000, 3, out);
    }
}

/// Writes `values / calls` as a decimal below 1; the caller sees to `0 < values < calls`.
///
/// The digits are cut, not rounded up: some servers repeat a value ⌊1 / rate⌋ times, and a rate rounded up
/// (0.166666666667 for one in six) would cost them a repetition.
pub(super) fn rate(values: u64, calls: u64, out: &mut Vec<u8>) {
    debug_assert!(0 < values && values < calls);
    let calls = u128::from(calls);
    let mut scaled = u128::from(values) * 10_u128.pow(RATE_DIGITS);
    let mut width = RATE_DIGITS as usize;
    let full = calls * 10_u128.pow(RATE_DIGITS - 1);
    while scaled < full {
        scaled *= 10;
        width += 1;
    }
    // Below 10^RATE_DIGITS, as `values < calls`.
    let digits = u64::try_from(scaled / calls).unwrap_or(u64::MAX);
    decimal(0, digits, width, out);
}

/// Writes a finite number; false, and nothing written, if it is not one.
pub(super) fn float(value: f64, out: &mut Vec<u8>) -> bool {
    if !value.is_finite() {
        return false;
    }
    if value.abs() < SMALLEST {
        out.push(b'0');
    } else {
        // `Display` of a float is the shortest decimal that reads back the same, and never has an exponent.
        // Writing to a vector cannot fail.
        let _ = write!(out, "{value}");
    }
    true
}

/// Writes `whole.fraction`, the fraction being `width` digits wide, without trailing zeros.
fn decimal(whole: u64, mut fraction: u64, mut width: usize, out: &mut Vec<u8>) {
    integer(whole, out);
    if fraction == 0 {
        return;
    }
    while fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    out.push(b'.');
    padded(fraction, width, out);
}

/// Writes `value` with leading zeros up to `width` digits.
fn padded(mut value: u64, width: usize, out: &mut Vec<u8>) {
    let mut digits = [b'0'; RATE_LEN];
    let mut at = digits.len();
    while value > 0 {
        at -= 1;
        // A remainder of ten is one digit.
        digits[at] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
    let start = at.min(digits.len() - width);
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn integers() {
        for value in [0, 1, 9, 10, 1_000_000_000_000_000, u64::MAX] {
            assert_eq!(text(|out| integer(value, out)), value.to_string());
        }
        assert_eq!(text(|out| integer(u64::MAX, out)).len(), INTEGER_LEN);
    }

    #[test]
    fn durations_keep_what_a_clock_can_tell() {
        for (nanos, expected) in [
            (0, "0"),
            (1, "0.000001"),
            (83_000, "0.083"),
            (83_417, "0.083417"),
            (999_999, "0.999999"),
            (1_000_000, "1"),
            (1_000_499, "1"),
            (1_000_500, "1.001"),
            (1_500_000, "1.5"),
            (12_806_120, "12.806"),
            (999_999_999, "1000"),
            (60_000_000_000, "60000"),
            (u64::MAX, "18446744073709.552"),
        ] {
            assert_eq!(text(|out| millis(nanos, out)), expected);
            assert!(expected.len() <= MILLIS_LEN);
        }
    }

    #[test]
    fn rates_are_plain_and_short_where_they_can_be() {
        for (values, calls, expected) in [
            (1, 2, "0.5"),
            (1, 4, "0.25"),
            (1, 3, "0.333333333333"),
            (1, 6, "0.166666666666"),
            (2, 3, "0.666666666666"),
            (1, 100_000, "0.00001"),
            (1, 1_000_003, "0.000000999997000008"),
            (999_999, 1_000_000, "0.999999"),
            (u64::MAX - 1, u64::MAX, "0.999999999999"),
        ] {
            assert_eq!(
                text(|out| rate(values, calls, out)),
                expected.trim_end_matches('0')
            );
        }
        assert!(text(|out| rate(1, u64::MAX, out)).len() <= RATE_LEN);
    }

    /// What `statsd_exporter` does: one observation repeated ⌊1 / rate⌋ times.
    #[test]
    fn the_reciprocal_of_a_whole_stride_is_the_stride() {
        for stride in (2..3_000_u32).chain((12..20).map(|power| 1 << power)) {
            let written: f64 = text(|out| rate(1, u64::from(stride), out)).parse().unwrap();
            assert!(
                (1.0 / written).floor().to_bits() == f64::from(stride).to_bits(),
                "{stride}: {written}"
            );
        }
    }

    #[test]
    fn gauges_are_finite_and_without_exponent() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (5e-324, "0"),
            (-1e-16, "0"),
            (1.5, "1.5"),
            (-2.25, "-2.25"),
            (0.000_001, "0.000001"),
            (1e21, "1000000000000000000000"),
        ] {
            assert_eq!(text(|out| assert!(float(value, out))), expected);
        }
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(text(|out| assert!(!float(value, out))), "");
        }
    }

    proptest! {
        #[test]
        fn a_server_gets_the_calls_back(calls in 2..1_000_000_u64, part in 0.0..1.0_f64) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let values = ((calls as f64 * part) as u64).clamp(1, calls - 1);
            let written: f64 = text(|out| rate(values, calls, out)).parse().unwrap();
            // Added up one by one, as servers do.
            let sum: f64 = (0..values).map(|_| 1.0 / written).sum();
            prop_assert!((sum - calls as f64).abs() < 0.5, "{values}/{calls} gave {sum}");
        }

        #[test]
        fn any_number_is_digits_and_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            let mut out = Vec::new();
            if float(value, &mut out) {
                let written = String::from_utf8(out).unwrap();
                prop_assert!(written.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-'));
                let read: f64 = written.parse().unwrap();
                prop_assert!(read.to_bits() == value.to_bits() || value.abs() < SMALLEST);
            } else {
                prop_assert!(!value.is_finite() && out.is_empty());
            }
        }

        #[test]
        fn durations_read_back_to_half_a_step(nanos in any::<u64>()) {
            let read: f64 = text(|out| millis(nanos, out)).parse().unwrap();
            let truth = nanos as f64 / 1e6;
            let step = if nanos < 1_000_000 { 1e-9 } else { 0.000_501 + truth * 1e-12 };
            prop_assert!((read - truth).abs() <= step, "{nanos}: {read}");
        }
    }
}
