//! Passes: what a gate hands to whoever it lets in, so that they see their own stay and nobody else's.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use schemars::JsonSchema;
use serde::Serialize;

use super::access::{hash, random};
use super::codes::spelled;
use super::route::Call;
use crate::base::{CartId, Result, Secret, TokenId};
use crate::db::passes::{Pass, PassSort};

/// Codes that are tried until one is found that nobody has.
const CODES_MAX: u32 = 4;

/// How many came in with a pass, and how many without, though they should have had one.
#[derive(Default)]
pub(super) struct Counts {
    given: AtomicU64,
    missed: AtomicU64,
}

impl Counts {
    /// How many came to which end.
    pub(super) fn counts(&self) -> [(&'static str, u64); 2] {
        [("given", &self.given), ("missed", &self.missed)]
            .map(|(outcome, count)| (outcome, count.load(Ordering::Relaxed)))
    }
}

/// What opens the page of a stay. It is said here, and again where the gate repeats its request; kept are digests.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Pass")]
pub(super) struct PassView {
    /// Behind the address of this server: the page, with a secret that no browser sends to a server. For whoever pays.
    link: String,
    /// The same to be typed there, for a day; for everybody who came in together. It exports and erases nothing.
    code: String,
}

impl fmt::Debug for PassView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Gives a pass to a stay that has begun. Where that cannot be, the door opens all the same, and the log says so.
pub(super) fn give(call: &Call<'_>, cart: CartId) -> Option<PassView> {
    let given = made(call, cart).unwrap_or_else(|error| {
        tracing::warn!(%error, %cart, "a shopper comes in without a pass");
        None
    });
    let Counts { given: with, missed } = &call.api.passes;
    let counter = if given.is_some() { with } else { missed };
    counter.fetch_add(1, Ordering::Relaxed);
    given
}

fn made(call: &Call<'_>, cart: CartId) -> Result<Option<PassView>> {
    let Some(mint) = &call.api.mint else { return Ok(None) };
    let link = mint.link(cart);
    if !keep(call, cart, &link, PassSort::Link)? {
        return Ok(None);
    }
    for number in 0..CODES_MAX {
        let code = mint.code(cart, number);
        if keep(call, cart, &code, PassSort::Code)? {
            let (link, code) = (format!("/visit#{}", link.reveal()), spelled(code.reveal()));
            return Ok(Some(PassView { link, code }));
        }
    }
    Ok(None)
}

/// Keeps the digest of a secret; whether it opens this stay.
fn keep(call: &Call<'_>, cart: CartId, secret: &Secret<String>, sort: PassSort) -> Result<bool> {
    let id = TokenId::new(call.now, random()?);
    let pass = Pass { id, cart, digest: hash(secret.reveal()), sort, created_at: call.now };
    call.api.till().give_pass(&pass)
}
