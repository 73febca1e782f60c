//! A TCP connection that a test can stop, delay and cut.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::SockRef;

/// Listens on an address of its own, and passes on what comes.
pub struct Link {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// `None`: whoever connects is sent away.
    target: Option<SocketAddr>,
    /// No bytes pass.
    stopped: bool,
    /// How long bytes take at least.
    delay: Duration,
    open: Vec<TcpStream>,
    over: bool,
}

impl Link {
    pub fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for a link");
        let address = listener.local_addr().expect("the link's address");
        let (target, open) = (Some(target), Vec::new());
        let state = State { target, stopped: false, delay: Duration::ZERO, open, over: false };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let inside = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &inside));
        Self { address, shared }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it leads there. What is open is cut.
    pub fn lead_to(&self, target: SocketAddr) {
        self.shared.lock().target = Some(target);
        self.reset();
    }

    /// Whoever connects is sent away. What is open is cut.
    pub fn refuse(&self) {
        self.shared.lock().target = None;
        self.reset();
    }

    /// Cuts all open connections.
    pub fn reset(&self) {
        for stream in self.shared.lock().open.drain(..) {
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
    }

    /// No bytes pass any more, in either direction; connections stay.
    pub fn stop(&self) {
        self.shared.lock().stopped = true;
    }

    /// Bytes take at least so long, in each direction.
    pub fn delay(&self, delay: Duration) {
        self.shared.lock().delay = delay;
    }

    /// All is well again. What waits goes on.
    pub fn go_on(&self) {
        let mut state = self.shared.lock();
        (state.stopped, state.delay) = (false, Duration::ZERO);
        self.shared.changed.notify_all();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.lock().over = true;
        self.reset();
        // It waits in `accept`; one last caller lets it look up.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as bytes are to wait.
    fn hold(&self) {
        let waits = |state: &mut State| state.stopped && !state.over;
        let state = self.changed.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner);
        let delay = state.delay;
        drop(state);
        if delay > Duration::ZERO {
            thread::sleep(delay);
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for client in listener.incoming().map_while(Result::ok) {
        let target = {
            let state = shared.lock();
            if state.over {
                return;
            }
            state.target
        };
        if let Some(server) = target.and_then(|target| TcpStream::connect(target).ok()) {
            connect(client, server, shared);
        }
    }
}

fn connect(client: TcpStream, server: TcpStream, shared: &Arc<Shared>) {
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
        shared.lock().open.extend(stream.try_clone());
    }
    let (Ok(from_client), Ok(from_server)) = (client.try_clone(), server.try_clone()) else { return };
    for (from, to) in [(from_client, server), (from_server, client)] {
        let shared = Arc::clone(shared);
        thread::spawn(move || pass(from, to, &shared));
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut bytes = [0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        shared.hold();
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
