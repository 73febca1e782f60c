//! `tollgate-fleet`: see [`tollgate_fleet`].

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tollgate_fleet::options::{Command, Options, ServeOptions, ShowOptions};
use tollgate_fleet::server::{Port, Service};
use tollgate_fleet::show;

/// A wrong setting, or a question that can't be answered.
const WRONG: u8 = 2;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tollgate-fleet: {error}");
            ExitCode::from(WRONG)
        }
    }
}

fn run() -> Result<(), String> {
    match Options::read(std::env::args_os())?.command {
        Command::Serve(options) => {
            tracing_subscriber::fmt().json().with_target(false).init();
            runtime(&mut Builder::new_multi_thread())?.block_on(serve(&options))
        }
        Command::Show(options) => runtime(&mut Builder::new_current_thread())?.block_on(print(&options)),
    }
}

fn runtime(builder: &mut Builder) -> Result<Runtime, String> {
    builder.enable_all().build().map_err(|error| error.to_string())
}

async fn print(options: &ShowOptions) -> Result<(), String> {
    print!("{}", show::show(options).await?);
    Ok(())
}

async fn serve(options: &ServeOptions) -> Result<(), String> {
    let setup = options.setup()?;
    let listener = bind("--listen", options.listen).await?;
    let operator = bind("--operator-listen", options.operator_listen).await?;
    let service = Arc::new(Service::new(setup)?);
    if options.is_open() && !options.listen.ip().is_loopback() {
        tracing::warn!("anybody who reaches the port may use it: set --token-file or --client-ca-file");
    }
    if !options.no_eviction_check {
        tokio::spawn(service.clone().check_engine());
    }
    tokio::spawn(service.clone().watch());
    let address = |listener: &TcpListener| listener.local_addr().map(|address| address.to_string());
    let (listen, operator_listen) =
        (address(&listener).unwrap_or_default(), address(&operator).unwrap_or_default());
    tokio::spawn(service.clone().serve(operator, Port::Operator, std::future::pending()));
    let stopped = stopped(service.clone(), Duration::from_millis(options.drain_time))?;
    tracing::info!(listen, operator_listen, "ready");
    service.serve(listener, Port::Proxies, stopped).await;
    tracing::info!("stopped");
    Ok(())
}

/// Ends when the service has to stop. Before, it has not been ready for `drain`, so nobody new comes.
fn stopped(service: Arc<Service>, drain: Duration) -> Result<impl Future<Output = ()>, String> {
    let listen = |kind| signal(kind).map_err(|error| error.to_string());
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let (send, receive) = oneshot::channel();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        service.stop();
        tokio::time::sleep(drain).await;
        let _ = send.send(());
    });
    Ok(async { drop(receive.await) })
}

async fn bind(option: &str, address: SocketAddr) -> Result<TcpListener, String> {
    let wrong =
        |error| format!("{option}: found {address}: {error}; allowed is a free address of this machine");
    TcpListener::bind(address).await.map_err(wrong)
}
