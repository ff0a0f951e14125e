//! `aisle check`: is this shop in order?

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use crate::base::text::plain;
use crate::base::{Error, Kind, Result};
use crate::config::Trade;
use crate::shop::Shop;

/// Validate a shop: its shelves, planogram, catalogue and policy. Lists every problem.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aisle check calibration/demo          a folder with shop.toml and what belongs to it
  aisle check convenience               a shop that comes with aisle
  aisle check shop.json                 one file that says it all
  aisle check BENCHMARK-1 --json        the shop of an AutoCheckout test case, for machines

Exit status 0: in order, perhaps with warnings. 3: it has problems. 4: it cannot be opened.")]
pub(super) struct Check {
    /// A shop folder, a TOML or JSON shop file, or an AutoCheckout folder.
    #[arg(value_name = "SHOP")]
    shop: PathBuf,
    /// Print the result as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// When the shop cannot be opened or has problems; the error lists all of them.
    pub(super) fn run(self) -> Result<()> {
        let outcome = load(&self.shop);
        match (&outcome, self.json) {
            (Ok((shop, warnings)), true) => super::print(&format!("{}\n", described(shop, warnings)))?,
            (Ok((shop, warnings)), false) => print(shop, warnings)?,
            (Err(error), true) if error.kind() == Kind::Input => {
                // A list has a headline; a single problem is the whole message.
                let lines = error.message().lines().count();
                let listed = error.message().lines().skip(usize::from(1 < lines));
                let problems: Vec<&str> = listed.map(str::trim).collect();
                super::print(&format!("{}\n", json!({ "ok": false, "problems": problems })))?;
            }
            (Err(_), _) => {}
        }
        outcome.map(|_| ())
    }
}

fn load(path: &Path) -> Result<(Shop, Vec<String>), Error> {
    let Trade { shop, warnings, .. } = super::shops::open_trade(path)?;
    Ok((shop, warnings))
}

/// Counts that tell a person whether it is the shop they meant.
fn counts(shop: &Shop) -> [(&'static str, usize); 7] {
    let shelves = shop.shelves();
    let products = shop.catalogue().products();
    [
        ("shelves", shelves.len()),
        ("plates", shelves.iter().map(|shelf| shelf.plates.len()).sum()),
        ("facings", shelves.iter().map(|shelf| shelf.facings.len()).sum()),
        ("zones", shop.zones().len()),
        ("cameras", shop.cameras().len()),
        ("products", products.len()),
        ("products without weight", products.iter().filter(|product| product.weight.is_none()).count()),
    ]
}

fn described(shop: &Shop, warnings: &[String]) -> serde_json::Value {
    let counts: serde_json::Map<String, serde_json::Value> =
        counts(shop).into_iter().map(|(what, count)| (what.replace(' ', "_"), count.into())).collect();
    json!({ "ok": true, "name": shop.name(), "counts": counts, "warnings": warnings })
}

fn print(shop: &Shop, warnings: &[String]) -> Result<()> {
    for warning in warnings {
        super::warn(warning);
    }
    let counts: Vec<String> = counts(shop).into_iter().map(|(what, count)| format!("{count} {what}")).collect();
    super::print(&format!("{}: in order; {}\n", plain(shop.name()), counts.join(", ")))
}
