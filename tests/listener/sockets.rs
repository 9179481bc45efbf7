//! The Unix socket: its file, its mode, its own handler.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use doorlight::server::listener::{Handler, Limits, Listener, Service, Shutdown, serve};
use rouille::Response;

use super::world::{Client, get, toy};

fn path(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!(
        "doorlight-listener-{}-{name}.sock",
        std::process::id()
    ));
    let _ = fs::remove_file(&path);
    path
}

#[test]
fn each_socket_has_its_own_handler() {
    let path = path("handlers");
    let tcp = Listener::bind_tcp(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = tcp.tcp_address().unwrap();
    let admin: Handler =
        Arc::new(|request, _| Response::text(format!("admin {}", request.remote_addr())));
    let services = vec![
        Service::new(tcp, toy(Arc::default())),
        Service::new(Listener::bind_unix(&path).unwrap(), admin),
    ];
    let shutdown = Shutdown::new().unwrap();
    thread::scope(|scope| {
        let server = scope.spawn(|| serve(services, Vec::new(), Limits::default(), &shutdown));
        let mut by_tcp = Client::new(TcpStream::connect(address).unwrap());
        let mut by_unix = Client::new(UnixStream::connect(&path).unwrap());
        by_tcp.send(get("/"));
        by_unix.send(get("/"));
        assert_eq!(by_tcp.answer().text(), "hello");
        assert_eq!(by_unix.answer().text(), "admin 127.0.0.1:0");
        shutdown.trigger();
        server.join().unwrap().unwrap();
    });
    assert!(!path.exists(), "the socket file goes with the server");
}

#[test]
fn the_unix_socket_is_for_its_owner_alone() {
    let path = path("mode");
    let _listener = Listener::bind_unix(&path).unwrap();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_socket_left_behind_is_replaced() {
    let path = path("stale");
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let listener = Listener::bind_unix(&path).unwrap();
    UnixStream::connect(&path).unwrap();
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn a_socket_in_use_is_not_replaced() {
    let path = path("in-use");
    let _first = Listener::bind_unix(&path).unwrap();
    assert_eq!(
        Listener::bind_unix(&path).unwrap_err().kind(),
        std::io::ErrorKind::AddrInUse
    );
    UnixStream::connect(&path).unwrap();
}

#[test]
fn a_file_that_is_no_socket_is_not_replaced() {
    let path = path("file");
    fs::write(&path, "precious").unwrap();
    assert!(Listener::bind_unix(&path).is_err());
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    fs::remove_file(&path).unwrap();
}
