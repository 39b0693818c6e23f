//! What a name may look like on the wire, decided once, when the name is made.
//!
//! # The rule for metric names, prefixes and task names
//! 1. `A`–`Z`, `a`–`z`, `0`–`9`, `_`, `-` and `.` stay. Any other character becomes one `_`.
//! 2. Runs of dots become one dot; dots at either end go. Graphite would collapse them anyway.
//! 3. Nothing left is `_`.
//! 4. A name longer than [`NAME_LIMIT`] bytes is cut, and ends in `_` and eight hex digits of a hash of the
//!    whole original, so that two long names with the same beginning stay two.
//!
//! # The rule for tag keys and values
//! ASCII punctuation that some server gives a meaning (`|`, `,`, `:`, `#`, `@`, `;`), white space and control
//! characters become one `_` each; letters and digits of any script stay. Empty keys become `_`. What is
//! longer than [`TAG_LIMIT`] bytes is cut like a name, at a character's boundary.
//!
//! Both rules are idempotent: a clean name passes unchanged. That is all that stands between a hostile name and
//! a forged metric, so there is no other way to make a [`Name`](super::Name).

/// The longest task name or prefix, in bytes.
///
/// A task's whole name without a prefix then stays within the 127 bytes at which collectd cuts one, and each node
/// of a path far below Graphite's 255.
pub(crate) const NAME_LIMIT: usize = 100;

/// The longest tag key or value, in bytes: what Datadog keeps of a whole tag.
pub(crate) const TAG_LIMIT: usize = 200;

/// Bytes of `_` and the eight hex digits that end a name that was cut.
const HASH_LEN: usize = 9;

/// A dotted path made of `text`; never empty.
pub(super) fn path(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '.' if clean.is_empty() || clean.ends_with('.') => {}
            'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-' | '.' => clean.push(c),
            _ => clean.push('_'),
        }
    }
    if clean.ends_with('.') {
        clean.pop();
    }
    if clean.is_empty() {
        clean.push('_');
    }
    shorten(clean, text, NAME_LIMIT)
}

/// A single path node made of `text`: a path without dots, for tags that are folded into names.
pub(super) fn node(text: &str) -> String {
    // Cut with the dots still in, or two texts that differ in them alone would get one hash.
    path(text).replace('.', "_")
}

/// A tag key made of `text`; never empty.
pub(super) fn tag_key(text: &str) -> String {
    let clean = tag_value(text);
    if clean.is_empty() { "_".into() } else { clean }
}

/// A tag value made of `text`; may be empty.
pub(super) fn tag_value(text: &str) -> String {
    let clean = text.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    shorten(clean, text, TAG_LIMIT)
}

fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || (c.is_ascii_graphic() && !matches!(c, '|' | ',' | ':' | '#' | '@' | ';'))
}

/// Cuts `clean` to `limit` bytes if it is longer, and ends it in a hash of the `original` it was made of.
fn shorten(mut clean: String, original: &str, limit: usize) -> String {
    if clean.len() <= limit {
        return clean;
    }
    let mut end = limit - HASH_LEN;
    while !clean.is_char_boundary(end) {
        end -= 1;
    }
    clean.truncate(end);
    // A node of its own for the hash would be an odd path.
    if clean.ends_with('.') {
        clean.pop();
    }
    format!("{clean}_{}", hash_hex(original))
}

/// Eight hex digits that tell `text` from others.
pub(super) fn hash_hex(text: &str) -> String {
    format!("{:08x}", hash(text))
}

/// FNV-1a of 64 bits folded to 32: the same on every machine and in every version, for dashboards outlive both.
fn hash(text: &str) -> u64 {
    let wide = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (wide ^ (wide >> 32)) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_clean_stays() {
        for name in ["send_email", "Mailer.send", "a-b_c.D9", "_", "-"] {
            assert_eq!(path(name), name);
        }
    }

    #[test]
    fn what_is_not_becomes_underscores_and_dots_collapse() {
        for (text, expected) in [
            ("", "_"),
            ("...", "_"),
            (".a..b.", "a.b"),
            ("a b", "a_b"),
            ("é☃", "__"),
            ("\u{0}\u{7f}", "__"),
            ("x:1|c\nadmin.logins:999|c", "x_1_c_admin.logins_999_c"),
            ("a;k=v#t@0.1,", "a_k_v_t_0.1_"),
            ("a./.b", "a._.b"),
        ] {
            assert_eq!(path(text), expected, "{text:?}");
        }
    }

    #[test]
    fn two_long_names_stay_two() {
        let long = "a".repeat(NAME_LIMIT);
        assert_eq!(path(&long), long);
        let one = path(&format!("{long}b"));
        let other = path(&format!("{long}c"));
        assert_ne!(one, other);
        assert_eq!(one.len(), NAME_LIMIT);
        // Written out: the digits may never change, or dashboards break.
        assert_eq!(one, format!("{}_f6065b73", "a".repeat(91)));
        // They differ only in what became an underscore.
        assert_ne!(path(&format!("{long}:")), path(&format!("{long}|")));
        assert_eq!(path(&"x".repeat(100_000)).len(), NAME_LIMIT);
    }

    #[test]
    fn a_cut_leaves_no_dot_before_the_hash() {
        let text = format!("{}.{}", "a".repeat(90), "b".repeat(50));
        assert!(path(&text).starts_with(&format!("{}_", "a".repeat(90))));
    }

    #[test]
    fn folded_nodes_hold_no_dot() {
        assert_eq!(node("1.2.3"), "1_2_3");
        assert_eq!(node("."), "_");
    }

    #[test]
    fn tags_keep_scripts_and_lose_syntax() {
        assert_eq!(tag_value("/a\nadmin.logins:999|c"), "/a_admin.logins_999_c");
        assert_eq!(tag_value("größe=1 (kg)"), "größe=1_(kg)");
        assert_eq!(tag_value("a\r\t\u{0}\u{85}\u{2028}\u{a0}b"), "a______b");
        assert_eq!(tag_value(""), "");
        assert_eq!(tag_key(""), "_");
        assert_eq!(tag_value(&"ü".repeat(300)).len(), 199);
    }

    /// What of a name can be sent at all, however long.
    fn plain(text: &str) -> String {
        let nodes: Vec<_> = text.split('.').filter(|node| !node.is_empty()).collect();
        let plain = nodes.join(".").replace([':', '|', 'é'], "_");
        if plain.is_empty() { "_".into() } else { plain }
    }

    proptest! {
        #[test]
        fn paths_are_clean_bounded_and_idempotent(text in any::<String>()) {
            let once = path(&text);
            prop_assert!(!once.is_empty() && once.len() <= NAME_LIMIT);
            prop_assert!(once.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)));
            prop_assert!(!once.contains("..") && !once.starts_with('.') && !once.ends_with('.'));
            prop_assert_eq!(path(&once), once);
        }

        #[test]
        fn long_dotted_paths_too(text in "[a.|]{80,140}") {
            let once = path(&text);
            prop_assert!(once.len() <= NAME_LIMIT && !once.contains("..") && !once.ends_with('.'));
            prop_assert_eq!(path(&once), once);
        }

        /// Two names become one only where they differ in nothing that can be sent.
        #[test]
        fn names_that_differ_stay_apart(start in "(a{90,98})?", one in "[ab.:|é]{0,8}", other in "[ab.:|é]{0,8}") {
            let (one, other) = (start.clone() + &one, start + &other);
            if path(&one) == path(&other) {
                prop_assert_eq!(plain(&one), plain(&other));
                // What is cut keeps its whole original apart.
                prop_assert!(one == other || plain(&one).len() <= NAME_LIMIT, "{one:?} {other:?}");
            }
        }

        #[test]
        fn tags_that_differ_stay_apart(start in "(a{190,198})?", one in "[ab.:|é]{0,8}", other in "[ab.:|é]{0,8}") {
            let (one, other) = (start.clone() + &one, start + &other);
            if tag_value(&one) == tag_value(&other) {
                let plain = |text: &str| text.replace([':', '|'], "_");
                prop_assert_eq!(plain(&one), plain(&other));
                prop_assert!(one == other || one.len() <= TAG_LIMIT, "{one:?} {other:?}");
            }
        }

        #[test]
        fn tags_are_clean_bounded_and_idempotent(text in ".{0,300}") {
            let once = tag_key(&text);
            prop_assert!(!once.is_empty() && once.len() <= TAG_LIMIT);
            prop_assert!(!once.contains(|c: char| c.is_control() || c.is_whitespace() || "|,:#@;".contains(c)));
            prop_assert_eq!(tag_key(&once), once);
            prop_assert_eq!(node(&node(&text)), node(&text));
        }
    }
}
