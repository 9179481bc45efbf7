//! Bodies that are too large for memory: whoever takes one decides on the head alone, and gets it piece by piece.
//! Not here: how long one may take to arrive (`connection::upload`), what is in it.

use rouille::{Request, Response};

/// Decides which requests may have such a body.
pub trait Uploads: Send + Sync {
    /// Whether a request is for [`Self::admit`] to decide, by its method, target and header fields. It is asked of every
    /// head.
    fn concern(&self, method: &str, target: &str, fields: &[(String, String)]) -> bool;

    /// Decides before a byte of the body is read; the request has none here. A refusal is answered at once, and the
    /// connection closed.
    fn admit(&self, request: &Request) -> Result<Box<dyn Upload>, Response>;
}

/// Takes one body. It is dropped without an answer when the body does not arrive.
pub trait Upload {
    /// Bytes that the body may have.
    fn limit(&self) -> u64;

    /// The next bytes, at least one. What is of no use is still taken to the end: a client reads its answer only then.
    fn take(&mut self, piece: &[u8]);

    /// Answers the request, whose body was taken.
    fn answer(self: Box<Self>, request: &Request) -> Response;
}
