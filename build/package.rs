//! The build of the command line tool, and of the fleet's service: the commit that they name.

mod commit;

use std::env;
use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    for file in ["../build/package.rs", "../build/commit.rs"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let package = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets it")?;
    commit::name(Path::new(&package).parent().ok_or("the package is in a folder of the repository")?);
    Ok(())
}
