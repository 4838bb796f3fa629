//! No name of a file, no content and no control id reaches the log, at any level.

use tidegate_hl7::sample;

use crate::rig::Site;

#[test]
fn the_log_at_its_loudest_tells_nothing_about_patients() {
    let site = Site::new();
    let mut server = crate::rig::Server::start(site.command(&["serve", "--log", "trace"]));
    let mut sender = server.log_in("a");
    sender
        .put_file("SECRETNAME.hl7", &mut &sample::file("SECRETBATCH", &[sample::message(777)])[..])
        .unwrap();
    sender.put_file("SECRETNAME.part", &mut &sample::message(778)[..]).unwrap();
    sender.rename("SECRETNAME.part", "SECRETRENAMED.hl7").unwrap();
    sender.put_file("SECRETCUT.hl7", &mut &b"FHS|^~\\&|SECRETSYSTEM\rMSH|^~\\&|X\r"[..]).unwrap();
    // The marker in each field that a message may have, one message for each.
    let marked = |segment| {
        (2..=25).map(move |field| sample::with_field(&sample::message(779), segment, 1, field, "SECRETVALUE"))
    };
    let marked: Vec<_> =
        ["MSH", "PID", "NK1", "ORC", "RXA", "RXR", "OBX"].into_iter().flat_map(marked).collect();
    sender.put_file("SECRETFIELDS.hl7", &mut &sample::file("SECRETBATCH", &marked)[..]).unwrap();
    server.wait_for_ends(4);
    let names = sender.nlst(Some("/outbox")).unwrap();
    sender.retr_as_buffer(&format!("/outbox/{}", names[0])).unwrap();
    sender.rm(format!("/outbox/{}", names[0])).unwrap();
    drop(sender.quit());
    let log = server.stop();
    assert!(log.lines().count() > 5, "{log}");
    for secret in ["SECRET", "SAMPLE-777", "TEST", "SYNTHETIC", crate::rig::PASSWORD] {
        assert!(!log.contains(secret), "{secret} in: {log}");
    }
}
