//! The module's memory: who hands it out, and how the host gets some of it.
//!
//! A request allocates a dozen times and frees all of it again, and the host allocates for each value that it hands over.
//! The standard library's allocator searches each time; here a block that is given back waits for the next request that
//! asks for its size. So small blocks are never returned to that allocator: they are as many as were once in use.

use std::alloc::{GlobalAlloc, Layout, System, alloc};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

#[global_allocator]
static ALLOCATOR: Pools = Pools { free: UnsafeCell::new([null_mut(); CLASSES]) };

/// Blocks of 16, 32, 64 … 4,096 bytes: the largest holds a page.
const CLASSES: usize = 9;
const SMALLEST: usize = 16;

/// Free blocks, a list for each class. A block's first word is the next one's address.
struct Pools {
    free: UnsafeCell<[*mut Block; CLASSES]>,
}

struct Block {
    next: *mut Block,
}

// SAFETY: a proxy-wasm VM has one thread.
unsafe impl Sync for Pools {}

/// The class of the smallest blocks that such a value fits in. `None`: it is too large for all of them.
fn class_of(layout: Layout) -> Option<usize> {
    // Of so many bytes the last one's address has so many bits.
    let bits = |bytes: usize| usize::BITS - (bytes - 1).leading_zeros();
    let class = (bits(layout.size().max(SMALLEST)) - bits(SMALLEST)) as usize;
    (class < CLASSES && layout.align() <= SMALLEST).then_some(class)
}

/// The layout of a class's blocks.
fn block_of(class: usize) -> Layout {
    // SAFETY: a power of two, and far below the address space's end.
    unsafe { Layout::from_size_align_unchecked(SMALLEST << class, SMALLEST) }
}

// SAFETY: a block is in a list or in use, never both, and is as large and as aligned as its class says. What no class is
// for is the system's own.
unsafe impl GlobalAlloc for Pools {
    #[inline(never)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe {
            let Some(class) = class_of(layout) else { return System.alloc(layout) };
            let Some(first) = (*self.free.get()).get_mut(class) else { return null_mut() };
            if first.is_null() {
                return System.alloc(block_of(class));
            }
            let block = *first;
            *first = (*block).next;
            block.cast()
        }
    }

    #[inline(never)]
    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        unsafe {
            let Some(class) = class_of(layout) else { return System.dealloc(address, layout) };
            let Some(first) = (*self.free.get()).get_mut(class) else { return };
            let block = address.cast::<Block>();
            (*block).next = *first;
            *first = block;
        }
    }

    #[inline(never)]
    unsafe fn realloc(&self, address: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe {
            let grown = Layout::from_size_align_unchecked(size, layout.align());
            match (class_of(layout), class_of(grown)) {
                (Some(old), Some(new)) if old == new => address,
                (None, None) => System.realloc(address, layout, size),
                _ => {
                    let moved = self.alloc(grown);
                    if !moved.is_null() {
                        moved.copy_from_nonoverlapping(address, layout.size().min(size));
                        self.dealloc(address, layout);
                    }
                    moved
                }
            }
        }
    }
}

/// Memory for what the host hands over. It fills all of it, and whoever takes it then owns it: a boxed slice of that
/// length.
#[unsafe(export_name = "malloc")]
extern "C" fn allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        // SAFETY: the layout has a length.
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        // The host takes no buffer of no bytes.
        Ok(_) | Err(_) => null_mut(),
    }
}
