//! What it costs to read request headers one by one, and all of them in one call. Not a case of `make bench`: its
//! clock is in the filter itself, because the difference is smaller than what the load of a machine changes.
//!
//! For each request it measures each way in turns, 50 times in a row, and answers with the fastest turn of each
//! in nanoseconds, in the header `x-reads`. With "3" in the request's header `x-wanted`, three headers are read.

mod abi;

use abi::{CONTINUE, header, now, property, set_header, take};

const REQUEST_HEADERS: u32 = 0;
const TURNS: usize = 40;
const CALLS: u64 = 50;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
}

/// The values of these headers, copied from the map.
fn all(wanted: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let mut found: Vec<Option<Vec<u8>>> = vec![None; wanted.len()];
    // SAFETY: the pointers are to live values.
    let pairs = take(|data, size| unsafe { proxy_get_header_map_pairs(REQUEST_HEADERS, data, size) })
        .unwrap_or_default();
    let length = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
    let (count, rest) = pairs.split_first_chunk().unwrap_or((&[0; 4], &[]));
    let (lengths, mut texts) = rest.split_at_checked(length(count).saturating_mul(8)).unwrap_or_default();
    let (lengths, _) = lengths.as_chunks::<4>();
    let mut next = |bytes| {
        let (text, rest) = texts.split_at_checked(length(bytes)).unwrap_or_default();
        texts = rest.get(1..).unwrap_or_default();
        text
    };
    for [name, value] in lengths.as_chunks::<2>().0 {
        let (name, value) = (next(name), next(value));
        if let Some(place) = wanted.iter().position(|one| *one == name)
            && let Some(entry) = found.get_mut(place)
        {
            entry.get_or_insert_with(|| value.to_vec());
        }
    }
    found
}

const NAMES: [&[u8]; 6] = [b"x-key-0", b"x-key-1", b"x-key-2", b"x-key-3", b"x-key-4", b"x-key-5"];

static LINE: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(_: u32, _: usize, _: u32) -> u32 {
    let wanted = header(b"x-wanted").and_then(|digits| digits.first().map(|digit| usize::from(digit - b'0')));
    let names = &NAMES[..wanted.unwrap_or(NAMES.len()).min(NAMES.len())];
    let mut sink = 0;
    let mut ways: [(&str, &mut dyn FnMut() -> usize); 5] = [
        ("one_by_one", &mut || names.iter().filter_map(|name| header(name)).map(|value| value.len()).sum()),
        ("all", &mut || all(names).into_iter().flatten().map(|value| value.len()).sum()),
        ("path", &mut || header(b":path").map_or(0, |value| value.len())),
        ("absent", &mut || usize::from(header(b"x-absent").is_none())),
        ("property", &mut || property(b"request\0headers\0x-key-0").map_or(0, |value| value.len())),
    ];
    let mut fastest = [u64::MAX; 5];
    for _ in 0..TURNS {
        for (fastest, (_, way)) in fastest.iter_mut().zip(ways.iter_mut()) {
            let start = now();
            for _ in 0..CALLS {
                sink += way();
            }
            *fastest = (*fastest).min((now() - start) / CALLS);
        }
    }
    let line: Vec<String> =
        ways.iter().zip(fastest).map(|((name, _), time)| format!("{name}={time}")).collect();
    if let Ok(mut last) = LINE.lock() {
        *last = format!("{} {sink}", line.join(" "));
    }
    CONTINUE
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(_: u32, _: usize, _: u32) -> u32 {
    let line = LINE.lock().map(|line| line.clone()).unwrap_or_default();
    set_header("x-reads", &line);
    CONTINUE
}
