//! The scheduler. Each worker has its own thread, so that it can stop anywhere, and only one of them
//! runs at a time: at every call to the store, the seed decides which one continues.

use super::scenario::Scenario;
use super::world::World;
use crate::table::{Cas, PageId, Read, Store, Write};
use crate::time::Now;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};

/// A panic payload: the worker's VM crashes.
pub struct Crash;

/// A panic payload: another worker has failed.
pub struct Aborted;

const NOBODY: usize = usize::MAX;
const ABORTED: usize = usize::MAX - 1;

pub struct Stage {
    world: Mutex<World>,
    threads: OnceLock<Vec<Thread>>,
    /// The worker that runs.
    turn: AtomicUsize,
    /// The workers that have not left yet.
    here: Mutex<Vec<usize>>,
    held_up: bool,
}

impl Stage {
    pub fn new(world: World, scenario: &Scenario) -> Stage {
        Stage {
            world: Mutex::new(world),
            threads: OnceLock::new(),
            turn: AtomicUsize::new(NOBODY),
            here: Mutex::new((0..scenario.workers).collect()),
            held_up: scenario.held_up,
        }
    }

    /// Never contended: only the worker whose turn it is uses the world.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both clocks, as they are.
    pub fn now(&self) -> Now {
        let world = self.world();
        world.now(world.wall_ahead)
    }

    fn here(&self) -> MutexGuard<'_, Vec<usize>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the first worker, once all threads exist.
    pub fn begin(&self, threads: Vec<Thread>) {
        self.threads.get_or_init(|| threads);
        self.pass_on();
    }

    /// Waits for this worker's turn.
    pub fn wait(&self, me: usize) {
        loop {
            match self.turn.load(Ordering::Acquire) {
                turn if turn == me => return,
                ABORTED => resume_unwind(Box::new(Aborted)),
                _ => thread::park(),
            }
        }
    }

    /// Lets any worker continue, possibly this one.
    pub fn pause(&self, me: usize) {
        self.pass_on();
        self.wait(me);
    }

    fn pass_on(&self) {
        let here = self.here();
        if here.is_empty() {
            return;
        }
        let next = self.world().random.pick(&here);
        drop(here);
        if self.turn.swap(next, Ordering::AcqRel) != next {
            self.world().handovers += 1;
            self.wake(next);
        }
    }

    fn wake(&self, worker: usize) {
        if let Some(thread) = self.threads.get().and_then(|threads| threads.get(worker)) {
            thread.unpark();
        }
    }

    pub fn leave(&self, me: usize) {
        self.here().retain(|worker| *worker != me);
        self.pass_on();
    }

    pub fn abort(&self) {
        self.turn.store(ABORTED, Ordering::Release);
        self.threads.get().into_iter().flatten().for_each(Thread::unpark);
    }
}

/// The store as one worker sees it. After the run, `me` is `None`.
pub struct View<'a> {
    pub stage: &'a Stage,
    pub me: Option<usize>,
}

impl View<'_> {
    /// Other workers may run before each call, and this worker may crash after it.
    fn call<T>(&self, call: impl FnOnce(&mut World) -> T) -> T {
        let Some(me) = self.me else { return call(&mut self.stage.world()) };
        self.stage.pause(me);
        let mut world = self.stage.world();
        if self.stage.held_up {
            world.hold_up();
        }
        let answer = call(&mut world);
        let crashes = world.trouble.crashes;
        let dies = world.random.chance(crashes);
        drop(world);
        if dies {
            resume_unwind(Box::new(Crash));
        }
        answer
    }
}

impl Store for View<'_> {
    fn read(&self, page: PageId) -> Read {
        self.call(|world| world.read(page))
    }

    fn write(&self, page: PageId, bytes: &[u8], version: Option<Cas>) -> Write {
        self.call(|world| world.write(page, bytes, version))
    }
}
