//! Names that outlive a process: what the book of the shop calls its carts, shoppers, payments, transfers and cases.
//!
//! A name is a UUID with its kind in the type and in the text, such as `cart_0198f2c4…` with 32 hexadecimal digits.
//! Most are derived from what they name (RFC 9562, version 5), so doing a thing twice names it the same and it happens
//! once; those of people are new (version 7) and rise with time.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::{ShopTime, VisitId};

/// Names derived by aisle live in this space.
const SPACE: Uuid = Uuid::from_u128(0x4f1f_6f0e_6d0b_5c53_9a2e_1b6b_2a61_1a5e);

macro_rules! durable {
    ($($(#[$doc:meta])* $name:ident: $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What its text begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new name, made of the time and dice that the caller has thrown; rises with time.
            pub fn new(at: ShopTime, dice: [u8; 10]) -> Self {
                let millis = u64::try_from(at.as_nanos() / 1_000_000).unwrap_or(0);
                $name(uuid::Builder::from_unix_timestamp_millis(millis, &dice).into_uuid())
            }

            /// The name of what `parts` describe: the same for the same parts.
            pub fn derived(parts: &[&str]) -> Self {
                // Lengths are part of the name, so that parts cannot run into each other.
                let text = parts.iter().fold(String::from($prefix), |text, part| format!("{text}/{}:{part}", part.len()));
                $name(Uuid::new_v5(&SPACE, text.as_bytes()))
            }

            /// The 32 hexadecimal digits without the prefix.
            pub fn hex(&self) -> String {
                self.0.simple().to_string()
            }

            /// The UUID by itself, for formats that have no place for the kind.
            pub fn uuid(&self) -> Uuid {
                self.0
            }

            /// From 32 hexadecimal digits without the prefix.
            ///
            /// # Errors
            /// Says what the text should be.
            pub fn from_hex(text: &str) -> Result<Self, String> {
                let wrong = || format!("`{text}` is not {} with 32 hexadecimal digits", concat!("`", $prefix, "_…`"));
                let plain = text.len() == 32 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                plain.then(|| Uuid::try_parse(text).ok()).flatten().map($name).ok_or_else(wrong)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let hex = text.strip_prefix(concat!($prefix, "_"));
                $name::from_hex(hex.unwrap_or(text)).and_then(|name| match hex {
                    Some(_) => Ok(name),
                    None => Err(format!("`{text}` does not begin with `{}_`", $prefix)),
                })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": concat!("^", $prefix, "_[0-9a-f]{32}$") })
            }
        }
    )*};
}

durable!(
    /// One stay of one shopper as the book knows it.
    CartId: "cart";
    /// Somebody who pays.
    ShopperId: "shopper";
    /// What moves the money of one cart.
    PaymentId: "payment";
    /// One movement between two accounts. What asks a provider to move money carries the id of the transfer that will
    /// record it, as its idempotency key.
    TransferId: "transfer";
    /// What a person has to look at.
    CaseId: "case";
    /// A key to the API; not the secret itself.
    TokenId: "token";
);

impl CartId {
    /// The cart of a visit that nobody announced at a gate: the same for every replay of the same recording.
    pub fn of_visit(shop: &str, entered: ShopTime, visit: VisitId) -> Self {
        CartId::derived(&[shop, &entered.as_nanos().to_string(), &visit.to_string()])
    }
}

impl PaymentId {
    /// The payment of a cart.
    pub fn of_cart(cart: CartId) -> Self {
        PaymentId::derived(&[&cart.hex()])
    }
}

impl TransferId {
    /// The `number`th movement of this `role` of a cart, such as its second charge.
    pub fn of_cart(cart: CartId, role: &str, number: u32) -> Self {
        TransferId::derived(&[&cart.hex(), role, &number.to_string()])
    }
}

impl CaseId {
    /// The `number`th case of a cart, from 1.
    pub fn of_cart(cart: CartId, number: u32) -> Self {
        CaseId::derived(&[&cart.hex(), &number.to_string()])
    }
}
