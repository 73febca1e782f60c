//! The beginning of a log, by which its format is found. Standard input cannot be read again, so everything in it is
//! kept, in order.

use crate::replay::lines::{Kept, Lines, Next};
use std::collections::VecDeque;

/// The number of lines that a format is found by, and of their bytes.
const SAMPLE_LINES: usize = 200;
const SAMPLE_BYTES: usize = 1 << 21;

/// What a line that is too long counts for, so that a log of nothing else ends the sample.
const LONG_LINE: usize = 1 << 16;

/// The first lines of a log, and what is between them.
#[derive(Default)]
pub struct Sample {
    /// What was read, in order.
    pub kept: VecDeque<Kept>,
    /// Whether the log has no line at all.
    pub is_empty: bool,
}

impl Sample {
    /// Reads them.
    ///
    /// # Errors
    /// Why not even the first line can be read.
    pub fn read(lines: &mut Lines) -> Result<Sample, String> {
        let (mut sample, mut bytes, mut count) = (Sample::default(), 0, 0);
        while count < SAMPLE_LINES && bytes < SAMPLE_BYTES {
            let kept = match lines.read_line() {
                Next::Line(number, line) => {
                    (bytes, count) = (bytes + line.len(), count + 1);
                    Kept::Line(number, line.to_vec())
                }
                Next::TooLong(number) => {
                    bytes += LONG_LINE;
                    Kept::TooLong(number)
                }
                Next::Broken(_, why) if sample.kept.is_empty() => return Err(why),
                // Nothing comes behind it.
                Next::Broken(number, why) => Kept::Broken(number, why),
                Next::End => {
                    sample.is_empty = sample.kept.is_empty();
                    break;
                }
            };
            sample.kept.push_back(kept);
        }
        Ok(sample)
    }

    /// The lines.
    pub fn lines(&self) -> Vec<&[u8]> {
        self.kept.iter().filter_map(Kept::line).collect()
    }
}
