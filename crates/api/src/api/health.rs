//! Whether the process lives, and whether the shop may open.

use schemars::JsonSchema;
use serde::Serialize;

use super::problem::{Problem, Sort};
use super::reply::{Json, Nothing};
use super::route::Call;
use crate::base::{Error, ShopTime, Span};
use crate::db::outbox;
use crate::ports::HealthWord;
use crate::till::Till;

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
    /// `ready`, or `degraded` where devices are not well; a shop that may not open gets a problem document.
    status: &'static str,
    /// Which shop.
    shop: String,
    /// Seconds for which a payment provider has owed an answer; zero where none does.
    provider_silent_secs: f64,
    /// Devices that are not well; why, and what to do, says `/v1/devices`.
    devices: Vec<UnwellView>,
}

/// A device that is not well.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UnwellDevice")]
pub(super) struct UnwellView {
    /// Its name.
    device: String,
    /// How it is.
    health: HealthWord,
    /// Since when.
    since: ShopTime,
}

/// `GET /healthz`
pub(super) fn alive(_: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<Health>, Problem> {
    Ok(Json(Health { status: "alive", version: env!("CARGO_PKG_VERSION") }))
}

/// `GET /readyz`
pub(super) fn ready(call: &Call<'_>, _: Nothing, _: Nothing, _: Nothing) -> Result<Json<Readiness>, Problem> {
    let read = |till: &mut Till| {
        let shop = till.shop().clone();
        let oldest = till.with(|session| outbox::oldest_due(session, shop.name()))?;
        Ok((shop, oldest))
    };
    let (shop, silent_since) = read(&mut call.api.till()).map_err(|error: Error| {
        tracing::warn!(%error, "not ready");
        unready("the book cannot be used; nobody may come in until it can")
    })?;
    let plates = shop.shelves().iter().map(|shelf| shelf.plates.len()).sum();
    if let Some(lack) = lack(shop.catalogue().products().len(), shop.shelves().len(), plates) {
        return Err(unready(lack));
    }
    let silent = silent_since.map_or(Span::ZERO, |since| (call.now - since).max(Span::ZERO));
    let trusted = shop.policy().payment.offline_max;
    // An order that was made a moment ago says nothing about its provider.
    if trusted.max(crate::base::limits::HOLD_WAIT_SPAN_MAX) < silent {
        return Err(unready(format!(
            "a payment provider has owed an answer for {silent}; the policy trusts shoppers for {trusted}"
        )));
    }
    let devices = unwell(call);
    let status = if devices.is_empty() { "ready" } else { "degraded" };
    Ok(Json(Readiness { status, shop: shop.name().to_owned(), provider_silent_secs: silent.as_secs(), devices }))
}

/// Devices that should work and do not, or not as they should.
fn unwell(call: &Call<'_>) -> Vec<UnwellView> {
    let all = call.api.health.as_ref().map(|board| board.all()).unwrap_or_default();
    let is_well = |health| matches!(health, HealthWord::Online | HealthWord::Disabled);
    let view = |device: crate::ports::DeviceHealth| UnwellView {
        device: device.device,
        health: device.health,
        since: device.since,
    };
    all.into_iter().filter(|device| !is_well(device.health)).map(view).collect()
}

fn unready(why: impl Into<String>) -> Problem {
    Problem::new(Sort::Unavailable, why)
}

/// What a shop lacks without which nothing can be sold in it.
fn lack(products: usize, shelves: usize, plates: usize) -> Option<&'static str> {
    match (products, shelves, plates) {
        (0, 0, _) => Some("the shop has no products and no shelves"),
        (0, ..) => Some("the shop has no products"),
        (_, 0, _) => Some("the shop has no shelves"),
        (.., 0) => Some("no shelf of the shop has a plate that weighs"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shop_in_which_nothing_can_be_sold_says_what_it_lacks() {
        let lacks = [(0, 0, 0), (0, 3, 0), (3, 0, 0), (3, 3, 0)].map(|(a, b, c)| lack(a, b, c).unwrap());
        assert!(lacks[0].contains("products and no shelves") && lacks[1].ends_with("no products"), "{lacks:?}");
        assert!(lacks[2].ends_with("no shelves") && lacks[3].contains("plate"), "{lacks:?}");
        assert_eq!(lack(1, 1, 1), None);
    }
}
