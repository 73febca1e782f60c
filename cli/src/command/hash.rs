//! `tollgate hash`: the digest that a policy lists for a credential, so that the credential itself is in no
//! file.

use crate::command::outcome::{Failure, Outcome};
use clap::Args;
use sha2::{Digest, Sha256};
use std::io::Read;

/// Read a key from standard input and print the digest to put in the policy instead of the key
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Hash {}

const EXAMPLES: &str = "\
The whole key is hashed, without its authentication scheme. A line feed at the end is not part of it.

Examples:
  tollgate hash < key.txt
  printf %s \"$API_KEY\" | tollgate hash

Exit status: 0 if the digest is printed, 2 if there is no key.";

impl Hash {
    pub fn run(self) -> Result<Outcome, Failure> {
        let mut key = Vec::new();
        std::io::stdin()
            .read_to_end(&mut key)
            .map_err(|error| Failure::new(format!("standard input cannot be read: {error}")))?;
        let key = key.strip_suffix(b"\n").unwrap_or(&key);
        let key = key.strip_suffix(b"\r").unwrap_or(key);
        if key.is_empty() {
            return Err(Failure::new("standard input has no key; write one to it: tollgate hash < key.txt"));
        }
        if key.contains(&b'\n') {
            return Err(Failure::new("standard input has several lines, but a key is a single line"));
        }
        let hash = Sha256::digest(key);
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Outcome::success(format!("sha256:{hash}\n")))
    }
}
