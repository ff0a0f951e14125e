//! Files to checked settings. It takes the path of a shop and gives a [`Shop`], or of a folder of models and gives
//! their manifests, or one error that lists every problem with its file and line. It never guesses: unknown keys are
//! refused.
//!
//! A shop is a folder with `shop.toml`, `catalogue.toml`, `planogram.toml` and `cameras.toml` (each may be `.json` with the
//! same keys, and the last three may be missing if `shop.toml` says it all), and `devices.toml` where it is to be open, or one such shop file, or one JSON file in the
//! form that recordings carry. `calibration/demo` is an example that states every key. Where nothing lies at a path,
//! `micro-market` and `convenience` name the shops of `calibration` that aisle brings along.

mod devices;
mod drafts;
mod fields;
mod files;
mod models;
mod node;
mod prices;
mod sight;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::json::fault;
use crate::base::text::plain;
use crate::base::{Currency, Error, Result, ShelfId};
use crate::ingest::devices::Devices;
use crate::payment::{Draft, Settings};
use crate::shop::{FacingDraft, Problem, ShelfDraft, Shop, ShopDraft};
use drafts::ShopFile;
use fields::{Finding, Findings};
use files::{Files, Text};
use node::{Node, Value};

pub use models::{built_in_weights, is_safe_address, load_manifests};

/// A shop that goods can be sold in, with whoever moves its money.
pub struct Trade {
    /// The shop.
    pub shop: Shop,
    /// The payment provider that its file names; none where it has no table `payment`.
    pub payment: Option<Settings>,
    /// Its devices, where its folder has a `devices.toml`.
    pub devices: Option<Devices>,
    /// What is in order and perhaps not meant so, in plain sentences.
    pub warnings: Vec<String>,
}

/// Loads a shop from its folder or file.
///
/// # Errors
/// When nothing is there, or with every problem in its files, one a line: `file:line: item: message`.
pub fn load_shop(path: &Path) -> Result<Shop> {
    read_shop(path)?.2.map_err(|findings| failure(path, "the shop", findings))
}

/// Loads a shop that is to sell goods, with its payment provider. The secrets of the provider stay where they are.
///
/// # Errors
/// As [`load_shop`]; also when there is nothing to sell, with what is wrong with the provider, and with what it never takes.
pub fn load_trade(path: &Path) -> Result<Trade> {
    let (file, devices, shop) = read_shop(path)?;
    let place = |problem: Problem| Finding {
        path: file.path.clone(),
        line: problem.line,
        item: problem.item,
        message: problem.message,
    };
    let payment = read_payment(&file);
    let mut findings = shop.as_ref().err().cloned().unwrap_or_default();
    findings.extend(payment.as_ref().err().into_iter().flatten().cloned().map(place));
    let mut warnings = Vec::new();
    let mut known = None;
    if let Ok(shop) = &shop {
        match devices.map(|file| devices::read(&file, shop)).transpose() {
            Ok(devices) => known = devices,
            Err(wrong) => findings.extend(wrong),
        }
        findings.extend(shop.check_trade().err().into_iter().flatten().map(place));
        warnings = shop.remarks();
        if let Ok(Some(settings)) = &payment {
            let misfits = settings.misfits(shop);
            findings.extend(misfits.problems.into_iter().map(place));
            warnings.extend(misfits.warnings);
        }
    }
    match (shop, payment) {
        (Ok(shop), Ok(payment)) if findings.is_empty() => Ok(Trade { shop, payment, devices: known, warnings }),
        _ => Err(failure(path, "the shop", findings)),
    }
}

/// The file that says most of a shop, the one that says its devices, and the shop or all that is wrong with it.
type ReadShop = (Text, Option<Text>, Result<Shop, Vec<Finding>>);

fn read_shop(path: &Path) -> Result<ReadShop> {
    let mut files = Files::open(path)?;
    let devices = files.devices.take();
    if let Some(draft) = recorded_form(&files.shop)? {
        let none = Sources { files, facings: BTreeMap::new() };
        let shop = Shop::check(draft).map_err(|problems| none.place_all(&problems));
        return Ok((none.files.shop, devices, shop));
    }
    let mut findings = Vec::new();
    let (draft, sources) = read_draft(files, &mut findings);
    let broken: Vec<PathBuf> = findings.iter().map(|finding| finding.path.clone()).collect();
    let shop = match Shop::check(draft) {
        Ok(shop) if findings.is_empty() => Ok(shop),
        Ok(_) => Err(findings),
        Err(problems) => {
            let further = sources.place_all(&problems).into_iter().filter(|problem| {
                // What follows only from a part that could not be read is no news.
                let catalogue_broken = sources.files.catalogue.as_ref().is_some_and(|file| broken.contains(&file.path));
                let shop_broken = broken.contains(&sources.files.shop.path);
                let follows = problem.message.contains("is not in the catalogue") && (catalogue_broken || shop_broken)
                    || problem.message.contains("is not a plate of this shelf") && shop_broken
                    || problem.message.contains("is not a [[tax]] of the shop") && shop_broken;
                !follows
            });
            findings.extend(further);
            Err(findings)
        }
    };
    Ok((sources.files.shop, devices, shop))
}

/// The payment provider that a shop's file names in its table `payment`, or every problem in the table.
fn read_payment(file: &Text) -> Result<Option<Settings>, Vec<Problem>> {
    let draft: Result<WithPayment, String> = match file.is_json() {
        true => serde_json::from_str(&file.text).map_err(|error| fault(file.text.as_bytes(), &error)),
        false => toml::from_str(&file.text).map_err(|error| error.message().to_owned()),
    };
    // What is wrong with the syntax of the whole file was said where the shop was read.
    let is_readable = match file.is_json() {
        true => node::from_json(&file.text).is_ok(),
        false => node::from_toml(&file.text).1.is_empty(),
    };
    match draft {
        Ok(WithPayment { payment }) => payment.map(Settings::check).transpose(),
        Err(message) if is_readable => Err(vec![Problem { item: "payment".to_owned(), line: None, message }]),
        Err(_) => Ok(None),
    }
}

/// A shop file, of which only the payment provider matters.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct WithPayment {
    payment: Option<Draft>,
}

/// Where the parts of a draft came from.
struct Sources {
    files: Files,
    facings: BTreeMap<ShelfId, PathBuf>,
}

impl Sources {
    /// Gives the problems of a check their files.
    fn place_all(&self, problems: &[Problem]) -> Vec<Finding> {
        problems.iter().map(|problem| self.place(problem)).collect()
    }

    fn place(&self, problem: &Problem) -> Finding {
        let shelf_of = |item: &str| item.strip_prefix("shelf ")?.split_once(", facing")?.0.parse::<ShelfId>().ok();
        let about = |start: &str| problem.item.starts_with(start);
        let Files { shop, catalogue, cameras, .. } = &self.files;
        let catalogue = catalogue.as_ref().filter(|_| about("catalogue product"));
        let apart = catalogue.or(cameras.as_ref().filter(|_| about("camera "))).map(|file| &file.path);
        let facing = shelf_of(&problem.item).and_then(|shelf| self.facings.get(&shelf));
        let path = apart.or(facing).unwrap_or(&shop.path);
        Finding { path: path.clone(), line: problem.line, item: problem.item.clone(), message: problem.message.clone() }
    }
}

/// The draft, if the file is in the form that recordings carry.
fn recorded_form(file: &Text) -> Result<Option<ShopDraft>> {
    let tree = file.is_json().then(|| node::from_json(&file.text).ok()).flatten();
    let Some(Node { value: Value::Table(entries), .. }) = tree else {
        return Ok(None);
    };
    if !entries.iter().any(|(key, ..)| key == "shelves" || key == "products") {
        return Ok(None);
    }
    serde_json::from_str(&file.text).map(Some).map_err(|error| {
        Error::input(fault(file.text.as_bytes(), &error)).at_path(&file.path).at_line(error.line() as u64)
    })
}

/// A file as a tree; what is wrong with its syntax goes to the findings.
fn parse(file: &Text, findings: &Findings) -> Option<Node> {
    let (node, wrongs) = if file.is_json() {
        match node::from_json(&file.text) {
            Ok(node) => (Some(node), Vec::new()),
            Err(wrong) => (None, vec![wrong]),
        }
    } else {
        let (node, wrongs) = node::from_toml(&file.text);
        (wrongs.is_empty().then_some(node), wrongs)
    };
    for (line, message) in wrongs {
        findings.say(line, "syntax", message);
    }
    node
}

/// Reads one file; what is wrong in it goes to `all`.
fn read<T: Default>(file: &Text, all: &mut Vec<Finding>, keys: impl FnOnce(&Node, &Findings) -> T) -> T {
    let findings = Findings::new(&file.path);
    let read = parse(file, &findings).map(|root| keys(&root, &findings)).unwrap_or_default();
    all.append(&mut findings.found.take());
    read
}

fn read_draft(files: Files, all: &mut Vec<Finding>) -> (ShopDraft, Sources) {
    let shop = read(&files.shop, all, drafts::shop);
    let currency = shop.policy.currency.parse().unwrap_or(Currency::USD);
    let (mut products, mut shelves, mut cameras) = (shop.products, shop.shelves, shop.cameras);
    let mut facings = BTreeMap::new();
    if let Some(file) = &files.catalogue {
        let double = !products.is_empty();
        products = read(file, all, |root, findings| {
            if double {
                findings.say(1, "catalogue", "the shop file has products too; keep them in one file");
            }
            drafts::catalogue(root, currency, findings)
        });
    }
    if let Some(file) = &files.planogram {
        read(file, all, |root, findings| {
            for (id, (line, planned)) in drafts::planogram(root, findings) {
                if plan(&mut shelves, id, line, planned, findings) {
                    facings.insert(id, file.path.clone());
                }
            }
        });
    }
    if let Some(file) = &files.cameras {
        let double = !cameras.is_empty();
        cameras = read(file, all, |root, findings| {
            if double {
                findings.say(1, "cameras", "the shop file has cameras too; keep them in one file");
            }
            sight::cameras_file(root, findings)
        });
    }
    let path = &files.shop.path;
    let folder = if path.file_stem().is_some_and(|stem| stem == "shop") { path.parent() } else { None };
    let named = folder.and_then(Path::file_name).or(path.file_stem());
    let name = shop.name.or_else(|| named.map(|name| plain(&name.to_string_lossy()).into_owned())).unwrap_or_default();
    let ShopFile { timezone, locale, epcis, policy, taxes, promotions, zones, room, .. } = shop;
    let draft =
        ShopDraft { name, timezone, locale, epcis, policy, taxes, products, promotions, shelves, zones, room, cameras };
    (draft, Sources { files, facings })
}

/// Gives a shelf the facings of the planogram; whether it took them.
fn plan(shelves: &mut [ShelfDraft], id: ShelfId, line: u64, planned: Vec<FacingDraft>, findings: &Findings) -> bool {
    let item = format!("shelf {id}");
    match shelves.iter_mut().find(|shelf| shelf.id == id) {
        None => findings.say(line, &item, "the shop has no shelf of this name"),
        Some(shelf) if !shelf.facings.is_empty() => {
            findings.say(line, &item, "the shop file has facings for it too; keep them in one file");
        }
        Some(shelf) => {
            shelf.facings = planned;
            return true;
        }
    }
    false
}

fn failure(path: &Path, what: &str, mut findings: Vec<Finding>) -> Error {
    findings.dedup();
    let show = |finding: &Finding| {
        let line = finding.line.map_or_else(String::new, |line| format!(":{line}"));
        let path = finding.path.to_string_lossy();
        format!("\n  {}{line}: {}: {}", plain(&path), plain(&finding.item), plain(&finding.message))
    };
    let list: Vec<String> = findings.iter().map(show).collect();
    let problems = if list.len() == 1 { "a problem".to_owned() } else { format!("{} problems", list.len()) };
    Error::input(format!("{what} has {problems}:{}", list.concat())).at_path(path)
}
