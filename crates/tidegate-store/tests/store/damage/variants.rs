//! What can happen to an index's directory while the service is down.

use std::fs;
use std::path::{Path, PathBuf};

use super::Lives;
use crate::rig::{copy, files_in};

/// sled writes its log in pieces of this length.
const SEGMENT: usize = 512 << 10;

/// One damage. It is given the index's directory.
pub(super) struct Variant<'a> {
    pub(super) name: String,
    /// Whether a disk may do it by itself, without a trace in the directory.
    pub(super) is_decay: bool,
    pub(super) damage: Box<dyn Fn(&Path) + 'a>,
}

fn variant<'a>(name: impl Into<String>, damage: impl Fn(&Path) + 'a) -> Variant<'a> {
    Variant { name: name.into(), is_decay: false, damage: Box::new(damage) }
}

fn decay(all: Vec<Variant<'static>>) -> Vec<Variant<'static>> {
    all.into_iter().map(|variant| Variant { is_decay: true, ..variant }).collect()
}

pub(super) fn variants(lives: &Lives) -> Vec<Variant<'_>> {
    let groups = [
        decay(flipped()),
        truncated(),
        decay(zeroed()),
        appended(),
        missing_or_in_the_way(),
        exchanged(),
        rewritten(),
        from_the_past(lives),
        from_elsewhere(lives),
    ];
    groups.into_iter().flatten().collect()
}

/// The files that an index has: its parameters, its log, and at times a snapshot of where its pages lie.
fn files(queue: &Path) -> Vec<PathBuf> {
    files_in(queue).into_iter().map(|name| queue.join(name)).filter(|path| path.is_file()).collect()
}

/// The place `part`/`parts` of the way through the bytes in use.
fn place(bytes: &[u8], part: usize, parts: usize) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).unwrap_or(0) * part / parts
}

/// Changes the bytes of the file.
fn change(file: &Path, with: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    with(&mut bytes);
    fs::write(file, bytes).unwrap();
}

fn flipped() -> Vec<Variant<'static>> {
    let in_the_log = (0..30).map(|part| {
        variant(format!("bits of the log flipped at {part}/30"), move |queue| {
            change(&queue.join("db"), |bytes| {
                let from = place(bytes, part, 30);
                bytes.iter_mut().skip(from).take(1 + part % 9).for_each(|byte| *byte ^= 0x5a);
            });
        })
    });
    let everywhere = [7, 97, 4099].map(|step| {
        variant(format!("every {step}th byte of the log overwritten"), move |queue| {
            change(&queue.join("db"), |bytes| bytes.iter_mut().step_by(step).for_each(|byte| *byte ^= 0xff));
        })
    });
    let elsewhere = (0..6).map(|part| {
        variant(format!("a bit of the other files flipped at {part}/6"), move |queue| {
            for file in files(queue).iter().filter(|file| !file.ends_with("db")) {
                change(file, |bytes| {
                    let at = place(bytes, part, 6);
                    bytes[at] ^= 1 << part;
                });
            }
        })
    });
    in_the_log.chain(everywhere).chain(elsewhere).collect()
}

fn truncated() -> Vec<Variant<'static>> {
    let log = (0..12).map(|part| {
        variant(format!("log cut off at {part}/12"), move |queue| {
            change(&queue.join("db"), |bytes| bytes.truncate(place(bytes, part, 12)));
        })
    });
    let by_little = [1, 4096, SEGMENT].map(|less| {
        variant(format!("log shorter by {less}"), move |queue| {
            change(&queue.join("db"), |bytes| bytes.truncate(bytes.len().saturating_sub(less)));
        })
    });
    let others = [0, 1, 7].map(|length| {
        variant(format!("other files cut off at {length}"), move |queue| {
            for file in files(queue).iter().filter(|file| !file.ends_with("db")) {
                change(file, |bytes| bytes.truncate(length));
            }
        })
    });
    log.chain(by_little).chain(others).collect()
}

fn zeroed() -> Vec<Variant<'static>> {
    let blocks = (0..10).map(|part| {
        variant(format!("a block of the log full of zeros at {part}/10"), move |queue| {
            change(&queue.join("db"), |bytes| {
                let from = place(bytes, part, 10) & !4095;
                bytes.iter_mut().skip(from).take(4096).for_each(|byte| *byte = 0);
            });
        })
    });
    let wholes = ["db", "conf"].map(|name| {
        variant(format!("{name} full of zeros"), move |queue| {
            change(&queue.join(name), |bytes| bytes.fill(0));
        })
    });
    blocks.chain(wholes).collect()
}

fn appended() -> Vec<Variant<'static>> {
    let lengths = [1, 20, 4096, SEGMENT, SEGMENT + 1];
    let garbage = lengths.map(|length| {
        variant(format!("{length} bytes of garbage behind the log"), move |queue| {
            change(&queue.join("db"), |bytes| bytes.extend((0..=250).cycle().take(length)));
        })
    });
    let again = variant("the log twice, one behind the other", |queue| {
        change(&queue.join("db"), |bytes| bytes.extend_from_within(..));
    });
    let other = variant("garbage behind the other files", |queue| {
        for file in files(queue).iter().filter(|file| !file.ends_with("db")) {
            change(file, |bytes| bytes.extend([0xa5; 100]));
        }
    });
    garbage.into_iter().chain([again, other]).collect()
}

fn missing_or_in_the_way() -> Vec<Variant<'static>> {
    let remove = |path: &Path| {
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { drop(fs::remove_file(path)) }
    };
    let mut all = vec![
        variant("no directory", move |queue| remove(queue)),
        variant("an empty directory", move |queue| {
            remove(queue);
            fs::create_dir(queue).unwrap();
        }),
        variant("a file in place of the directory", move |queue| {
            remove(queue);
            fs::write(queue, "queue").unwrap();
        }),
        variant("a link to nowhere in place of the directory", move |queue| {
            remove(queue);
            std::os::unix::fs::symlink("nowhere", queue).unwrap();
        }),
        variant("a link to another directory in place of the directory", move |queue| {
            let aside = queue.with_file_name("aside");
            fs::rename(queue, &aside).unwrap();
            std::os::unix::fs::symlink("aside", queue).unwrap();
        }),
        variant("no snapshot", move |queue| {
            for file in files(queue).iter().filter(|file| is_snapshot(file)) {
                remove(file);
            }
        }),
        variant("a snapshot full of garbage", |queue| {
            fs::write(queue.join("snap.0000000000000FFF"), [0xa5; 5000]).unwrap();
        }),
        variant("a directory in place of a snapshot", |queue| {
            fs::create_dir(queue.join("snap.0000000000000FFF")).unwrap();
        }),
    ];
    for name in ["db", "conf", "blobs"] {
        all.push(variant(format!("no {name}"), move |queue| remove(&queue.join(name))));
    }
    for name in ["db", "conf"] {
        all.push(variant(format!("a directory in place of {name}"), move |queue| {
            remove(&queue.join(name));
            fs::create_dir(queue.join(name)).unwrap();
        }));
        all.push(variant(format!("a link that leads in a circle in place of {name}"), move |queue| {
            remove(&queue.join(name));
            std::os::unix::fs::symlink(name, queue.join(name)).unwrap();
        }));
        // Nobody can open one as a file, not even root.
        all.push(variant(format!("a socket in place of {name}"), move |queue| {
            remove(&queue.join(name));
            std::os::unix::net::UnixListener::bind(queue.join(name)).unwrap();
        }));
    }
    all
}

fn is_snapshot(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("snap."))
}

fn exchanged() -> Vec<Variant<'static>> {
    let swap = |queue: &Path, one: &str, other: &str| {
        fs::rename(queue.join(one), queue.join("aside")).unwrap();
        fs::rename(queue.join(other), queue.join(one)).unwrap();
        fs::rename(queue.join("aside"), queue.join(other)).unwrap();
    };
    vec![
        variant("log and parameters exchanged", move |queue| swap(queue, "db", "conf")),
        variant("log under another name", |queue| {
            fs::rename(queue.join("db"), queue.join("db.old")).unwrap();
        }),
        variant("log in place of a snapshot", |queue| {
            fs::copy(queue.join("db"), queue.join("snap.0000000000000FFF")).unwrap();
        }),
        variant("parameters in place of the log", |queue| {
            fs::copy(queue.join("conf"), queue.join("db")).unwrap();
        }),
        variant("first and last half of the log exchanged", |queue| {
            change(&queue.join("db"), |bytes| {
                let half = place(bytes, 1, 2);
                bytes.rotate_left(half);
            });
        }),
        variant("two blocks of the log exchanged", |queue| {
            change(&queue.join("db"), |bytes| {
                let (one, other) = (place(bytes, 1, 4) & !4095, place(bytes, 3, 4) & !4095);
                let (low, high) = bytes.split_at_mut(other);
                low[one..one + 4096].swap_with_slice(&mut high[..4096]);
            });
        }),
    ]
}

/// Written by sled itself, so that nothing but the sum can tell.
fn rewritten() -> Vec<Variant<'static>> {
    let rewrite = |queue: &Path, with: &dyn Fn(&sled::Tree)| {
        let db = sled::open(queue).unwrap();
        with(&db.open_tree("queue").unwrap());
    };
    let first = |tree: &sled::Tree| tree.scan_prefix([b'J']).next().unwrap().unwrap();
    vec![
        variant("a job less", move |queue| {
            rewrite(queue, &|tree| drop(tree.remove(first(tree).0).unwrap()));
        }),
        variant("a job of another value", move |queue| {
            rewrite(queue, &|tree| {
                drop(tree.insert(first(tree).0, tree.last().unwrap().unwrap().1).unwrap());
            });
        }),
        variant("a pair more", move |queue| rewrite(queue, &|tree| drop(tree.insert(b"Sx", b"").unwrap()))),
        variant("no mark", move |queue| rewrite(queue, &|tree| drop(tree.remove(b"M").unwrap()))),
        variant("no pairs", move |queue| rewrite(queue, &|tree| tree.clear().unwrap())),
    ]
}

/// Puts the whole of another index, or one file of it, into the place of this one.
fn put(queue: &Path, of: &Path, only: Option<&str>) {
    let from = of.join("queue");
    if let Some(name) = only {
        fs::copy(from.join(name), queue.join(name)).unwrap();
    } else {
        fs::remove_dir_all(queue).unwrap();
        fs::create_dir(queue).unwrap();
        copy(&from, queue);
    }
}

fn from_the_past(lives: &Lives) -> Vec<Variant<'_>> {
    let mut all = Vec::new();
    for (age, past) in lives.killed.iter().enumerate() {
        let path = past.path();
        all.push(variant(format!("as it was at moment {age}"), move |queue| put(queue, path, None)));
        all.push(variant(format!("the log as it was at moment {age}"), move |queue| {
            put(queue, path, Some("db"));
        }));
    }
    all
}

fn from_elsewhere(lives: &Lives) -> Vec<Variant<'_>> {
    let mut all = Vec::new();
    for (whose, other) in [("a stranger", &lives.stranger), ("a sibling", &lives.sibling)] {
        let path = other.path();
        all.push(variant(format!("the index of {whose}"), move |queue| put(queue, path, None)));
        all.push(variant(format!("the log of {whose}"), move |queue| put(queue, path, Some("db"))));
        all.push(variant(format!("the first half of the log of {whose}"), move |queue| {
            let other = fs::read(path.join("queue/db")).unwrap();
            change(&queue.join("db"), |bytes| {
                let half = place(bytes, 1, 2);
                bytes.iter_mut().zip(other).take(half).for_each(|(byte, other)| *byte = other);
            });
        }));
    }
    let later = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/sled-1.0");
    for beside in [false, true] {
        let (later, how) = (later.clone(), if beside { "beside" } else { "in place of" });
        all.push(variant(format!("a directory of sled 1.0 {how} ours"), move |queue| {
            if !beside {
                fs::remove_dir_all(queue).unwrap();
                fs::create_dir(queue).unwrap();
            }
            copy(&later, queue);
        }));
    }
    all
}
