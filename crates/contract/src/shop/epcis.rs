//! What a shop and its goods are called in EPCIS events besides their GTIN, and whether such a name can stand there.

/// What an EPCIS document needs to know of the shop besides its shelves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EpcisOptions {
    /// Global Location Number of the shop, 13 digits. With it events say where they happened: the shop as their business
    /// location, the shelf (`shelf-1-5`) or the gate (`exit`) as their read point. Without it, or `places`, they do not.
    pub location: Option<String>,
    /// Beginning of a URI that the shop owns, for a shop without such a number: `shop` behind it is the business location,
    /// the shelf or the gate behind it the read point.
    pub places: Option<String>,
    /// Beginning of a URI that the shop owns, such as `https://shop.example/product/`: a product without a GTIN is
    /// called this and its percent-encoded code. Without it, `urn:uuid:` with a UUID derived from shop and code.
    pub products: Option<String>,
}

impl EpcisOptions {
    /// Everything that is wrong with them.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(gln) = self.location.as_deref().filter(|gln| !is_gln(gln)) {
            problems.push(format!(
                "location `{gln}` is not a Global Location Number: it has 13 digits, the last of which is its check digit"
            ));
        }
        for (name, uri) in [("places", &self.places), ("products", &self.products)] {
            if let Some(uri) = uri.as_deref().filter(|uri| !is_uri_beginning(uri)) {
                problems.push(format!(
                    "{name} `{uri}` is not the beginning of a URI: write it such as `https://shop.example/{name}/`"
                ));
            }
        }
        if self.location.is_some() && self.places.is_some() {
            problems.push("location and places exclude each other".to_owned());
        }
        problems
    }
}

/// Thirteen digits with the check digit that GTINs have too; the rules of their prefixes are others.
fn is_gln(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|sign| sign.to_digit(10)).collect();
    if text.len() != 13 || digits.len() != 13 {
        return false;
    }
    let sum: u32 = digits.iter().enumerate().map(|(index, digit)| digit * if index % 2 == 0 { 1 } else { 3 }).sum();
    sum.is_multiple_of(10)
}

/// A scheme, and then only what a URI may hold.
fn is_uri_beginning(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let mut letters = scheme.bytes();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && !rest.is_empty()
        && text.len() <= 1_024
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~:/?=&,@!$*+;()'".contains(&byte))
}
