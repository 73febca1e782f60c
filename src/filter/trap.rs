//! The log line for a trap of the module. No request and no configuration should cause one. If one does, this
//! line is all that an operator can report.

use crate::language;
use std::panic::Location;

/// The reason and the place of a panic, in one line.
pub(super) fn reason(message: Option<&str>, at: Option<&Location<'_>>) -> String {
    let message = message.unwrap_or("without a message").replace('\n', " ");
    let at = at.map_or_else(|| "an unknown place".into(), Location::to_string);
    format!(
        "tollgate {} stopped at {at}: {message}",
        language::build_name(env!("CARGO_PKG_VERSION"), env!("TOLLGATE_BUILD_COMMIT"))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    #[wasm_bindgen_test(unsupported = test)]
    fn a_trap_names_the_build_the_place_and_the_reason_in_one_line() {
        let here = Location::caller();
        let line = reason(Some("index out\nof bounds"), Some(here));
        assert!(line.starts_with(concat!("tollgate ", env!("CARGO_PKG_VERSION"), " (")));
        assert!(line.ends_with(&format!(
            " stopped at {}:{}:{}: index out of bounds",
            here.file(),
            here.line(),
            here.column()
        )));
        assert!(!line.contains('\n'));
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn a_trap_without_a_text_or_a_place_is_reported_too() {
        assert!(reason(None, None).ends_with("stopped at an unknown place: without a message"));
    }
}
