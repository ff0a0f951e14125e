//! Who is connected. It gives every connection a seat, as long as there are some; beyond that it ends the oldest connection
//! on which nobody has shown a valid token, of the same address first. It never ends one on which somebody has.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// All connections.
pub(super) struct Seats {
    most: usize,
    most_of_origin: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    /// By number, so the oldest first.
    seats: BTreeMap<u64, (IpAddr, Arc<Flags>)>,
    of_origin: BTreeMap<IpAddr, usize>,
}

#[derive(Default)]
struct Flags {
    /// Somebody has shown a valid token.
    proven: AtomicBool,
    leave: Notify,
}

/// One connection's place, until it is dropped.
pub(super) struct Seat {
    seats: Arc<Seats>,
    number: u64,
    flags: Arc<Flags>,
}

/// Whose connection a request came over.
#[derive(Clone)]
pub(super) struct Peer {
    /// Where it comes from, as far as it is counted.
    pub(super) origin: IpAddr,
    flags: Arc<Flags>,
}

impl Peer {
    /// They have shown a valid token.
    pub(super) fn prove(&self) {
        self.flags.proven.store(true, Ordering::Relaxed);
    }
}

impl Seats {
    pub(super) fn new(most: usize, most_of_origin: usize) -> Arc<Self> {
        Arc::new(Seats { most, most_of_origin, taken: Mutex::default() })
    }

    /// A seat for a connection from there, for which another one may have to leave; none where all are taken by those who
    /// may be here.
    pub(super) fn sit(self: &Arc<Self>, origin: IpAddr) -> Option<Seat> {
        let mut taken = self.lock();
        let of_origin = taken.of_origin.get(&origin).copied().unwrap_or(0);
        let leaves = match (self.most_of_origin <= of_origin, self.most <= taken.seats.len()) {
            (true, _) => Some(taken.oldest_unproven(Some(origin))?),
            (false, true) => Some(taken.oldest_unproven(None)?),
            (false, false) => None,
        };
        if let Some(flags) = leaves.and_then(|number| taken.leave(number)) {
            flags.leave.notify_one();
        }
        let (number, flags) = (taken.next, Arc::<Flags>::default());
        taken.next += 1;
        taken.seats.insert(number, (origin, flags.clone()));
        *taken.of_origin.entry(origin).or_default() += 1;
        Some(Seat { seats: self.clone(), number, flags })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn oldest_unproven(&self, origin: Option<IpAddr>) -> Option<u64> {
        let mut seats = self.seats.iter();
        let unproven = |(from, flags): &(IpAddr, Arc<Flags>)| {
            origin.is_none_or(|origin| origin == *from) && !flags.proven.load(Ordering::Relaxed)
        };
        seats.find(|(_, seat)| unproven(seat)).map(|(number, _)| *number)
    }

    fn leave(&mut self, number: u64) -> Option<Arc<Flags>> {
        let (origin, flags) = self.seats.remove(&number)?;
        if let Some(count) = self.of_origin.get_mut(&origin) {
            *count -= 1;
            if *count == 0 {
                self.of_origin.remove(&origin);
            }
        }
        Some(flags)
    }
}

impl Seat {
    pub(super) fn peer(&self, origin: IpAddr) -> Peer {
        Peer { origin, flags: self.flags.clone() }
    }

    /// Is over when somebody else needs the seat.
    pub(super) async fn is_needed(&self) {
        self.flags.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().leave(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    /// Whether somebody was told to go.
    fn is_needed(seat: &Seat) -> bool {
        !seat.seats.lock().seats.contains_key(&seat.number)
    }

    #[test]
    fn the_oldest_of_an_address_leaves_for_the_newest() {
        let seats = Seats::new(10, 3);
        let sit = |last| seats.sit(address(last));
        let [first, second, third] = [1, 1, 1].map(|last| sit(last).unwrap());
        first.peer(address(1)).prove();
        let fourth = sit(1).unwrap();
        assert!(is_needed(&second) && !is_needed(&first) && !is_needed(&third));
        drop(sit(2).unwrap());
        assert!(!is_needed(&third), "others are not concerned");
        drop(third);
        let fifth = sit(1).unwrap();
        assert!(!is_needed(&fourth) && !is_needed(&first));
        [&fourth, &fifth].iter().for_each(|seat| seat.peer(address(1)).prove());
        assert!(sit(1).is_none(), "all of them may be here");
        assert!(sit(2).is_some());
    }

    #[test]
    fn one_who_may_be_here_finds_a_seat_among_any_number_who_have_shown_nothing() {
        let seats = Seats::new(10, 4);
        let gate = seats.sit(address(9)).unwrap();
        gate.peer(address(9)).prove();
        let held: Vec<Seat> = (0..200).map(|number| seats.sit(address(number % 40)).unwrap()).collect();
        assert!(!is_needed(&gate));
        assert_eq!(seats.lock().seats.len(), 10);
        assert_eq!(held.iter().filter(|seat| !is_needed(seat)).count(), 9);
        assert!(seats.sit(address(9)).is_some());
        drop(held);
        drop(gate);
        assert!(seats.lock().seats.is_empty() && seats.lock().of_origin.is_empty());
    }
}
