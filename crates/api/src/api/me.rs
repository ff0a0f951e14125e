//! Who holds a token or a pass, and what it lets them do: what a page asks first.

use schemars::JsonSchema;
use serde::Serialize;

use super::access::{Role, Stay};
use super::problem::{Problem, Sort};
use super::reply::Json;
use super::route::{Call, Pass, Permit, Route};
use crate::base::{CartId, ShopTime, ShopperId};
use crate::db::carts;
use crate::db::passes::PassSort;

/// The holder of a token or a pass.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Me")]
pub(super) struct MeView {
    /// What they are to the shop.
    role: Role,
    /// The shop, by name.
    shop: String,
    /// Whom they speak for: a shopper, and with a link whoever pays for the stay.
    shopper: Option<ShopperId>,
    /// The stay that they may see: that of their pass, or the last one of a shopper; none where there is none.
    cart: Option<CartId>,
    /// Whether they have a pass to that stay alone, and of which sort; none with a token.
    pass: Option<PassWord>,
    /// When that ends, as far as it is known.
    ends_at: Option<ShopTime>,
    /// What they may do, by the names that the description and the audit log have for it, in the order of the description.
    may: Vec<&'static str>,
}

/// A sort of pass.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "PassSort")]
enum PassWord {
    /// For whoever pays.
    Link,
    /// For everybody who came in together.
    Code,
}

/// What `GET /v1/me` answers in a server with these routes.
pub(super) fn told(call: &Call<'_>, routes: fn() -> Vec<Route>) -> Result<Json<MeView>, Problem> {
    let Some(holder) = call.holder else {
        return Err(Problem::new(Sort::Unauthenticated, "show a token"));
    };
    let stay = holder.stay.as_ref();
    let admits = |route: &Route| {
        let is_enough = stay.is_none_or(|stay| match route.pass {
            Pass::Nobody => false,
            Pass::Payer => stay.sort == PassSort::Link,
            Pass::Everybody => true,
        });
        route.permit != Permit::Open && route.admits(holder.role) && is_enough
    };
    let (shop, last) = call.read(|till| {
        let last = match (stay, holder.shopper) {
            (None, Some(shopper)) => {
                till.with(|session| carts::of_shopper(session, shopper, (ShopTime::MAX, ""), 1))?.pop()
            }
            _ => None,
        };
        Ok((till.shop().name().to_owned(), last.map(|cart| cart.id)))
    })?;
    Ok(Json(MeView {
        role: holder.role,
        shop,
        shopper: holder.shopper,
        cart: stay.map(|stay| stay.cart).or(last),
        pass: stay.map(|Stay { sort, .. }| match sort {
            PassSort::Link => PassWord::Link,
            PassSort::Code => PassWord::Code,
        }),
        ends_at: holder.ends_at,
        may: routes().iter().filter(|route| admits(route)).map(|route| route.action).collect(),
    }))
}
