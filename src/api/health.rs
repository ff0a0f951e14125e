//! Whether the process lives, and whether the shop may open.

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing};
use super::route::Call;
use crate::base::Span;
use crate::db::outbox;

/// The process answers.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Health {
    /// Always `alive`.
    status: &'static str,
    /// Of the program.
    version: &'static str,
}

/// The shop may open.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Readiness {
    /// Always `ready`; a shop that may not open gets a problem document.
    status: &'static str,
    /// Which shop.
    shop: String,
    /// Seconds for which a payment provider has owed an answer; zero where none does.
    provider_silent_secs: f64,
}

/// `GET /healthz`
pub(super) fn alive(_: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<Health>, Problem> {
    Ok(Json(Health { status: "alive", version: env!("CARGO_PKG_VERSION") }))
}

/// `GET /readyz`
pub(super) fn ready(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<Readiness>, Problem> {
    let (shop, silent_since) = call.read(|till| {
        let shop = till.shop().clone();
        let oldest = till.with(|session| outbox::oldest_due(session, shop.name()))?;
        Ok((shop, oldest))
    })?;
    let silent = silent_since.map_or(Span::ZERO, |since| (call.now - since).max(Span::ZERO));
    let trusted = shop.policy().payment.offline_max;
    // An order that was made a moment ago says nothing about its provider.
    if trusted.max(crate::base::limits::HOLD_WAIT_SPAN_MAX) < silent {
        let detail =
            format!("a payment provider has owed an answer for {silent}; the policy trusts shoppers for {trusted}");
        return Err(Problem::new(Sort::Unavailable, detail));
    }
    Ok(Json(Readiness { status: "ready", shop: shop.name().to_owned(), provider_silent_secs: silent.as_secs() }))
}
