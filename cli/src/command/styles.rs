//! Colours of the output.

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;

/// Names and headings.
pub const HEADING: Style = Style::new().bold();
/// Success.
pub const SUCCESS: Style = AnsiColor::Green.on_default().bold();
/// Errors and rejections.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// Warnings.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// Labels.
pub const FAINT: Style = Style::new().dimmed();

/// The texts of clap.
pub const HELP: Styles =
    Styles::styled().header(HEADING).usage(HEADING).literal(AnsiColor::Cyan.on_default()).error(ERROR);

/// A text of a file on one line, without the control characters that a terminal would follow.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}
