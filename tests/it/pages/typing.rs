//! A page, typed: its commands, and what it shows of what they say.

use super::command::{Command, commands, replaced};
use super::page::{Block, Note, Page};
use super::shell::Shell;
use super::{Fault, Machine, THINGS, shown};

/// Lines of what a command said that a failure shows.
const SAID_LINES_MAX: usize = 40;
/// What pages call the address of a server.
const ADDRESS: &str = "127.0.0.1:8080";

/// What became of a page.
pub(super) struct Report {
    pub(super) typed: usize,
    /// What commands need that a machine may lack, an entry for each command.
    pub(super) marked: Vec<&'static str>,
    /// The same of those that were left out.
    pub(super) left_out: Vec<&'static str>,
    pub(super) faults: Vec<Fault>,
}

/// What a block said.
struct Heard {
    section: usize,
    text: String,
    /// Whether any of it was typed: only then it can be compared.
    typed: bool,
}

struct Typist<'a> {
    page: &'a Page,
    machine: &'a Machine,
    shell: Shell,
    /// What is typed for what is shown, newest first.
    instead: Vec<(String, String)>,
    heard: Option<Heard>,
    report: Report,
    aloud: bool,
}

/// Types a page; `aloud` also tells what is typed.
pub(super) fn type_page(page: &Page, machine: &Machine, aloud: bool) -> Report {
    let faults = page.faults.iter().map(|fault| Fault {
        path: fault.path.clone(),
        line: fault.line,
        message: fault.message.clone(),
    });
    let report = Report { typed: 0, marked: Vec::new(), left_out: Vec::new(), faults: faults.collect() };
    if page.blocks.is_empty() {
        return report;
    }
    // The place of a book on a server lives as long as the shell.
    let (shell, _place) = machine.shell(page);
    let mut typist = Typist { page, machine, shell, instead: Vec::new(), heard: None, report, aloud };
    for block in &page.blocks {
        typist.block(block);
    }
    if let Err(why) = typist.shell.stop() {
        typist.fault(page.blocks.last().map_or(1, |block| block.line), why);
    }
    typist.report
}

impl Typist<'_> {
    fn fault(&mut self, line: usize, message: String) {
        self.report.faults.push(Fault { path: self.page.path.clone(), line, message });
    }

    fn block(&mut self, block: &Block) {
        for (line, note) in &block.notes {
            let fits = match note {
                Note::Needs { reason, text } => {
                    if !THINGS.iter().any(|(thing, _)| thing == reason) {
                        self.fault(*line, format!("nobody knows what `{reason}` is; name it in tests/it/pages.rs"));
                    }
                    text.as_ref().is_none_or(|text| block.lines.iter().any(|line| line.contains(text)))
                }
                Note::Ends { text, .. } => block.lines.iter().any(|line| line.contains(text)),
                Note::Types { shown, typed } => {
                    self.instead.insert(0, (shown.clone(), typed.clone()));
                    true
                }
                Note::Holds { .. } => block.language == "json",
            };
            if !fits {
                self.fault(*line, "this note speaks of nothing in the block below".to_owned());
            }
        }
        let text = block.lines.join("\n");
        let before = self.heard.as_ref().filter(|heard| heard.section == block.section && heard.typed);
        let checked = match block.language.as_str() {
            "sh" => return self.commands(block),
            "text" => before.map_or(Ok(()), |heard| shown::check_text(&block.lines, &heard.text)),
            "json" => {
                let file = block.notes.iter().find_map(|(_, note)| match note {
                    Note::Holds { file } => Some(self.shell.folder().join(file)),
                    _ => None,
                });
                let file = file.filter(|_| before.is_some());
                shown::check_json(&text, before.map(|heard| heard.text.as_str()), file.as_deref())
            }
            "toml" => shown::check_toml(&text, &mut self.shell),
            "" => Err("say what this block is: sh, text, json, toml".to_owned()),
            other => Err(format!("nobody knows how to check a block of `{other}`; name it in tests/it/pages")),
        };
        if let Err(why) = checked {
            self.fault(block.line, why);
        }
    }

    fn commands(&mut self, block: &Block) {
        let mut heard = Heard { section: block.section, text: String::new(), typed: false };
        for command in commands(block.line, &block.lines) {
            let mut needs: Vec<&'static str> = needs(block, &command).collect();
            needs.dedup();
            self.report.marked.extend(&needs);
            match needs.iter().find(|thing| !self.machine.things.contains(thing)) {
                Some(thing) => self.report.left_out.push(thing),
                None => {
                    heard.text += &self.command(&command, status(block, &command));
                    heard.typed = true;
                }
            }
        }
        self.heard = Some(heard);
    }

    /// Types a command; gives what it said.
    fn command(&mut self, command: &Command, status: i32) -> String {
        let serves = command.text.starts_with("aisle serve") || command.text.contains(" --watch");
        let mut text = command.text.clone();
        if serves {
            text = match text.contains("--listen ") {
                true => text.replace(ADDRESS, "127.0.0.1:0"),
                false => text + " --listen 127.0.0.1:0",
            };
        }
        for (shown, typed) in &self.instead {
            text = replaced(&text, shown, typed);
        }
        if let Some(address) = self.shell.address().filter(|_| !serves) {
            text = text.replace(ADDRESS, address);
        }
        if self.aloud {
            println!("{}:{}: {text}", self.page.path, command.line);
        }
        self.report.typed += 1;
        let said = match serves {
            true => self.shell.stop().and_then(|()| self.shell.serve(&text)).map(|()| (0, String::new())),
            false => self.shell.run(&text).map(|said| (said.status, said.text)),
        };
        let (ended, said) = said.unwrap_or_else(|why| (-1, why));
        if ended != status {
            let as_shown = if text == command.text { String::new() } else { format!("\n  typed: {text}") };
            let message = format!(
                "this ends with status {ended}, not {status}\n  shown: {}{as_shown}\n  said:\n{}",
                command.shown,
                shown::end_of(&said, SAID_LINES_MAX)
            );
            self.fault(command.line, message);
        }
        said
    }
}

/// What a command needs that a machine may lack.
fn needs<'a>(block: &'a Block, command: &'a Command) -> impl Iterator<Item = &'static str> + use<'a> {
    let asked = block.notes.iter().filter_map(|(_, note)| match note {
        Note::Needs { reason, text } if text.as_ref().is_none_or(|text| command.shown.contains(text)) => Some(reason),
        _ => None,
    });
    asked.filter_map(|reason| THINGS.iter().find(|(thing, _)| thing == reason).map(|(thing, _)| *thing))
}

/// How a command ends.
fn status(block: &Block, command: &Command) -> i32 {
    let said = block.notes.iter().find_map(|(_, note)| match note {
        Note::Ends { status, text } if command.shown.contains(text) => Some(*status),
        _ => None,
    });
    said.unwrap_or(0)
}
