//! The headers that no answer leaves without, whoever gave it. DESIGN §6.
//! Owns: their names and values. Not here: what pages have beyond them (`respond`).

/// What every answer has. What a handler chose stays: a policy that lets more in, a time that a public document may be
/// kept.
pub const ALWAYS: [(&str, &str); 6] = [
    // RFC 6749 §5.1, RFC 9111 §5.2.2.5: what is one person's is not kept for the next.
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    // Nothing but pages loads anything, and nothing is framed. Browsers that do not know `frame-ancestors` know the other.
    (
        "Content-Security-Policy",
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
    ),
    ("X-Frame-Options", "DENY"),
    // The addresses of one-time links are secrets, and a proxy's log has the referrer of every style sheet.
    ("Referrer-Policy", "strict-origin"),
    // Fetch, "Cross-Origin-Resource-Policy header": no page of others gets it into its process, unless by CORS.
    ("Cross-Origin-Resource-Policy", "same-origin"),
];
/// RFC 6797: whoever came by https once is not led to plain http by a neighbour.
pub const HTTPS: (&str, &str) = ("Strict-Transport-Security", "max-age=31536000");
