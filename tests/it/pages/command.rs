//! The lines of a block as the shell takes them: commands, each of one or several lines, with and without its comment.

/// A command of a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    /// Of its first line, counted from 1.
    pub(super) line: usize,
    /// As it stands on the page, with its comment.
    pub(super) shown: String,
    /// Without its comment.
    pub(super) text: String,
}

/// Where the reading of a command is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Words,
    Quotes(char),
    Comment,
}

/// The commands of a block that begins at `line`. A command goes on in the next line behind a backslash and within quotes.
pub(super) fn commands(line: usize, lines: &[String]) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let (mut within, mut goes_on) = (Within::Words, false);
    for (at, text) in lines.iter().enumerate() {
        if !goes_on {
            commands.push(Command { line: line + at, shown: String::new(), text: String::new() });
        }
        let Some(command) = commands.last_mut() else { continue };
        command.shown += &format!("{}{text}", if goes_on { "\n" } else { "" });
        command.text += if goes_on { "\n" } else { "" };
        let mut escaped = false;
        for letter in text.chars() {
            within = match within {
                Within::Words if !escaped && letter == '#' && command.text.ends_with([' ', '\n']) => Within::Comment,
                Within::Words if !escaped && letter == '#' && command.text.is_empty() => Within::Comment,
                Within::Words if !escaped && matches!(letter, '\'' | '"') => Within::Quotes(letter),
                Within::Quotes(quote) if letter == quote && !(escaped && quote == '"') => Within::Words,
                within => within,
            };
            escaped = letter == '\\' && !escaped;
            if within != Within::Comment {
                command.text.push(letter);
            }
        }
        goes_on = matches!(within, Within::Quotes(_)) || (within == Within::Words && escaped);
        if !goes_on {
            within = Within::Words;
            command.text.truncate(command.text.trim_end().len());
        }
    }
    commands.retain(|command| !command.text.is_empty());
    commands
}

/// A text with every place of `shown` replaced, where it stands as a word of its own.
pub(super) fn replaced(text: &str, shown: &str, typed: &str) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let (mut out, mut rest, mut before) = (String::new(), text, None);
    while let Some(at) = rest.find(shown) {
        let behind = &rest[at + shown.len()..];
        let left = rest[..at].chars().next_back().or(before.filter(|_| at == 0));
        let joined =
            |ours: Option<char>, theirs: Option<char>| ours.is_some_and(is_word) && theirs.is_some_and(is_word);
        let whole = !joined(shown.chars().next(), left) && !joined(shown.chars().next_back(), behind.chars().next());
        out += &rest[..at];
        out += if whole { typed } else { shown };
        before = shown.chars().next_back();
        rest = behind;
    }
    out + rest
}

#[test]
fn commands_are_told_apart() {
    let lines = ["a 'b  # c", "d' \\", "  e#f \"g'h\" # i's", "", "# alone", "j"].map(str::to_owned);
    let found = commands(5, &lines);
    let texts: Vec<(usize, &str)> = found.iter().map(|command| (command.line, command.text.as_str())).collect();
    assert_eq!(texts, [(5, "a 'b  # c\nd' \\\n  e#f \"g'h\""), (10, "j")]);
    assert!(found[0].shown.ends_with("# i's"));
}

#[test]
fn words_are_replaced_whole() {
    assert_eq!(replaced("CASE CASES xCASE CASE=1 (CASE)", "CASE", "c"), "c CASES xCASE c=1 (c)");
    assert_eq!(replaced("--secs 60 --secs 600", "--secs 60", "--secs 4"), "--secs 4 --secs 600");
}
