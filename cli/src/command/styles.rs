//! The few colours there are.

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;

/// What a text is about.
pub const HEADING: Style = Style::new().bold();
/// What is well.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();
/// What is wrong.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What may be wrong.
pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
/// What is beside the point.
pub const FAINT: Style = Style::new().dimmed();

/// For clap's own texts.
pub const OF_HELP: Styles =
    Styles::styled().header(HEADING).usage(HEADING).literal(AnsiColor::Cyan.on_default()).error(ERROR);
