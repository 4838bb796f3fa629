//! The reference in `docs/cli.md`, made from the command line's own definitions.

use std::fmt::Write as _;

use clap::{Arg, Command};

const INTRODUCTION: &str = "\
# The command line

Made by `tidegate man --markdown` from what the program itself understands; a test compares the two. `tidegate COMMAND --help` tells the same in
a terminal, `man tidegate-COMMAND` where the package is installed. Every command takes `--config FILE`; without it the file is the one that
`$TIDEGATE_CONFIG` names, `./tidegate.toml` or `/etc/tidegate/tidegate.toml`, whichever is there first.

";

/// Everything, in the order of `--help`.
pub(super) fn reference(command: &Command) -> String {
    let mut text = String::from(INTRODUCTION);
    if let Some(codes) = command.get_after_help() {
        // Writing to a string can't fail.
        let _ = write!(text, "{codes}.\n\n");
    }
    for inner in command.get_subcommands() {
        let name = format!("tidegate {}", inner.get_name());
        section(inner, &name, 2, &mut text);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

fn section(command: &Command, name: &str, level: usize, text: &mut String) {
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "{} {name}\n\n{}\n\n", "#".repeat(level), sentence(&about));
    if command.has_subcommands() {
        for inner in command.get_subcommands() {
            section(inner, &format!("{name} {}", inner.get_name()), level + 1, text);
        }
        return;
    }
    let usage = command.clone().render_usage().to_string();
    let _ = write!(text, "```text\n{}\n```\n\n", usage.trim_start_matches("Usage: "));
    let arguments = command.get_arguments().filter(|argument| is_told(argument)).map(line);
    let arguments: String = arguments.collect();
    if !arguments.is_empty() {
        text.push_str(&arguments);
        text.push('\n');
    }
}

/// All but what every command takes.
fn is_told(argument: &Arg) -> bool {
    !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version" | "config")
}

fn line(argument: &Arg) -> String {
    let help = argument.get_long_help().or(argument.get_help()).map(ToString::to_string).unwrap_or_default();
    let short = argument.get_short().map(|short| format!("`-{short}`, ")).unwrap_or_default();
    let defaults: Vec<_> =
        argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let is_switch = !argument.get_action().takes_values();
    let default = if defaults.is_empty() || is_switch {
        String::new()
    } else {
        format!(" (default: `{}`)", defaults.join(" "))
    };
    let possible: Vec<_> =
        argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
    let possible =
        if possible.is_empty() || is_switch { String::new() } else { format!(": {}", possible.join(", ")) };
    format!("- {short}`{argument}`: {}{possible}{default}\n", help.replace('\n', " ").replace('*', "\\*"))
}

/// Help texts end without a stop where they are one sentence.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with('.') || text.is_empty() { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn the_reference_in_docs_is_what_the_program_understands() {
        let mut command = Cli::command().disable_help_subcommand(true);
        command.build();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
        let written = std::fs::read_to_string(path).unwrap_or_default();
        let told = reference(&command);
        let advice = "run: cargo run -- man --markdown > docs/cli.md";
        assert_eq!(told.lines().zip(written.lines()).find(|(now, then)| now != then), None, "{advice}");
        assert_eq!(told.len(), written.len(), "{advice}");
    }

    #[test]
    fn a_command_is_told_with_its_usage_and_its_arguments() {
        let inner = Command::new("b")
            .about("Do it")
            .arg(Arg::new("n").long("number").short('n').default_value("5").help("How\noften"));
        let mut command = Command::new("tidegate").subcommand(inner).disable_help_subcommand(true);
        command.build();
        let expected = "## tidegate b\n\nDo it.\n\n```text\ntidegate b [OPTIONS]\n```\n\n\
                        - `-n`, `--number <n>`: How often (default: `5`)\n";
        assert_eq!(reference(&command).strip_prefix(INTRODUCTION), Some(expected));
    }
}
