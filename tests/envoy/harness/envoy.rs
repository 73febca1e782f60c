//! A running Envoy, with its files and its view of itself.

use std::fs;
use std::process::ExitStatus;

use super::admin::Admin;
use super::files::Files;
use super::places::envoy;
use super::process::Process;
use super::wait::eventually;
use super::wall_clock;

/// How Envoy is started.
pub(super) struct Options {
    pub workers: usize,
    pub module_log_level: &'static str,
    /// Whether what an update has replaced goes at once.
    pub drains_at_once: bool,
}

pub(super) struct Envoy {
    // First, so that Envoy is gone before its files are.
    pub process: Process,
    pub files: Files,
    pub admin: Admin,
}

impl Envoy {
    /// Starts it with the bootstrap file among these, and waits until it serves; panics if it does not come to that.
    pub fn start(files: Files, options: &Options) -> Self {
        let mut process = launch(&files, options);
        let admin = eventually("Envoy to serve", || {
            let ended = process.ended();
            assert!(ended.is_none(), "Envoy ended by itself: {ended:?}");
            serving(&files)
        });
        Self { process, files, admin }
    }

    /// Starts one that is to give up.
    pub fn start_rejected(files: &Files, options: &Options) -> ExitStatus {
        let mut process = launch(files, options);
        eventually("Envoy to give up", || {
            assert!(serving(files).is_none(), "Envoy serves what it should reject");
            process.ended()
        })
    }
}

/// Envoy's admin interface, once requests are served.
fn serving(files: &Files) -> Option<Admin> {
    let address = fs::read_to_string(files.admin_address()).ok()?;
    let admin = Admin(address.parse().ok()?);
    admin.try_page("/ready")?;
    // Before that the listener is bound but nobody accepts.
    (admin.try_statistic("listener_manager.workers_started")? == 1).then_some(admin)
}

fn launch(files: &Files, options: &Options) -> Process {
    let mut arguments = vec![
        "--config-path".to_owned(),
        files.bootstrap().display().to_string(),
        "--admin-address-path".to_owned(),
        files.admin_address().display().to_string(),
        "--concurrency".to_owned(),
        options.workers.to_string(),
        "--log-level".to_owned(),
        "warning".to_owned(),
        "--component-log-level".to_owned(),
        format!("wasm:{}", options.module_log_level),
        "--disable-hot-restart".to_owned(),
    ];
    if options.drains_at_once {
        arguments.extend(["--drain-time-s".to_owned(), "0".to_owned()]);
    }
    Process::start(&envoy(), &arguments, wall_clock::variables(files), &files.log_file())
}
