//! Who moves money: an invented provider for demo and tests, and real ones behind the same port.
//! It takes orders and signed notices, and gives answers that say no more than is known: done, declined, pending,
//! unknown, surely not done, wrong. It never decides what is charged, keeps no book of the shop, and tries nothing twice
//! by itself.

mod http;
mod limits;
mod sandbox;
mod settings;
mod signature;
mod stripe;
#[cfg(test)]
mod tests;
mod unpayable;
mod wechat;

pub use limits::Misfits;
pub use sandbox::{Faults, Sandbox, SignedNotice};
pub use settings::{Draft, Opened, Settings, WechatPlaces, open};
pub use stripe::{Enrolment, STRIPE_BASE_URL, Stripe, StripeSettings};
pub use unpayable::Unpayable;
pub use wechat::{PlatformPublicKey, WECHAT_BASE_URL, WechatPay, WechatSettings};
