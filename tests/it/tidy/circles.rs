//! Files of one crate that import each other in a loop: neither can then be read, moved or tested without the other.
//!
//! What a child names of the files above it is no import here, for the methods of one type are spread over children
//! that way. A name that a file only hands on leads to where it is defined.

use std::collections::{BTreeMap, BTreeSet};

use super::Offence;
use super::source::Source;

/// How often a name may be handed on before it is found.
const HOPS_MAX: usize = 8;

/// The files of one crate, and what each takes from which other.
struct Crate<'a> {
    sources: Vec<&'a Source>,
    by_module: BTreeMap<Vec<&'a str>, usize>,
    imports: Vec<BTreeMap<&'a str, Vec<&'a str>>>,
}

/// What one file takes from another.
#[derive(Default)]
struct Tie<'a> {
    line: usize,
    names: BTreeSet<&'a str>,
}

pub(super) fn check_circles(sources: &[Source]) -> Vec<Offence> {
    let mut crates: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.is_test() && !source.path.ends_with("main.rs")) {
        if let Some((name, _)) = source.path.split_once("src/") {
            crates.entry(name).or_default().push(source);
        }
    }
    crates.into_values().flat_map(|sources| Crate::read(sources).offences()).collect()
}

impl<'a> Crate<'a> {
    fn read(sources: Vec<&'a Source>) -> Self {
        let by_module = sources.iter().enumerate().map(|(file, source)| (source.modules(), file)).collect();
        let imports = sources.iter().map(|source| source.imports().into_iter().collect()).collect();
        Crate { sources, by_module, imports }
    }

    fn offences(&self) -> Vec<Offence> {
        let ties: Vec<_> = (0..self.sources.len()).map(|file| self.ties(file)).collect();
        let reached: Vec<_> = (0..ties.len()).map(|file| reached_from(file, &ties)).collect();
        let mut offences = Vec::new();
        for first in 0..ties.len() {
            let circle: Vec<_> =
                reached[first].iter().copied().filter(|other| reached[*other].contains(&first)).collect();
            // Each is told at its first file.
            if circle.first() == Some(&first) {
                offences.push(self.told(&circle, &ties));
            }
        }
        offences
    }

    fn told(&self, circle: &[usize], ties: &[BTreeMap<usize, Tie>]) -> Offence {
        let mut texts = Vec::new();
        for &file in circle {
            for (other, tie) in ties[file].iter().filter(|(other, _)| circle.contains(other)) {
                let names: Vec<_> = tie.names.iter().copied().collect();
                texts.push(format!("{} takes {} of {}", self.name(file), names.join(", "), self.name(*other)));
            }
        }
        let first = circle[0];
        let lines = ties[first].iter().filter(|(other, _)| circle.contains(other)).map(|(_, tie)| tie.line);
        let message = format!("files import each other in a circle: {}", texts.join("; "));
        Offence { path: self.sources[first].path.clone(), line: lines.min().unwrap_or(1), message }
    }

    /// Without the way to the crate.
    fn name(&self, file: usize) -> &str {
        let path = &self.sources[file].path;
        path.split_once("src/").map_or(path, |(_, inside)| inside)
    }

    /// What this file takes from others, but for those above it.
    fn ties(&self, file: usize) -> BTreeMap<usize, Tie<'a>> {
        let here = self.sources[file].modules();
        let mut ties: BTreeMap<usize, Tie> = BTreeMap::new();
        for (line, path) in self.sources[file].paths() {
            let Some((other, name)) = self.lead(file, &path, 0) else { continue };
            if here.starts_with(&self.sources[other].modules()) {
                continue;
            }
            let tie = ties.entry(other).or_insert_with(|| Tie { line, ..Tie::default() });
            tie.names.insert(name);
        }
        ties
    }

    /// Where a path in this file leads: a file of this crate and the name that it defines.
    fn lead(&self, file: usize, path: &[&'a str], hops: usize) -> Option<(usize, &'a str)> {
        let here = self.sources[file].modules();
        let (mut module, rest) = match path {
            ["crate", rest @ ..] => (Vec::new(), rest),
            ["self", rest @ ..] => (here, rest),
            ["super", ..] => {
                let ups = path.iter().take_while(|part| **part == "super").count();
                (here.get(..here.len().checked_sub(ups)?)?.to_vec(), &path[ups..])
            }
            [first, rest @ ..] => {
                let child = [&here[..], &[*first]].concat();
                if self.by_module.contains_key(&child) {
                    (child, rest)
                } else {
                    return self.handed_on(file, first, rest, hops);
                }
            }
            [] => return None,
        };
        let mut rest = rest;
        while let [next, behind @ ..] = rest {
            let child = [&module[..], &[*next]].concat();
            if !self.by_module.contains_key(&child) {
                break;
            }
            (module, rest) = (child, behind);
        }
        // A module's own name is nothing that it defines; what is taken through it is a path of its own.
        let [name, behind @ ..] = rest else { return None };
        let file = *self.by_module.get(&module)?;
        match self.imports[file].contains_key(name) {
            true => self.handed_on(file, name, behind, hops),
            false => (*name != "self").then_some((file, *name)),
        }
    }

    /// Where a name leads that this file imports.
    fn handed_on(&self, file: usize, name: &str, behind: &[&'a str], hops: usize) -> Option<(usize, &'a str)> {
        let path = self.imports[file].get(name).filter(|_| hops < HOPS_MAX)?;
        self.lead(file, &[&path[..], behind].concat(), hops + 1)
    }
}

/// All files that one leads to by imports, itself only by a circle.
fn reached_from(file: usize, ties: &[BTreeMap<usize, Tie>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut open = vec![file];
    while let Some(next) = open.pop() {
        open.extend(ties[next].keys().filter(|other| reached.insert(**other)));
    }
    reached
}
