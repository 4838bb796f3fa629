//! One organization's backlog does not make the others wait.

use tidegate_domain::job::JobState;

use crate::files::good;
use crate::probe::Probe;
use crate::rig::Rig;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_files_of_one_do_not_starve_five_others() {
    let rig = Rig::new();
    rig.close_gate().await;
    let mut last = None;
    for number in 0..500 {
        last = Some(rig.accept("HUGE", "file", &good(number..number + 1)).await);
    }
    for org in ["A", "B", "C", "D", "E"] {
        rig.accept(org, "file", &good(0..1)).await;
    }
    let probe = Probe::willing();
    let running = rig.work(probe.clone());
    rig.open_gate().await;
    rig.reaches(last.unwrap(), JobState::Complete).await;
    let keys = probe.keys();
    for org in ["A", "B", "C", "D", "E"] {
        let place = keys.iter().position(|key| key.org.as_str() == org).unwrap();
        assert!(place < 12, "{org} was served as number {place}");
    }
    let huge: Vec<_> = keys.iter().filter(|key| key.org.as_str() == "HUGE").map(|key| key.job).collect();
    assert!(huge.len() == 500 && huge.is_sorted(), "in the order of arrival");
    running.stopped().await.unwrap();
}
