//! First-in, first-out queues of slab keys with removal from anywhere, all in constant time and without
//! allocation: the links stand in one table beside the slab.

/// No key.
const NONE: u32 = u32::MAX;

/// The links of all keys. A key is in at most one of the queues that share a table.
#[derive(Debug)]
pub struct Links(Vec<Link>);

impl Links {
    /// A table with room for this many keys.
    pub fn with_room(keys: usize) -> Self {
        Links(Vec::with_capacity(keys))
    }
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
}

/// One queue. The links of its members are in a [`Links`] table.
#[derive(Clone, Copy, Debug)]
pub struct Queue {
    first: u32,
    last: u32,
    length: u32,
}

impl Queue {
    /// An empty queue.
    pub const fn new() -> Self {
        Queue { first: NONE, last: NONE, length: 0 }
    }

    /// The key that has been in the queue longest.
    pub fn front(&self) -> Option<usize> {
        (self.first != NONE).then_some(self.first as usize)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.length as usize
    }

    /// Puts a key at the end. It must not be in a queue of this table.
    pub fn push_back(&mut self, links: &mut Links, key: usize) {
        let links = &mut links.0;
        if links.len() <= key {
            links.resize(key + 1, Link { before: NONE, after: NONE });
        }
        links[key] = Link { before: self.last, after: NONE };
        match self.last {
            NONE => self.first = key as u32,
            last => links[last as usize].after = key as u32,
        }
        self.last = key as u32;
        self.length += 1;
    }

    /// Takes a key out, wherever it stands. It must be in this queue.
    pub fn remove(&mut self, links: &mut Links, key: usize) {
        let links = &mut links.0;
        let Link { before, after } = links[key];
        match before {
            NONE => self.first = after,
            before => links[before as usize].after = after,
        }
        match after {
            NONE => self.last = before,
            after => links[after as usize].before = before,
        }
        self.length -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_leave_in_the_order_in_which_they_came_whoever_left_before() {
        let (mut links, mut queue) = (Links::with_room(8), Queue::new());
        for key in [3, 1, 4, 0, 5] {
            queue.push_back(&mut links, key);
        }
        for key in [4, 3, 5] {
            queue.remove(&mut links, key);
        }
        queue.push_back(&mut links, 4);
        let mut order = Vec::new();
        while let Some(key) = queue.front() {
            order.push(key);
            queue.remove(&mut links, key);
        }
        assert_eq!(order, [1, 0, 4]);
        assert_eq!(queue.len(), 0);
    }
}
