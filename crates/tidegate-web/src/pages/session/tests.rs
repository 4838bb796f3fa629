use super::*;

const MINUTE: Duration = Duration::from_mins(1);
const RULES: Rules = Rules {
    idle_max: Duration::from_mins(30),
    age_max: Duration::from_hours(8),
    of_owner_max: 2,
    all_max: 4,
};

fn sessions() -> Arc<Sessions<&'static str>> {
    Sessions::new(RULES)
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_not_used_ends_and_gives_its_place_back_although_nobody_asks() {
    let sessions = sessions();
    let name = sessions.begin("acme", "who").unwrap();
    assert!(sessions.find(name.reveal(), false).is_some());
    let who = Arc::downgrade(&sessions.find(name.reveal(), true).unwrap().who);
    tokio::time::sleep(29 * MINUTE).await;
    assert!(sessions.find(name.reveal(), true).is_some());
    tokio::time::sleep(29 * MINUTE).await;
    assert!(sessions.find(name.reveal(), false).is_some(), "a page that brings itself up to date");
    tokio::time::sleep(2 * MINUTE).await;
    assert!(who.upgrade().is_none(), "it is gone before anybody asks");
    assert!(sessions.find(name.reveal(), true).is_none());
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_used_all_the_time_ends_all_the_same() {
    let sessions = sessions();
    let name = sessions.begin("acme", "who").unwrap();
    for _ in 0..23 {
        tokio::time::sleep(20 * MINUTE).await;
        assert!(sessions.find(name.reveal(), true).is_some());
    }
    tokio::time::sleep(20 * MINUTE).await;
    assert!(sessions.find(name.reveal(), true).is_none());
}

#[tokio::test(start_paused = true)]
async fn new_sessions_find_a_place_and_the_oldest_of_their_owner_goes_first() {
    let sessions = sessions();
    let mut names = Vec::new();
    for owner in ["a", "b", "b", "b", "c", "d"] {
        tokio::time::sleep(Duration::from_secs(1)).await;
        names.push(sessions.begin(owner, owner).unwrap());
    }
    let found: Vec<bool> = names.iter().map(|name| sessions.find(name.reveal(), true).is_some()).collect();
    // The first of b's three went for the third, and a's for the fifth of all.
    assert_eq!(found, [false, false, true, true, true, true]);
}

#[tokio::test(start_paused = true)]
async fn only_the_whole_name_finds_a_session_and_its_end_is_the_end() {
    let sessions = sessions();
    let name = sessions.begin("acme", "who").unwrap();
    assert_eq!(name.reveal().len(), 64);
    assert!(sessions.find("", true).is_none() && sessions.find(&name.reveal()[..63], true).is_none());
    assert!(!format!("{name:?}").contains(name.reveal()));
    sessions.end(name.reveal());
    assert!(sessions.find(name.reveal(), true).is_none());
}
