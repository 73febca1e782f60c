//! The attacks that once worked (A1 to A6), each with the figures that say whether it still does.
