//! The real Graphite, as far as it keeps numbers: a carbon on a free port of this machine, and what its files say.

use std::{
    collections::BTreeMap,
    env, fs,
    io::ErrorKind,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::wait::until;

/// A port that is free when we look may be taken a moment later.
const TRIES: usize = 5;

/// A running carbon. It ends when this is dropped, and its files go.
#[derive(Debug)]
pub struct Carbon {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Carbon {
    /// Starts one, or says on standard output why there can be none.
    ///
    /// # Panics
    /// If it is installed and does not start.
    #[must_use]
    pub fn start_or_skip() -> Option<Self> {
        for program in ["carbon-cache", "whisper-fetch"] {
            let found = Command::new(program)
                .arg("--help")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if found.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                println!("skipped: there is no {program} for Graphite's files (./test installs it)");
                return None;
            }
        }
        (0..TRIES)
            .find_map(|_| Self::start())
            .or_else(|| panic!("carbon does not start"))
    }

    fn start() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("instrument-task-carbon-{}-{number}", std::process::id()));
        fs::create_dir_all(folder.join("whisper")).expect("the folder of temporary files is writable");
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|socket| socket.local_addr())
            .expect("a free port");
        let place = folder.display();
        let config = format!(
            "[cache]\nSTORAGE_DIR = {place}/\nCONF_DIR = {place}/\nLOG_DIR = {place}/\nPID_DIR = {place}/\n\
             LOCAL_DATA_DIR = {place}/whisper/\nLINE_RECEIVER_INTERFACE = 127.0.0.1\nLINE_RECEIVER_PORT = {}\n\
             ENABLE_UDP_LISTENER = False\nPICKLE_RECEIVER_PORT = 0\nCACHE_QUERY_PORT = 0\nENABLE_TAGS = False\n\
             MAX_CREATES_PER_MINUTE = inf\nMAX_UPDATES_PER_SECOND = inf\nENABLE_LOGROTATION = False\n",
            address.port()
        );
        let files = [
            ("carbon.conf", &*config),
            // Every second has a place of its own, so that nothing is written over.
            (
                "storage-schemas.conf",
                "[all]\npattern = .*\nretentions = 1s:1h\n",
            ),
            ("storage-aggregation.conf", ""),
        ];
        for (name, text) in files {
            fs::write(folder.join(name), text).expect("the folder is writable");
        }
        let process = Command::new("carbon-cache")
            .arg(format!("--config={place}/carbon.conf"))
            .args(["--nodaemon", "start"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it was there a moment ago");
        let mut carbon = Self {
            process,
            address,
            folder,
        };
        carbon.answers().then_some(carbon)
    }

    /// Waits until it listens; false if it ended over a port that was taken.
    fn answers(&mut self) -> bool {
        until("carbon listens", || {
            if self.process.try_wait().expect("our own child").is_some() {
                return Some(false);
            }
            TcpStream::connect(self.address).is_ok().then_some(true)
        })
    }

    /// Where it takes lines.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All below a node of the tree, each by its path from there, and the sum of its points. What is in carbon's memory and not in
    /// its files yet is not among it.
    ///
    /// # Panics
    /// If a file cannot be read.
    #[must_use]
    pub fn sums(&self, node: &str) -> BTreeMap<String, f64> {
        let root = self.folder.join("whisper").join(node.replace('.', "/"));
        let mut sums = BTreeMap::new();
        visit(&root, &mut |file| {
            let path = file.strip_prefix(&root).expect("it is below").with_extension("");
            let path = path.to_str().expect("text").replace('/', ".");
            sums.insert(path, sum(file));
        });
        sums
    }
}

/// Calls `see` with every whisper file below a folder.
fn visit(folder: &Path, see: &mut impl FnMut(&Path)) {
    // Carbon makes it with the first point.
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            visit(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "wsp") {
            see(&path);
        }
    }
}

/// The sum of the points of a file, as Graphite's own tool reads it.
fn sum(file: &Path) -> f64 {
    let output = Command::new("whisper-fetch")
        .arg("--from=0")
        .arg(file)
        .output()
        .expect("it was there a moment ago");
    let text = String::from_utf8(output.stdout).expect("text");
    let values = text
        .lines()
        .filter_map(|line| line.split_once('\t')?.1.trim().parse::<f64>().ok());
    values.sum()
}

impl Drop for Carbon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
