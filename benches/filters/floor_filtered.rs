//! `floor`, linked as Tollgate is: with the SDK, but only the callbacks exported that Tollgate uses, too
//! (`tools/wasm-linker`). This is the floor that it stands on.

#[path = "floor.rs"]
mod floor;
