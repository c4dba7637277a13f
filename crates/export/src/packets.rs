//! Counts the packets of a trace that passes by.

/// Counts packets across the borders of chunks: how far a reader of a trace is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PacketCounter {
    packets: u64,
    /// Bytes of the present packet that are still to come.
    rest: u64,
    header: Header,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Header {
    /// The key of a packet comes next.
    #[default]
    Key,
    /// Its length: what came of it, and in how many bits.
    Length(u64, u32),
}

impl PacketCounter {
    /// Counts on.
    pub fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len() as u64);
                self.rest -= skipped;
                bytes = &bytes[skipped as usize..];
                continue;
            }
            let byte = bytes[0];
            bytes = &bytes[1..];
            match self.header {
                Header::Key => self.header = Header::Length(0, 0),
                Header::Length(length, bits) => {
                    let length = length | u64::from(byte & 0x7f).checked_shl(bits).unwrap_or(0);
                    if byte & 0x80 == 0 {
                        self.packets += 1;
                        self.rest = length;
                        self.header = Header::Key;
                    } else {
                        self.header = Header::Length(length, bits + 7);
                    }
                }
            }
        }
    }

    /// Packets that came, the last of them perhaps not whole.
    pub fn packets(&self) -> u64 {
        self.packets
    }

    /// Whether the last packet is whole.
    pub fn is_whole(&self) -> bool {
        self.rest == 0 && self.header == Header::Key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_counted_across_borders() {
        let mut trace = Vec::new();
        for length in [0_usize, 1, 127, 300] {
            trace.push(0x0a);
            if length < 128 {
                trace.push(length as u8);
            } else {
                trace.extend([length as u8 | 0x80, (length >> 7) as u8]);
            }
            trace.extend(std::iter::repeat_n(7, length));
        }
        for step in [1, 2, 3, 1000] {
            let mut counter = PacketCounter::default();
            trace.chunks(step).for_each(|chunk| counter.push(chunk));
            assert_eq!((counter.packets(), counter.is_whole()), (4, true), "steps of {step}");
        }
        let mut cut = PacketCounter::default();
        cut.push(&trace[..trace.len() - 1]);
        assert!(!cut.is_whole());
    }
}
