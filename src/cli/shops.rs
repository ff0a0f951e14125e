//! Shops named on the command line: those that aisle brings along, a folder of ours, a single file, or an AutoCheckout folder.

use std::path::Path;
use std::sync::Arc;

use crate::base::Result;
use crate::config;
use crate::replay::{self, Format, autocheckout};
use crate::shop::Shop;
use crate::sim;

/// Opens a shop, with what had to be left out of it; without a path the built-in demonstration shop.
pub(super) fn open(path: Option<&Path>) -> Result<(Arc<Shop>, Vec<String>)> {
    let Some(path) = path else { return Ok((Arc::new(sim::demo_shop()), Vec::new())) };
    let foreign = path.is_dir() && replay::recognise(path).is_ok_and(|format| format == Format::AutoCheckout);
    let (shop, warnings) = if foreign {
        autocheckout::read_shop(path, autocheckout::Options { tolerate: false })?
    } else {
        (config::load_shop(path)?, Vec::new())
    };
    Ok((Arc::new(shop), warnings))
}
