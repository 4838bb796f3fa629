//! Damage to the journal itself: the start forgets nothing in silence, and says which file it is about.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use tidegate_domain::{JobId, SystemClock};
use tidegate_store::{Filter, OpenError, Options, Store};

use super::{State, directory, image_of, live};
use crate::rig::{Rig, files_in};

/// A store with four segments, the last of them not yet sealed, closed so that its index shows all of
/// them; and what it shows.
async fn store() -> (TempDir, State) {
    let mut rig = Rig::open(directory());
    for number in 0..3 {
        live(&rig, number).await;
        rig = Rig::open(rig.closed().await);
    }
    live(&rig, 3).await;
    let expected = State::of(&rig);
    let dir = rig.closed().await;
    let endings =
        segments(dir.path()).iter().map(|file| file.extension().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(endings, ["sealed", "sealed", "sealed", "log"]);
    (dir, expected)
}

fn segments(data_dir: &Path) -> Vec<PathBuf> {
    let journal = data_dir.join("journal");
    let finished = |name: &String| name != "sealing.tmp";
    files_in(&journal).into_iter().filter(finished).map(|name| journal.join(name)).collect()
}

/// What happens to a file.
type Damage = fn(&Path);
/// What happens to the files of a journal.
type Mix<'a> = &'a dyn Fn(&[PathBuf]);

/// Of the newest segment only the first so many can be told from an end that was torn before anybody was
/// told of what is in it.
const NEWEST_TELLS: usize = 4;

/// Ways to damage one segment so that all other bytes of the journal can still be used.
const DAMAGES: [(&str, Damage); 9] = [
    ("its header full of zeros", |segment| change(segment, |bytes| bytes[..28].fill(0))),
    ("a bit of its header flipped", |segment| change(segment, |bytes| bytes[10] ^= 1)),
    ("full of zeros", |segment| change(segment, |bytes| bytes.fill(0))),
    ("a bit in the middle flipped", |segment| {
        change(segment, |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x10;
        });
    }),
    ("a page of zeros in the middle", |segment| {
        change(segment, |bytes| {
            let middle = bytes.len() / 2;
            bytes.iter_mut().skip(middle).take(4096).for_each(|byte| *byte = 0);
        });
    }),
    ("cut off in the middle", |segment| change(segment, |bytes| bytes.truncate(bytes.len() / 2))),
    ("cut off between two batches", |segment| {
        change(segment, |bytes| {
            let mut starts =
                bytes.windows(4).enumerate().filter(|(_, four)| four == b"TGB1").map(|(at, _)| at);
            // A sealed segment as short as these is one batch.
            let second = starts.nth(1).unwrap_or(28);
            bytes.truncate(second);
        });
    }),
    ("empty", |segment| fs::write(segment, "").unwrap()),
    ("gone", |segment| fs::remove_file(segment).unwrap()),
];

fn change(file: &Path, with: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    with(&mut bytes);
    fs::write(file, bytes).unwrap();
}

fn ids(store: &Store) -> Vec<JobId> {
    let jobs = store.list(&Filter { limit: 1000, ..Filter::default() }).unwrap();
    jobs.into_iter().map(|job| job.id).collect()
}

#[tokio::test]
async fn what_the_journal_lost_the_index_still_shows_and_the_damage_is_named() {
    let (present, expected) = store().await;
    for place in 0..4 {
        for (what, damage) in DAMAGES {
            let image = image_of(present.path());
            let segment = segments(image.path()).remove(place);
            damage(&segment);
            let what = format!("segment {place}: {what}");
            assert_rebuild_refuses(image.path(), &what);
            let rig = Rig::open(image);
            assert!(State::of(&rig) == expected, "{what}: another state");
            let findings = rig.store.verify().await.unwrap().findings;
            let is_newest = place == 3;
            if is_newest {
                // Whether its end was whole only the index knows, and says so at this start.
                assert!(rig.recovery.journal_holes > 0, "{what}");
            } else {
                let next = segments(rig.path()).into_iter().find(|other| *other > segment).unwrap();
                let names = |finding: &&String| {
                    [&segment, &next].iter().any(|file| {
                        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
                        finding.contains(&name)
                    })
                };
                assert!(findings.iter().any(|finding| names(&finding)), "{what}: {findings:?}");
                assert!(findings.iter().all(|finding| finding.contains("restore a backup")), "{findings:?}");
            }
        }
    }
}

fn assert_rebuild_refuses(data_dir: &Path, what: &str) {
    let refused = Store::rebuild(data_dir, Options::default(), Arc::new(SystemClock), &mut |_, _| {});
    match refused {
        Err(OpenError::Damaged { what: words, .. }) => {
            assert!(words.contains("the index still knows"), "{what}: {words}");
        }
        other => panic!("{what}: the index was thrown away: {other:?}"),
    }
}

#[tokio::test]
async fn without_the_index_everything_that_can_be_read_is_there_and_the_rest_is_told() {
    let (present, expected) = store().await;
    let all: Vec<JobId> = expected.jobs.iter().map(|(job, ..)| job.id).collect();
    for place in 0..4 {
        for (number, (what, damage)) in DAMAGES.into_iter().enumerate() {
            if place == 3 && number >= NEWEST_TELLS {
                continue;
            }
            let image = image_of(present.path());
            fs::remove_dir_all(image.path().join("queue")).unwrap();
            let segment = segments(image.path()).remove(place);
            damage(&segment);
            let damaged = fs::read(&segment).ok();
            let what = format!("segment {place}: {what}");
            let rig = Rig::open(image);
            assert_eq!(fs::read(&segment).ok(), damaged, "{what}: kept for whoever looks into it");
            assert!(rig.recovery.journal_holes > 0, "{what}");
            let left = ids(&rig.store);
            assert!(left.iter().all(|id| all.contains(id)), "{what}");
            // Twelve jobs were accepted in each segment.
            let of_others =
                |id: &JobId| all.iter().rev().position(|other| other == id).unwrap() / 12 != place;
            let others = all.iter().filter(|id| of_others(id));
            assert!(others.clone().all(|id| left.contains(id)), "{what}");
            assert_eq!(others.count(), 36);
            if what.ends_with("zeros") && what.contains("header") || what.ends_with("header flipped") {
                assert!(State::of(&rig) == expected, "{what}: nothing but the header is lost");
            }
            for (job, ..) in &expected.jobs {
                let name = format!("{}.hl7", job.id);
                let kept = ["incoming", "archive", "error"].iter().any(|place| {
                    rig.path().join("orgs").join(job.submission.org.as_str()).join(place).join(&name).exists()
                });
                assert!(kept, "{what}: the bytes of {} are gone", job.id);
            }
            assert!(!rig.store.verify().await.unwrap().findings.is_empty(), "{what}");
        }
    }
}

#[tokio::test]
async fn a_segment_that_is_not_what_its_name_says_stops_the_start_and_is_named() {
    let (present, _) = store().await;
    let stranger = Rig::open(directory());
    live(&stranger, 9).await;
    let foreign = segments(stranger.path()).remove(0);
    let cases: [(&str, Mix<'_>, &str); 4] = [
        ("of another store", &|all| _ = fs::copy(&foreign, &all[0]).unwrap(), "belongs to another store"),
        ("another one", &|all| _ = fs::copy(&all[2], &all[1]).unwrap(), "give it that name again"),
        (
            "exchanged",
            &|all| {
                let aside = all[1].with_extension("aside");
                fs::rename(&all[1], &aside).unwrap();
                fs::rename(&all[2], &all[1]).unwrap();
                fs::rename(&aside, &all[2]).unwrap();
            },
            "give it that name again",
        ),
        (
            "a directory",
            &|all| {
                fs::remove_file(&all[1]).unwrap();
                fs::create_dir(&all[1]).unwrap();
            },
            "directory",
        ),
    ];
    for (what, damage, words) in cases {
        for index in ["kept", "lost"] {
            let image = image_of(present.path());
            let all = segments(image.path());
            damage(&all);
            if index == "lost" {
                fs::remove_dir_all(image.path().join("queue")).unwrap();
            }
            match Store::open(image.path(), Options::default(), Arc::new(SystemClock)) {
                Err(error) => {
                    let told = error.to_string();
                    let names_it = all.iter().any(|file| told.contains(&*file.to_string_lossy()));
                    assert!(told.contains(words) && names_it, "{what}, index {index}: {told}");
                    assert!(index == "lost" || image.path().join("queue/db").exists(), "the index is kept");
                }
                // With the index there was no need to read the file; who looks closer is told.
                Ok((store, _)) => {
                    let looked = store.verify().await;
                    assert!(index == "kept" && looked.is_err(), "{what}, index {index}: {looked:?}");
                }
            }
        }
    }
}
