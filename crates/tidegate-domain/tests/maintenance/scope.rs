//! Patterns of organization codes.

use tidegate_domain::maintenance::{OrgPattern, Scope};

use crate::support::org;

fn matches(pattern: &str, code: &str) -> bool {
    OrgPattern::new(pattern).unwrap().matches(&org(code))
}

#[test]
fn a_star_stands_for_any_number_of_characters() {
    let cases = [
        ("county-*", "county-7"),
        ("county-*", "county-"),
        ("*", "A"),
        ("**", "A"),
        ("A*A", "ABA"),
        ("A*A", "AA"),
        ("*-7", "county-7"),
        ("c*n*-*", "county-7"),
        ("*nt*", "county-7"),
        ("ACME01", "ACME01"),
        ("a*b*c", "abbc"),
        ("*a*a*", "aa"),
    ];
    for (pattern, code) in cases {
        assert!(matches(pattern, code), "{pattern} {code}");
    }
}

#[test]
fn the_whole_code_must_match_in_its_case() {
    let cases = [
        ("county-*", "County-7"),
        ("county-*", "xcounty-7"),
        ("county", "county-7"),
        ("*-7", "county-77"),
        ("A*A", "A"),
        ("*a*a*", "a"),
        ("c*y*n", "county-7"),
        ("a*bc*c", "abc"),
    ];
    for (pattern, code) in cases {
        assert!(!matches(pattern, code), "{pattern} {code}");
    }
}

#[test]
fn only_what_can_be_a_code_is_a_pattern() {
    for pattern in
        ["", "county 7", "county.*", "county-?", "a/b", "ä", &"a".repeat(OrgPattern::CHARS_MAX + 1)]
    {
        let error = OrgPattern::new(pattern).unwrap_err().to_string();
        assert!(error.contains("\"county-*\""), "{error}");
    }
}

#[test]
fn one_organization_is_a_pattern_of_itself() {
    let scope = Scope::Orgs(vec![OrgPattern::from(&org("ACME01")), OrgPattern::new("county-*").unwrap()]);
    assert!(scope.covers(Some(&org("ACME01"))) && scope.covers(Some(&org("county-1"))));
    assert!(!scope.covers(Some(&org("ACME02"))) && !scope.covers(None));
    assert!(Scope::Everyone.covers(None) && Scope::Everyone.covers(Some(&org("ACME02"))));
}
