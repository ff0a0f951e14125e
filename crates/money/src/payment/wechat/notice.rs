//! Notices whose signature was checked: opened and understood.

use serde::Deserialize;

use super::keys::{SealKey, Sealed};
use crate::base::{Error, Result, TransferId};
use crate::facts::{About, Notice};

#[derive(Deserialize)]
struct Envelope {
    id: String,
    event_type: String,
    resource: Sealed,
}

/// What a sealed message says of an order or a refund.
#[derive(Deserialize)]
struct Resource {
    out_order_no: Option<String>,
    out_refund_no: Option<String>,
}

/// Reads a body whose signature was checked.
///
/// # Errors
/// When it is no notice, or cannot be opened.
pub(super) fn read(body: &[u8], seal: &SealKey) -> Result<Notice> {
    let wrong = |error| Error::input(format!("the notice is signed and cannot be read: {error}"));
    let envelope: Envelope = serde_json::from_slice(body).map_err(wrong)?;
    let Envelope { id, event_type: kind, resource } = envelope;
    let opened = || -> Result<Resource> { serde_json::from_slice(&seal.open(&resource)?).map_err(wrong) };
    let named = |id: Option<String>| id.and_then(|id| TransferId::from_hex(&id).ok());
    let about = match kind.as_str() {
        // The number of a service order is the id of the order that made it.
        "PAYSCORE.USER_CONFIRM" => named(opened()?.out_order_no).map(|order| About::Order { order }),
        // It was completed by another order, which goes by the same reference.
        "PAYSCORE.USER_PAID" => opened()?.out_order_no.map(|reference| About::Reference { reference }),
        "REFUND.SUCCESS" | "REFUND.CLOSED" | "REFUND.ABNORMAL" => {
            named(opened()?.out_refund_no).map(|order| About::Order { order })
        }
        _ => None,
    };
    Ok(Notice { provider: "wechat".to_owned(), id, kind, about: about.unwrap_or(About::Nothing) })
}
