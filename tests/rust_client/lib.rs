//! What an application in Rust stands on: a Doorlight, a person with a browser, and the way from the crate to the
//! server.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "../world/mod.rs"]
pub mod world;

use openidconnect::http::{Response, Uri};
use openidconnect::{HttpRequest, HttpResponse};
use std::io;
use world::World;

/// The crate's HTTP client: one request over loopback, no redirect followed.
pub fn wire(world: &World) -> impl Fn(HttpRequest) -> Result<HttpResponse, io::Error> + '_ {
    |request| {
        let uri: &Uri = request.uri();
        assert!(uri.to_string().starts_with(&world.issuer()), "{uri}");
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let mut headers = String::new();
        for (name, value) in request.headers() {
            let value = value.to_str().map_err(io::Error::other)?;
            headers.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = str::from_utf8(request.body()).map_err(io::Error::other)?;
        let method = request.method().as_str();
        let answer = world
            .try_ask(method, target, &headers, body)
            .ok_or_else(|| io::Error::other("no answer"))?;
        let mut response = Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        response
            .body(answer.body.into_bytes())
            .map_err(io::Error::other)
    }
}
