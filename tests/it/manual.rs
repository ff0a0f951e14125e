//! Completions of shells and pages of the manual, which are made from the table that parses commands.

use std::fs;
use std::process::Command;

use super::cli::{COMMANDS, ask};

/// The commands right below `aisle`.
fn verbs() -> impl Iterator<Item = &'static str> {
    COMMANDS.into_iter().filter(|command| !command.is_empty() && !command.contains(' '))
}

#[test]
fn every_shell_completes_every_command() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let answer = ask(folder.path(), &["completions", shell]);
        assert_eq!((answer.status, answer.err.as_str()), (Some(0), ""), "{shell}");
        let without: Vec<&str> = verbs().filter(|verb| !answer.out.contains(verb)).collect();
        assert!(without.is_empty(), "{shell} does not know {without:?}");
        assert!(answer.out.contains("min-f1"), "{shell} knows no options");
    }
    assert_eq!(ask(folder.path(), &["completions", "tcsh"]).status, Some(2));
}

#[test]
fn bash_completes_what_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("aisle.bash"), ask(folder.path(), &["completions", "bash"]).out).unwrap();
    let completed = |words: &[&str]| {
        let last = words.len() - 1;
        let script = format!(
            "source aisle.bash; COMP_WORDS=({}); COMP_CWORD={last}; _aisle aisle {} {}; echo \"${{COMPREPLY[*]}}\"",
            words.join(" "),
            words[last],
            words[last - 1]
        );
        let output = Command::new("bash").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(completed(&["aisle", "rep"]), "replay");
    assert_eq!(completed(&["aisle", "ledger", "dr"]), "drill");
    assert_eq!(completed(&["aisle", "eval", "--min-f"]), "--min-f1");
    assert_eq!(completed(&["aisle", "completions", "zs"]), "zsh");
}

#[test]
fn every_command_has_a_page_with_its_options() {
    let folder = tempfile::tempdir().unwrap();
    let answer = ask(folder.path(), &["man", "-o", "man1"]);
    assert_eq!((answer.status, answer.out), (Some(0), format!("man1: {} pages\n", COMMANDS.len())), "{}", answer.err);
    for command in COMMANDS {
        let name = format!("aisle {command}").trim().replace(' ', "-");
        let page = fs::read_to_string(folder.path().join("man1").join(format!("{name}.1"))).unwrap();
        let page = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
        assert!(page.contains(&format!(".TH {name} 1")), "{name}");
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = ask(folder.path(), &arguments).out;
        for option in help.lines().filter_map(|line| line.trim_start().split_once("--")) {
            let known = option.0.is_empty() || option.0.starts_with('-');
            let name = option.1.split(|l: char| !l.is_ascii_alphanumeric() && l != '-').next().unwrap_or_default();
            assert!(!known || page.contains(&format!("--{name}")), "{command} has no --{name} in its page");
        }
    }
    let overview = ask(folder.path(), &["man"]).out;
    let without: Vec<&str> = verbs().filter(|verb| !overview.contains(&format!("aisle\\-{verb}(1)"))).collect();
    assert!(without.is_empty(), "the page of aisle does not name {without:?}");
    // A folder that holds something is not written into.
    assert_eq!(ask(folder.path(), &["man", "-o", "man1"]).status, Some(2));
}
