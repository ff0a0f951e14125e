//! Pictures in folders: which files are some, and in which order they are frames.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::{Error, Result};
use crate::image::is_picture;

/// Endings of the names of pictures that are read.
const PICTURES: [&str; 6] = ["jpg", "jpeg", "png", "bmp", "webp", "gif"];

/// What is in a folder, by name. What is hidden (`.name`) is not.
///
/// # Errors
/// When the folder cannot be read.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |error| Error::io("read", folder, &error);
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<PathBuf>>>().map_err(unreadable)?;
    paths.retain(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")));
    paths.sort();
    Ok(paths)
}

/// The pictures of a folder in the order of their numbers, and how many other files it holds: those that are called as
/// pictures are, and those that are some whatever they are called.
///
/// # Errors
/// When the folder or a file in it cannot be read, or there are none.
pub fn pictures(folder: &Path) -> Result<(Vec<PathBuf>, usize)> {
    let (mut paths, mut others) = (Vec::new(), 0);
    for path in entries(folder)?.into_iter().filter(|path| path.is_file()) {
        if has_picture_name(&path) || is_picture(&path)? {
            paths.push(path);
        } else {
            others += 1;
        }
    }
    if paths.is_empty() {
        return Err(Error::input("there are no pictures in this folder")
            .at_path(folder)
            .hint("JPEG, PNG, BMP, WebP and GIF are read, or a video by its own name"));
    }
    paths.sort_by(|one, other| by_number(&name(one), &name(other)));
    Ok((paths, others))
}

/// Whether a file is called as pictures are.
pub fn has_picture_name(path: &Path) -> bool {
    ends_in(path, &PICTURES)
}

/// Whether the name of a file ends so, in capitals or not.
pub fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    ending.is_some_and(|ending| endings.contains(&ending.as_str()))
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// The order of names in which numbers count as such, however many digits they are written with: `2` before `10`, `cam1_9`
/// before `cam1_10`. Names that differ in nothing else stand by their letters.
fn by_number(one: &str, other: &str) -> Ordering {
    let (mut left, mut right) = (one, other);
    loop {
        let (a, b) = (digits(left), digits(right));
        if !a.is_empty() && !b.is_empty() {
            let [plain_a, plain_b] = [a, b].map(|digits| digits.trim_start_matches('0'));
            let order = plain_a.len().cmp(&plain_b.len()).then_with(|| plain_a.cmp(plain_b));
            if order != Ordering::Equal {
                return order;
            }
            (left, right) = (&left[a.len()..], &right[b.len()..]);
            continue;
        }
        let (mut letters, mut others) = (left.chars(), right.chars());
        match (letters.next(), others.next()) {
            (None, None) => return one.cmp(other),
            (a, b) if a == b => (left, right) = (letters.as_str(), others.as_str()),
            (a, b) => return a.cmp(&b),
        }
    }
}

/// The digits at the beginning of a text.
fn digits(text: &str) -> &str {
    &text[..text.len() - text.trim_start_matches(|letter: char| letter.is_ascii_digit()).len()]
}

#[cfg(test)]
mod tests {
    use super::by_number;

    #[test]
    fn names_stand_in_the_order_of_their_numbers() {
        let sorted = |names: &str| {
            let mut names: Vec<&str> = names.split(' ').collect();
            names.sort_by(|one, other| by_number(one, other));
            names.join(" ")
        };
        for right in [
            "1.png 2.png 3.jpg 9.png 10.png 11.png 100.png",
            "cam1_2.jpg cam1_10.jpg cam2_1.jpg cam10_1.jpg",
            "frame.jpg frame1.jpg frame002.jpg frame2a.jpg frame10.jpg",
            "a-1-9.png a-1-10.png a-2-1.png b-0.png",
            "01.png 1.png 02.png 2.png",
            "7.webp 99999999999999999999999999998.png 99999999999999999999999999999.png",
            "Bild-ä2.png Bild-ä10.png",
        ] {
            let backwards: Vec<&str> = right.split(' ').rev().collect();
            assert_eq!(sorted(&backwards.join(" ")), right);
        }
    }
}
