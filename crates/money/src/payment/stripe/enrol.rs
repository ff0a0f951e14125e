//! Enrolment: the shopper leaves a card with Stripe, on a page of Stripe's, and we keep a name for it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::object::{Failure, List};
use super::{Form, SHOPPER_KEY, Stripe, plain};
use crate::base::{Error, Result, Secret, ShopperId};
use crate::facts::PaymentMethod;

/// A card is being left.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// Whom Stripe knows the shopper as, `cus_…`.
    pub customer: String,
    /// What to ask [`Stripe::enrolled`] for, `seti_…`.
    pub setup: String,
    /// For the shopper's own page and nobody else: it lets the page give Stripe the card.
    pub client_secret: Secret<String>,
}

#[derive(Deserialize)]
struct Customer {
    id: String,
}

#[derive(Deserialize)]
struct Setup {
    id: String,
    status: String,
    client_secret: Option<Secret<String>>,
    customer: Option<String>,
    payment_method: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
}

impl Setup {
    /// Whether it was made for this shopper. Only whoever has the secret key can write that.
    fn is_for(&self, shopper: ShopperId) -> bool {
        let named = self.metadata.as_ref().and_then(|metadata| metadata.get(SHOPPER_KEY));
        named.is_some_and(|named| *named == shopper.to_string())
    }
}

impl Stripe {
    /// Begins to take a shopper's card for payments with nobody present. `customer` is whom Stripe knows the shopper as
    /// already; without it one is made, named by the shopper's id only, so that no personal data leaves the shop.
    ///
    /// # Errors
    /// When Stripe cannot be reached or refuses.
    pub fn enrol(&self, shopper: ShopperId, customer: Option<&str>) -> Result<Enrolment> {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let customer = match customer {
            Some(customer) => customer.to_owned(),
            None => {
                let form = vec![pair(&format!("metadata[{SHOPPER_KEY}]"), &shopper.to_string())];
                // Twice within a day makes one customer; a later double is harmless, for it has no card.
                let key = format!("customer/{shopper}");
                self.make::<Customer>("/v1/customers", form, Some(&key))?.id
            }
        };
        let form = vec![
            pair("customer", &customer),
            pair("payment_method_types[]", "card"),
            pair("usage", "off_session"),
            pair(&format!("metadata[{SHOPPER_KEY}]"), &shopper.to_string()),
        ];
        let setup: Setup = self.make("/v1/setup_intents", form, None)?;
        let client_secret = setup.client_secret.ok_or_else(|| Error::input("Stripe gave no client secret"))?;
        Ok(Enrolment { customer, setup: setup.id, client_secret })
    }

    /// How to charge the shopper, once the card was left; `None` before.
    ///
    /// # Errors
    /// When Stripe cannot be reached, refuses, the enrolment was given up, or it is that of another shopper.
    pub fn enrolled(&self, shopper: ShopperId, setup: &str) -> Result<Option<PaymentMethod>> {
        let path = format!("/v1/setup_intents/{}", plain(setup).map_err(Error::input)?);
        let reply = self.call(ureq::http::Method::GET, &path, &[], None);
        let setup: Setup = read(reply)?;
        if !setup.is_for(shopper) {
            return Err(Error::conflict(format!("{} was not made for {shopper}", setup.id)));
        }
        match (setup.status.as_str(), setup.customer, setup.payment_method) {
            ("succeeded", Some(customer), Some(token)) => {
                Ok(Some(PaymentMethod { provider: "stripe".to_owned(), customer, token }))
            }
            ("canceled", ..) => Err(Error::input(format!("the enrolment {} was cancelled", setup.id))),
            _ => Ok(None),
        }
    }

    /// Whether this shopper has left this card: Stripe has an enrolment that was made for them and came to its end with it.
    pub(super) fn was_left_by(&self, shopper: ShopperId, method: &PaymentMethod) -> Result<bool> {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("customer", &method.customer).append_pair("payment_method", &method.token);
        query.append_pair("limit", "100");
        let reply = self.call(ureq::http::Method::GET, &format!("/v1/setup_intents?{}", query.finish()), &[], None);
        let found: List<Setup> = match reply {
            // Stripe knows no such customer or card.
            Ok(reply) if matches!(reply.status, 400 | 404) => return Ok(false),
            reply => read(reply)?,
        };
        let is_proof = |setup: &Setup| {
            setup.status == "succeeded"
                && setup.is_for(shopper)
                && setup.customer.as_deref() == Some(method.customer.as_str())
                && setup.payment_method.as_deref() == Some(method.token.as_str())
        };
        Ok(found.data.iter().any(is_proof))
    }

    fn make<T: DeserializeOwned>(&self, path: &str, form: Form, key: Option<&str>) -> Result<T> {
        read(self.post(path, &form, key))
    }
}

fn read<T: DeserializeOwned>(reply: Result<super::Reply, super::Trouble>) -> Result<T> {
    let reply = reply.map_err(|trouble| match trouble {
        super::Trouble::NotSent(why) | super::Trouble::Lost(why) => {
            Error::unavailable(format!("Stripe was not reached: {why}"))
        }
    })?;
    let failure = Failure::of(&reply);
    match reply.status {
        200 => serde_json::from_slice(&reply.body)
            .map_err(|error| Error::input(format!("Stripe's answer cannot be read: {error}"))),
        409 | 424 | 429 | 500.. => Err(Error::unavailable(failure.message())),
        _ => Err(Error::input(failure.message())),
    }
}
