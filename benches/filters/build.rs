//! Links the filters as Tollgate's own build.rs does.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for flag in ["--compress-relocations", "--strip-debug"] {
        println!("cargo::rustc-link-arg={flag}");
    }
}
