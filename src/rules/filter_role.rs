//! What a filter with a configuration is for.

/// What a filter does with requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum FilterRole {
    /// It limits them.
    #[default]
    Limiter,
    /// It answers them: an operator asks about callers and forgives them.
    Operator,
}
