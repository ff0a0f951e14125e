//! `aisle receipt`: a receipt of the book on paper.

use std::path::PathBuf;

use clap::Args;

use super::book::BookArgs;
use crate::api::Paper;
use crate::base::{CartId, Error, Result};
use crate::db::carts;
use crate::document::Form;
use crate::output;
use crate::till::Till;

/// Write the receipt of a cart: as text or HTML for people, as JSON, POSLog or EPCIS for programs.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    aisle receipt cart_1065ef72109b5246802de4466e3aa890\n  \
    aisle receipt cart_1065ef72109b5246802de4466e3aa890 --form html --evidence -o receipt.html\n  \
    aisle receipt cart_1065ef72109b5246802de4466e3aa890 --form poslog")]
pub(super) struct Receipt {
    /// The cart, as `replay --charge` names it.
    cart: CartId,
    #[command(flatten)]
    book: BookArgs,
    /// text, html, json, poslog (OMG POSLog 6 XML) or epcis (EPCIS 2.0 JSON-LD).
    #[arg(long, default_value_t = Form::Text)]
    form: Form,
    /// With the evidence behind each line; it names other shoppers by number, so it is not for shoppers.
    #[arg(long)]
    evidence: bool,
    /// Write it here.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Receipt {
    pub(super) fn run(self) -> Result<()> {
        let mut database = self.book.open()?;
        let shop = database.transaction(|session| Ok(carts::get(session, self.cart)?.map(|cart| cart.shop)))?;
        let shop = shop.ok_or_else(|| Error::missing(format!("there is no {}", self.cart)))?;
        // What left the shelf is known from the evidence alone.
        let with_evidence = self.evidence || self.form == Form::Epcis;
        let mut till = Till::reopen(database, &shop)?;
        let paper = till.with(|session| Paper::read(session, self.cart, with_evidence))?;
        let text = paper.render(till.shop(), self.form)?;
        match &self.output {
            Some(path) => output::write(path, text.as_bytes()),
            // Documents have their own rules of what stands in them.
            None => super::print_as_it_is(&text),
        }
    }
}
