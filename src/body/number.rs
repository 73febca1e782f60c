//! A JSON number, read digit by digit.

/// So many of them are one. Values are counted in billionths, so that a price of a fraction of a cent can be
/// counted as well as tokens.
pub const BILLION: u64 = 1_000_000_000;

/// As many zeros.
const ZEROS: i64 = 9;

/// Further digits are not kept: they would change nothing about any number of units.
const MAX_KEPT: u64 = 10_000_000_000_000_000;

/// A number of which a part has been read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Number {
    part: Part,
    negative: bool,
    digits: u64,
    /// The power of ten that the digits are multiplied by, without the exponent.
    scale: i64,
    exponent: i64,
    small: bool,
    /// Whether a digit that is not zero was left out.
    more: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Part {
    #[default]
    Start,
    Whole,
    Point,
    Fraction,
    E,
    Sign,
    Exponent,
    Invalid,
}

impl Number {
    /// Reads on. `false`: the byte is not part of a number.
    pub fn read(&mut self, byte: u8) -> bool {
        self.part = match (self.part, byte) {
            (Part::Start, b'-') if !self.negative => {
                self.negative = true;
                Part::Start
            }
            (Part::Start | Part::Whole, b'0'..=b'9') => self.digit(byte, 0, Part::Whole),
            (Part::Whole, b'.') => Part::Point,
            (Part::Point | Part::Fraction, b'0'..=b'9') => self.digit(byte, 1, Part::Fraction),
            (Part::Whole | Part::Fraction, b'e' | b'E') => Part::E,
            (Part::E, b'+' | b'-') => {
                self.small = byte == b'-';
                Part::Sign
            }
            (Part::E | Part::Sign | Part::Exponent, b'0'..=b'9') => {
                self.exponent = self.exponent.saturating_mul(10).saturating_add(i64::from(byte - b'0'));
                Part::Exponent
            }
            (_, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-') => Part::Invalid,
            (_, _) => return false,
        };
        true
    }

    fn digit(&mut self, byte: u8, after_point: i64, part: Part) -> Part {
        let digit = u64::from(byte - b'0');
        if self.digits < MAX_KEPT {
            self.digits = self.digits.saturating_mul(10).saturating_add(digit);
            self.scale = self.scale.saturating_sub(after_point);
        } else {
            self.more |= digit > 0;
            self.scale = self.scale.saturating_add(1 - after_point);
        }
        part
    }

    /// The number in billionths, rounded up; a larger one than a `u64` becomes the largest. `None`: it is
    /// negative, or no number of JSON.
    pub fn billionths(&self) -> Option<u64> {
        if self.negative || !matches!(self.part, Part::Whole | Part::Fraction | Part::Exponent) {
            return None;
        }
        let exponent = if self.small { self.exponent.saturating_neg() } else { self.exponent };
        let mut zeros = self.scale.saturating_add(exponent).saturating_add(ZEROS);
        let (mut digits, mut more) = (self.digits, self.more);
        while zeros > 0 && digits > 0 && digits < u64::MAX {
            (digits, zeros) = (digits.saturating_mul(10), zeros - 1);
        }
        while zeros < 0 && digits > 0 {
            more |= digits % 10 > 0;
            (digits, zeros) = (digits / 10, zeros + 1);
        }
        Some(digits.saturating_add(u64::from(more)))
    }
}
