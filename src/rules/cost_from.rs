//! A cost that a request states.

use super::key::KeyNumber;
use std::num::NonZeroU32;

/// How a request's cost follows from the value of a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostFrom {
    /// The key, as an index into `Callers::keys`.
    pub key: usize,
    /// How many of the number are one unit.
    pub divide_by: NonZeroU32,
    /// Whether a started unit counts.
    pub rounds_up: bool,
    /// The least cost, in units.
    pub min: u32,
    /// The highest cost, in units.
    pub max: u32,
    /// Whether a server could read a number where Tollgate reads none: clients write the value.
    pub is_clients: bool,
}

impl CostFrom {
    /// The cost of a request whose key has this value. `otherwise`: that of a request without a number.
    ///
    /// A client must not pay less by a number that only its server understands, such as `5e3`, or by several of
    /// which the server takes another one.
    pub fn cost(&self, number: KeyNumber, otherwise: u32) -> u32 {
        match number {
            KeyNumber::Number(number) => self.of_number(number),
            KeyNumber::Absent => otherwise,
            KeyNumber::Conflicting => self.max,
            KeyNumber::Unreadable if self.is_clients => self.max,
            KeyNumber::Unreadable => otherwise,
        }
    }

    fn of_number(&self, number: u64) -> u32 {
        let divide_by = u64::from(self.divide_by.get());
        let units = if self.rounds_up { number.div_ceil(divide_by) } else { number / divide_by };
        u32::try_from(units).unwrap_or(u32::MAX).min(self.max).max(self.min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_bindgen_test::wasm_bindgen_test;

    const KILOBYTES: CostFrom = CostFrom {
        key: 0,
        divide_by: NonZeroU32::MIN.saturating_add(1_023),
        rounds_up: true,
        min: 0,
        max: 1_000,
        is_clients: true,
    };

    #[wasm_bindgen_test(unsupported = test)]
    fn a_cost_is_divided_rounded_and_bounded() {
        let cost = |from: CostFrom, number| from.cost(KeyNumber::Number(number), 7);
        let down = CostFrom { rounds_up: false, min: 1, ..KILOBYTES };
        for (number, up, rounded_down) in [
            (0, 0, 1),
            (1, 1, 1),
            (1_024, 1, 1),
            (1_025, 2, 1),
            (2_048, 2, 2),
            (1_024_000, 1_000, 1_000),
            (1_024_001, 1_000, 1_000),
            (u64::from(u32::MAX) * 1_024 + 1, 1_000, 1_000),
            (u64::MAX, 1_000, 1_000),
        ] {
            assert_eq!((cost(KILOBYTES, number), cost(down, number)), (up, rounded_down), "{number}");
        }
        let whole = CostFrom { divide_by: NonZeroU32::MIN, max: u32::MAX, ..KILOBYTES };
        assert_eq!(cost(whole, u64::from(u32::MAX) + 1), u32::MAX);
    }

    #[wasm_bindgen_test(unsupported = test)]
    fn what_only_a_server_could_read_costs_a_client_the_most() {
        let vouched = CostFrom { is_clients: false, ..KILOBYTES };
        for (value, clients, filters) in [
            (KeyNumber::Absent, 7, 7),
            (KeyNumber::Unreadable, 1_000, 7),
            (KeyNumber::Conflicting, 1_000, 1_000),
        ] {
            assert_eq!((KILOBYTES.cost(value, 7), vouched.cost(value, 7)), (clients, filters), "{value:?}");
        }
    }
}
