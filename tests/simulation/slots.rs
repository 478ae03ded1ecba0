//! The slots of the server: which connections are served, which are over the limit, and which may be closed for another.
//! They are counted by what happens on the sockets, and exactly, so that each decision of the server can be checked.

/// Connections over the limit that may await their 503, in all and of one address.
const MAX_OVER_LIMIT: usize = 64;

/// One in this many of all connections may linger, but at least as many.
const LINGERING_PART: usize = 16;

/// How a connection counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// In the accept queue, or just taken from it.
    #[default]
    Undecided,
    /// It has a slot.
    Served,
    /// It has none, and awaits its 503.
    OverLimit,
    /// The server has sent its FIN.
    Lingering,
    Closed,
}

/// The connections, counted by their standing.
pub struct Slots {
    max_connections: usize,
    served: usize,
    over_limit: usize,
    lingering: usize,
    /// What connections may be closed for at present, if for anything.
    making_room: Option<MakingRoom>,
}

/// The server makes room, for a connection that it accepts or because it has no descriptor. What was there before is
/// judged by everything that had been delivered.
#[derive(Default)]
pub struct MakingRoom {
    pub newcomer: Option<Newcomer>,
    /// Since when the longest-idle connection had been idle.
    pub idle_since: Option<u64>,
    /// When the oldest silent connection had been accepted that was old enough to be evicted.
    pub silent_since: Option<u64>,
    /// The connections that lingered, and since when.
    pub lingering: Vec<(u64, usize)>,
    /// Connections that stopped lingering early.
    hurried: Vec<usize>,
    evicted: bool,
}

/// A connection that is being accepted.
pub struct Newcomer {
    pub id: usize,
    /// By how many connections its address is over its limit, this one included.
    pub surplus: usize,
    /// Whether the oldest connection over the limit had sent no whole request.
    pub oldest_is_incomplete: bool,
    /// The oldest of the connections over the limit that had sent no whole head, and older ones of which it is not known.
    pub may_go: Vec<usize>,
    /// A connection over the limit was closed for it.
    dropped: bool,
    /// Connections over the limit when it was decided on, without this one.
    others: usize,
}

/// Why a connection may be evicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evictable {
    /// It waits for another request.
    Idle { since: u64 },
    /// It has sent no request.
    Silent { since: u64 },
}

impl Newcomer {
    pub fn new(id: usize, surplus: usize) -> Self {
        Newcomer { id, surplus, oldest_is_incomplete: false, may_go: Vec::new(), dropped: false, others: 0 }
    }
}

impl Slots {
    pub fn new(max_connections: usize) -> Self {
        Slots { max_connections, served: 0, over_limit: 0, lingering: 0, making_room: None }
    }

    /// A connection changes its standing.
    pub fn change(&mut self, from: Standing, to: Standing) {
        if let Some(count) = self.count(from) {
            *count -= 1;
        }
        if let Some(count) = self.count(to) {
            *count += 1;
        }
    }

    fn count(&mut self, standing: Standing) -> Option<&mut usize> {
        match standing {
            Standing::Undecided | Standing::Closed => None,
            Standing::Served => Some(&mut self.served),
            Standing::OverLimit => Some(&mut self.over_limit),
            Standing::Lingering => Some(&mut self.lingering),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.served + self.over_limit + self.lingering == 0
    }

    fn is_full(&self) -> bool {
        self.served >= self.max_connections
    }

    fn max_lingering(&self) -> usize {
        (self.max_connections / LINGERING_PART).max(LINGERING_PART)
    }

    /// From now on connections may be closed for this.
    pub fn begin_making_room(&mut self, making_room: MakingRoom) {
        self.making_room = Some(making_room);
    }

    pub fn makes_room(&self) -> bool {
        self.making_room.is_some()
    }

    /// Whether the server makes room, and not for this connection.
    pub fn makes_room_for_another(&self, id: usize) -> bool {
        let newcomer = |making_room: &MakingRoom| making_room.newcomer.as_ref().map(|newcomer| newcomer.id);
        self.making_room.as_ref().is_some_and(|making_room| newcomer(making_room) != Some(id))
    }

    /// The standing of the newcomer, now that the server has made the room that it could.
    pub fn decide(&mut self) -> Standing {
        let (is_full, others) = (self.is_full(), self.over_limit);
        let newcomer = self.making_room.as_mut().and_then(|making_room| making_room.newcomer.as_mut());
        let newcomer = newcomer.expect("only a newcomer is undecided");
        newcomer.others = others;
        if newcomer.surplus > 0 || is_full { Standing::OverLimit } else { Standing::Served }
    }

    /// Checks an eviction: it must make room, and the longest-idle connection goes first.
    pub fn evict(&mut self, evictable: Evictable) -> Result<(), &'static str> {
        let is_full = self.is_full();
        let Some(making_room) = &mut self.making_room else { return Err("a FIN before its time") };
        let makes_room = match &making_room.newcomer {
            Some(newcomer) => newcomer.surplus == 0 && is_full,
            None => making_room.lingering.is_empty() && !making_room.evicted,
        };
        if !makes_room {
            return Err("an eviction that makes no room");
        }
        making_room.evicted = true;
        let earlier = |before: Option<u64>, since| before.is_some_and(|before| before < since);
        match evictable {
            Evictable::Idle { since } if earlier(making_room.idle_since, since) => {
                Err("an eviction, and another connection has been idle for longer")
            }
            Evictable::Silent { .. } if making_room.idle_since.is_some() => {
                Err("an eviction of a silent connection, and another one is idle")
            }
            Evictable::Silent { since } if earlier(making_room.silent_since, since) => {
                Err("an eviction, and another connection has been silent for longer")
            }
            _ => Ok(()),
        }
    }

    /// Whether this connection over the limit may be closed without a response: too many others await theirs. That is the
    /// newcomer, unless the oldest is silent.
    pub fn may_drop(&mut self, id: usize) -> bool {
        let (is_full, over_limit) = (self.is_full(), self.over_limit);
        let newcomer = self.making_room.as_mut().and_then(|making_room| making_room.newcomer.as_mut());
        let Some(newcomer) = newcomer else { return false };
        if newcomer.surplus > MAX_OVER_LIMIT {
            return newcomer.id == id;
        }
        if newcomer.id == id {
            return newcomer.others >= MAX_OVER_LIMIT && !newcomer.oldest_is_incomplete;
        }
        let is_rejected = newcomer.surplus > 0 || is_full;
        is_rejected
            && over_limit >= MAX_OVER_LIMIT
            && newcomer.may_go.contains(&id)
            && !std::mem::replace(&mut newcomer.dropped, true)
    }

    /// Whether this connection may stop lingering early.
    pub fn may_hurry(&mut self, id: usize) -> bool {
        let too_many = self.lingering > self.max_lingering();
        let Some(making_room) = &mut self.making_room else { return false };
        let may = if making_room.newcomer.is_some() { too_many } else { making_room.hurried.is_empty() };
        making_room.hurried.push(id);
        may
    }

    /// The newcomer was accepted, and has this standing now; `is_answered` says that its 503 is on the way, `is_open`
    /// which of those that lingered are still open.
    pub fn accepted(
        &mut self,
        standing: Standing,
        is_answered: bool,
        is_open: impl Fn(usize) -> bool,
    ) -> Result<(), &'static str> {
        let Some(making_room) = self.making_room.take() else { return Ok(()) };
        let Some(newcomer) = &making_room.newcomer else { return Ok(()) };
        making_room.check_order(&is_open)?;
        if making_room.lingering.iter().filter(|(_, id)| is_open(*id)).count() > self.max_lingering() {
            return Err("too many connections linger");
        }
        let is_over_limit = standing == Standing::OverLimit;
        let others_could_go = making_room.idle_since.or(making_room.silent_since).is_some();
        if is_over_limit && newcomer.surplus == 0 && others_could_go {
            return Err("a connection over the limit, and another one could have been evicted for it");
        }
        if is_over_limit && !is_answered && (self.over_limit > MAX_OVER_LIMIT || newcomer.surplus > MAX_OVER_LIMIT) {
            return Err("too many connections await their 503");
        }
        Ok(())
    }

    /// There was no descriptor, and one was freed or not.
    pub fn freed(&mut self, found: bool, is_open: impl Fn(usize) -> bool) -> Result<(), &'static str> {
        let Some(making_room) = self.making_room.take() else { return Ok(()) };
        making_room.check_order(&is_open)?;
        let MakingRoom { lingering, idle_since, silent_since, .. } = &making_room;
        if !found && (!lingering.is_empty() || idle_since.or(*silent_since).is_some()) {
            return Err("no descriptor was freed, and a connection could have been closed");
        }
        Ok(())
    }
}

impl MakingRoom {
    pub fn new(newcomer: Option<Newcomer>) -> Self {
        MakingRoom { newcomer, ..MakingRoom::default() }
    }

    /// Those that have lingered longest stop first.
    fn check_order(&self, is_open: &impl Fn(usize) -> bool) -> Result<(), &'static str> {
        let since = |keep: &dyn Fn(usize) -> bool| {
            let kept = self.lingering.iter().filter(|(_, id)| keep(*id));
            kept.map(|(since, _)| *since).collect::<Vec<_>>()
        };
        let first_open = since(&|id| is_open(id)).into_iter().min();
        let last_hurried = since(&|id| self.hurried.contains(&id)).into_iter().max();
        match first_open.zip(last_hurried) {
            Some((open, hurried)) if hurried > open => Err("another connection has lingered for longer"),
            _ => Ok(()),
        }
    }
}
