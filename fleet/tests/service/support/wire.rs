//! A TCP proxy before Redis that misbehaves when it is told to.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Behaviour {
    Passes,
    /// Nothing passes, and nobody is told.
    Stalls,
    /// Each piece passes 5 ms late.
    Delays,
    /// Every connection is reset.
    Resets,
}

const ALL: [Behaviour; 4] = [Behaviour::Passes, Behaviour::Stalls, Behaviour::Delays, Behaviour::Resets];

#[derive(Clone)]
pub struct Wire {
    pub port: u16,
    behaviour: Arc<AtomicU8>,
    accepted: Arc<AtomicU32>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Wire {
    pub fn to(port: u16) -> Wire {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let wire = Wire {
            port: listener.local_addr().unwrap().port(),
            behaviour: Arc::default(),
            accepted: Arc::default(),
            open: Arc::default(),
        };
        let shared = wire.clone();
        std::thread::spawn(move || {
            listener.incoming().flatten().for_each(|client| shared.connect(client, port))
        });
        wire
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn set(&self, behaviour: Behaviour) {
        let index = ALL.iter().position(|one| *one == behaviour).unwrap();
        self.behaviour.store(u8::try_from(index).unwrap(), Ordering::SeqCst);
        if behaviour == Behaviour::Resets {
            self.open.lock().unwrap().drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
        }
    }

    /// How many connections have come.
    pub fn accepted(&self) -> u32 {
        self.accepted.load(Ordering::SeqCst)
    }

    fn behaviour(&self) -> Behaviour {
        ALL[usize::from(self.behaviour.load(Ordering::SeqCst))]
    }

    fn connect(&self, client: TcpStream, port: u16) {
        self.accepted.fetch_add(1, Ordering::SeqCst);
        if self.behaviour() == Behaviour::Resets {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { return };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
            self.open.lock().unwrap().push(stream.try_clone().unwrap());
        }
        self.clone().pass(client.try_clone().unwrap(), server.try_clone().unwrap());
        self.clone().pass(server, client);
    }

    fn pass(self, mut from: TcpStream, mut to: TcpStream) {
        std::thread::spawn(move || {
            let mut bytes = [0; 16_384];
            while let Ok(length @ 1..) = from.read(&mut bytes) {
                while self.behaviour() == Behaviour::Stalls {
                    std::thread::sleep(Duration::from_millis(5));
                }
                if self.behaviour() == Behaviour::Delays {
                    std::thread::sleep(Duration::from_millis(5));
                }
                if to.write_all(&bytes[..length]).is_err() {
                    break;
                }
            }
            let _ = to.shutdown(Shutdown::Both);
        });
    }
}
