//! Files to checked settings. It takes the path of a shop and gives a [`Shop`], or of a folder of networks and gives
//! their manifests, or one error that lists every problem with its file and line. It never guesses: unknown keys are
//! refused.
//!
//! A shop is a folder with `shop.toml`, `catalogue.toml` and `planogram.toml` (each may be `.json` with the same keys,
//! and the last two may be missing if `shop.toml` says it all), or one such shop file, or one JSON file in the form that
//! recordings carry. `calibration/demo` is an example that states every key.

mod drafts;
mod fields;
mod models;
mod node;
mod prices;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::base::limits::SHOP_FILE_BYTES_MAX;
use crate::base::{Currency, Error, Result, ShelfId};
use crate::payment::{Draft, Settings};
use crate::shop::{Problem, Shop, ShopDraft};
use drafts::ShopFile;
use fields::{Finding, Findings};
use node::{Node, Value};

pub use models::load_manifests;

/// Loads a shop from its folder or file.
///
/// # Errors
/// When nothing is there, or with every problem in its files, one a line: `file:line: item: message`.
pub fn load_shop(path: &Path) -> Result<Shop> {
    let data = fs::metadata(path).map_err(|error| Error::io("open", path, &error))?;
    let files = if data.is_dir() { Files::of_folder(path)? } else { Files::of_file(path) };
    let root = read_text(&files.shop)?;
    if let Some(draft) = recorded_form(&files.shop, &root)? {
        let none = Sources { files, facings: BTreeMap::new() };
        return Shop::check(draft).map_err(|problems| failure(path, "the shop", none.place_all(&problems)));
    }
    let mut findings = Vec::new();
    let (draft, sources) = read_draft(files, &root, &mut findings)?;
    let broken: Vec<PathBuf> = findings.iter().map(|finding| finding.path.clone()).collect();
    match Shop::check(draft) {
        Ok(shop) if findings.is_empty() => Ok(shop),
        Ok(_) => Err(failure(path, "the shop", findings)),
        Err(problems) => {
            let further = sources.place_all(&problems).into_iter().filter(|problem| {
                // What follows only from a part that could not be read is no news.
                let catalogue_broken = sources.files.catalogue.as_ref().is_some_and(|file| broken.contains(file));
                let shop_broken = broken.contains(&sources.files.shop);
                let follows = problem.message.contains("is not in the catalogue") && (catalogue_broken || shop_broken)
                    || problem.message.contains("is not a plate of this shelf") && shop_broken
                    || problem.message.contains("is not a [[tax]] of the shop") && shop_broken;
                !follows
            });
            findings.extend(further);
            Err(failure(path, "the shop", findings))
        }
    }
}

/// Loads the payment provider that a shop's file names in its table `payment`; none where it has no such table.
///
/// # Errors
/// When nothing is there, or with every problem in the table.
pub fn load_payment(path: &Path) -> Result<Option<Settings>> {
    let data = fs::metadata(path).map_err(|error| Error::io("open", path, &error))?;
    let file = if data.is_dir() { Files::of_folder(path)?.shop } else { path.to_owned() };
    let text = read_text(&file)?;
    let wrong = |message: String| Error::input(message).at_path(&file);
    let draft: Option<Draft> = match is_json(&file) {
        true => serde_json::from_str::<WithPayment>(&text).map_err(|error| wrong(error.to_string()))?.payment,
        false => toml::from_str::<WithPayment>(&text).map_err(|error| wrong(error.to_string()))?.payment,
    };
    let settings = draft.map(Settings::check).transpose();
    settings.map_err(|problems| {
        let place = |problem: Problem| Finding {
            path: file.clone(),
            line: problem.line,
            item: problem.item,
            message: problem.message,
        };
        failure(path, "the shop", problems.into_iter().map(place).collect())
    })
}

/// A shop file, of which only the payment provider matters.
#[derive(Deserialize)]
struct WithPayment {
    payment: Option<Draft>,
}

/// The files of a shop.
struct Files {
    shop: PathBuf,
    catalogue: Option<PathBuf>,
    planogram: Option<PathBuf>,
}

/// Where the parts of a draft came from.
struct Sources {
    files: Files,
    facings: BTreeMap<ShelfId, PathBuf>,
}

impl Files {
    fn of_folder(folder: &Path) -> Result<Self> {
        let find = |name: &str| {
            let paths = ["toml", "json"].map(|extension| folder.join(name).with_extension(extension));
            paths.into_iter().find(|path| path.is_file())
        };
        let Some(shop) = find("shop") else {
            let hint = "a shop folder has shop.toml; `calibration/demo` is an example";
            return Err(Error::input("this folder has no shop.toml").at_path(folder).hint(hint));
        };
        Ok(Files { shop, catalogue: find("catalogue"), planogram: find("planogram") })
    }

    fn of_file(file: &Path) -> Self {
        Files { shop: file.to_owned(), catalogue: None, planogram: None }
    }
}

impl Sources {
    /// Gives the problems of a check their files.
    fn place_all(&self, problems: &[Problem]) -> Vec<Finding> {
        problems.iter().map(|problem| self.place(problem)).collect()
    }

    fn place(&self, problem: &Problem) -> Finding {
        let shelf_of = |item: &str| item.strip_prefix("shelf ")?.split_once(", facing")?.0.parse::<ShelfId>().ok();
        let catalogue = self.files.catalogue.as_ref().filter(|_| problem.item.starts_with("catalogue product"));
        let facing = shelf_of(&problem.item).and_then(|shelf| self.facings.get(&shelf));
        let path = catalogue.or(facing).unwrap_or(&self.files.shop);
        Finding { path: path.clone(), line: problem.line, item: problem.item.clone(), message: problem.message.clone() }
    }
}

fn read_text(path: &Path) -> Result<String> {
    let length = fs::metadata(path).map_err(|error| Error::io("read", path, &error))?.len();
    if SHOP_FILE_BYTES_MAX < length {
        return Err(Error::input(format!("{length} bytes; at most {SHOP_FILE_BYTES_MAX} are read")).at_path(path));
    }
    let bytes = fs::read(path).map_err(|error| Error::io("read", path, &error))?;
    String::from_utf8(bytes).map_err(|error| {
        let byte = error.utf8_error().valid_up_to() as u64;
        Error::input("this is not a text file in UTF-8").at_path(path).at_byte(byte)
    })
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// The draft, if the file is in the form that recordings carry.
fn recorded_form(path: &Path, text: &str) -> Result<Option<ShopDraft>> {
    let Some(Node { value: Value::Table(entries), .. }) = is_json(path).then(|| node::from_json(text).ok()).flatten()
    else {
        return Ok(None);
    };
    if !entries.iter().any(|(key, ..)| key == "shelves" || key == "products") {
        return Ok(None);
    }
    serde_json::from_str(text)
        .map(Some)
        .map_err(|error| Error::input(error.to_string()).at_path(path).at_line(error.line() as u64))
}

/// A file as a tree; what is wrong with its syntax goes to the findings.
fn parse(path: &Path, text: &str, findings: &Findings) -> Option<Node> {
    let (node, wrongs) = if is_json(path) {
        match node::from_json(text) {
            Ok(node) => (Some(node), Vec::new()),
            Err(wrong) => (None, vec![wrong]),
        }
    } else {
        let (node, wrongs) = node::from_toml(text);
        (wrongs.is_empty().then_some(node), wrongs)
    };
    for (line, message) in wrongs {
        findings.say(line, "syntax", message);
    }
    node
}

fn read_draft(files: Files, root: &str, all: &mut Vec<Finding>) -> Result<(ShopDraft, Sources)> {
    let findings = Findings::new(&files.shop);
    let shop = parse(&files.shop, root, &findings).map(|root| drafts::shop(&root, &findings)).unwrap_or_default();
    let currency = shop.policy.currency.parse().unwrap_or(Currency::USD);
    let mut products = shop.products;
    let mut facings = BTreeMap::new();
    let mut shelves = shop.shelves;
    all.append(&mut findings.found.take());
    if let Some(path) = &files.catalogue {
        let findings = Findings::new(path);
        let root = parse(path, &read_text(path)?, &findings);
        let more = root.map(|root| drafts::catalogue(&root, currency, &findings)).unwrap_or_default();
        if !products.is_empty() {
            findings.say(1, "catalogue", "the shop file has products too; keep them in one file");
        }
        products = more;
        all.append(&mut findings.found.take());
    }
    if let Some(path) = &files.planogram {
        let findings = Findings::new(path);
        let root = parse(path, &read_text(path)?, &findings);
        for (id, (line, planned)) in root.map(|root| drafts::planogram(&root, &findings)).unwrap_or_default() {
            match shelves.iter_mut().find(|shelf| shelf.id == id) {
                None => findings.say(line, &format!("shelf {id}"), "the shop has no shelf of this name"),
                Some(shelf) if !shelf.facings.is_empty() => {
                    findings.say(
                        line,
                        &format!("shelf {id}"),
                        "the shop file has facings for it too; keep them in one file",
                    );
                }
                Some(shelf) => {
                    shelf.facings = planned;
                    facings.insert(id, path.clone());
                }
            }
        }
        all.append(&mut findings.found.take());
    }
    let folder = if files.shop.file_stem().is_some_and(|stem| stem == "shop") { files.shop.parent() } else { None };
    let named = folder.and_then(Path::file_name).or(files.shop.file_stem());
    let name = shop.name.or_else(|| named.map(|name| name.to_string_lossy().into_owned())).unwrap_or_default();
    let ShopFile { policy, taxes, promotions, zones, .. } = shop;
    let draft =
        ShopDraft { name, policy, taxes, products, promotions, shelves, zones, room: None, cameras: Vec::new() };
    Ok((draft, Sources { files, facings }))
}

fn failure(path: &Path, what: &str, mut findings: Vec<Finding>) -> Error {
    findings.dedup();
    let show = |finding: &Finding| {
        let line = finding.line.map_or_else(String::new, |line| format!(":{line}"));
        format!("\n  {}{line}: {}: {}", finding.path.display(), finding.item, finding.message)
    };
    let list: Vec<String> = findings.iter().map(show).collect();
    let problems = if list.len() == 1 { "a problem".to_owned() } else { format!("{} problems", list.len()) };
    Error::input(format!("{what} has {problems}:{}", list.concat())).at_path(path)
}
