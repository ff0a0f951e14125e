//! Licences of all that aisle is built with, held against the list in `deny.toml`. `cargo deny` does the same and more, where
//! it is installed; this is there everywhere.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What `cargo metadata` says; of this machine's platform only, where crates of others are not at hand.
fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ask = |options: &[&str]| {
        let mut command = Command::new(&cargo);
        command.args(["metadata", "--format-version", "1", "--locked"]).args(options);
        command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap()
    };
    let mut output = ask(&[]);
    if !output.status.success() {
        let version = Command::new("rustc").arg("-vV").output().unwrap().stdout;
        let version = String::from_utf8(version).unwrap();
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        output = ask(&["--offline", "--filter-platform", host]);
    }
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The list in `deny.toml`.
fn allowed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let list = table["licenses"]["allow"].as_array().unwrap();
    list.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// An SPDX expression, whose words are read one after the other: names, `OR`, `AND`, `WITH` and brackets.
struct Expression<'a> {
    words: Vec<&'a str>,
    allowed: &'a BTreeSet<String>,
    /// Those of the list that it names.
    named: BTreeSet<String>,
}

impl Expression<'_> {
    fn next_is(&mut self, word: &str) -> bool {
        let is = self.words.first() == Some(&word);
        self.words.drain(..usize::from(is));
        is
    }

    /// Whether one of what stands around `OR` is allowed.
    fn any(&mut self) -> bool {
        let mut fits = self.all();
        while self.next_is("OR") || self.next_is("/") {
            fits |= self.all();
        }
        fits
    }

    fn all(&mut self) -> bool {
        let mut fits = self.one();
        while self.next_is("AND") {
            fits &= self.one();
        }
        fits
    }

    fn one(&mut self) -> bool {
        if self.next_is("(") {
            let fits = self.any();
            return self.next_is(")") && fits;
        }
        let mut name = self.words.drain(..1).collect::<String>();
        if self.next_is("WITH") {
            name += &format!(" WITH {}", self.words.remove(0));
        }
        let is_allowed = self.allowed.contains(&name);
        self.named.extend(is_allowed.then_some(name));
        is_allowed
    }
}

/// Whether a licence fits the list, and which of the list it names.
fn fits(licence: &str, allowed: &BTreeSet<String>) -> (bool, BTreeSet<String>) {
    let spaced = licence.replace('(', " ( ").replace(')', " ) ").replace('/', " / ");
    let words = spaced.split_whitespace().collect();
    let mut expression = Expression { words, allowed, named: BTreeSet::new() };
    let fits = expression.any() && expression.words.is_empty();
    (fits, expression.named)
}

#[test]
fn licences_of_all_dependencies_are_in_the_list() {
    let (allowed, metadata) = (allowed(), metadata());
    let (mut refused, mut named) = (Vec::new(), BTreeSet::new());
    let packages = metadata["packages"].as_array().unwrap();
    assert!(100 < packages.len(), "{} packages", packages.len());
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("none");
        let (fits, names) = fits(licence, &allowed);
        named.extend(names);
        if !fits {
            refused.push(format!("{} {}: {licence}", package["name"], package["version"]));
        }
    }
    assert!(refused.is_empty(), "not in the list of deny.toml:\n{}", refused.join("\n"));
    let unused: Vec<&String> = allowed.difference(&named).collect();
    assert!(unused.is_empty(), "deny.toml allows what nothing has: {unused:?}");
}

#[test]
fn expressions_are_read_as_spdx_says() {
    let allowed = ["MIT", "ISC", "GPL-2.0 WITH Classpath-exception-2.0"].map(str::to_owned).into();
    let right = ["MIT", "MIT OR GPL-3.0", "GPL-3.0/MIT", "MIT AND ISC", "(MIT OR GPL-3.0) AND ISC"];
    for licence in right.into_iter().chain(["GPL-2.0 WITH Classpath-exception-2.0"]) {
        assert!(fits(licence, &allowed).0, "{licence}");
    }
    for licence in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT AND GPL-3.0) OR GPL-2.0", "GPL-2.0", "MIT)", "none"] {
        assert!(!fits(licence, &allowed).0, "{licence}");
    }
}
