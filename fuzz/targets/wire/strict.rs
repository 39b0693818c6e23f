//! A reader that takes nothing but what every server takes alike.

/// A metric as it came.
#[derive(Debug)]
pub struct Metric<'a> {
    pub name: &'a str,
    pub kind: Kind,
    /// What follows `|#`.
    pub tags: &'a str,
}

#[derive(Debug)]
pub enum Kind {
    Counter(u64),
    /// How many calls one value stands for.
    Timer(f64),
    Gauge(u64),
}

/// Reads one line.
pub fn read(line: &[u8]) -> Result<Metric<'_>, &'static str> {
    let line = std::str::from_utf8(line).map_err(|_| "no text")?;
    if line.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("a character that no line holds");
    }
    let (name, rest) = line.split_once(':').ok_or("no value")?;
    if name.split('.').any(str::is_empty) {
        return Err("an empty node");
    }
    if !name
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    {
        return Err("a character that no name holds");
    }
    let (rest, tags) = match rest.split_once("|#") {
        Some((rest, tags)) => (rest, tags),
        None => (rest, ""),
    };
    if !tags.is_empty() {
        for tag in tags.split(',') {
            if tag.is_empty() || tag.starts_with(':') || tag.ends_with(':') || tag.matches(':').count() > 1 {
                return Err("no tag");
            }
            if tag.contains(['|', '#', '@', ';']) {
                return Err("a character that no tag holds");
            }
        }
    }
    let mut parts = rest.split('|');
    let number = decimal(parts.next().unwrap_or_default())?;
    let kind = match (parts.next(), parts.next()) {
        (Some("c"), None) => Kind::Counter(whole(rest)?),
        (Some("g"), None) => Kind::Gauge(whole(rest)?),
        (Some("ms"), None) if number >= 0.0 => Kind::Timer(1.0),
        (Some("ms"), Some(rate)) if number >= 0.0 => {
            let rate = decimal(rate.strip_prefix('@').ok_or("no rate")?)?;
            if !(0.0 < rate && rate < 1.0) {
                return Err("no share");
            }
            Kind::Timer(1.0 / rate)
        }
        _ => return Err("no type"),
    };
    if parts.next().is_some() {
        return Err("more than a metric");
    }
    Ok(Metric { name, kind, tags })
}

fn whole(rest: &str) -> Result<u64, &'static str> {
    let digits = rest.split('|').next().unwrap_or_default();
    digits.parse().map_err(|_| "no whole number")
}

/// Digits, and perhaps a point and more digits.
fn decimal(text: &str) -> Result<f64, &'static str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (before, after) = text.split_once('.').unwrap_or((text, "0"));
    if digits(before) && digits(after) {
        text.parse().map_err(|_| "no number")
    } else {
        Err("no plain decimal")
    }
}
