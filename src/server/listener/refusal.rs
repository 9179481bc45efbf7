//! Why the listener answers a request itself, and the one mapping of those causes to the wire.
//! Not here: answers of handlers (`response`).

/// A cause for which the listener answers on its own and then closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Plain HTTP, or anything else, where TLS is spoken.
    NotTls,
    /// A carriage return that no line feed follows.
    BareCarriageReturn,
    /// A line feed that no carriage return precedes.
    BareLineFeed,
    /// NUL or another control character in the head.
    ControlCharacter,
    /// More than one empty line before the request line.
    EmptyLines,
    /// A line that starts with white space: obsolete folding, or nothing that HTTP knows.
    FoldedLine,
    /// A request line that does not follow the grammar.
    RequestLine,
    /// A field line that does not follow the grammar.
    FieldLine,
    /// More field lines than the listener takes.
    TooManyFields,
    /// A head longer than its limit.
    HeadTooLarge,
    /// A head that was not whole in time.
    HeadTooSlow,
    /// A version other than HTTP/1.0 and HTTP/1.1, such as the preface of HTTP/2.
    Version,
    /// A request target in neither origin form nor absolute form.
    Target,
    /// HTTP/1.1 without `Host`.
    HostMissing,
    /// More than one `Host`.
    HostRepeated,
    /// A `Host` that names no host.
    HostMalformed,
    /// More than one `Content-Length`.
    LengthRepeated,
    /// A `Content-Length` that is not a plain number.
    LengthMalformed,
    /// `Content-Length` beside `Transfer-Encoding`: the way requests are smuggled.
    LengthAndCoding,
    /// `Transfer-Encoding` in HTTP/1.0, which does not have it.
    CodingInHttp10,
    /// A transfer coding other than exactly `chunked`.
    CodingUnknown,
    /// An expectation other than `100-continue`.
    ExpectationUnknown,
    /// A chunked body that does not follow the grammar.
    ChunkMalformed,
    /// Chunk extensions and trailers longer than the listener reads past.
    ChunkOverhead,
    /// A body longer than its limit.
    BodyTooLarge,
    /// A body that was not whole in time.
    BodyTooSlow,
    /// No room for one more connection.
    Overloaded,
    /// The handler panicked.
    HandlerPanicked,
    /// The handler's answer cannot be written as HTTP.
    AnswerUnwritable,
}

impl Refusal {
    /// The status code and the public text.
    pub(super) fn wire(self) -> (u16, &'static str) {
        match self {
            Self::NotTls => (400, "This address is an https one: begin it with https://"),
            Self::BareCarriageReturn => (400, "Malformed request: bare carriage return."),
            Self::BareLineFeed => (400, "Malformed request: bare line feed."),
            Self::ControlCharacter => (400, "Malformed request: control character in the head."),
            Self::EmptyLines => (
                400,
                "Malformed request: empty lines before the request line.",
            ),
            Self::FoldedLine => (400, "Malformed request: a line starts with white space."),
            Self::RequestLine => (400, "Malformed request line."),
            Self::FieldLine => (400, "Malformed header field."),
            Self::Target => (400, "Malformed request target."),
            Self::HostMissing => (400, "Host is missing."),
            Self::HostRepeated => (400, "Host is repeated."),
            Self::HostMalformed => (400, "Host is malformed."),
            Self::LengthRepeated => (400, "Content-Length is repeated."),
            Self::LengthMalformed => (400, "Content-Length is malformed."),
            Self::LengthAndCoding => (400, "Content-Length beside Transfer-Encoding."),
            Self::CodingInHttp10 => (400, "Transfer-Encoding in HTTP/1.0."),
            Self::ChunkMalformed => (400, "Malformed chunked body."),
            Self::ChunkOverhead => (400, "Chunk extensions or trailers too long."),
            Self::HeadTooSlow => (408, "The request head took too long."),
            Self::BodyTooSlow => (408, "The request body took too long."),
            Self::BodyTooLarge => (413, "The request body is too large."),
            Self::ExpectationUnknown => (417, "Unknown expectation."),
            Self::TooManyFields => (431, "Too many header fields."),
            Self::HeadTooLarge => (431, "The request head is too large."),
            Self::HandlerPanicked | Self::AnswerUnwritable => (500, "Internal error."),
            Self::CodingUnknown => (501, "Unknown transfer coding."),
            Self::Overloaded => (503, "Too many connections."),
            Self::Version => (505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."),
        }
    }
}
