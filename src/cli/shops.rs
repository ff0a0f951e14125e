//! Shops named on the command line: those that aisle brings along, a folder of ours, a single file, or an AutoCheckout folder.

use std::path::Path;
use std::sync::Arc;

use crate::base::{Error, Result};
use crate::config::{self, Trade};
use crate::replay::{self, Format, autocheckout};
use crate::shop::{Shop, ZoneKind};
use crate::sim;

/// Opens a shop, with what had to be left out of it; without a path the built-in demonstration shop.
pub(super) fn open(path: Option<&Path>) -> Result<(Arc<Shop>, Vec<String>)> {
    let Some(path) = path else { return Ok((Arc::new(sim::demo_shop()), Vec::new())) };
    let (shop, warnings) = match is_foreign(path) {
        true => autocheckout::read_shop(path, autocheckout::Options { tolerate: false })?,
        false => (config::load_shop(path)?, Vec::new()),
    };
    Ok((Arc::new(shop), warnings))
}

/// The shop as it is told to whoever has to find its doors; where it names none anyway, that is said.
pub(super) fn without_doors(shop: &Shop) -> Result<Arc<Shop>> {
    if shop.zones().iter().all(|zone| zone.kind == ZoneKind::Closed) {
        super::warn("the shop names no entrance and no exit, so --without-zones leaves nothing out");
    }
    sim::without_doors(shop).map(Arc::new)
}

/// Opens a shop that goods are to be sold in, with its payment provider and what is perhaps not meant so.
pub(super) fn open_trade(path: &Path) -> Result<Trade> {
    if !is_foreign(path) {
        return config::load_trade(path);
    }
    let (shop, mut warnings) = autocheckout::read_shop(path, autocheckout::Options { tolerate: false })?;
    check_trade(&shop).map_err(|error| error.at_path(path))?;
    warnings.extend(shop.remarks());
    Ok(Trade { shop, payment: None, devices: None, warnings })
}

/// Whether anything can be sold in a shop.
pub(super) fn check_trade(shop: &Shop) -> Result<()> {
    shop.check_trade().map_err(|problems| {
        let list: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
        Error::input(list.join("; "))
    })
}

fn is_foreign(path: &Path) -> bool {
    // The shop alone is enough, without what happened in it.
    let has_shop = path.join("planogram.json").is_file() && path.join("products.json").is_file();
    path.is_dir() && (has_shop || replay::recognise(path).is_ok_and(|format| format == Format::AutoCheckout))
}
