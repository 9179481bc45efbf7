//! Doors for the fuzz targets (`tests/fuzz`), built with `--cfg fuzzing` only: the parsers of this room, which nobody
//! else may call.

use std::net::SocketAddr;

use ipnet::IpNet;

use super::body::ChunkedDecoder;
use super::forwarded;
use super::head::{self, Framing, HeadScanner, Version};

/// A head that passed every check.
#[derive(Debug, PartialEq, Eq)]
pub struct ReadHead {
    /// The method.
    pub method: String,
    /// In origin form.
    pub target: String,
    /// Else HTTP/1.0.
    pub is_http11: bool,
    /// Names and values.
    pub fields: Vec<(String, String)>,
    /// `Content-Length`, more than zero.
    pub length: Option<u64>,
    /// `Transfer-Encoding: chunked`.
    pub is_chunked: bool,
    /// Whether another request may follow.
    pub keep_alive: bool,
    /// `Expect: 100-continue`.
    pub expects_continue: bool,
}

/// Where a head of at most `limit` bytes ends, as its pieces arrive; `None` while it is not whole.
pub fn head_end(limit: usize, pieces: &[&[u8]]) -> Result<Option<usize>, String> {
    let mut scanner = HeadScanner::new(limit);
    let mut arrived = Vec::new();
    for piece in pieces {
        arrived.extend_from_slice(piece);
        match scanner.find_end(&arrived) {
            Ok(None) => {}
            Ok(found) => return Ok(found),
            Err(refusal) => return Err(format!("{refusal:?}")),
        }
    }
    Ok(None)
}

/// Reads a whole head.
pub fn head(bytes: &[u8]) -> Result<ReadHead, String> {
    let head = head::parse(bytes).map_err(|refusal| format!("{refusal:?}"))?;
    Ok(ReadHead {
        method: head.method,
        target: head.target,
        is_http11: head.version == Version::Http11,
        fields: head.fields,
        length: match head.framing {
            Framing::Length(length) => Some(length),
            Framing::Empty | Framing::Chunked => None,
        },
        is_chunked: head.framing == Framing::Chunked,
        keep_alive: head.keep_alive,
        expects_continue: head.expects_continue,
    })
}

/// The body in a chunked one of at most `limit` bytes, as its pieces arrive; how many bytes it took; whether it is whole.
pub fn chunked(limit: usize, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), String> {
    let mut decoder = ChunkedDecoder::new(limit);
    let (mut body, mut used) = (Vec::new(), 0);
    for piece in pieces {
        let taken = decoder
            .decode(piece, &mut body)
            .map_err(|refusal| format!("{refusal:?}"))?;
        used += taken;
        if taken < piece.len() {
            break;
        }
    }
    Ok((body, used, decoder.is_done()))
}

/// Who the client is behind a proxy, and whether it came by https.
pub fn client_behind(
    proxy: SocketAddr,
    trusted: &[IpNet],
    fields: &[(String, String)],
) -> (SocketAddr, bool) {
    let peer = forwarded::Client {
        address: proxy,
        https: false,
    };
    let client = forwarded::client_behind(peer, trusted, fields);
    (client.address, client.https)
}

/// Takes away what only a trusted proxy may say.
pub fn strip(fields: &mut Vec<(String, String)>) {
    forwarded::strip(fields);
}
