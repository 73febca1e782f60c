//! The manual page: one page with all commands, each in a section of its own.

use clap::Command;
use clap_mangen::Man;
use std::io::{self, Write};

/// The page in roff. Each command is described by clap, as in its help.
pub fn page(command: Command) -> io::Result<String> {
    let mut command = command;
    command.build();
    let version = format!("tollgate {}", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone()).title("TOLLGATE").source(version).manual("Tollgate");
    let mut page = String::new();
    // The first part also has roff's preamble, which is needed once.
    page += &written(|to| man.render_title(to))?;
    page += &body(|to| man.render_name_section(to))?;
    page += &body(|to| man.render_synopsis_section(to))?;
    page += &body(|to| man.render_description_section(to))?;
    page += ".PP\nEach command is described below.\n";
    page += &body(|to| man.render_options_section(to))?;
    page += ".SH COMMANDS\n";
    for command in command.get_subcommands() {
        page += &section(command)?;
    }
    page += ".SH EXAMPLES\n";
    page += &examples(&man)?;
    Ok(page)
}

/// The part of the page about one command.
fn section(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone());
    let description = body(|to| man.render_description_section(to))?;
    let synopsis = body(|to| man.render_synopsis_section(to))?;
    let options = body(|to| man.render_options_section(to))?;
    Ok(format!(
        ".SS \"{}\"\n{}.PP\n{}{}.PP\n{}",
        command.get_bin_name().unwrap_or_else(|| command.get_name()),
        without_heading(&description),
        without_heading(&synopsis),
        options.replace(".SH OPTIONS\n", "").replace(".SH ", ".PP\n.B "),
        examples(&man)?,
    ))
}

/// What stands at the end of the help, line by line.
fn examples(man: &Man) -> io::Result<String> {
    let text = body(|to| man.render_extra_section(to))?;
    Ok(format!(".nf\n{}.fi\n", without_heading(&text)))
}

fn without_heading(section: &str) -> &str {
    section.split_once('\n').map_or(section, |(_, rest)| rest)
}

/// A section without roff's preamble.
fn body(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<String> {
    let text = written(render)?;
    Ok(text.find(".SH ").and_then(|start| text.get(start..)).unwrap_or_default().into())
}

fn written(render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<String> {
    let mut text = Vec::new();
    render(&mut text)?;
    String::from_utf8(text).map_err(io::Error::other)
}
