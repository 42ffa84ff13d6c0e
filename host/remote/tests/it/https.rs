//! Encrypted connections: only to servers whose certificate the machine trusts.

use crate::server::{ask, read, said, write};
use diapason_core::config::Endpoint;
use diapason_core::engine::Said;
use diapason_core::language_model::Decoding;
use diapason_remote::Remote;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;

const URL: &str = "TEST_HTTPS_URL";

/// A server behind a certificate that nobody trusts yet: its URL, and the certificate.
fn server() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
            if read(&mut stream).is_some() {
                write(&mut stream, said("yes"));
                stream.conn.send_close_notify();
                let _ = stream.conn.complete_io(&mut stream.sock);
            }
        }
    });
    (format!("https://localhost:{port}/v1"), made.cert.pem())
}

fn remote(url: &str) -> Remote {
    let endpoint = serde_json::json!({"url": url, "model": "m", "retries": 0});
    let endpoint: Endpoint = serde_json::from_value(endpoint).unwrap();
    Remote::open(&endpoint, None, &|_| None).unwrap()
}

/// Runs itself again in an environment that trusts the server's certificate.
#[test]
fn a_server_is_asked_if_its_certificate_is_trusted() {
    if let Ok(url) = std::env::var(URL) {
        let (found, done) = ask(&mut remote(&url), 1, &Decoding::default());
        done.unwrap();
        assert!(matches!(&found[&0].said, Said::Completion(completion) if completion.text == "yes"));
        return;
    }
    let (url, certificate) = server();
    let error = remote(&url).origin().unwrap_err();
    assert!(error.to_string().contains("no secure connection: "), "{error}");
    assert!(error.hint_text().unwrap().contains("certificates that this machine trusts"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, certificate).unwrap();
    let again = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "https::a_server_is_asked_if_its_certificate_is_trusted"])
        .env("SSL_CERT_FILE", file.path())
        .env(URL, &url)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&again.stderr));
}
