//! Global tags and where they come from.

/// A key and a value; a tag without a value has an empty one.
pub(super) type Tag = (String, String);

/// Global tags, gathered from the strongest source to the weakest.
#[derive(Debug, Default)]
pub(super) struct Tags {
    tags: Vec<Tag>,
    sources: Vec<&'static str>,
}

impl Tags {
    /// Adds what `source` says, except for keys that a stronger source has set.
    ///
    /// Within one source a key may have several values, as it may on a Datadog line.
    pub(super) fn add(&mut self, source: &'static str, tags: Vec<Tag>) {
        let stronger = self.tags.len();
        for tag in tags {
            let taken = self.tags[..stronger].iter().any(|(key, _)| *key == tag.0);
            if !taken && !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
        if self.tags.len() > stronger {
            self.sources.push(source);
        }
    }

    /// The sources that had something to say, for a message.
    pub(super) fn sources(&self) -> String {
        self.sources.join(" + ")
    }

    /// The tags, the strongest source's first.
    pub(super) fn into_vec(self) -> Vec<Tag> {
        self.tags
    }
}

/// Splits `key:value` at its first colon; a tag without a key is none.
pub(super) fn parse_one(text: &str) -> Result<Tag, &'static str> {
    let (key, value) = text.split_once(':').unwrap_or((text, ""));
    check_key(key)?;
    Ok((key.trim().into(), value.trim().into()))
}

/// Reads a list of tags, separated by commas, or by white space where there is no comma.
pub(super) fn parse_list(text: &str) -> Result<Vec<Tag>, &'static str> {
    let separator = |c: char| {
        if text.contains(',') {
            c == ','
        } else {
            c.is_whitespace()
        }
    };
    text.split(separator)
        .filter(|item| !item.trim().is_empty())
        .map(parse_one)
        .collect()
}

/// Refuses a key that holds nothing.
pub(super) fn check_key(key: &str) -> Result<(), &'static str> {
    if key.trim().is_empty() {
        Err("a tag needs a key")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(tags: &[(&str, &str)]) -> Vec<Tag> {
        tags.iter()
            .map(|(key, value)| ((*key).into(), (*value).into()))
            .collect()
    }

    #[test]
    fn lists_with_commas_or_with_spaces() {
        let expected = pairs(&[("env", "prod"), ("canary", ""), ("url", "http://x")]);
        for text in [
            "env:prod,canary,url:http://x",
            " env:prod , canary,,url:http://x,",
            "env:prod canary\turl:http://x",
        ] {
            assert_eq!(parse_list(text).unwrap(), expected, "{text}");
        }
        assert_eq!(
            parse_list("team:my team,a:b").unwrap(),
            pairs(&[("team", "my team"), ("a", "b")])
        );
        assert!(parse_list("a:b,:c").is_err());
    }

    #[test]
    fn the_stronger_source_keeps_its_key() {
        let mut tags = Tags::default();
        tags.add(
            "tag",
            pairs(&[("env", "prod"), ("role", "a"), ("role", "b"), ("role", "b")]),
        );
        tags.add("DD_ENV", pairs(&[("env", "staging")]));
        tags.add("DD_TAGS", pairs(&[("env", "dev"), ("team", "x")]));
        assert_eq!(tags.sources(), "tag + DD_TAGS");
        assert_eq!(
            tags.into_vec(),
            pairs(&[("env", "prod"), ("role", "a"), ("role", "b"), ("team", "x")])
        );
    }
}
