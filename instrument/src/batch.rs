//! Lines joined to payloads that fit a datagram.

/// One payload under construction: lines joined by `\n`, never longer than its limit.
///
/// A packet is filled, sent and cleared over and over; it allocates once.
#[derive(Debug)]
pub(crate) struct Packet {
    bytes: Vec<u8>,
    limit: usize,
}

impl Packet {
    /// An empty packet of at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(limit),
            limit,
        }
    }

    /// Adds `line`, which has no line end of its own; false, and nothing changed, if it does not fit.
    ///
    /// A line that does not fit an empty packet never will. Lines that belong together are given joined by a
    /// line end, and stay in one packet. An empty line says nothing: it fits, and adds no byte.
    pub(crate) fn push(&mut self, line: &[u8]) -> bool {
        if line.is_empty() {
            return true;
        }
        let joint = usize::from(!self.bytes.is_empty());
        if self.limit - self.bytes.len() < joint.saturating_add(line.len()) {
            return false;
        }
        if joint == 1 {
            self.bytes.push(b'\n');
        }
        self.bytes.extend_from_slice(line);
        true
    }

    /// The payload: what was pushed since the last [`clear`](Self::clear), without a line end behind it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The payload's length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is nothing to send.
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Empties the packet and keeps its memory.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_are_joined_and_a_full_packet_says_so() {
        let mut packet = Packet::new(9);
        assert!(packet.is_empty());
        assert!(packet.push(b"a:1|c"));
        assert!(!packet.push(b"b:1|c"));
        assert!(packet.push(b"x:1"));
        assert_eq!(packet.bytes(), b"a:1|c\nx:1");
        assert_eq!(packet.len(), 9);
        packet.clear();
        assert!(packet.push(b"123456789"));
        assert!(packet.push(b"") && packet.len() == 9);
    }

    #[test]
    fn a_packet_never_grows() {
        let mut packet = Packet::new(64);
        let before = packet.bytes.capacity();
        for round in 0..1_000 {
            if !packet.push(&vec![b'x'; round % 70]) {
                packet.clear();
            }
        }
        assert_eq!(packet.bytes.capacity(), before);
    }

    proptest! {
        /// Lines in are lines out and lines refused, in order, whatever the limit.
        #[test]
        fn nothing_is_lost_or_cut(limit in 0..200_usize,
                                  lines in prop::collection::vec("[a-z:|]{1,80}", 0..60)) {
            let mut packet = Packet::new(limit);
            let mut payloads = Vec::new();
            let mut refused = 0;
            for line in &lines {
                if packet.push(line.as_bytes()) {
                    continue;
                }
                payloads.push(packet.bytes().to_vec());
                packet.clear();
                refused += usize::from(!packet.push(line.as_bytes()));
            }
            payloads.push(packet.bytes().to_vec());
            prop_assert!(payloads.iter().all(|payload| payload.len() <= limit));
            let out: Vec<_> = payloads.iter().filter(|payload| !payload.is_empty())
                .flat_map(|payload| payload.split(|byte| *byte == b'\n').map(<[u8]>::to_vec)).collect();
            prop_assert_eq!(out.len() + refused, lines.len());
            let fitting: Vec<_> = lines.iter().filter(|line| line.len() <= limit)
                .map(|line| line.as_bytes().to_vec()).collect();
            prop_assert_eq!(out, fitting);
        }
    }
}
