//! What the bytes of one run are taken apart into.

/// The parts between line feeds, so that seeds can be written by hand; the last part has the rest.
pub fn lines<const N: usize>(data: &[u8]) -> [&[u8]; N] {
    let mut parts = data.splitn(N, |byte| *byte == b'\n');
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

/// The same as text, `None` unless it is UTF-8.
pub fn text_lines<const N: usize>(data: &[u8]) -> Option<[&str; N]> {
    std::str::from_utf8(data).ok()?;
    Some(lines::<N>(data).map(|part| std::str::from_utf8(part).unwrap_or_default()))
}

/// The first byte decides how the rest is cut; the rest whole, and in pieces of one size.
pub fn cut(data: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let (size, rest) = data.split_first()?;
    let pieces = rest.chunks(usize::from(size % 32) + 1).collect();
    Some((rest, pieces))
}
