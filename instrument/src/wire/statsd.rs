//! Plain statsd, as Etsy's server, collectd, netdata and Graphite's relays read it: no tags on the line.

use super::{Name, name, number};

/// The end that global tags put on every name: `.key.value` for each, in the order of their keys.
///
/// This is the hierarchical naming that Micrometer made common. Dots within a key or a value become `_`, so
/// that each is one node of the path.
pub(super) fn folded(tags: &[(String, String)]) -> String {
    let mut tags: Vec<_> = tags.iter().collect();
    tags.sort();
    let mut path = String::new();
    for (key, value) in tags {
        path.push('.');
        path.push_str(&name::node(key));
        if !value.is_empty() {
            path.push('.');
            path.push_str(&name::node(value));
        }
    }
    path
}

/// Writes a gauge that is set to `value`; false, and nothing written, if that is not finite.
///
/// A sign makes a gauge relative here, so that a negative value needs a zero first. Both lines have to travel in
/// one datagram, or their order is not certain.
pub(super) fn gauge(name: &Name, value: f64, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    name.write(out);
    let after_name = out.len();
    if !number::float(value, out) {
        out.truncate(start);
        return false;
    }
    // Looked for in the text: a tiny negative number is written as 0.
    if out[after_name] == b'-' {
        out.truncate(after_name);
        out.extend_from_slice(b"0|g\n");
        name.write(out);
        number::float(value, out);
    }
    out.extend_from_slice(b"|g");
    true
}
