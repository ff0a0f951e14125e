//! What receipts look like: for people as text and as a page, for machines as JSON, POSLog and EPCIS. It takes one
//! receipt with what is known of its payment, and gives one text. It never computes a price, reads a clock or a file, or
//! writes anything: the same sheet gives the same text, to the byte.

mod epcis;
mod html;
mod json;
mod phrases;
mod poslog;
mod text;
mod words;

use std::fmt;
use std::str::FromStr;

use jiff::tz::TimeZone;

use crate::base::{CartId, Money, Result, ShopTime};
use crate::facts::{Attribution, FactRef, Receipt};
use crate::shop::{EpcisOptions, Shop};

/// A form that a receipt can be given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// Plain text of at most 48 columns, as a till prints it.
    Text,
    /// One page of HTML that needs nothing else.
    Html,
    /// Everything, for programs.
    Json,
    /// ARTS (OMG, NRF) POSLog 6 in XML, for the retailer's books.
    Poslog,
    /// GS1 EPCIS 2.0 events in JSON-LD, for whoever follows the goods.
    Epcis,
}

/// One receipt with everything that its documents say.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The shop: its name, its catalogue, its shelves.
    pub shop: &'a Shop,
    /// The cart.
    pub cart: CartId,
    /// The version of the receipt, from 1.
    pub version: u32,
    /// The receipt.
    pub receipt: &'a Receipt,
    /// Where it stands with the money.
    pub standing: Standing<'a>,
    /// The attributions of the visit, in any order; those of other visits are passed over. With them the page has a
    /// part with evidence, which says how near other shoppers were and is for reviewers only. For shoppers: none.
    pub attributions: &'a [(FactRef, Attribution)],
    /// The zone that times are said in.
    pub zone: &'a TimeZone,
    /// What EPCIS wants to know besides.
    pub epcis: &'a EpcisOptions,
}

/// Where a receipt stands with the money.
#[derive(Clone, Copy, Debug)]
pub enum Standing<'a> {
    /// A person has to look at it first: nothing is owed yet.
    Review,
    /// It is booked and not paid; with a total of zero there is nothing to pay.
    Due,
    /// It is booked and paid.
    Paid(Payment<'a>),
    /// It corrects one that was booked: the shopper gets something back, or owes less.
    Credited {
        /// What was paid before, if anything was.
        payment: Option<Payment<'a>>,
        /// What is given back.
        credit: Credit<'a>,
    },
    /// It was never booked, and nothing is charged for it: somebody rejected it.
    Voided,
    /// It is of somebody who works in the shop: nothing is booked or charged for it.
    Unbilled,
}

/// Money that was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment<'a> {
    /// The provider, by the name of its configuration.
    pub provider: &'a str,
    /// How much.
    pub amount: Money,
    /// When.
    pub at: ShopTime,
}

/// What a correction gives back.
#[derive(Clone, Copy, Debug)]
pub struct Credit<'a> {
    /// How much: the total before less the total now.
    pub amount: Money,
    /// When.
    pub at: ShopTime,
    /// The receipt that was booked before.
    pub before: &'a Receipt,
    /// Its version.
    pub before_version: u32,
}

/// Writes the receipt in a form.
///
/// # Errors
/// When the form cannot say it: POSLog has no negative amounts, none from 100 000 000 on, and no receipt without a total or
/// before its review; EPCIS needs a valid location. The other forms say everything.
pub fn render(form: Form, sheet: &Sheet<'_>) -> Result<String> {
    match form {
        Form::Text => Ok(text::render(sheet)),
        Form::Html => Ok(html::render(sheet)),
        Form::Json => json::render(sheet),
        Form::Poslog => poslog::render(sheet),
        Form::Epcis => epcis::render(sheet),
    }
}

/// Writes the receipt as JSON with times and money as programs outside get them: [`Interchange`](crate::base::Interchange).
///
/// # Errors
/// When it cannot be written.
pub fn interchange(sheet: &Sheet<'_>) -> Result<String> {
    json::interchange(sheet)
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 5] = [Form::Text, Form::Html, Form::Json, Form::Poslog, Form::Epcis];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Form::Text => "text",
            Form::Html => "html",
            Form::Json => "json",
            Form::Poslog => "poslog",
            Form::Epcis => "epcis",
        }
    }

    /// Its media type, as HTTP says it.
    pub const fn media_type(self) -> &'static str {
        match self {
            Form::Text => "text/plain; charset=utf-8",
            Form::Html => "text/html; charset=utf-8",
            Form::Json => "application/json",
            Form::Poslog => "application/xml",
            Form::Epcis => "application/ld+json",
        }
    }

    /// What its files end in, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Form::Text => "txt",
            Form::Html => "html",
            Form::Json => "json",
            Form::Poslog => "xml",
            Form::Epcis => "jsonld",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = Form::ALL.into_iter().find(|form| form.name() == text);
        named.ok_or_else(|| format!("`{text}` is not a form of receipt: write text, html, json, poslog or epcis"))
    }
}

impl Standing<'_> {
    /// The word for it, as JSON has it.
    pub const fn name(&self) -> &'static str {
        match self {
            Standing::Review => "review",
            Standing::Due => "due",
            Standing::Paid(_) => "paid",
            Standing::Credited { .. } => "credited",
            Standing::Voided => "voided",
            Standing::Unbilled => "unbilled",
        }
    }
}
