//! Scripts of a store that runs.

use tidegate_domain::job::JobEvent;

use crate::attack::{Base, attack};
use crate::world::{World, completed, pattern};

/// More than an upload may have that shares the journal's sync.
const LARGE: usize = 70_000;

fn reason() -> String {
    "because".to_owned()
}

#[test]
fn no_fault_takes_an_accepted_upload_or_brings_a_refused_one() {
    let base = Base::new(&async |world| {
        world.upload("OLD", "before", 300).await;
    });
    attack("uploads", &base, &async |world: &mut World| {
        world.try_open().unwrap();
        world.arm();
        world.upload("BIG", "large-first", LARGE).await;
        world.upload("NEW", "small-first", 300).await;
        world.upload("NEW", "empty", 0).await;
        world.upload("NEW", "large", LARGE).await;
        world.upload("LATE", "claimed-at-once", 300).await;
        for claim in world.claim(9).await {
            world.finish(&claim, JobEvent::Yielded).await;
        }
    });
}

#[test]
fn no_fault_takes_a_staged_upload_that_was_renamed() {
    let base = Base::new(&async |world| {
        world.upload("OLD", "before", 300).await;
    });
    attack("staged", &base, &async |world: &mut World| {
        world.try_open().unwrap();
        world.arm();
        for (staged, len, name) in [("a.tmp", 300, "small"), ("b.part", LARGE, "large")] {
            if world.stage("S", staged, len).await {
                world.accept_staged("S", staged, name, pattern(staged, len)).await;
            }
        }
        if world.stage("S", "c.tmp", 300).await && world.rename_staged("S", "c.tmp", "d.tmp") {
            world.accept_staged("S", "d.tmp", "renamed", pattern("c.tmp", 300)).await;
        }
    });
}

#[test]
fn no_fault_undoes_a_finished_job_or_loses_its_response() {
    let base = Base::new(&async |world| {
        for org in ["A", "B", "C", "D"] {
            world.upload(org, &format!("{org}-1"), 300).await;
        }
        world.upload("E", "E-1", LARGE).await;
        let bytes = pattern("A-1", 300);
        world.upload_bytes("A", "A-again", bytes).await;
    });
    attack("work", &base, &async |world: &mut World| {
        world.try_open().unwrap();
        world.arm();
        let mut first = None;
        for claim in world.claim(9).await {
            world.checkpoint(&claim, 100).await;
            let end = match claim.job.submission.org.as_str() {
                "B" => JobEvent::Refused { reason: reason() },
                "C" => world.retried(),
                "D" => JobEvent::Failed { reason: reason() },
                _ => completed(),
            };
            if world.finish(&claim, end).await {
                first = first.or(Some(claim.id()));
            }
        }
        for claim in world.claim(1).await {
            let of = first.filter(|_| claim.job.submission.name.as_bytes() == b"A-again");
            let is_complete =
                of.is_some_and(|of| world.store().get(of).unwrap().is_some_and(|job| job.has_response()));
            let end = match of.filter(|_| is_complete) {
                Some(of) => JobEvent::FoundDuplicate { of },
                None => JobEvent::Yielded,
            };
            world.finish(&claim, end).await;
        }
    });
}

#[test]
fn no_fault_brings_a_deleted_response_back_or_takes_another() {
    let base = Base::new(&async |world| {
        for name in ["one", "two"] {
            world.upload("A", name, 300).await;
            let claims = world.claim(1).await;
            world.finish(&claims[0], completed()).await;
        }
    });
    attack("deletion", &base, &async |world: &mut World| {
        world.try_open().unwrap();
        let id =
            world.store().list(&tidegate_store::Filter { limit: 1, ..Default::default() }).unwrap()[0].id;
        world.arm();
        world.delete_response(id).await;
        world.upload("A", "three", 10).await;
    });
}

#[test]
fn no_fault_undoes_what_staff_did() {
    let base = Base::new(&async |world| {
        for org in ["A", "B", "C", "D"] {
            world.upload(org, org, 300).await;
        }
        for claim in world.claim(2).await {
            world.finish(&claim, JobEvent::Refused { reason: reason() }).await;
        }
    });
    attack("staff", &base, &async |world: &mut World| {
        world.try_open().unwrap();
        let jobs = world.store().list(&tidegate_store::Filter { limit: 9, ..Default::default() }).unwrap();
        world.arm();
        // The newest first: two wait, two were refused.
        world.act(jobs[0].id, JobEvent::Held { reason: reason() }).await;
        world.act(jobs[1].id, JobEvent::Cancelled { reason: reason() }).await;
        world.act(jobs[2].id, JobEvent::Requeued { reason: reason() }).await;
        world.hold().await;
        world.release().await;
        world.hold().await;
        world.act(jobs[0].id, JobEvent::Released { reason: reason() }).await;
    });
}

#[test]
fn no_fault_while_segments_fill_and_are_sealed_loses_a_change() {
    let base = Base::new(&async |world| {
        world.upload("OLD", "before", 300).await;
    });
    attack("segments", &base, &async |world: &mut World| {
        world.segment_bytes_max = 1500;
        world.try_open().unwrap();
        world.arm();
        for number in 0..5 {
            world.upload("A", &format!("{number}"), 600).await;
        }
        for claim in world.claim(1).await {
            // Its sync waits in line behind the sealing.
            world.checkpoint(&claim, 10).await;
            world.checkpoint(&claim, 20).await;
        }
        world.upload("A", "last", 600).await;
    });
}

/// Files of small uploads are written while their jobs go on: for lack of room in memory, for whoever
/// looks, and at the close; their segments are sealed between.
#[test]
fn no_fault_while_files_are_written_late_loses_an_upload() {
    let base = Base::new(&async |world| {
        world.upload("OLD", "before", 300).await;
    });
    attack("late-files", &base, &async |world: &mut World| {
        world.segment_bytes_max = 1500;
        world.deferred_bytes_max = Some(1000);
        world.try_open().unwrap();
        let mut ids = Vec::new();
        world.arm();
        for (org, name) in [("A", "done"), ("B", "cancelled"), ("C", "looked-for"), ("A", "waits")] {
            ids.push(world.upload(org, name, 300).await);
        }
        if let Some(id) = ids[1] {
            world.act(id, JobEvent::Cancelled { reason: reason() }).await;
        }
        if let Some(job) = ids[2].and_then(|id| world.store().get(id).unwrap()) {
            world.store().payload_path(&job);
        }
        for claim in world.claim(9).await {
            world.checkpoint(&claim, 10).await;
            world
                .finish(
                    &claim,
                    if claim.job.submission.org.as_str() == "A" { completed() } else { JobEvent::Yielded },
                )
                .await;
        }
        for number in 0..3 {
            world.upload("D", &format!("{number}"), 600).await;
        }
        world.close().await;
    });
}

/// Changes come while it is made, and after it took the place of the old one.
#[test]
fn no_fault_while_the_index_is_made_anew_loses_anything() {
    let base = Base::new(&async |world| {
        for org in ["A", "B", "C"] {
            world.upload(org, org, 300).await;
        }
        let claims = world.claim(1).await;
        world.finish(&claims[0], completed()).await;
    });
    attack("renewal", &base, &async |world: &mut World| {
        world.renews_index = true;
        let old = world.index();
        world.try_open().unwrap();
        world.arm();
        world.upload("A", "during", 300).await;
        world.wait_for_index_after(old).await;
        world.upload("D", "after", 300).await;
        world.close().await;
    });
}
