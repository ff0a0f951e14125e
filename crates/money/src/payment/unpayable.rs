//! What a provider says of an amount that it does not take.

use std::fmt;

/// Why a provider takes no hold or charge of an amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unpayable {
    /// It is too little; together with others it may be paid.
    TooLittle(String),
    /// It is in the wrong currency, too large, or has digits that cannot be said.
    Never(String),
}

impl fmt::Display for Unpayable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Unpayable::TooLittle(reason) | Unpayable::Never(reason)) = self;
        f.write_str(reason)
    }
}
