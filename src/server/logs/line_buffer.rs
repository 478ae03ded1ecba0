//! Log lines that are not written yet.

use std::collections::VecDeque;

/// Bytes that may wait. A line that does not fit is dropped.
pub const MAX_WAITING: usize = 1 << 20;

/// A queue of whole lines, from which a device takes bytes.
#[derive(Debug, Default)]
pub struct LineBuffer {
    bytes: VecDeque<u8>,
    /// The device has taken a part of the first line: the rest of that line must follow before anything else.
    torn: bool,
    dropped: u64,
}

impl LineBuffer {
    /// Appends a line. Returns whether there was room for it.
    pub fn push(&mut self, line: &[u8]) -> bool {
        let fits = self.bytes.len() + line.len() <= MAX_WAITING;
        if fits {
            self.bytes.extend(line);
        } else {
            self.dropped += 1;
        }
        fits
    }

    /// The number of bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes to write next; empty if nothing waits.
    pub fn next(&self) -> &[u8] {
        let (front, back) = self.bytes.as_slices();
        if front.is_empty() { back } else { front }
    }

    /// Notes that the device has taken the first `count` bytes.
    pub fn taken(&mut self, count: usize) {
        if let Some(last) = self.bytes.drain(..count).next_back() {
            self.torn = last != b'\n';
        }
    }

    /// Drops all lines except the rest of a torn one, which the device may still take.
    pub fn drop_lines(&mut self) {
        let keep = if self.torn { self.first_line() } else { 0 };
        self.dropped += self.bytes.drain(keep..).filter(|byte| *byte == b'\n').count() as u64;
    }

    /// Drops the rest of a torn line, whose beginning went to a device that is gone.
    pub fn drop_torn(&mut self) {
        if self.torn {
            self.bytes.drain(..self.first_line());
            self.torn = false;
            self.dropped += 1;
        }
    }

    /// The number of dropped lines.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// The length of the first line, or of the rest of it.
    fn first_line(&self) -> usize {
        self.bytes.iter().position(|byte| *byte == b'\n').map_or(self.bytes.len(), |end| end + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All bytes that wait.
    fn rest(buffer: &mut LineBuffer) -> String {
        let mut rest = Vec::new();
        while !buffer.next().is_empty() {
            rest.extend_from_slice(buffer.next());
            buffer.taken(buffer.next().len());
        }
        String::from_utf8(rest).unwrap()
    }

    #[test]
    fn lines_leave_in_their_order_however_they_are_taken() {
        let mut buffer = LineBuffer::default();
        let mut taken = String::new();
        for number in 0..100 {
            assert!(buffer.push(format!("line {number}\n").as_bytes()));
            let count = buffer.next().len().min(5);
            taken.push_str(std::str::from_utf8(&buffer.next()[..count]).unwrap());
            buffer.taken(count);
        }
        taken.push_str(&rest(&mut buffer));
        assert_eq!(taken, (0..100).map(|number| format!("line {number}\n")).collect::<String>());
        assert_eq!((buffer.len(), buffer.dropped()), (0, 0));
    }

    #[test]
    fn what_does_not_fit_is_dropped_as_a_whole_line() {
        let mut buffer = LineBuffer::default();
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        for _ in 0..MAX_WAITING / line.len() {
            assert!(buffer.push(&line));
        }
        assert!(!buffer.push(b"one more\n"));
        assert_eq!((buffer.len(), buffer.dropped()), (MAX_WAITING, 1));
        buffer.taken(line.len());
        assert!(buffer.push(b"now it fits\n"));
    }

    #[test]
    fn a_torn_line_is_completed_first_whatever_is_dropped() {
        let mut buffer = LineBuffer::default();
        for line in ["first\n", "second\n", "third\n"] {
            buffer.push(line.as_bytes());
        }
        buffer.taken(8);
        buffer.drop_lines();
        buffer.push(b"fourth\n");
        assert_eq!((rest(&mut buffer).as_str(), buffer.dropped()), ("cond\nfourth\n", 1));

        buffer.push(b"fifth\n");
        buffer.drop_lines();
        assert_eq!((buffer.len(), buffer.dropped()), (0, 2));
    }

    #[test]
    fn the_rest_of_a_torn_line_does_not_go_to_another_device() {
        let mut buffer = LineBuffer::default();
        buffer.push(b"first\nsecond\n");
        buffer.taken(6);
        buffer.drop_torn();
        assert_eq!(buffer.dropped(), 0, "it ended with a whole line");
        buffer.taken(3);
        buffer.push(b"third\n");
        buffer.drop_torn();
        assert_eq!((rest(&mut buffer).as_str(), buffer.dropped()), ("third\n", 1));
    }
}
