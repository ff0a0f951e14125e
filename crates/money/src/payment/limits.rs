//! What a provider takes, said before anything is asked of it: currencies, the least and the largest payment, last digits.
//! It takes a provider's settings and a shop, and gives what can never be paid there. The rules are those by which the
//! provider itself refuses an order.

use super::settings::Settings;
use super::{Unpayable, stripe, wechat};
use crate::base::Money;
use crate::shop::{Problem, Product, Reduction, Shop};

/// Names that a sentence lists before it only counts.
const NAMES_MAX: usize = 8;

/// What of a shop does not fit its provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Misfits {
    /// What can never be paid.
    pub problems: Vec<Problem>,
    /// What cannot be paid alone, in plain sentences.
    pub warnings: Vec<String>,
}

impl Settings {
    /// Whether the provider takes a hold or a charge of this amount.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check_amount(&self, amount: Money) -> Result<(), Unpayable> {
        match self {
            Settings::Sandbox { .. } => Ok(()),
            Settings::Stripe { .. } => stripe::payable(amount).map(drop),
            Settings::Wechat(_) => wechat::payable(amount).map(drop),
        }
    }

    /// What of a shop does not fit the provider.
    pub fn misfits(&self, shop: &Shop) -> Misfits {
        let mut misfits = Misfits::default();
        let mut say = |item: &str, message: String| {
            misfits.problems.push(Problem { item: item.to_owned(), line: None, message });
        };
        let currency = shop.policy().currency;
        // An amount that is neither small nor large, nor odd: what is wrong with it is wrong with the currency.
        let usual = Money::new(1_000 * 10_i64.pow(currency.decimals()), currency);
        if let Err(reason) = self.check_amount(usual) {
            say("policy", format!("currency is {currency}, in which nothing can be paid: {reason}"));
            return misfits;
        }
        let hold = shop.policy().payment.hold;
        if let Some((hold, Err(reason))) = hold.map(|hold| (hold, self.check_amount(hold))) {
            say("policy", format!("hold_minor is {}, a hold that can never be placed: {reason}", hold.minor));
        }
        let mut small = Vec::new();
        for product in shop.catalogue().products() {
            for price in prices(product) {
                match self.check_amount(price) {
                    Ok(()) => {}
                    Err(Unpayable::TooLittle(reason)) => small.push((product, reason)),
                    Err(Unpayable::Never(reason)) => say(
                        &format!("catalogue product {}", product.sku),
                        format!("a unit of it can never be paid: {reason}"),
                    ),
                }
            }
        }
        small.dedup_by(|(one, _), (other, _)| one.sku == other.sku);
        misfits.warnings.extend(warning(&small));
        misfits
    }
}

/// What a unit costs, now or at times; what is free is not paid.
fn prices(product: &Product) -> impl Iterator<Item = Money> {
    let reduced = product.markdown.and_then(|markdown| match markdown.reduction {
        Reduction::To(price) => Some(price),
        Reduction::By(_) => None,
    });
    product.price.into_iter().chain(reduced).filter(|price| 0 < price.minor)
}

fn warning(small: &[(&Product, String)]) -> Option<String> {
    let (_, reason) = small.first()?;
    let names: Vec<&str> = small.iter().take(NAMES_MAX).map(|(product, _)| product.sku.as_str()).collect();
    let rest = if NAMES_MAX < small.len() { ", …" } else { "" };
    Some(format!(
        "a visit that comes to too little is not paid by itself, and left to a person: {reason}; so little cost {}{rest}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::SecretPlace;

    fn stripe() -> Settings {
        let place = || SecretPlace::Variable("KEY".to_owned());
        Settings::Stripe { secret_key: place(), webhook_secret: place(), base_url: String::new() }
    }

    fn shop(currency: &str, hold_minor: i64, prices: &[i64]) -> Shop {
        let product = |(number, price): (usize, &i64)| serde_json::json!({ "sku": format!("P{number}"), "name": "x", "price_minor": price });
        let products: Vec<_> = prices.iter().enumerate().map(product).collect();
        let draft = serde_json::json!({
            "name": "s", "policy": { "currency": currency, "hold_minor": hold_minor }, "products": products
        });
        Shop::check(serde_json::from_value(draft).unwrap()).unwrap()
    }

    fn said(settings: &Settings, shop: &Shop) -> Vec<String> {
        let Misfits { problems, warnings } = settings.misfits(shop);
        problems.iter().map(ToString::to_string).chain(warnings).collect()
    }

    #[test]
    fn what_stripe_never_takes_is_known_before_the_door() {
        let none: [&str; 0] = [];
        assert_eq!(said(&stripe(), &shop("USD", 5_000, &[98, 150])), none);
        assert_eq!(said(&stripe(), &shop("USD", 50, &[])), none);
        assert_eq!(said(&stripe(), &shop("USD", 0, &[])), none);
        assert_eq!(
            said(&stripe(), &shop("USD", 49, &[])),
            ["policy: hold_minor is 49, a hold that can never be placed: \
              0.49 USD is too little: Stripe takes no payment below 0.50 USD"]
        );
        assert_eq!(said(&stripe(), &shop("JPY", 50, &[])), none);
        assert_eq!(said(&stripe(), &shop("JPY", 49, &[])).len(), 1);
        assert_eq!(said(&stripe(), &shop("HUF", 17_499, &[])).len(), 1);
        assert_eq!(said(&stripe(), &shop("USD", 99_999_999, &[])), none);
        assert_eq!(said(&stripe(), &shop("USD", 100_000_000, &[])).len(), 1);
        assert_eq!(said(&stripe(), &shop("IDR", 100_000_000, &[])), none);
        assert_eq!(said(&stripe(), &shop("KWD", 1_500, &[1_510])), none);
        assert_eq!(
            said(&stripe(), &shop("KWD", 1_505, &[1_511])),
            [
                "policy: hold_minor is 1505, a hold that can never be placed: 1.505 KWD cannot be said in Stripe's units of KWD",
                "catalogue product P0: a unit of it can never be paid: 1.511 KWD cannot be said in Stripe's units of KWD"
            ]
        );
        assert_eq!(said(&stripe(), &shop("USD", 5_000, &[100_000_000])).len(), 1);
    }

    #[test]
    fn cheap_goods_are_told_of_and_not_refused() {
        let Misfits { problems, warnings } = stripe().misfits(&shop("USD", 5_000, &[30, 49, 50]));
        assert_eq!(problems, []);
        assert_eq!(
            warnings,
            ["a visit that comes to too little is not paid by itself, and left to a person: \
              0.30 USD is too little: Stripe takes no payment below 0.50 USD; so little cost P0, P1"]
        );
        assert_eq!(said(&stripe(), &shop("USD", 5_000, &[0])).len(), 0);
    }

    #[test]
    fn the_sandbox_takes_everything() {
        let sandbox = Settings::Sandbox { journal: None, hold: None };
        assert_eq!(said(&sandbox, &shop("KWD", 1, &[1])).len(), 0);
    }
}
