//! Counts what a thread allocates: each thread its own, so that the machinery around a test or a bench is not
//! in it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, with counts.
pub struct Counting;

/// What this thread has asked of the allocator so far.
#[derive(Clone, Copy, Default)]
pub struct Allocated {
    /// Allocations, and those that were made larger or smaller.
    #[allow(dead_code, reason = "not asked for by all who include this")]
    pub calls: u64,
    /// Bytes that are allocated now.
    #[allow(dead_code, reason = "not asked for by all who include this")]
    pub live: usize,
}

thread_local! {
    // Neither needs an allocation to begin with, nor a destructor to end.
    static CALLS: Cell<u64> = const { Cell::new(0) };
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// The counts of this thread.
pub fn allocated() -> Allocated {
    Allocated { calls: CALLS.get(), live: LIVE.get() }
}

fn count(calls: u64, more: usize, less: usize) {
    CALLS.set(CALLS.get() + calls);
    // What another thread has allocated may be freed by this one.
    LIVE.set(LIVE.get().wrapping_add(more).wrapping_sub(less));
}

// SAFETY: every call is passed on as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: as the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size(), 0);
        // SAFETY: as the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size, layout.size());
        // SAFETY: as the caller's.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, 0, layout.size());
        // SAFETY: as the caller's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
