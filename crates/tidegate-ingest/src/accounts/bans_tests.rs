use std::net::Ipv4Addr;

use tidegate_domain::units::HumanDuration;
use tokio::time::advance;

use super::*;

fn bans() -> Bans {
    Bans::new(AuthConfig::default())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Fails as often as it takes to be banned.
fn get_banned(bans: &Bans, peer: &str) {
    for number in 0..10 {
        assert!(!bans.is_banned(address(peer)), "after {number} failures");
        bans.failed(&format!("account {number}"), address(peer));
    }
    assert!(bans.is_banned(address(peer)));
}

#[tokio::test(start_paused = true)]
async fn an_address_is_banned_after_ten_failures_for_longer_each_time() {
    let bans = bans();
    let mut minutes = 15;
    for times in 1..=9 {
        get_banned(&bans, "192.0.2.1");
        let ban = bans.list()[0];
        assert_eq!((ban.remaining, ban.times), (Duration::from_mins(minutes.min(24 * 60)), times));
        advance(ban.remaining.saturating_sub(Duration::from_millis(1))).await;
        assert!(bans.is_banned(address("192.0.2.1")));
        advance(Duration::from_millis(1)).await;
        minutes *= 2;
    }
    assert!(bans.list().is_empty());
    advance(Duration::from_hours(25)).await;
    get_banned(&bans, "192.0.2.1");
    assert_eq!(bans.list()[0].times, 1, "a long quiet time is a new beginning");
}

#[tokio::test(start_paused = true)]
async fn what_led_to_a_ban_counts_no_more_after_it() {
    let ban = HumanDuration(Duration::from_mins(1));
    let bans = Bans::new(AuthConfig { ban, ..AuthConfig::default() });
    get_banned(&bans, "192.0.2.1");
    advance(ban.0).await;
    bans.failed("a", address("192.0.2.1"));
    assert!(bans.list().is_empty(), "the failures before it are within the window still");
}

#[tokio::test(start_paused = true)]
async fn failures_count_for_the_window_only() {
    let bans = bans();
    for _ in 0..30 {
        bans.failed("a", address("192.0.2.1"));
        assert!(bans.list().is_empty(), "never ten within ten minutes");
        advance(Duration::from_secs(67)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn addresses_of_one_ipv6_network_are_banned_together_and_other_addresses_are_not() {
    let bans = bans();
    for number in 0..10 {
        bans.failed("a", address(&format!("2001:db8::{number}")));
    }
    assert!(bans.is_banned(address("2001:db8::ffff")));
    assert!(!bans.is_banned(address("2001:db8:0:1::1")));
    assert!(!bans.is_banned(address("192.0.2.1")));
}

#[tokio::test(start_paused = true)]
async fn an_exempt_address_is_never_banned_but_its_refusals_get_slower() {
    let rules = AuthConfig { exempt_addresses: vec!["10.0.0.0/8".to_owned()], ..AuthConfig::default() };
    let bans = Bans::new(rules);
    let delays: Vec<u64> = (0..100).map(|_| bans.failed("a", address("10.1.2.3")).as_secs()).collect();
    assert!(bans.list().is_empty());
    assert_eq!(delays[..7], [1, 2, 4, 8, 16, 20, 20]);
    assert!(!bans.is_exempt(address("11.1.2.3")));
    assert!(Bans::new(AuthConfig::default()).is_exempt(address("::1")), "loopback is, unless said otherwise");
}

#[tokio::test(start_paused = true)]
async fn an_account_is_forgiven_after_the_window_or_when_its_owner_comes() {
    let bans = bans();
    let delay = |account: &str| bans.failed(account, address("127.0.0.1")).as_secs();
    assert_eq!([delay("a"), delay("a"), delay("b")], [1, 2, 1]);
    bans.succeeded("a");
    assert_eq!([delay("a"), delay("b")], [1, 2]);
    advance(Duration::from_mins(10)).await;
    assert_eq!([delay("a"), delay("b")], [1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_ban_is_lifted_alone_or_with_all_others() {
    let bans = bans();
    for peer in ["192.0.2.1", "192.0.2.2", "2001:db8::1"] {
        get_banned(&bans, peer);
    }
    assert!(bans.lift(Some(address("192.0.2.9")), "jo").is_empty());
    let lifted = bans.lift(Some(address("2001:db8::2")), "jo");
    assert_eq!(lifted.iter().map(|ban| ban.source.to_string()).collect::<Vec<_>>(), ["2001:db8::/64"]);
    assert!(!bans.is_banned(address("2001:db8::1")) && bans.is_banned(address("192.0.2.1")));
    assert_eq!(bans.lift(None, "jo").len(), 2);
    get_banned(&bans, "192.0.2.1");
    assert_eq!(bans.list()[0].times, 1, "what was lifted does not count");
}

#[tokio::test(start_paused = true)]
async fn memory_is_bounded_and_the_oldest_failure_makes_room() {
    let bans = bans();
    get_banned(&bans, "192.0.2.1");
    advance(Duration::from_secs(1)).await;
    for number in 0..u32::try_from(REMEMBERED_MAX).unwrap() {
        let peer = IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + number));
        bans.failed(&number.to_string(), peer);
        if number == 5_000 {
            assert!(bans.is_banned(address("192.0.2.1")), "there is room for others");
        }
    }
    let state = bans.state();
    assert_eq!((state.addresses.len(), state.accounts.len()), (REMEMBERED_MAX, REMEMBERED_MAX));
    drop(state);
    assert!(bans.list().is_empty());
}

#[test]
fn doubling_never_overflows() {
    let (base, max) = (Duration::from_mins(15), Duration::from_hours(24));
    assert_eq!(doubled(base, 0, max), base);
    assert_eq!(doubled(base, 6, max), Duration::from_hours(16));
    assert_eq!(doubled(base, u32::MAX, max), max);
    let rules = AuthConfig { refusal_delay: HumanDuration(Duration::ZERO), ..AuthConfig::default() };
    assert_eq!(Bans::new(rules).delay(40), Duration::ZERO);
}
