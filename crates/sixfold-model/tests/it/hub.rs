//! The hub against a local stand-in that speaks its protocol: HEAD and GET on `resolve` paths,
//! with commit, etag and length in the headers.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sixfold_model::hub::{HubOptions, ModelId, fetch};
use sixfold_model::{Checkpoint, device};
use sixfold_testkit::fixtures;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// Serves one directory as `team/tiny`, and counts requests.
struct StandIn {
    endpoint: String,
    requests: Arc<AtomicUsize>,
}

impl StandIn {
    fn serve(dir: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                answer(stream, &dir);
            }
        });
        Self { endpoint, requests }
    }
}

fn answer(mut stream: TcpStream, dir: &Path) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let request = lines.next().and_then(Result::ok).unwrap_or_default();
    while lines.next().and_then(Result::ok).is_some_and(|line| !line.is_empty()) {}
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let name = path.rsplit('/').next().unwrap_or("");
    let known = path.starts_with("/team/tiny/resolve/");
    let body = known.then(|| std::fs::read(dir.join(name)).ok()).flatten();
    let (status, body, error) = match body {
        Some(body) => ("200 OK", body, ""),
        None if known => ("404 Not Found", Vec::new(), "X-Error-Code: EntryNotFound\r\n"),
        None => ("404 Not Found", Vec::new(), "X-Error-Code: RepoNotFound\r\n"),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\n{error}X-Repo-Commit: {COMMIT}\r\nETag: \"{name}-{}\"\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len(),
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
    if method == "GET" {
        let _ = stream.write_all(&body);
    }
}

fn id(repo: &str, revision: &str) -> ModelId {
    ModelId { repo: repo.to_owned(), revision: revision.to_owned() }
}

#[test]
fn a_sharded_model_is_fetched_once_and_then_found_offline() {
    let server = StandIn::serve(fixtures("sixfold-model").join("llama-sharded"));
    let cache = tempfile::tempdir().unwrap();
    let options = HubOptions {
        endpoint: Some(server.endpoint.clone()),
        cache_dir: Some(cache.path().to_owned()),
        offline: false,
    };
    let dir = fetch(&id("team/tiny", "main"), &options).unwrap();
    let checkpoint = Checkpoint::open(&dir).unwrap();
    assert_eq!(checkpoint.family(), "llama");
    checkpoint.causal_lm(&device("flex").unwrap()).unwrap();

    let asked = server.requests.load(Ordering::SeqCst);
    let offline = HubOptions { offline: true, ..options };
    assert_eq!(fetch(&id("team/tiny", "main"), &offline).unwrap(), dir);
    assert_eq!(server.requests.load(Ordering::SeqCst), asked, "offline asks nobody");

    let error = fetch(&id("team/other", "main"), &offline).unwrap_err().to_string();
    assert!(error.contains("team/other") && error.contains("config.json"), "{error}");
}

#[test]
fn a_repository_that_is_not_there_is_named() {
    let server = StandIn::serve(fixtures("sixfold-model").join("llama-base"));
    let cache = tempfile::tempdir().unwrap();
    let options = HubOptions {
        endpoint: Some(server.endpoint),
        cache_dir: Some(cache.path().to_owned()),
        offline: false,
    };
    let error = fetch(&id("team/missing", "v1"), &options).unwrap_err().to_string();
    assert!(error.contains("team/missing at v1, file config.json"), "{error}");
}
