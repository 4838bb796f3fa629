//! The story: a window opens, files come in and wait, the window ends, the backlog drains, everyone has
//! an answer.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use chrono::{SecondsFormat, Utc};
use tidegate_web::api::{JobView, Status};

use super::files::{self, File};
use super::sender::{Doors, Protocol, log_in};
use super::stage::Stage;
use crate::render::Screen;

const WINDOW: &str = "registry-upgrade";
/// Long enough for a slow machine to upload inside it, short enough to wait for.
const WINDOW_SECONDS: u64 = 8;
/// The backlog has to be gone after this long.
const DRAIN_MAX: Duration = Duration::from_secs(20);

pub(super) fn tell(stage: &mut Stage) -> Result<()> {
    let files = files::all();
    heading("tidegate, on this machine only, with made-up patients")?;
    set_up(stage)?;
    heading("1. Maintenance begins: the registry is being upgraded, files must wait")?;
    let from = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
    let length = format!("{WINDOW_SECONDS}s");
    let reason = "registry database upgrade";
    stage.show(&["maintenance", "add", WINDOW, "--from", &from, "--for", &length, "--reason", reason])?;

    heading("2. The senders know nothing of it and upload, as every day")?;
    for file in &files {
        upload(stage.doors()?, file)?;
    }
    say(
        "226, and OK in SFTP, mean: on disk, queued, no need to send again, whatever happens from here on.\n",
    )?;

    heading("3. Staff see what waits, and why")?;
    stage.show(&["status"])?;
    stage.show(&["queue", "list"])?;
    check_waiting(stage, files.len())?;

    heading("4. The window ends; nobody does anything")?;
    let waited = wait_for_drain(stage)?;
    say(&format!("{waited:.1} s later the backlog is gone:\n"))?;
    stage.show(&["queue", "list"])?;
    check_ends(stage, &files)?;

    heading("5. Each sender fetches its answers, by FTP, FTPS or SFTP")?;
    let doors = stage.doors()?;
    fetch(doors, (Protocol::Ftp, "acme"), "friday.hl7", ".response", "MSA|AA|")?;
    fetch(doors, (Protocol::Ftps, "lakeside"), "visits.hl7", ".report.txt", "accepted")?;
    fetch(doors, (Protocol::Sftp, "lakeside"), "cut-off.hl7", ".response", "MSA|AR|")?;

    heading("6. The registry has what was good, each message once")?;
    check_delivered(stage, &files)?;
    say("Everything happened as told.\n")
}

fn set_up(stage: &mut Stage) -> Result<()> {
    for (code, name, account) in
        [("ACME01", "Acme Family Clinic", "acme"), ("LAKE02", "Lakeside Pediatrics", "lakeside")]
    {
        stage.run(&["org", "add", code, "--name", name, "--account", account, "--password-stdin"])?;
    }
    stage.start_server()?;
    let Doors { ftp, sftp, .. } = stage.doors()?;
    say("Two organizations, ACME01 and LAKE02. The server listens")?;
    say(&format!("on {ftp} for FTP and FTPS, on {sftp} for SFTP.\n"))
}

fn upload(doors: &Doors, file: &File) -> Result<()> {
    let mut sender = log_in(doors, file.protocol, file.sender)?;
    if file.protocol == Protocol::Ftp {
        for line in sender.greeting().lines() {
            say(line.trim_end())?;
        }
    }
    sender.upload(file.name, &file.bytes)?;
    sender.leave()?;
    let (protocol, success) = (file.protocol.name(), file.protocol.success());
    say(&format!("{:9} {protocol:5} {:17} {success:4}  {}", file.sender, file.name, file.what))
}

fn check_waiting(stage: &Stage, files: usize) -> Result<()> {
    let status = status(stage)?;
    let waiting = status.jobs.get(&tidegate_domain::job::JobState::Queued).copied().unwrap_or(0);
    ensure!(
        status.gate.gate.state == tidegate_domain::maintenance::GateState::Closed,
        "the gate is not closed"
    );
    ensure!(usize::try_from(waiting)? == files, "{waiting} files wait, not {files}");
    ensure!(delivered(stage)? == 0, "a message was delivered while the gate was closed");
    Ok(())
}

/// Waits until nothing waits any more; how long it took from the end of the window.
fn wait_for_drain(stage: &Stage) -> Result<f64> {
    let closed_until = status(stage)?.gate.gate.until;
    if let Some(until) = closed_until {
        let left = (until - Utc::now()).to_std().unwrap_or_default();
        say(&format!("waiting {} s for the end of the window ...", left.as_secs() + 1))?;
        std::thread::sleep(left);
    }
    let opened = Instant::now();
    loop {
        let status = status(stage)?;
        if status.jobs.iter().filter(|(state, _)| !state.is_final()).all(|(_, count)| *count == 0) {
            return Ok(opened.elapsed().as_secs_f64());
        }
        ensure!(opened.elapsed() < DRAIN_MAX, "the backlog did not drain");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn check_ends(stage: &Stage, files: &[File]) -> Result<()> {
    let jobs: Vec<JobView> = serde_json::from_str(&stage.run(&["queue", "list", "--json"])?)?;
    for file in files {
        let job = jobs.iter().find(|job| job.name == file.name);
        let job = job.with_context(|| format!("{} is not in the queue", file.name))?;
        ensure!(job.state == file.state, "{} is {}, not {}", file.name, job.state, file.state);
        ensure!(job.outcome == file.outcome, "{} ended as {:?}", file.name, job.outcome);
    }
    Ok(())
}

/// Fetches the answer to one upload and shows it.
fn fetch(
    doors: &Doors,
    (protocol, account): (Protocol, &str),
    upload: &str,
    ending: &str,
    expected: &str,
) -> Result<()> {
    let mut sender = log_in(doors, protocol, account)?;
    let names = sender.outbox()?;
    let name = names.iter().find(|name| name.starts_with(upload) && name.ends_with(ending));
    let name = name.with_context(|| format!("there is no answer to {upload} in the outbox"))?;
    let bytes = sender.fetch(name)?;
    let text = String::from_utf8_lossy(&bytes);
    sender.leave()?;
    say(&format!("{account:9} {:5} outbox/{name}", protocol.name()))?;
    for line in text.trim_end().split(['\r', '\n']) {
        say(&format!("   {line}"))?;
    }
    say("")?;
    ensure!(text.contains(expected), "the answer to {upload} does not say {expected}");
    Ok(())
}

fn check_delivered(stage: &Stage, files: &[File]) -> Result<()> {
    let expected: usize = files.iter().map(|file| file.delivered).sum();
    let found = delivered(stage)?;
    say(&format!("{found} messages delivered."))?;
    ensure!(found == expected, "{found} messages were delivered, not {expected}");
    Ok(())
}

/// Messages in the directory that stands for the registry here.
fn delivered(stage: &Stage) -> Result<usize> {
    let mut count = 0;
    for org in ["ACME01", "LAKE02"] {
        if let Ok(entries) = fs::read_dir(stage.path("data/delivered").join(org)) {
            for entry in entries {
                let name = entry.context("while counting delivered messages")?.file_name();
                count += usize::from(name.to_string_lossy().ends_with(".hl7"));
            }
        }
    }
    Ok(count)
}

fn status(stage: &Stage) -> Result<Status> {
    serde_json::from_str(&stage.run(&["status", "--json"])?).context("while reading the status")
}

fn heading(text: &str) -> Result<()> {
    let screen = Screen::stdout(None);
    Screen::print(&screen.paint(crate::render::Ink::Good, text))
}

fn say(text: &str) -> Result<()> {
    Screen::write(format!("   {text}\n").as_bytes())
}
