//! Links of pages, followed without a network: files and headings that they point to.

use std::path::{Component, Path, PathBuf};

use super::page::Page;
use super::{Fault, root};

/// Links that lead nowhere.
pub(super) fn check(pages: &[Page]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for page in pages {
        for (line, target) in &page.links {
            if let Err(message) = follow(pages, page, target) {
                faults.push(Fault { path: page.path.clone(), line: *line, message });
            }
        }
    }
    faults
}

fn follow(pages: &[Page], page: &Page, target: &str) -> Result<(), String> {
    if let Some((scheme, rest)) = target.split_once("://") {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let right = scheme == "https" && host.contains('.') && target.parse::<axum::http::Uri>().is_ok();
        return right.then_some(()).ok_or_else(|| format!("`{target}` is no address on the web"));
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { page.path.clone() } else { beside(&page.path, file) };
    if !root().join(&path).exists() {
        return Err(format!("there is no {path}, to which `{target}` points"));
    }
    let Some(anchor) = anchor else { return Ok(()) };
    let Some(there) = pages.iter().find(|page| page.path == path) else {
        return Err(format!("`{target}` points into {path}, which is no page"));
    };
    let known = there.anchors.iter().any(|other| other == anchor);
    known.then_some(()).ok_or_else(|| format!("{path} has no heading `{anchor}`, only {}", there.anchors.join(", ")))
}

/// A path from the root, of what is written relative to the folder of a page.
fn beside(page: &str, file: &str) -> String {
    let mut path = PathBuf::new();
    for part in Path::new(page).parent().unwrap_or(Path::new("")).join(file).components() {
        match part {
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
    }
    path.to_str().unwrap_or_default().to_owned()
}

#[test]
fn links_are_followed() {
    let one = Page::parse(
        "docs/STYLE.md",
        "# A thing\n[a](#a-thing) [b](../README.md) [c](GLOSSARY.md#x) [d](https://a.org/b)\n",
    );
    let two = Page::parse("docs/GLOSSARY.md", "[a](nothing.md) [b](STYLE.md#b) [c](http://x.y) [d](../Cargo.toml#a)\n");
    let faults = check(&[one, two]);
    let places: Vec<(&str, usize)> = faults.iter().map(|fault| (fault.path.as_str(), fault.line)).collect();
    let (first, second) = (("docs/STYLE.md", 2), ("docs/GLOSSARY.md", 1));
    assert_eq!(places, [first, second, second, second, second]);
}
