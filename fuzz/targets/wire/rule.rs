//! The documented rule for names and tags, written a second time.

const NAME: usize = 100;
const TAG: usize = 200;

/// A dotted path.
pub fn path(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_-.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let nodes: Vec<_> = plain.split('.').filter(|node| !node.is_empty()).collect();
    let clean = if nodes.is_empty() {
        "_".into()
    } else {
        nodes.join(".")
    };
    cut(clean, text, NAME)
}

/// One node of a path.
pub fn node(text: &str) -> String {
    path(text).replace('.', "_")
}

pub fn key(text: &str) -> String {
    if text.is_empty() { "_".into() } else { value(text) }
}

pub fn value(text: &str) -> String {
    let clean = text
        .chars()
        .map(|c| match c {
            '|' | ',' | ':' | '#' | '@' | ';' => '_',
            c if c.is_ascii_graphic() || c.is_alphanumeric() => c,
            _ => '_',
        })
        .collect();
    cut(clean, text, TAG)
}

fn cut(clean: String, original: &str, limit: usize) -> String {
    if clean.len() <= limit {
        return clean;
    }
    let mut kept = String::new();
    for c in clean.chars() {
        if kept.len() + c.len_utf8() > limit - 9 {
            break;
        }
        kept.push(c);
    }
    format!("{}_{}", kept.strip_suffix('.').unwrap_or(&kept), hash(original))
}

/// FNV-1a, the halves of its 64 bits put on each other.
pub fn hash(text: &str) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    format!("{:08x}", (hash >> 32) as u32 ^ hash as u32)
}
