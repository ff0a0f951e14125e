//! `aisle check`: is this shop in order?

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::learned;
use crate::base::text::plain;
use crate::base::{CameraId, Error, Kind, Result};
use crate::config::Trade;
use crate::ingest::devices::{Devices, GateRole};
use crate::learned::Learned;
use crate::shop::Shop;

/// Validate a shop: its shelves, planogram, catalogue and policy. Lists every problem.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  aisle check calibration/demo          a folder with shop.toml and what belongs to it
  aisle check convenience               a shop that comes with aisle
  aisle check shop.json                 one file that says it all
  aisle check BENCHMARK-1 --json        the shop of an AutoCheckout test case, for machines
  aisle check shop --learned aisle.db.learned.toml
                                        with what it has learned while it was open

Exit status 0: in order, perhaps with warnings. 3: it has problems. 4: it cannot be opened.")]
pub(super) struct Check {
    /// A shop folder, a TOML or JSON shop file, or an AutoCheckout folder.
    #[arg(value_name = "SHOP")]
    shop: PathBuf,
    /// Show what was learned of the shop while it was open, and what of it no longer holds: the file beside its book, or one that
    /// `aisle replay --write-learned` wrote
    #[arg(long, value_name = "FILE")]
    learned: Option<PathBuf>,
    /// Print the result as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// What was learned of a shop.
type Known = (Option<Learned>, Vec<String>);

impl Check {
    /// Runs the command.
    ///
    /// # Errors
    /// When the shop cannot be opened or has problems; the error lists all of them.
    pub(super) fn run(self) -> Result<()> {
        let outcome = load(&self.shop).and_then(|trade| {
            let known = learned::known(self.learned.as_deref(), &trade.shop)?;
            Ok((trade, known))
        });
        match (&outcome, self.json) {
            (Ok((trade, known)), true) => super::print(&format!("{}\n", described(trade, known)))?,
            (Ok((trade, known)), false) => print(trade, known)?,
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

fn load(path: &Path) -> Result<Trade, Error> {
    let mut trade = super::shops::open_trade(path)?;
    if let Some(devices) = &trade.devices {
        trade.warnings.extend(remarks(&trade.shop, devices));
    }
    trade.warnings.extend(learned::doors_remark(&trade.shop));
    Ok(trade)
}

/// What is in order about the devices and perhaps not meant so.
fn remarks(shop: &Shop, devices: &Devices) -> Vec<String> {
    let mut remarks = Vec::new();
    let is_named = |camera: &CameraId| devices.cameras.iter().any(|device| device.camera == *camera);
    for camera in shop.cameras().iter().filter(|camera| !devices.cameras.is_empty() && !is_named(&camera.id)) {
        remarks
            .push(format!("camera {} has no device in devices.toml: nothing is seen from where it stands", camera.id));
    }
    if devices.broker.is_none() {
        remarks.push("devices.toml has no [broker]: no weights reach the shop".to_owned());
    }
    if devices.gates.iter().all(|gate| gate.role != GateRole::Entrance) {
        remarks
            .push("devices.toml has no gate at an entrance: everybody is a walk-in who pays in the sandbox".to_owned());
    }
    remarks
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

fn described(trade: &Trade, (learned, forgotten): &Known) -> serde_json::Value {
    let Trade { shop, devices, warnings, .. } = trade;
    let counts: serde_json::Map<String, serde_json::Value> =
        counts(shop).into_iter().map(|(what, count)| (what.replace(' ', "_"), count.into())).collect();
    let devices = devices.as_ref().map(|devices| {
        json!({
            "broker": devices.broker.is_some(),
            "cameras": devices.cameras.len(),
            "boards": devices.boards.len(),
            "gates": devices.gates.len(),
        })
    });
    let mut described =
        json!({ "ok": true, "name": shop.name(), "counts": counts, "devices": devices, "warnings": warnings });
    if let Some(learned) = learned {
        described["learned"] = json!(learned);
        described["forgotten"] = json!(forgotten);
    }
    described
}

fn print(trade: &Trade, known: &Known) -> Result<()> {
    let Trade { shop, devices, warnings, .. } = trade;
    for warning in warnings {
        super::warn(warning);
    }
    let counts: Vec<String> = counts(shop).into_iter().map(|(what, count)| format!("{count} {what}")).collect();
    super::print(&format!("{}: in order; {}\n", plain(shop.name()), counts.join(", ")))?;
    if let Some(devices) = devices {
        print_devices(devices)?;
    }
    let (Some(learned), forgotten) = known else { return Ok(()) };
    let lines = learned.lines(shop).into_iter().chain(forgotten.iter().map(|what| format!("  {what}")));
    lines.map(|line| line + "\n").try_for_each(|line| super::print(&line))
}

fn print_devices(Devices { broker, cameras, boards, gates, .. }: &Devices) -> Result<()> {
    let broker =
        broker.as_ref().map_or_else(|| "no broker".to_owned(), |broker| format!("broker {}", plain(&broker.host)));
    let (cameras, boards, gates) = (cameras.len(), boards.len(), gates.len());
    super::print(&format!("devices: {broker}, {cameras} cameras, {boards} boards, {gates} gates; the shop may open\n"))
}
