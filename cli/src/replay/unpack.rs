//! What packs logs: gzip and zstd, recognised by their first bytes.

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, BufReader, Read};

/// How much is read at once.
const PIECE: usize = 1 << 17;

enum Compression {
    None,
    Gzip,
    Zstd,
}

/// These bytes, unpacked if they are packed.
///
/// # Errors
/// They cannot be read.
pub(super) fn unpacked(mut raw: Box<dyn Read>) -> io::Result<Box<dyn Read>> {
    let mut magic = Vec::with_capacity(4);
    raw.by_ref().take(4).read_to_end(&mut magic)?;
    let format = match magic.as_slice() {
        [0x1F, 0x8B, ..] => Compression::Gzip,
        [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18] => Compression::Zstd,
        _ => Compression::None,
    };
    let whole = io::Cursor::new(magic).chain(raw);
    Ok(match format {
        Compression::None => Box::new(whole),
        Compression::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(PIECE, whole))),
        Compression::Zstd => Box::new(Zstd::new(Box::new(whole))),
    })
}

/// Frames of zstd, one after the other.
struct Zstd {
    source: BufReader<Box<dyn Read>>,
    decoder: FrameDecoder,
    is_inside: bool,
}

impl Zstd {
    fn new(source: Box<dyn Read>) -> Zstd {
        let source = BufReader::with_capacity(PIECE, source);
        Zstd { source, decoder: FrameDecoder::new(), is_inside: false }
    }

    /// Begins the next frame. Returns whether there is one.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    io::copy(&mut self.source.by_ref().take(length.into()), &mut io::sink())?;
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.is_inside && !self.begin()? {
                return Ok(0);
            }
            self.is_inside = true;
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.source, one).map_err(io::Error::other)?;
            }
            match self.decoder.read(buffer)? {
                0 => self.is_inside = false,
                read => return Ok(read),
            }
        }
    }
}
