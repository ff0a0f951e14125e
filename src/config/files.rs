//! The files of a shop with their texts: of a folder, one alone, or of a shop that aisle brings along.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::base::limits::SHOP_FILE_BYTES_MAX;
use crate::base::{Error, Result};

/// A file and what it says.
pub(super) struct Text {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// The files of a shop.
pub(super) struct Files {
    pub(super) shop: Text,
    pub(super) catalogue: Option<Text>,
    pub(super) planogram: Option<Text>,
    pub(super) cameras: Option<Text>,
    pub(super) devices: Option<Text>,
}

/// A shop that aisle brings along: its name and its files.
struct BuiltIn {
    name: &'static str,
    shop: &'static str,
    catalogue: &'static str,
    planogram: &'static str,
    cameras: &'static str,
}

/// The embedded files of a folder of `calibration`.
macro_rules! built_in {
    ($name:literal) => {
        BuiltIn {
            name: $name,
            shop: include_str!(concat!("../../calibration/", $name, "/shop.toml")),
            catalogue: include_str!(concat!("../../calibration/", $name, "/catalogue.toml")),
            planogram: include_str!(concat!("../../calibration/", $name, "/planogram.toml")),
            cameras: include_str!(concat!("../../calibration/", $name, "/cameras.toml")),
        }
    };
}

static BUILT_IN: [BuiltIn; 2] = [built_in!("micro-market"), built_in!("convenience")];

impl Files {
    /// What lies at a path; where nothing does, the shop of that name which aisle brings along.
    ///
    /// # Errors
    /// When there is neither, or a file cannot be read.
    pub(super) fn open(path: &Path) -> Result<Self> {
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => Files::of_folder(path),
            Ok(_) => {
                Ok(Files { shop: Text::read(path)?, catalogue: None, planogram: None, cameras: None, devices: None })
            }
            Err(error) => {
                let known = BUILT_IN.iter().find(|shop| error.kind() == ErrorKind::NotFound && *path == *shop.name);
                known.map(BuiltIn::files).ok_or_else(|| Error::io("open", path, &error))
            }
        }
    }

    fn of_folder(folder: &Path) -> Result<Self> {
        let find = |name: &str| {
            let paths = ["toml", "json"].map(|extension| folder.join(name).with_extension(extension));
            let mut found = paths.iter().filter(|path| path.is_file());
            match (found.next(), found.next()) {
                (Some(_), Some(_)) => {
                    let message = format!("this folder has {name}.toml and {name}.json");
                    Err(Error::input(message).at_path(folder).hint("keep the one that is meant"))
                }
                (found, _) => found.map(|path| Text::read(path)).transpose(),
            }
        };
        let Some(shop) = find("shop")? else {
            let hint = "a shop folder has shop.toml, see the reference page shop.md; `aisle check micro-market` takes a shop that comes with aisle";
            return Err(Error::input("this folder has no shop.toml").at_path(folder).hint(hint));
        };
        let (catalogue, planogram) = (find("catalogue")?, find("planogram")?);
        Ok(Files { shop, catalogue, planogram, cameras: find("cameras")?, devices: find("devices")? })
    }
}

impl BuiltIn {
    fn files(&self) -> Files {
        let text = |file: &str, text: &str| Text { path: Path::new(self.name).join(file), text: text.to_owned() };
        Files {
            shop: text("shop.toml", self.shop),
            catalogue: Some(text("catalogue.toml", self.catalogue)),
            planogram: Some(text("planogram.toml", self.planogram)),
            cameras: Some(text("cameras.toml", self.cameras)),
            devices: None,
        }
    }
}

impl Text {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let length = fs::metadata(path).map_err(|error| Error::io("read", path, &error))?.len();
        if SHOP_FILE_BYTES_MAX < length {
            return Err(Error::input(format!("{length} bytes; at most {SHOP_FILE_BYTES_MAX} are read")).at_path(path));
        }
        let bytes = fs::read(path).map_err(|error| Error::io("read", path, &error))?;
        Ok(Text { path: path.to_owned(), text: decoded(bytes).map_err(|error| error.at_path(path))? })
    }

    pub(super) fn is_json(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
    }
}

/// The text of a file. A mark of the byte order in front is passed over.
fn decoded(bytes: Vec<u8>) -> Result<String> {
    let hint = "save it again as UTF-8";
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Error::input("this is a text in UTF-16, and UTF-8 is read").at_byte(0).hint(hint));
    }
    if let Some(byte) = bytes.iter().position(|byte| *byte == 0) {
        let message = "this is not a text file in UTF-8: it has a zero byte";
        return Err(Error::input(message).at_byte(byte as u64).hint(hint));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let (byte, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
        let line = 1 + bytes[..byte].iter().filter(|byte| **byte == b'\n').count() as u64;
        Error::input("this is not a text file in UTF-8").at_line(line).at_byte(byte as u64).hint(hint)
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}
