//! The `DogStatsD` dialect: tags and the sender's origin at the end of a line.

use super::{Name, Origin, name, number};

/// The end that global tags and the origin put on every line: `|#key:value,bare|e:…|card:…`.
pub(super) fn suffix(tags: &[(String, String)], origin: &Origin) -> String {
    let mut end = String::new();
    for (key, value) in tags {
        end.push_str(if end.is_empty() { "|#" } else { "," });
        end.push_str(&name::tag_key(key));
        if !value.is_empty() {
            end.push(':');
            end.push_str(&name::tag_value(value));
        }
    }
    if let Some(external) = &origin.external_data {
        end.push_str("|e:");
        // A list of `key-value` items with commas between them: the commas are its own.
        let items: Vec<_> = external.split(',').map(name::tag_value).collect();
        end.push_str(&items.join(","));
    }
    if let Some(cardinality) = &origin.cardinality {
        end.push_str("|card:");
        end.push_str(&name::tag_value(cardinality));
    }
    end
}

/// Writes a gauge without its suffix; false, and nothing written, if `value` is not finite.
///
/// The Datadog agent reads a sign as part of the number, never as a difference.
pub(super) fn gauge(name: &Name, value: f64, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    name.write(out);
    if !number::float(value, out) {
        out.truncate(start);
        return false;
    }
    out.extend_from_slice(b"|g");
    true
}
