//! A bar on a terminal that shows how far a replay is. Nothing is shown where standard error is no terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs;

/// The bar.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for these files. Of standard input nobody knows the length.
    pub fn new(paths: &[String]) -> Progress {
        let length =
            |path: &String| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|file| file.len());
        let length: Option<u64> = paths.iter().map(length).sum();
        let (bar, template) = match length {
            Some(length) => (ProgressBar::new(length), "{bar:30} {percent:>3} %  {msg}  {eta} left"),
            None => (ProgressBar::no_length(), "{spinner} {bytes}  {msg}  {elapsed}"),
        };
        // It shows itself only on a terminal.
        bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// This many bytes have been read, and this many requests are decided.
    pub fn set(&self, bytes: u64, requests: u64) {
        if !self.0.is_hidden() {
            self.0.set_message(format!("{requests} requests"));
            self.0.set_position(bytes);
        }
    }

    /// The bar goes.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
