//! What clap says of a fault, in one line.

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Line;
use crate::names;
use crate::stop::Stop;

/// Clap's fault in one line, with its suggestion where it has one.
pub(super) fn stop(error: clap::Error) -> Stop {
    if let ErrorKind::DisplayHelp | ErrorKind::DisplayVersion = error.kind() {
        let _ = error.print(); // standard output may be closed, and nothing is lost by it
        return Stop::Answered;
    }
    let line = Line::command();
    let commands: Vec<&str> = line.get_subcommands().map(|c| c.get_name()).collect();
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let commands = commands.join(", ");
        return Stop::BadInput(format!("say what to do: {commands} (--help tells more)"));
    }
    if let Some(name) = text(ContextKind::InvalidSubcommand) {
        return Stop::BadInput(names::unknown("command", &name, &commands));
    }
    let many = |kind| match error.get(kind) {
        Some(ContextValue::Strings(many)) => many.clone(),
        _ => text(kind).into_iter().collect(),
    };
    let option = text(ContextKind::InvalidArg).unwrap_or_default();
    let valid = many(ContextKind::ValidValue);
    let value = text(ContextKind::InvalidValue);
    if let (Some(value), ErrorKind::InvalidValue, [_, ..]) = (&value, error.kind(), &valid[..]) {
        let kind = option
            .trim_start_matches("--")
            .split(' ')
            .next()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_lowercase();
        let valid: Vec<&str> = valid.iter().map(String::as_str).collect();
        return Stop::BadInput(names::unknown(&kind, value, &valid));
    }
    let rendered = error.to_string();
    // Up to the advice; the user's own value may contain line breaks.
    let fault = rendered.split("\n\n").next().unwrap_or_default();
    let fault = fault.trim_start_matches("error: ").replace('\n', " ");
    let nearest = many(ContextKind::SuggestedArg).into_iter().next();
    Stop::BadInput(match nearest {
        Some(nearest) => format!("{fault}; did you mean {nearest}?"),
        None => format!("{fault} (--help tells more)"),
    })
}
