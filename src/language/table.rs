//! The table of counts: its size, and which one it is.

use super::forms;
use crate::config::{Field, Form, Literal, Number, Object, object};
use std::num::NonZeroU32;

/// The number of pages.
pub const PAGES: Field<Number<NonZeroU32>> = Field::default(
    "pages",
    Number::new(1, 1_048_576, "pages"),
    Literal::Number(16_384),
    "the number of pages. It cannot change while the table exists: another number needs a restart, another `vm_id` or another `name`",
);

/// The size of a page.
pub const PAGE_BYTES: Field<Number<u16>> = Field::default(
    "page_bytes",
    Number::new(512, 65_535, "bytes"),
    Literal::Number(1_536),
    "the size of a page; all limits that count by one key must fit a page",
);

/// Which table it is.
pub const NAME: Field<&Form<String>> = Field::optional(
    "name",
    &forms::NAME,
    "the table without a name",
    "separates this table from others under the same `vm_id`: filters share counts only if their tables have the same name. Set it \
     where you cannot set a `vm_id`, as in Istio's `WasmPlugin`. Another name begins at zero",
);

/// The object.
pub const OBJECT: Object = object!("table" at "table":
    "Counts take at most `pages` × `page_bytes`, plus some 100 bytes of Envoy's own per page.";
    PAGES, PAGE_BYTES, NAME);
