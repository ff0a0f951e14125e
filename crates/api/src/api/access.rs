//! Who may come in: roles, tokens, and what a token lets its holder do.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checks::is_unfit;
use super::codes::code_of;
use super::limiter::Limiter;
use super::problem::{Problem, Sort};
use crate::base::limits::{
    TOKEN_REQUESTS_BURST, TOKEN_REQUESTS_PER_SECOND, WRONG_CODES_BURST, WRONG_CODES_PER_MINUTE, WRONG_TOKENS_BURST,
    WRONG_TOKENS_PER_MINUTE,
};
use crate::base::named::listed;
use crate::base::{CartId, Error, Kind, Result, Secret, ShopTime, ShopperId, Span, TokenId, sha256};
use crate::db::access::{self, Deed, Token};
use crate::db::passes::PassSort;
use crate::db::{Database, Failure, Session, shoppers};
use crate::facts::EntryRole;
use crate::till::{Opened, Till};

/// What every secret begins with, so that one that got lost is recognised.
const PREFIX: &str = "aisle_";
/// Random bytes of a secret: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;
/// Letters of a holder's name.
pub(super) const HOLDER_CHARS_MAX: usize = 100;
/// Days that a token may be valid.
const DAYS_MAX: u32 = 3_650;

/// For so long after the book knew a token its holder is let in while the book cannot be asked, and how many are remembered.
const SEEN_SPAN: Span = Span::from_millis(3_600_000);
const SEEN_MAX: usize = 256;

/// What the holder of a token is to the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the shop: may do everything.
    Operator,
    /// Looks at receipts.
    Reviewer,
    /// A gate: lets shoppers in.
    Gate,
    /// A shopper, or an app that speaks for one: sees their own only.
    Shopper,
    /// A screen on a wall: sees what happens, and changes nothing.
    Screen,
    /// Somebody who works here. What they show at gates; it opens nothing else.
    Staff,
    /// Somebody who fills shelves. What they show at gates; it opens nothing else.
    Restock,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 7] =
        [Role::Operator, Role::Reviewer, Role::Gate, Role::Shopper, Role::Screen, Role::Staff, Role::Restock];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Operator => "operator",
            Role::Reviewer => "reviewer",
            Role::Gate => "gate",
            Role::Shopper => "shopper",
            Role::Screen => "screen",
            Role::Staff => "staff",
            Role::Restock => "restock",
        }
    }

    /// As what somebody comes in who shows a token of this role at a gate; none where it is no such token.
    pub(super) const fn entry(self) -> Option<EntryRole> {
        match self {
            Role::Staff => Some(EntryRole::Staff),
            Role::Restock => Some(EntryRole::Restock),
            Role::Operator | Role::Reviewer | Role::Gate | Role::Shopper | Role::Screen => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Role::ALL.into_iter().find(|role| role.as_str() == text);
        named.ok_or_else(|| format!("`{text}` is not a role: write {}", listed(&Role::ALL.map(Role::as_str))))
    }
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct Grant {
    /// What its holder may do.
    pub role: Role,
    /// Who holds it; for a shopper's token, nothing: it is named after the shopper.
    pub holder: Option<String>,
    /// Whom it speaks for; for the role `shopper`, and only for it.
    pub shopper: Option<ShopperId>,
    /// Days that it is valid, from 1 to 3,650; none for ever.
    pub days: Option<u32>,
}

impl Grant {
    /// Who would hold the token, if it may be made.
    ///
    /// # Errors
    /// When the grant makes no sense.
    pub fn check(&self) -> Result<String> {
        let holder = match (self.role, &self.holder, self.shopper) {
            // A shopper's own name does not belong where nobody erases it.
            (Role::Shopper, None, Some(shopper)) => shopper.to_string(),
            (Role::Shopper, Some(_), _) => {
                return Err(Error::input("a shopper's token is named after its shopper; leave the holder out"));
            }
            (Role::Shopper, None, None) => return Err(Error::input("a shopper's token needs a shopper")),
            (role, _, Some(_)) => return Err(Error::input(format!("the role {role} speaks for no shopper"))),
            (_, Some(holder), None) if is_name(holder) => holder.clone(),
            _ => {
                let message = format!("a token needs a holder, of 1 to {HOLDER_CHARS_MAX} letters on one line");
                return Err(Error::input(message));
            }
        };
        if self.days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
            return Err(Error::input(format!("a token is valid for 1 to {DAYS_MAX} days")));
        }
        Ok(holder)
    }
}

/// Where tokens are kept: the book, behind the till of one of its shops or before it has any.
pub trait TokenBook {
    /// Does `work` in one transaction, and writes `deed` into the audit log along with it.
    ///
    /// # Errors
    /// What the work or the database says.
    fn signed<T>(&mut self, deed: Deed, work: impl FnMut(&mut dyn Session) -> Result<T, Failure>) -> Result<T>;
}

impl TokenBook for Till {
    fn signed<T>(&mut self, deed: Deed, work: impl FnMut(&mut dyn Session) -> Result<T, Failure>) -> Result<T> {
        self.by(deed, |till| till.with(work))
    }
}

impl TokenBook for Database {
    fn signed<T>(&mut self, deed: Deed, mut work: impl FnMut(&mut dyn Session) -> Result<T, Failure>) -> Result<T> {
        self.transaction(|session| {
            let value = work(session)?;
            access::log(session, &deed)?;
            Ok(value)
        })
    }
}

/// Makes a token. Its secret is given here once and is nowhere else; `by` is whoever makes it, with their role.
///
/// # Errors
/// When the grant makes no sense or its shopper is unknown; what the database says.
pub fn create_token(
    book: &mut impl TokenBook,
    grant: &Grant,
    by: (&str, &str),
    now: ShopTime,
) -> Result<(Token, Secret<String>)> {
    let holder = grant.check()?;
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<SECRET_BYTES>()?));
    let token = Token {
        id: TokenId::new(now, random()?),
        digest: hash(&secret),
        role: grant.role.to_string(),
        holder,
        shopper: grant.shopper,
        created_at: now,
        expires_at: grant.days.map(|days| now + Span::from_millis(86_400_000) * i64::from(days)),
        revoked_at: None,
    };
    let deed = deed(by, "token.create", &token.id, grant.role.as_str(), now);
    book.signed(deed, |session| {
        if let Some(shopper) = grant.shopper {
            let known = shoppers::get(session, shopper)?.filter(|known| known.erased_at.is_none());
            known.ok_or_else(|| Error::missing(format!("nobody here is called {shopper}")))?;
        }
        access::insert_token(session, &token)
    })?;
    Ok((token, Secret::new(secret)))
}

/// Takes a token back.
///
/// # Errors
/// When there is none, or it was taken back before; what the database says.
pub fn revoke_token(book: &mut impl TokenBook, id: TokenId, by: (&str, &str), now: ShopTime) -> Result<()> {
    book.signed(deed(by, "token.revoke", &id, "", now), |session| match access::revoke_token(session, id, now)? {
        true => Ok(()),
        false => Err(Error::missing(format!("there is no {id}, or it was taken back before")).into()),
    })
}

/// A line for the audit log.
pub fn deed((who, role): (&str, &str), action: &str, subject: &dyn fmt::Display, detail: &str, at: ShopTime) -> Deed {
    Deed {
        at,
        who: who.to_owned(),
        role: role.to_owned(),
        action: action.to_owned(),
        subject: subject.to_string(),
        detail: detail.to_owned(),
    }
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= HOLDER_CHARS_MAX && !text.chars().any(is_unfit)
}

/// Dice of the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let thrown = SystemRandom::new().fill(&mut bytes);
    thrown.map(|()| bytes).map_err(|_| Error::unavailable("the operating system gives no random numbers"))
}

/// SHA-256 of a secret, hexadecimal. Secrets are found by it, so no comparison can tell by its time how much of a guess
/// was right: who knows the digest does not know the secret.
pub(super) fn hash(secret: &str) -> String {
    sha256(secret.as_bytes())
}

/// Whoever was let in.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) role: Role,
    /// Of their token.
    pub(super) token: TokenId,
    /// As the audit log writes it.
    pub(super) name: String,
    /// Whom they speak for.
    pub(super) shopper: Option<ShopperId>,
    /// The one stay that is open to them, where they have a pass instead of a token.
    pub(super) stay: Option<Stay>,
    /// When their token or pass ends, as far as that is known.
    pub(super) ends_at: Option<ShopTime>,
}

/// The stay of whoever has a pass.
#[derive(Clone, Debug)]
pub(super) struct Stay {
    /// The cart that was opened at the gate.
    pub(super) cart: CartId,
    /// A link is for whoever pays, a code for everybody who came in together.
    pub(super) sort: PassSort,
    /// Of the pass's secret.
    pub(super) digest: String,
}

/// What a secret belongs to.
pub(super) enum Key {
    /// A token.
    Token(Token),
    /// A pass that has not ended.
    Pass(Opened),
}

impl Key {
    /// What the book has under this digest.
    pub(super) fn find(till: &mut Till, digest: &str, now: ShopTime) -> Result<Option<Self>> {
        match till.with(|session| access::token_by_digest(session, digest))? {
            Some(token) => Ok(Some(Key::Token(token))),
            None => Ok(till.open_pass(digest, now)?.map(Key::Pass)),
        }
    }
}

/// Whether a token may be used now.
pub(super) fn is_valid(token: &Token, now: ShopTime) -> bool {
    token.revoked_at.is_none() && token.expires_at.is_none_or(|end| now < end)
}

/// Lets people in.
pub(super) struct Door {
    /// By digest.
    tokens: Mutex<Limiter<String>>,
    /// By where they come from; those without an address are one.
    wrong: Mutex<Limiter<Option<IpAddr>>>,
    /// Codes that nobody has, wherever they come from.
    codes: Mutex<Limiter<()>>,
    /// Tokens of the shop's own people and screens that the book knew, by digest, and when it was asked last.
    seen: Mutex<BTreeMap<String, (Token, ShopTime)>>,
}

impl Door {
    pub(super) fn new() -> Self {
        let second = Span::from_millis(1_000);
        Door {
            tokens: Mutex::new(Limiter::new(TOKEN_REQUESTS_PER_SECOND, second, TOKEN_REQUESTS_BURST)),
            wrong: Mutex::new(Limiter::new(WRONG_TOKENS_PER_MINUTE, second * 60, WRONG_TOKENS_BURST)),
            codes: Mutex::new(Limiter::new(WRONG_CODES_PER_MINUTE, second * 60, WRONG_CODES_BURST)),
            seen: Mutex::default(),
        }
    }

    /// Who holds the token of this `Authorization` header. `find` looks it up by its digest. While the book cannot be asked, those
    /// that it knew within [`SEEN_SPAN`] are let in, so that whoever has to mend that sees what is wrong: what needs the book is
    /// refused all the same.
    pub(super) fn let_in(
        &self,
        authorization: Option<&str>,
        origin: Option<IpAddr>,
        now: ShopTime,
        find: impl FnOnce(&str) -> Result<Option<Key>>,
    ) -> Result<Holder, Problem> {
        let Some(authorization) = authorization else {
            return Err(Problem::new(Sort::Unauthenticated, "write `Authorization: Bearer aisle_…`"));
        };
        let secret = authorization.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let secret = secret.map(|(_, secret)| secret.trim());
        let code = secret.and_then(code_of);
        let digest = code.as_deref().or(secret).map(hash);
        let known = digest.as_ref().is_some_and(|digest| locked(&self.tokens).knows(digest));
        // The room for a wrong one is taken before anybody looks, so that guesses that overlap are counted like those one
        // after the other. Whoever came in before is not shut out by somebody who guesses behind the same address.
        if !known {
            self.take_wrong(&origin, code.is_some(), now)?;
        }
        let found = digest.as_deref().map(find).transpose();
        let (found, is_asked) = match (found, &digest) {
            (Err(error), Some(digest)) if error.kind() == Kind::Unavailable => {
                let token = self.remembered(digest, now).map(|token| Some(Some(Key::Token(token))));
                (token.ok_or(error), false)
            }
            (found, _) => (found, true),
        };
        if !known && found.is_err() {
            self.give_back_wrong(&origin, code.is_some());
        }
        let found = found?.flatten();
        let is_valid = |key: &Key| match key {
            Key::Token(token) => is_valid(token, now),
            Key::Pass(_) => true,
        };
        let (Some(key), Some(digest)) = (found.filter(is_valid), digest.as_ref()) else {
            digest.map(|digest| locked(&self.seen).remove(&digest));
            if known {
                self.take_wrong(&origin, code.is_some(), now)?;
            }
            return Err(Problem::new(Sort::Unauthenticated, "nobody has this token, or it is not valid any more"));
        };
        if !known {
            self.give_back_wrong(&origin, code.is_some());
        }
        locked(&self.tokens)
            .take(digest, now)
            .map_err(|wait| Problem::new(Sort::TooMany, "this token comes too often; slow down").retry_after(wait))?;
        match key {
            Key::Pass(opened) => Ok(guest(opened, digest)),
            Key::Token(token) => {
                let role = token.role.parse().map_err(|message: String| Problem::from(Error::broken(message)))?;
                if is_asked {
                    self.remember(&token, role, now);
                }
                let Token { id, holder, shopper, expires_at, .. } = token;
                Ok(Holder { role, token: id, name: holder, shopper, stay: None, ends_at: expires_at })
            }
        }
    }

    /// Room for a secret that nobody has.
    fn take_wrong(&self, origin: &Option<IpAddr>, is_code: bool, now: ShopTime) -> Result<(), Problem> {
        locked(&self.wrong).take(origin, now).map_err(too_many_wrong)?;
        if is_code && let Err(wait) = locked(&self.codes).take(&(), now) {
            locked(&self.wrong).give_back(origin);
            let detail = "too many wrong codes came from everywhere; use the link, or try again";
            return Err(Problem::new(Sort::TooMany, detail).retry_after(wait));
        }
        Ok(())
    }

    fn give_back_wrong(&self, origin: &Option<IpAddr>, is_code: bool) {
        locked(&self.wrong).give_back(origin);
        if is_code {
            locked(&self.codes).give_back(&());
        }
    }

    /// The book knew a token. Of shoppers none is remembered: whatever they ask for is in the book.
    fn remember(&self, token: &Token, role: Role, now: ShopTime) {
        if matches!(role, Role::Shopper | Role::Staff | Role::Restock) {
            return;
        }
        let mut seen = locked(&self.seen);
        if SEEN_MAX <= seen.len() && !seen.contains_key(&token.digest) {
            let oldest = seen.iter().min_by_key(|(_, (_, at))| *at).map(|(digest, _)| digest.clone());
            oldest.map(|oldest| seen.remove(&oldest));
        }
        seen.insert(token.digest.clone(), (token.clone(), now));
    }

    fn remembered(&self, digest: &str, now: ShopTime) -> Option<Token> {
        let seen = locked(&self.seen);
        seen.get(digest).filter(|(_, at)| (now - *at).abs() <= SEEN_SPAN).map(|(token, _)| token.clone())
    }
}

/// Whoever has a pass. A code is seen by others: it does not speak for whoever pays.
fn guest(opened: Opened, digest: &str) -> Holder {
    let Opened { pass, cart, sort, shopper, ends_at } = opened;
    Holder {
        role: Role::Shopper,
        token: pass,
        name: format!("{cart} by {sort}"),
        shopper: shopper.filter(|_| sort == PassSort::Link),
        stay: Some(Stay { cart, sort, digest: digest.to_owned() }),
        ends_at,
    }
}

/// Where somebody comes from, as far as it can be counted: of IPv6 the network, because whoever has one address of it has
/// all of them.
pub(super) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

fn locked<T>(limiter: &Mutex<T>) -> MutexGuard<'_, T> {
    // A rate that was not counted to its end lets one more in.
    limiter.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_many_wrong(wait: Span) -> Problem {
    Problem::new(Sort::TooMany, "too many wrong tokens came from this address").retry_after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: ShopTime = ShopTime::from_nanos(1_780_000_000_000_000_000);

    fn token(role: Role) -> Token {
        Token {
            id: TokenId::new(NOON, [role as u8; 10]),
            digest: hash(&format!("{PREFIX}{role}")),
            role: role.as_str().to_owned(),
            holder: "somebody".to_owned(),
            shopper: None,
            created_at: NOON,
            expires_at: Some(NOON + Span::from_millis(1_800_000)),
            revoked_at: None,
        }
    }

    fn away(_: &str) -> Result<Option<Token>> {
        Err(Error::unavailable("the database is gone"))
    }

    fn let_in(door: &Door, role: Role, now: ShopTime, find: impl FnOnce(&str) -> Result<Option<Token>>) -> bool {
        let find = |digest: &str| find(digest).map(|token| token.map(Key::Token));
        let holder = door.let_in(Some(&format!("Bearer {PREFIX}{role}")), None, now, find);
        holder.is_ok_and(|holder| holder.role == role)
    }

    #[test]
    fn while_the_book_is_away_those_are_let_in_whom_it_knew() {
        let door = Door::new();
        assert!(!let_in(&door, Role::Operator, NOON, away), "nobody knows them yet");
        for role in [Role::Operator, Role::Screen, Role::Shopper] {
            assert!(let_in(&door, role, NOON, |_| Ok(Some(token(role)))));
        }
        let later = NOON + Span::from_millis(60_000);
        assert!(let_in(&door, Role::Operator, later, away) && let_in(&door, Role::Screen, later, away));
        assert!(!let_in(&door, Role::Shopper, later, away), "of shoppers all is in the book");
        assert!(!let_in(&door, Role::Gate, later, away), "nobody has shown that one");
        // Not beyond its own end, nor once the book said that it was taken back.
        assert!(!let_in(&door, Role::Operator, NOON + Span::from_millis(1_800_000), away));
        let revoked = Token { revoked_at: Some(later), ..token(Role::Screen) };
        assert!(!let_in(&door, Role::Screen, later, |_| Ok(Some(revoked))));
        assert!(!let_in(&door, Role::Screen, later, away));
    }

    #[test]
    fn wrong_codes_of_all_addresses_are_counted_together() {
        let door = Door::new();
        let guess = |number: u32, secret: &str| {
            let origin = Some(IpAddr::from([10, 1, (number >> 8) as u8, number as u8]));
            let answer = door.let_in(Some(&format!("Bearer {secret}")), origin, NOON, |_| Ok(None));
            answer.unwrap_err().sort()
        };
        for number in 0..WRONG_CODES_BURST {
            assert_eq!(guess(number, &format!("{number:08}")), Sort::Unauthenticated);
        }
        assert_eq!(guess(1_000, "0000-0000"), Sort::TooMany);
        // What is no code does not count among them, and an address that was refused so has lost nothing of its own.
        assert_eq!(guess(1_000, "aisle_nothing"), Sort::Unauthenticated);
    }

    #[test]
    fn whom_the_book_knew_long_ago_is_not_let_in_while_it_is_away() {
        let door = Door::new();
        let forever = || Token { expires_at: None, ..token(Role::Operator) };
        assert!(let_in(&door, Role::Operator, NOON, |_| Ok(Some(forever()))));
        let last = NOON + SEEN_SPAN;
        assert!(let_in(&door, Role::Operator, last, away), "and that it came in then makes it no longer");
        assert!(!let_in(&door, Role::Operator, last + Span::from_millis(1), away));
        assert!(let_in(&door, Role::Operator, last + Span::from_millis(1), |_| Ok(Some(forever()))));
    }
}
