//! Runs a script once for each call and each way in which it can fail.

use tempfile::TempDir;
use tidegate_disk::faults::{Fault, Kind, Part, Plan, Survivors};

use crate::aftermath;
use crate::book::Book;
use crate::images::{self, Queue};
use crate::world::World;

/// What a script begins with.
pub(crate) struct Base {
    dir: TempDir,
    book: Book,
}

impl Base {
    /// A directory in which there is nothing yet.
    pub(crate) fn empty() -> Self {
        Self { dir: images::scratch(), book: Book::default() }
    }

    /// What `prepare` leaves, closed in good order.
    pub(crate) fn new(prepare: &impl AsyncFn(&mut World)) -> Self {
        block_on(async {
            let mut world = World::new(images::scratch(), Book::default(), None);
            world.try_open().unwrap();
            prepare(&mut world).await;
            assert!(!world.close().await);
            Self { dir: world.dir, book: world.book }
        })
    }

    /// As a version before this one left it, whose layout had another number.
    pub(crate) fn of_layout(self, number: u32) -> Self {
        std::fs::write(self.dir.path().join("layout"), format!("{number}\n")).unwrap();
        self
    }

    fn world(&self, plan: Option<Plan>) -> World {
        let dir = images::scratch();
        images::copy(self.dir.path(), dir.path());
        World::new(dir, self.book.clone(), plan)
    }
}

/// Every fault at every call of `script`, from where it arms the disk.
pub(crate) fn attack(name: &str, base: &Base, script: &impl AsyncFn(&mut World)) {
    let seed = setting("TIDEGATE_FAULT_SEED")
        .map_or_else(|| getrandom::u64().unwrap(), |text| text.parse().unwrap());
    let only = setting("TIDEGATE_FAULT_CASE");
    let calls = block_on(count(base, script));
    let mut cases = 0;
    for (call, kind) in calls.iter().enumerate() {
        for fault in Fault::ALL.into_iter().filter(|fault| fault.fits(*kind) && is_due(*fault, call)) {
            let name = format!("{name}:{call}:{fault:?}");
            let case = Case { name, call, seed: seed.wrapping_add(call as u64), base };
            if only.as_ref().is_none_or(|only| *only == case.name) {
                let _told = Told(format!("TIDEGATE_FAULT_SEED={seed} TIDEGATE_FAULT_CASE='{}'", case.name));
                block_on(case.run(Plan { call, fault }, script));
                cases += 1;
            }
        }
    }
    println!("{name}: {} calls, {cases} cases", calls.len());
}

/// A write is torn at one place, each time another; the rest is tried at every call.
fn is_due(fault: Fault, call: usize) -> bool {
    match fault {
        Fault::Short(part) => part == [Part::First, Part::Half, Part::AllButLast][call % 3],
        _ => true,
    }
}

/// The calls of a script that nothing happens to, and which ends well.
async fn count(base: &Base, script: &impl AsyncFn(&mut World)) -> Vec<Kind> {
    let mut world = base.world(None);
    script(&mut world).await;
    assert!(!world.close().await, "the script itself is sound");
    let calls = world.disk.calls();
    aftermath::check_start(&mut world).await;
    calls
}

struct Case<'a> {
    name: String,
    call: usize,
    seed: u64,
    base: &'a Base,
}

impl Case<'_> {
    async fn run(&self, plan: Plan, script: &impl AsyncFn(&mut World)) {
        let mut world = self.base.world(Some(plan));
        script(&mut world).await;
        let hit = world.disk.hit();
        if plan.fault == Fault::PowerCut {
            world.close().await;
            return self.check_images(&world).await;
        }
        // Where threads took another course the moment has not come; nothing shall fail any more.
        world.disk.arm(None);
        if plan.fault == Fault::FailedSync && hit.is_some() {
            if world.is_open() {
                let store = world.store().clone();
                world.close().await;
                aftermath::check_failed(&store).await;
            }
        } else if world.is_open() {
            aftermath::check_running(&mut world).await;
            assert!(!world.close().await, "{hit:?} is no reason to fail");
        }
        // A failed sync has lost what the power cut then takes; after other faults now and then is enough.
        let then_cut = plan.fault == Fault::FailedSync || plan.call.is_multiple_of(4);
        self.check_restart(world, then_cut).await;
    }

    /// The next start is sound, and stays so if the power fails behind it.
    async fn check_restart(&self, mut world: World, then_cut: bool) {
        aftermath::check_start(&mut world).await;
        if !then_cut {
            world.close().await;
            return;
        }
        world.kill().await;
        let image = images::draw(&world, self.base.dir.path(), Survivors::Nothing, Queue::AsItIs, self.seed);
        let mut after = World::new(image, world.book, None);
        aftermath::check_start(&mut after).await;
        after.close().await;
    }

    async fn check_images(&self, world: &World) {
        let survivors =
            [Survivors::Nothing, Survivors::Everything, Survivors::Losses, Survivors::Chance(self.seed)];
        let turn = self.call % Queue::ALL.len();
        let mut queues = Queue::ALL.into_iter().cycle().skip(turn);
        for survivors in survivors {
            let queue = queues.next().unwrap();
            let _told = Told(format!("{survivors:?}, index {queue:?}, hit {:?}", world.disk.hit()));
            let image = images::draw(world, self.base.dir.path(), survivors, queue, self.seed);
            check_image(image, world.book.clone()).await;
        }
    }
}

async fn check_image(image: TempDir, book: Book) {
    let mut after = World::new(image, book, None);
    aftermath::check_start(&mut after).await;
    after.close().await;
}

/// Tells what was being tried if it fails.
struct Told(String);

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0);
        }
    }
}

fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
