//! Scripts of a store that starts and ends.

use crate::attack::{Base, attack};
use crate::world::{World, completed};

const LARGE: usize = 70_000;

fn some_jobs() -> Base {
    Base::new(&async |world| {
        for org in ["A", "B", "C"] {
            world.upload(org, org, 300).await;
        }
        world.upload("A", "large", LARGE).await;
        let claims = world.claim(1).await;
        world.finish(&claims[0], completed()).await;
    })
}

#[test]
fn no_fault_keeps_a_first_start_from_being_repeated() {
    attack("first-start", &Base::empty(), &async |world: &mut World| {
        world.arm();
        drop(world.try_open());
        world.upload("A", "one", 300).await;
        world.upload("A", "large", LARGE).await;
        world.close().await;
    });
}

#[test]
fn no_fault_in_a_start_after_a_clean_end_or_in_the_end_loses_anything() {
    attack("start", &some_jobs(), &async |world: &mut World| {
        world.arm();
        drop(world.try_open());
        world.upload("A", "one", 300).await;
        world.close().await;
    });
}

#[test]
fn no_fault_in_a_start_after_a_kill_loses_anything() {
    attack("start-after-kill", &some_jobs(), &async |world: &mut World| {
        world.try_open().unwrap();
        world.upload("NEW", "killed-large", LARGE).await;
        world.upload("NEW", "killed-small", 300).await;
        for claim in world.claim(2).await {
            world.checkpoint(&claim, 100).await;
        }
        world.kill().await;
        world.arm();
        drop(world.try_open());
        world.upload("A", "one", 300).await;
        world.close().await;
    });
}

/// Who starts reads what the failed sync did not write from memory, where it looks whole.
#[test]
fn no_fault_in_a_start_after_a_failed_sync_loses_anything() {
    attack("start-after-failed-sync", &some_jobs(), &async |world: &mut World| {
        world.try_open().unwrap();
        world.upload("NEW", "small", 300).await;
        world.break_next_sync();
        world.upload("NEW", "in-doubt", 300).await;
        world.close().await;
        world.arm();
        drop(world.try_open());
        world.upload("A", "one", 300).await;
        world.close().await;
    });
}

#[test]
fn no_fault_in_a_rebuild_loses_anything() {
    attack("rebuild", &some_jobs(), &async |world: &mut World| {
        world.arm();
        drop(world.try_rebuild());
        world.upload("A", "one", 300).await;
        world.close().await;
    });
}

#[test]
fn no_fault_in_a_change_of_layout_loses_anything() {
    attack("migration", &some_jobs().of_layout(1), &async |world: &mut World| {
        world.arm();
        drop(world.try_open());
        world.upload("A", "one", 300).await;
        world.close().await;
    });
}
