//! Enrolment: the shopper leaves a card with Stripe, on a page of Stripe's, and we keep a name for it.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::object::Failure;
use super::{Form, Stripe, plain};
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
                let form = vec![pair("metadata[aisle_shopper]", &shopper.to_string())];
                // Twice within a day makes one customer; a later double is harmless, for it has no card.
                let key = format!("customer/{shopper}");
                self.make::<Customer>("/v1/customers", form, Some(&key))?.id
            }
        };
        let form = vec![
            pair("customer", &customer),
            pair("payment_method_types[]", "card"),
            pair("usage", "off_session"),
            pair("metadata[aisle_shopper]", &shopper.to_string()),
        ];
        let setup: Setup = self.make("/v1/setup_intents", form, None)?;
        let client_secret = setup.client_secret.ok_or_else(|| Error::input("Stripe gave no client secret"))?;
        Ok(Enrolment { customer, setup: setup.id, client_secret })
    }

    /// How to charge the shopper, once the card was left; `None` before.
    ///
    /// # Errors
    /// When Stripe cannot be reached, refuses, or the enrolment was given up.
    pub fn enrolled(&self, setup: &str) -> Result<Option<PaymentMethod>> {
        let path = format!("/v1/setup_intents/{}", plain(setup).map_err(Error::input)?);
        let reply = self.call(ureq::http::Method::GET, &path, &[], None);
        let setup: Setup = read(reply)?;
        match (setup.status.as_str(), setup.customer, setup.payment_method) {
            ("succeeded", Some(customer), Some(token)) => {
                Ok(Some(PaymentMethod { provider: "stripe".to_owned(), customer, token }))
            }
            ("canceled", ..) => Err(Error::input(format!("the enrolment {} was cancelled", setup.id))),
            _ => Ok(None),
        }
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
