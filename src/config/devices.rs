//! `devices.toml`: which cameras, boards and gates a shop has, and where its broker is.

use super::fields::Finding;
use super::files::Text;
use crate::base::json::fault;
use crate::ingest::devices::{Devices, DevicesDraft};
use crate::shop::{Problem, Shop};

/// The devices of a shop, or all that is wrong with them.
pub(super) fn read(file: &Text, shop: &Shop) -> Result<Devices, Vec<Finding>> {
    let finding =
        |line: Option<u64>, item: String, message: String| Finding { path: file.path.clone(), line, item, message };
    let draft: Result<DevicesDraft, Finding> = match file.is_json() {
        true => serde_json::from_str(&file.text).map_err(|error| {
            finding(Some(error.line() as u64), "syntax".to_owned(), fault(file.text.as_bytes(), &error))
        }),
        false => toml::from_str(&file.text).map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| line_of(&file.text, span.start));
            finding(line, "syntax".to_owned(), error.message().to_owned())
        }),
    };
    let folder = file.path.parent().unwrap_or(&file.path);
    let checked = draft.map_err(|wrong| vec![wrong]).map(|draft| Devices::check(draft, shop, folder))?;
    checked.map_err(|problems| {
        let place = |Problem { item, line, message }: Problem| {
            let line = line.or_else(|| line_naming(&file.text, &item));
            finding(line, item, message)
        };
        problems.into_iter().map(place).collect()
    })
}

/// The line of a byte, counted from 1.
fn line_of(text: &str, byte: usize) -> u64 {
    1 + text.as_bytes().iter().take(byte).filter(|byte| **byte == b'\n').count() as u64
}

/// The line on which an item such as `camera left` is named, or its table begins.
fn line_naming(text: &str, item: &str) -> Option<u64> {
    let (table, name) = item.split_once(' ').unwrap_or((item, ""));
    let named = format!("\"{}\"", name.rsplit(' ').next().unwrap_or(name));
    let find = |wanted: &dyn Fn(&str) -> bool| text.lines().position(wanted).map(|line| line as u64 + 1);
    let by_name = find(&|line| !name.is_empty() && line.contains(&named) && !line.trim_start().starts_with('#'));
    by_name.or_else(|| find(&|line| line.trim().trim_matches(['[', ']']) == table))
}
