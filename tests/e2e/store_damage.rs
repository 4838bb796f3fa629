//! The queue's index lost or spoilt while the service was down.

use tidegate_hl7::sample;

use crate::rig::Site;

#[test]
fn an_index_deleted_while_stopped_costs_nothing() {
    let site = Site::new();
    let mut server = site.serve();
    server.log_in("a").put_file("done.hl7", &mut &sample::message(1)[..]).unwrap();
    server.wait_for_ends(1);
    site.run(&["maintenance", "start", "--until-released", "--reason", "disk swap"]);
    server.log_in("a").put_file("waiting.hl7", &mut &sample::message(2)[..]).unwrap();
    let before = site.jobs();
    server.kill();

    std::fs::remove_dir_all(site.path("data/queue")).unwrap();
    let mut server = site.serve();
    assert_eq!(site.jobs(), before);
    assert_eq!(site.json(&["status", "--json"])["gate"]["state"], "closed", "the hold stands");
    site.run(&["maintenance", "release"]);
    server.wait_for_ends(1);
    assert_eq!(site.files("delivered/A").len(), 2);
}

#[test]
fn an_index_overwritten_while_stopped_costs_nothing() {
    let site = Site::new();
    let mut server = site.serve();
    for n in 0..20 {
        server.log_in("a").put_file(format!("{n}.hl7"), &mut &sample::message(n)[..]).unwrap();
    }
    server.wait_for_ends(20);
    let before = site.jobs();
    server.kill();
    let db = site.path("data/queue/db");
    let mut bytes = std::fs::read(&db).unwrap();
    for byte in bytes.iter_mut().step_by(97) {
        *byte ^= 0xff;
    }
    std::fs::write(&db, bytes).unwrap();
    let _server = site.serve();
    assert_eq!(site.jobs(), before);
    // Its exit code says that everything is where it should be.
    site.run(&["store", "verify"]);
}
