//! The test-case folders of the AutoCheckout competition (CPS-IoT Week 2020): weight plates at 60 Hz and tracked people
//! of a real shop. It takes a folder and gives its shop and its facts in order of arrival, or writes such a folder from
//! any facts. It never repairs silently: whatever it leaves out or assumes is in the warnings.

mod documents;
mod shop;
mod streams;
mod wire;
mod write;

#[cfg(test)]
mod tests;

pub use write::write;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::base::json::fault;
use crate::base::limits::SHOP_FILE_BYTES_MAX;
use crate::base::text::plain;
use crate::base::{Error, Result, SkuId};
use crate::facts::Fact;
use crate::ports::FactSource;
use crate::shop::Shop;
use crate::truth::Truth;
use streams::{PlateStream, Stream, TargetStream};

/// The international inch.
const METRES_PER_INCH: f64 = 0.0254;
/// Warnings that are kept; more are counted.
const WARNINGS_MAX: usize = 200;
/// The files of the samples and of the people.
const STREAM_FILES: [&str; 2] = ["plate_data.json", "full_targets.json"];

/// How to read a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Leave out what is broken with a warning, instead of reporting it as an error.
    pub tolerate: bool,
}

/// A folder being read.
pub struct AutoCheckout {
    shop: Shop,
    truth: Option<Truth>,
    options: Options,
    plates: Lane<PlateStream>,
    targets: Lane<TargetStream>,
    warnings: Warnings,
    /// Documents that could not be read.
    left_out: u64,
    length: u64,
    summed_up: bool,
}

/// Warnings, a bounded number of them.
#[derive(Debug, Default)]
struct Warnings {
    kept: Vec<String>,
    more: u64,
}

/// A stream and the fact at its head.
struct Lane<S> {
    stream: Option<S>,
    head: Option<Fact>,
    ended: bool,
}

/// Reads only the shop of a folder; with the shop come the warnings about it.
///
/// # Errors
/// As [`AutoCheckout::open`].
pub fn read_shop(folder: &Path, options: Options) -> Result<(Shop, Vec<String>)> {
    check_folder(folder)?;
    let mut warnings = Warnings::default();
    let shop = shop::read(folder, options.tolerate, &mut warnings)?;
    Ok((shop, warnings.list()))
}

/// Whether a folder looks like a test case.
pub(super) fn is_one(folder: &Path) -> bool {
    folder.join("planogram.json").is_file() && STREAM_FILES.iter().any(|name| folder.join(name).is_file())
}

fn check_folder(folder: &Path) -> Result<()> {
    let data = fs::metadata(folder).map_err(|error| Error::io("open", folder, &error))?;
    match data.is_dir() {
        true => Ok(()),
        false => Err(Error::input("an AutoCheckout test case is a folder, and this is a file").at_path(folder)),
    }
}

impl AutoCheckout {
    /// Opens a folder: reads its shop and truth, and gets ready to read the rest bit by bit.
    ///
    /// # Errors
    /// When a file is missing, or the shop cannot be read or does not hold together. With `tolerate` only when there
    /// are no shelves, or neither samples nor people.
    pub fn open(folder: &Path, options: Options) -> Result<Self> {
        check_folder(folder)?;
        let mut warnings = Warnings::default();
        let [plate_path, target_path] = STREAM_FILES.map(|name| folder.join(name));
        if !plate_path.exists() && !target_path.exists() {
            let message = "this folder has neither plate_data.json nor full_targets.json";
            return Err(Error::input(message).at_path(folder).hint("give the folder of one test case"));
        }
        let shop = shop::read(folder, options.tolerate, &mut warnings)?;
        let truth =
            read_truth(&folder.join("truth.json"), &shop).or_else(|error| warnings.or_fail(options.tolerate, error))?;
        let plates = PlateStream::open(&plate_path).map(Some);
        let plates = plates.or_else(|error| warnings.or_fail(options.tolerate, error))?;
        let targets = TargetStream::open(&target_path).map(Some);
        let targets = targets.or_else(|error| warnings.or_fail(options.tolerate, error))?;
        let length = [&plate_path, &target_path].map(|path| fs::metadata(path).map_or(0, |data| data.len()));
        let length = length.iter().sum();
        let (plates, targets) = (Lane::new(plates), Lane::new(targets));
        Ok(AutoCheckout { shop, truth, options, plates, targets, warnings, length, left_out: 0, summed_up: false })
    }

    /// What really happened, if the folder has a `truth.json`.
    pub fn truth(&self) -> Option<&Truth> {
        self.truth.as_ref()
    }

    /// What was assumed or left out so far, in plain sentences; complete after the last fact.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.list()
    }

    /// Bytes read so far, and bytes to read in all.
    pub fn progress(&self) -> (u64, u64) {
        (self.plates.position() + self.targets.position(), self.length)
    }

    fn read_fact(&mut self) -> Result<Option<Fact>> {
        self.plates.load(&self.shop)?;
        self.targets.load(&self.shop)?;
        let plates_first = match (&self.plates.head, &self.targets.head) {
            (Some(plates), Some(targets)) => plates.stamp.arrived <= targets.stamp.arrived,
            (plates, _) => plates.is_some(),
        };
        Ok(if plates_first { self.plates.head.take() } else { self.targets.head.take() })
    }

    /// What can only be said at the end.
    fn sum_up(&mut self) {
        if std::mem::replace(&mut self.summed_up, true) {
            return;
        }
        if let Some(plates) = &self.plates.stream {
            if !plates.strangers.is_empty() {
                self.warnings.say(strangers(&plates.strangers));
            }
            if 0 < plates.empty {
                self.warnings.say(format!("{} plate messages hold no sample of a plate of the shop", plates.empty));
            }
        }
        if let Some(targets) = self.targets.stream.as_ref().filter(|targets| 0 < targets.dropped) {
            self.warnings.say(format!("{} people stood twice in a frame or were too many for it", targets.dropped));
        }
    }
}

impl FactSource for AutoCheckout {
    fn shop(&self) -> &Shop {
        &self.shop
    }

    fn left_out(&self) -> u64 {
        self.left_out
    }

    fn next_fact(&mut self) -> Result<Option<Fact>> {
        loop {
            match self.read_fact() {
                Ok(None) => {
                    self.sum_up();
                    return Ok(None);
                }
                Err(error) if self.options.tolerate => {
                    self.left_out += 1;
                    self.warnings.say(error.to_string());
                }
                result => return result,
            }
        }
    }
}

impl<S: Stream> Lane<S> {
    fn new(stream: Option<S>) -> Self {
        Lane { ended: stream.is_none(), stream, head: None }
    }

    fn load(&mut self, shop: &Shop) -> Result<()> {
        if let (Some(stream), None, false) = (&mut self.stream, &self.head, self.ended) {
            self.head = stream.next(shop)?;
            self.ended = self.head.is_none();
        }
        Ok(())
    }

    fn position(&self) -> u64 {
        self.stream.as_ref().map_or(0, Stream::position)
    }
}

impl Warnings {
    fn say(&mut self, sentence: String) {
        if self.kept.len() < WARNINGS_MAX {
            self.kept.push(sentence);
        } else {
            self.more += 1;
        }
    }

    /// Turns an error into a warning where that is wanted.
    fn or_fail<T>(&mut self, tolerate: bool, error: Error) -> Result<Option<T>> {
        if !tolerate {
            return Err(error);
        }
        self.say(error.to_string());
        Ok(None)
    }

    fn list(&self) -> Vec<String> {
        let more = (0 < self.more).then(|| format!("and {} more warnings", self.more));
        self.kept.iter().map(|sentence| plain(sentence).into_owned()).chain(more).collect()
    }
}

fn strangers(plates: &BTreeSet<crate::base::PlateId>) -> String {
    let names: Vec<String> = plates.iter().take(8).map(ToString::to_string).collect();
    let rest = if names.len() < plates.len() { ", …" } else { "" };
    let (count, names) = (plates.len(), names.join(", "));
    format!("{count} plates have samples but no place in the planogram and are ignored: {names}{rest}")
}

/// Keys by which submissions to the competition say whose they are.
const SUBMITTERS: [&str; 7] = ["user", "username", "user_id", "team", "team_id", "email", "submission"];

/// The truth, with its goods called as in the shop.
fn read_truth(path: &Path, shop: &Shop) -> Result<Option<Truth>> {
    let length = match fs::metadata(path) {
        Ok(data) => data.len(),
        Err(_) => return Ok(None),
    };
    if SHOP_FILE_BYTES_MAX < length {
        return Err(Error::input(format!("{length} bytes; at most {SHOP_FILE_BYTES_MAX} are read")).at_path(path));
    }
    let text = fs::read(path).map_err(|error| Error::io("read", path, &error))?;
    let mut said: serde_json::Value = serde_json::from_slice(&text).map_err(|error| {
        let fault = fault(&text, &error);
        Error::input(format!("the truth cannot be read: {fault}")).at_path(path).at_line(error.line() as u64)
    })?;
    if let Some(refusal) = no_truth(&said) {
        return Err(refusal.at_path(path).hint(
            "truth is `{\"receipts\": [{\"target_id\": …, \"products\": [{\"barcode\": …, \"quantity\": …}]}]}`",
        ));
    }
    let unread =
        |error: &dyn std::fmt::Display| Error::input(format!("the truth cannot be read: {error}")).at_path(path);
    let mut truth: Truth = match spell_targets(&mut said).map_err(|error| unread(&error))? {
        true => serde_json::from_value(said).map_err(|error| unread(&error))?,
        false => serde_json::from_slice(&text).map_err(|error| unread(&error).at_line(error.line() as u64))?,
    };
    let codes = shop::Codes::of(shop);
    for item in truth.receipts.iter_mut().flat_map(|receipt| &mut receipt.products) {
        item.barcode = SkuId::new(&codes.sku(item.barcode.as_str()));
    }
    for action in &mut truth.actions {
        action.sku = SkuId::new(&codes.sku(action.sku.as_str()));
    }
    Ok(Some(truth))
}

/// Writes every `target_id` of receipts as the text that it is in the targets, where it is a number there too; whether any
/// was changed.
fn spell_targets(said: &mut serde_json::Value) -> std::result::Result<bool, serde_json::Error> {
    let mut is_changed = false;
    let receipts = said.get_mut("receipts").and_then(serde_json::Value::as_array_mut);
    for target in receipts.into_iter().flatten().filter_map(|receipt| receipt.get_mut("target_id")) {
        if target.is_number() || target.is_object() {
            let wire::Code(text) = serde_json::from_value(target.take())?;
            (*target, is_changed) = (text.into(), true);
        }
    }
    Ok(is_changed)
}

/// What a text is that is JSON and no truth: people put there what they sent in, or what something else wrote.
fn no_truth(said: &serde_json::Value) -> Option<Error> {
    let Some(fields) = said.as_object() else {
        let what = if said.is_array() { "a list" } else { "no object" };
        return Some(Error::input(format!("this is {what}, not the truth about a trip, which is an object")));
    };
    if let Some(name) = SUBMITTERS.into_iter().find(|name| fields.contains_key(*name)) {
        let what = format!("this is a submission, what somebody said (it has `{name}`), not the truth");
        return Some(Error::input(what));
    }
    let is_list = fields.get("receipts").is_some_and(serde_json::Value::is_array);
    (!is_list).then(|| Error::input("this is no truth about a trip: it has no list of `receipts`"))
}
