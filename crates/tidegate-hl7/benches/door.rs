//! Throughput of the door beside plain reading, in one run, and peak memory over a stream of 1 GiB.
//!
//! `cargo bench -p tidegate-hl7 --bench door [-- MIB [GIB]]`: makes a file of made-up messages (256 MiB unless told) in a directory for
//! temporary files, then prints MiB/s and ratios, each the best of several rounds, per second
//! of CPU time, so that a busy machine matters less.

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufWriter, Read};
use std::time::{Duration, Instant};

use tidegate_hl7::{Delivery, Door, Outputs, Profile, Reply, Splitter, Summary, read_envelope, sample};

const ROUNDS: usize = 5;
pub(crate) const MIB: u64 = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut sizes = std::env::args().filter_map(|word| word.parse().ok());
    let (mib, gib): (u64, u64) = (sizes.next().unwrap_or(256), sizes.next().unwrap_or(1));
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("door.hl7");
    let size = write_file(&path, mib * MIB)?;
    println!("{} MiB of made-up VXU messages of about 1.2 KiB; best of {ROUNDS} rounds\n", size / MIB);
    let open = || File::open(&path);
    let read = measure("read()", size, None, || Ok(drain(open()?)?))?;
    measure("splitter", size, Some(read), || Ok(split(open()?)?))?;
    measure("envelope pass", size, Some(read), || Ok(envelope(open()?)?))?;
    measure("whole door", size, Some(read), || Ok(door(open()?, open()?)?.counts.accepted))?;

    let base = peak_kib()?;
    let stream = || Repeat::new(gib * 1024 * MIB);
    let started = Instant::now();
    let summary = door(stream(), stream())?;
    println!(
        "\n{gib} GiB stream, both passes: {} messages accepted in {:.2?}",
        summary.counts.accepted,
        started.elapsed()
    );
    println!("peak memory of the process: {} KiB, {base} before the stream", peak_kib()?);
    Ok(())
}

pub(crate) fn measure<F>(name: &str, size: u64, base: Option<f64>, mut run: F) -> Result<f64, Box<dyn Error>>
where
    F: FnMut() -> Result<u64, Box<dyn Error>>,
{
    let mut best = 0_f64;
    let mut result = 0;
    for _ in 0..ROUNDS {
        let started = cpu_time()?;
        result = black_box(run()?);
        let spent = cpu_time()?.saturating_sub(started);
        best = best.max(to_f64(size / 1024) / 1024.0 / spent.as_secs_f64());
    }
    let ratio = base.map_or(String::new(), |base| format!("{:>8.3} of read()", best / base));
    println!("{name:<14} {best:>9.0} MiB/s {ratio}   ({result})");
    Ok(best)
}

fn to_f64(value: u64) -> f64 {
    u32::try_from(value).map_or(f64::MAX, f64::from)
}

pub(crate) fn drain(mut file: impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; tidegate_hl7::CHUNK_BYTES];
    let mut total = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(total),
            count => total += black_box(&buffer).get(..count).map_or(0, <[u8]>::len) as u64,
        }
    }
}

fn split(file: impl Read) -> io::Result<u64> {
    let mut splitter = Splitter::new(file, 1 << 20);
    let mut units = 0;
    while let Some(unit) = splitter.next_unit()? {
        black_box(unit.bytes);
        units += 1;
    }
    Ok(units)
}

fn envelope(file: impl Read) -> io::Result<u64> {
    let envelope = read_envelope(file, &Profile::default())?.map_err(io::Error::other)?;
    Ok(envelope.messages)
}

pub(crate) fn door(first: impl Read, second: impl Read) -> io::Result<Summary> {
    let profile = Profile::default();
    let at = chrono::DateTime::parse_from_rfc3339("2026-03-16T08:30:00-05:00").map_err(io::Error::other)?;
    let reply = Reply::new("01HZX3K7Q2W5M8RT", at);
    let envelope = read_envelope(first, &profile)?.map_err(io::Error::other)?;
    let outputs = Outputs { response: BufWriter::new(io::sink()), details: io::sink() };
    let mut door = Door::open(second, &envelope, &profile, &reply, outputs);
    while let Some(step) = door.step()? {
        black_box(step.deliverable());
        door.commit(Delivery::Done)?;
    }
    Ok(door.finish()?.summary)
}

/// A file of about `size` bytes, in one batch.
pub(crate) fn write_file(path: &std::path::Path, size: u64) -> io::Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    let written = io::copy(&mut Repeat::new(size), &mut file)?;
    file.into_inner()?.sync_all()?;
    Ok(written)
}

/// A batch of about `size` bytes that is made up while it is read.
struct Repeat {
    left: u64,
    seed: u64,
    piece: io::Cursor<Vec<u8>>,
    done: bool,
}

impl Repeat {
    fn new(size: u64) -> Self {
        let header = b"BHS|^~\\&|SAMPLEEHR|SAMPLECLINIC\r".to_vec();
        Self { left: size, seed: 0, piece: io::Cursor::new(header), done: false }
    }
}

impl Read for Repeat {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.piece.read(into)?;
            self.left = self.left.saturating_sub(count as u64);
            if count > 0 || self.done {
                return Ok(count);
            }
            self.piece = io::Cursor::new(if self.left == 0 {
                self.done = true;
                b"BTS|\r".to_vec()
            } else {
                self.seed += 1;
                sample::message(self.seed)
            });
        }
    }
}

/// CPU time this process has used, kernel time included.
fn cpu_time() -> Result<Duration, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/schedstat")?;
    Ok(Duration::from_nanos(stat.split_whitespace().next().ok_or("no CPU time")?.parse()?))
}

fn peak_kib() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
