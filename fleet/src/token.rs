//! The token that proxies must show. Its file is read again when it changes, so a token can be replaced without a
//! restart.

use crate::tls::{changed, secret_file};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;
use subtle::ConstantTimeEq as _;

/// The token and its file.
pub struct Token {
    file: PathBuf,
    known: Mutex<Known>,
}

struct Known {
    token: String,
    changed: Option<SystemTime>,
}

impl Token {
    /// Reads the file.
    ///
    /// # Errors
    /// One line: which option, what was found, and what is allowed.
    pub fn load(file: PathBuf) -> Result<Token, String> {
        let known = Known { changed: changed(&file), token: read(&file)? };
        Ok(Token { file, known: Mutex::new(known) })
    }

    /// Whether an `authorization` header shows the token, with `Bearer` before it or not: Envoy 1.36 adds no
    /// prefix. How long this takes depends on the lengths only.
    pub fn is_shown(&self, header: &[u8]) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = header.strip_prefix(b"Bearer ").unwrap_or(header);
        shown.ct_eq(known.token.as_bytes()).into()
    }

    /// Reads the file again if it has changed. Says so, or why the old token stays.
    pub fn refresh(&self) -> Option<Result<(), String>> {
        let now = changed(&self.file);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if now == known.changed {
            return None;
        }
        known.changed = now;
        Some(read(&self.file).map(|token| known.token = token))
    }
}

fn read(file: &Path) -> Result<String, String> {
    const MIN_LENGTH: usize = 16;
    let token = secret_file("--token-file", file)?;
    let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
    if token.len() < MIN_LENGTH || !is_visible {
        let (file, length) = (file.display(), token.len());
        return Err(format!(
            "--token-file {file}: found {length} bytes; allowed are {MIN_LENGTH} or more visible ASCII characters \
             without spaces"
        ));
    }
    Ok(token)
}
