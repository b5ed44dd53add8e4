//! No circles inside a crate: if module A uses B, then B doesn't use A, neither directly nor through
//! others. Then each module can be read, tested and moved with only the modules below it.
//!
//! What counts as using:
//! - An item of another module is named: by a `use`, or by a path in the code. The module is the one
//!   that defines the item. If a parent hands the name on (`pub use child::Item`), naming
//!   `parent::Item` uses the child, and not the parent.
//! - A `pub use` alone uses nothing. The module's own code must name what it hands on.
//! - `mod child;` uses nothing, and neither does naming a module without an item of it.
//! - So a parent and its child make a circle if the parent's own code names an item of the child, and
//!   the child names one of the parent's own. Items that both need belong in a third module.
//! - A method or field makes no arrow: its type was named where the value came from. Test code
//!   doesn't count.
//!
//! Files are the modules here; a `mod name { … }` belongs to its file. Items of other crates and of
//! macros are left out, never guessed.

mod source;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Finding, files::File};
use source::{Import, Source};

/// How many re-exports are followed at most, before the search for an item's module is given up.
const MOST_STEPS: usize = 16;

pub fn check(files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for files in crates(files).into_values() {
        let arrows = Modules::new(&files).arrows();
        findings.extend(knots(&arrows).iter().map(|knot| finding(knot, &arrows)));
    }
    findings
}

/// Files of product code by crate: the folder above `src/`, with the files' paths below it.
fn crates(files: &[File]) -> BTreeMap<String, Vec<(&str, &File)>> {
    let mut crates: BTreeMap<String, Vec<(&str, &File)>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is("rs")) {
        if let Some((krate, rest)) = file.path.split_once("/src/") {
            crates.entry(krate.to_string()).or_default().push((rest, file));
        }
    }
    crates
}

/// From a file to the files that it uses, with the line and the path named there.
type Arrows = BTreeMap<String, BTreeMap<String, (usize, String)>>;
/// The names of the modules from the crate's root down.
type Name = Vec<String>;

/// All modules of a crate.
struct Modules {
    /// Each with its file.
    all: BTreeMap<Name, (String, Source)>,
}

impl Modules {
    fn new(files: &[(&str, &File)]) -> Self {
        let mut all = BTreeMap::new();
        for (path, file) in files {
            add(&mut all, name_of(path), &file.path, source::read(&file.text));
        }
        let tests: Vec<Name> = all
            .iter()
            .flat_map(|(name, (_, source))| source.test_modules.iter().map(move |test| below(name, test)))
            .collect();
        all.retain(|name, _| !tests.iter().any(|test| name.starts_with(test)));
        Self { all }
    }

    fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (name, (file, source)) in &self.all {
            let targets = arrows.entry(file.clone()).or_default();
            let mut add = |segments: &[String], line: usize, target: Option<Name>| {
                let Some((to, _)) = target.and_then(|target| self.all.get(&target)) else { return };
                if to != file {
                    targets.entry(to.clone()).or_insert_with(|| (line, segments.join("::")));
                }
            };
            for (alias, Import { path, public }) in &source.imports {
                let line = if *public { source.words.get(alias).copied() } else { Some(path.line) };
                if let Some(line) = line {
                    add(&path.segments, line, self.item(name, &path.segments, 0));
                }
            }
            for Import { path, .. } in source.globs.iter().filter(|glob| !glob.public) {
                add(&path.segments, path.line, self.module(name, &path.segments));
            }
            for path in &source.paths {
                add(&path.segments, path.line, self.item(name, &path.segments, 0));
            }
        }
        arrows
    }

    /// The module that a path names, if it names a module and not an item.
    fn module(&self, from: &[String], path: &[String]) -> Option<Name> {
        let (start, rest) = self.start(from, path, 0)?;
        let name: Name = start.into_iter().chain(rest).collect();
        self.all.contains_key(&name).then_some(name)
    }

    /// The module that defines the item which a path names; `None` if the path names only a module,
    /// or leads out of the crate.
    fn item(&self, from: &[String], path: &[String], steps: usize) -> Option<Name> {
        let (mut name, rest) = self.start(from, path, steps)?;
        for segment in rest {
            let deeper = below(&name, &segment);
            if self.all.contains_key(&deeper) {
                name = deeper;
            } else {
                return self.home(&name, &segment, steps);
            }
        }
        None
    }

    /// Where a path begins, as the module's name, and what is left of it.
    fn start(&self, from: &[String], path: &[String], steps: usize) -> Option<(Name, Vec<String>)> {
        let (first, rest) = path.split_first()?;
        let rest = rest.to_vec();
        match first.as_str() {
            "crate" => Some((Name::new(), rest)),
            "self" => Some((from.to_vec(), rest)),
            "super" => {
                let ups = 1 + rest.iter().take_while(|segment| *segment == "super").count();
                let up = from.len().checked_sub(ups)?;
                Some((from[..up].to_vec(), rest[ups - 1..].to_vec()))
            }
            _ if self.all.contains_key(&below(from, first)) => Some((below(from, first), rest)),
            _ => {
                let import = self.all.get(from)?.1.imports.get(first)?;
                if steps == MOST_STEPS || import.path.segments.first() == Some(first) {
                    return None;
                }
                let (start, more) = self.start(from, &import.path.segments, steps + 1)?;
                Some((start, [more, rest].concat()))
            }
        }
    }

    /// The module that defines what a module calls by this name.
    fn home(&self, name: &[String], item: &str, steps: usize) -> Option<Name> {
        let (_, source) = self.all.get(name)?;
        if source.items.contains(item) || steps == MOST_STEPS {
            return Some(name.to_vec());
        }
        if let Some(import) = source.imports.get(item) {
            return self.item(name, &import.path.segments, steps + 1);
        }
        for glob in &source.globs {
            let Some(inside) = self.module(name, &glob.path.segments).filter(|inside| inside != name) else { continue };
            if self
                .all
                .get(&inside)
                .is_some_and(|(_, source)| source.items.contains(item) || source.imports.contains_key(item))
            {
                return self.home(&inside, item, steps + 1);
            }
        }
        Some(name.to_vec())
    }
}

fn add(all: &mut BTreeMap<Name, (String, Source)>, name: Name, file: &str, mut source: Source) {
    for (inside, source) in std::mem::take(&mut source.inside) {
        add(all, below(&name, &inside), file, source);
    }
    all.insert(name, (file.to_string(), source));
}

fn below(name: &[String], child: &str) -> Name {
    let mut name = name.to_vec();
    name.push(child.to_string());
    name
}

/// `a/b.rs` and `a/b/mod.rs` are the module `a::b`; `lib.rs` and `main.rs` are the root.
fn name_of(path: &str) -> Name {
    let mut name: Name = path.trim_end_matches(".rs").split('/').map(String::from).collect();
    let last = name.last().map_or("", String::as_str);
    if last == "mod" || (name.len() == 1 && matches!(last, "lib" | "main")) {
        name.pop();
    }
    name
}

/// Files that all reach each other, with one of the shortest circles among them.
struct Knot {
    files: BTreeSet<String>,
    circle: Vec<String>,
}

fn knots(arrows: &Arrows) -> Vec<Knot> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        arrows.keys().map(|file| (file.as_str(), reach(arrows, file))).collect();
    let reaches = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let mut found: Vec<Knot> = Vec::new();
    for start in arrows.keys() {
        if !reaches(start, start) || found.iter().any(|knot| knot.files.contains(start)) {
            continue;
        }
        let files: BTreeSet<String> =
            arrows.keys().filter(|file| reaches(start, file) && reaches(file, start)).cloned().collect();
        let shortest = files.iter().filter_map(|file| shortest_from(arrows, file)).min_by_key(Vec::len);
        found.extend(shortest.map(|circle| Knot { files, circle }));
    }
    found
}

fn reach<'a>(arrows: &'a Arrows, start: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![start];
    while let Some(file) = next.pop() {
        for to in arrows.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(to.as_str()) {
                next.push(to);
            }
        }
    }
    reached
}

/// The shortest way from a file back to itself.
fn shortest_from(arrows: &Arrows, start: &str) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![start.to_string()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for to in arrows.get(way.last()?).into_iter().flat_map(BTreeMap::keys) {
            if to == start {
                return Some(way);
            }
            if seen.insert(to.clone()) {
                ways.push_back([way.clone(), vec![to.clone()]].concat());
            }
        }
    }
    None
}

fn finding(knot: &Knot, arrows: &Arrows) -> Finding {
    let circle = &knot.circle;
    let mut steps = Vec::new();
    let mut first_line = 0;
    for (index, from) in circle.iter().enumerate() {
        let to = &circle[(index + 1) % circle.len()];
        let Some((line, named)) = arrows.get(from).and_then(|targets| targets.get(to)) else { continue };
        if index == 0 {
            first_line = *line;
        }
        steps.push(format!("{from}:{line} uses {to} ({named})"));
    }
    let mut what = format!("modules in a circle: {}", steps.join("; "));
    if knot.files.len() > circle.len() {
        let all: Vec<&str> = knot.files.iter().map(String::as_str).collect();
        what.push_str(&format!("; {} modules reach each other: {}", all.len(), all.join(", ")));
    }
    Finding::new(&circle[0], first_line, what)
}

#[cfg(test)]
mod tests;
