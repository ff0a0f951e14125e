//! What each class of callers may have of the machine at one time: places of requests that are being answered, and room for
//! bodies. It takes a class and gives a place or a refusal; one class never takes what is another's.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::access::Role;
use super::problem::{Problem, Sort};
use crate::base::Span;
use crate::base::limits::{
    BODY_BYTES_AT_ONCE_MAX, GATE_REQUESTS_MAX, HEALTH_REQUESTS_MAX, NOTICES_AT_ONCE_MAX, OPEN_REQUESTS_MAX,
    PAGE_REQUESTS_MAX, SCREEN_REQUESTS_MAX, SHOPPER_REQUESTS_MAX, STAFF_REQUESTS_MAX,
};

/// Callers that have a share together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Gates,
    Staff,
    /// What hangs on a wall.
    Screens,
    Shoppers,
    /// Payment providers, and whoever pretends to be one.
    Notices,
    /// Everybody else without a token.
    Open,
    /// Browsers that ask for the page and its files.
    Pages,
    /// Whoever watches whether the shop lives.
    Health,
}

impl Class {
    const ALL: [(Class, usize); 8] = [
        (Class::Gates, GATE_REQUESTS_MAX),
        (Class::Staff, STAFF_REQUESTS_MAX),
        (Class::Screens, SCREEN_REQUESTS_MAX),
        (Class::Shoppers, SHOPPER_REQUESTS_MAX),
        (Class::Notices, NOTICES_AT_ONCE_MAX),
        (Class::Open, OPEN_REQUESTS_MAX),
        (Class::Pages, PAGE_REQUESTS_MAX),
        (Class::Health, HEALTH_REQUESTS_MAX),
    ];

    /// That of whoever holds a token.
    pub(super) const fn of(role: Role) -> Self {
        match role {
            Role::Gate => Class::Gates,
            Role::Operator | Role::Reviewer => Class::Staff,
            Role::Screen => Class::Screens,
            Role::Shopper => Class::Shoppers,
            Role::Staff | Role::Restock => Class::Open,
        }
    }

    /// The word for those who may look at what is live.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Class::Gates => "gates",
            Class::Staff => "staff",
            Class::Screens => "screens",
            Class::Shoppers => "shoppers",
            Class::Notices => "notices",
            Class::Open => "open",
            Class::Pages => "pages",
            Class::Health => "health",
        }
    }
}

/// All shares.
pub(super) struct Shares([Share; Class::ALL.len()]);

struct Share {
    places_max: usize,
    places: Arc<Semaphore>,
    body_bytes: Arc<Semaphore>,
}

/// A part of a share, until it is dropped.
pub(super) type Part = OwnedSemaphorePermit;

impl Shares {
    pub(super) fn new() -> Self {
        Shares(Class::ALL.map(|(_, places_max)| Share {
            places_max,
            places: Arc::new(Semaphore::new(places_max)),
            body_bytes: Arc::new(Semaphore::new(BODY_BYTES_AT_ONCE_MAX)),
        }))
    }

    /// A place for a request that is all there.
    ///
    /// # Errors
    /// When the class has taken all of its own.
    pub(super) fn place(&self, class: Class) -> Result<Part, Problem> {
        let share = &self.0[class as usize];
        let most = share.places_max;
        let full = || format!("{most} requests of this sort are being answered; come again");
        share.places.clone().try_acquire_owned().map_err(|_| busy(full()))
    }

    /// Room for so many bytes of a body, added to what `held` has already.
    ///
    /// # Errors
    /// When the class has no more.
    pub(super) fn room(&self, class: Class, bytes: usize, held: &mut Option<Part>) -> Result<(), Problem> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let room = self.0[class as usize].body_bytes.clone().try_acquire_many_owned(bytes);
        let room = room.map_err(|_| busy("too many large bodies are on their way; come again"))?;
        match held {
            Some(held) => held.merge(room),
            None => *held = Some(room),
        }
        Ok(())
    }
}

fn busy(detail: impl Into<String>) -> Problem {
    Problem::new(Sort::Unavailable, detail).retry_after(Span::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own() {
        let shares = Shares::new();
        for (index, (class, most)) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, index);
            let taken: Vec<Part> = (0..most).map(|_| shares.place(class).unwrap()).collect();
            assert_eq!(shares.place(class).err().map(|problem| problem.sort()), Some(Sort::Unavailable));
            for (other, _) in Class::ALL.into_iter().filter(|(other, _)| *other != class) {
                drop(shares.place(other).unwrap());
            }
            drop(taken);
            drop(shares.place(class).unwrap());
        }
    }

    #[test]
    fn bodies_have_room_until_it_is_taken() {
        let shares = Shares::new();
        let mut held = None;
        shares.room(Class::Notices, BODY_BYTES_AT_ONCE_MAX - 1, &mut held).unwrap();
        shares.room(Class::Notices, 1, &mut held).unwrap();
        assert!(shares.room(Class::Notices, 1, &mut None).is_err());
        shares.room(Class::Gates, 1, &mut None).unwrap();
        drop(held);
        shares.room(Class::Notices, BODY_BYTES_AT_ONCE_MAX, &mut None).unwrap();
    }
}
