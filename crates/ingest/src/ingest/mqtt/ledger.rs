//! Which messages are under way: given to the shop, and not yet on disk. It takes messages as a broker numbers them and gives
//! what may be acknowledged. It never acknowledges a fact that is not kept, and nothing on a connection that is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::seen::{Seen, mark};
use crate::base::SourceId;
use crate::facts::Stamp;
use crate::ports::Kept;

/// A message as the broker numbers it on one connection; none where it asks for no acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    /// Which connection, counted.
    pub(super) connection: u64,
    /// The packet's number; zero asks for nothing.
    pub(super) packet: u16,
}

/// What a message is to the ledger.
#[derive(Debug)]
pub(super) enum Standing {
    /// It is new, and is told here when it is kept.
    New(Kept),
    /// It was kept before, and may be acknowledged.
    Kept,
    /// It is under way already, and is acknowledged when that is kept.
    UnderWay,
}

/// The messages under way, shared by whoever takes them, whoever keeps them and whoever acknowledges them.
#[derive(Clone, Default)]
pub(super) struct Ledger(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    seen: Seen,
    /// By source, number and time of the fact.
    under_way: BTreeMap<(SourceId, (u64, i64)), Receipt>,
    /// To be acknowledged.
    due: Vec<Receipt>,
    /// Facts that were taken and dropped by whoever was to keep them, since it was last asked.
    not_kept: u64,
}

impl Ledger {
    /// Begins with what was kept before.
    pub(super) fn new(seen: Seen) -> Self {
        let state = State { seen, ..State::default() };
        Ledger(Arc::new(Shared { state: Mutex::new(state), wake: Notify::new() }))
    }

    /// Enters a message.
    pub(super) fn enter(&self, stamp: &Stamp, receipt: Receipt) -> Standing {
        let mut state = self.lock();
        if state.seen.knows(stamp) {
            return Standing::Kept;
        }
        let key = (stamp.source.clone(), mark(stamp));
        if let Some(known) = state.under_way.get_mut(&key) {
            // The same message on a new connection, perhaps with a new number.
            *known = receipt;
            return Standing::UnderWay;
        }
        state.under_way.insert(key, receipt);
        drop(state);
        let promise = Promise { ledger: self.clone(), stamp: stamp.clone(), is_kept: false };
        Standing::New(Kept::then(move || promise.keep()))
    }

    /// A message may be acknowledged.
    pub(super) fn acknowledge(&self, receipt: Receipt) {
        if receipt.packet != 0 {
            self.lock().due.push(receipt);
            self.0.wake.notify_one();
        }
    }

    /// What is to be acknowledged on this connection; what is due on others is forgotten, for the broker sends it again.
    pub(super) fn due(&self, connection: u64, packets: &mut Vec<u16>) {
        let mut state = self.lock();
        let due = state.due.drain(..).filter(|receipt| receipt.connection == connection);
        packets.extend(due.map(|receipt| receipt.packet));
    }

    /// How many messages are under way.
    pub(super) fn depth(&self) -> usize {
        self.lock().under_way.len()
    }

    /// Facts that nobody kept since this was last asked: the broker sends them again on the next connection.
    pub(super) fn take_not_kept(&self) -> u64 {
        std::mem::take(&mut self.lock().not_kept)
    }

    /// Ends when something has become due.
    pub(super) async fn changed(&self) {
        self.0.wake.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fact that somebody is to keep.
struct Promise {
    ledger: Ledger,
    stamp: Stamp,
    is_kept: bool,
}

impl Promise {
    fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        let mut state = self.ledger.lock();
        let receipt = state.under_way.remove(&(self.stamp.source.clone(), mark(&self.stamp)));
        if self.is_kept {
            state.seen.learn(&self.stamp);
            state.due.extend(receipt.filter(|receipt| receipt.packet != 0));
        } else {
            state.not_kept += 1;
        }
        drop(state);
        self.ledger.0.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ShopTime;

    fn stamp(sequence: u64) -> Stamp {
        let at = ShopTime::from_nanos(sequence as i64);
        Stamp { source: SourceId::new("a"), sequence, at, arrived: at }
    }

    fn due(ledger: &Ledger, connection: u64) -> Vec<u16> {
        let mut packets = Vec::new();
        ledger.due(connection, &mut packets);
        packets
    }

    #[test]
    fn a_message_is_acknowledged_when_it_is_kept_on_the_connection_that_it_came_by_last() {
        let ledger = Ledger::default();
        let Standing::New(first) = ledger.enter(&stamp(1), Receipt { connection: 1, packet: 7 }) else { panic!() };
        assert_eq!(due(&ledger, 1), Vec::<u16>::new(), "it is not kept yet");
        // The connection broke; the broker sends it again under another number.
        let again = Receipt { connection: 2, packet: 3 };
        assert!(matches!(ledger.enter(&stamp(1), again), Standing::UnderWay));
        first.tell();
        assert_eq!(due(&ledger, 2), vec![3]);
        assert!(matches!(ledger.enter(&stamp(1), again), Standing::Kept));
        assert_eq!(ledger.depth(), 0);
    }

    #[test]
    fn what_was_kept_after_its_connection_ended_is_not_acknowledged_on_the_next() {
        let ledger = Ledger::default();
        let Standing::New(kept) = ledger.enter(&stamp(1), Receipt { connection: 1, packet: 7 }) else { panic!() };
        kept.tell();
        assert_eq!(due(&ledger, 2), Vec::<u16>::new());
        assert_eq!(due(&ledger, 1), Vec::<u16>::new(), "it was forgotten, and comes again");
    }

    #[test]
    fn what_nobody_kept_is_new_when_it_comes_again() {
        let ledger = Ledger::default();
        let receipt = Receipt { connection: 1, packet: 7 };
        drop(ledger.enter(&stamp(1), receipt));
        assert_eq!((due(&ledger, 1), ledger.take_not_kept()), (Vec::new(), 1));
        assert!(matches!(ledger.enter(&stamp(1), receipt), Standing::New(_)));
    }
}
