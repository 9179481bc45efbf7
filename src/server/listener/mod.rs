//! Sockets, limits and deadlines. Knows nothing of OAuth.
