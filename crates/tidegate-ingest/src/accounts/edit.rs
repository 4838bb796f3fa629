//! Changes an organization's file without touching what is not changed.
//!
//! Invariant: comments, order and spelling of everything that stays the same stay as they are, and the text
//! that comes out says exactly what the organization is. A file that is written in a way in which that can't
//! be done is left to people.

use tidegate_domain::Organization;
use toml::Value;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, TableLike};

/// `text` with whatever differs between what it says and `organization`; `None` if it can't be edited.
pub(super) fn edited(text: &str, organization: &Organization) -> Option<String> {
    let before: Organization = toml::from_str(text).ok()?;
    let mut document: DocumentMut = text.parse().ok()?;
    apply(document.as_table_mut(), &values(&before)?, &values(organization)?)?;
    let text = document.to_string();
    (toml::from_str::<Organization>(&text).ok()? == *organization).then_some(text)
}

fn values(organization: &Organization) -> Option<toml::Table> {
    toml::Table::try_from(organization).ok()
}

/// Makes a table that says `before` say `after`.
fn apply(target: &mut dyn TableLike, before: &toml::Table, after: &toml::Table) -> Option<()> {
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        target.remove(key);
    }
    for (key, new) in after {
        let old = before.get(key);
        if old == Some(new) {
            continue;
        }
        match new {
            Value::Table(new) => {
                let nothing = toml::Table::new();
                let old = old.and_then(Value::as_table).unwrap_or(&nothing);
                let inner = target.entry(key).or_insert_with(toml_edit::table);
                apply(inner.as_table_like_mut()?, old, new)?;
            }
            Value::Array(new) if key == "account" => {
                let old = old.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
                let empty = || Item::ArrayOfTables(ArrayOfTables::new());
                if target.get(key).is_some_and(|item| item.as_array().is_some_and(toml_edit::Array::is_empty))
                {
                    target.remove(key);
                }
                apply_accounts(target.entry(key).or_insert_with(empty).as_array_of_tables_mut()?, old, new)?;
            }
            new => set(target, key, new)?,
        }
    }
    Some(())
}

/// Accounts are told apart by their names.
fn apply_accounts(target: &mut ArrayOfTables, before: &[Value], after: &[Value]) -> Option<()> {
    let named = |accounts: &[Value], name: Option<&str>| {
        accounts.iter().filter_map(Value::as_table).find(|account| name_of(account) == name).cloned()
    };
    target.retain(|table| named(after, table.get("name").and_then(Item::as_str)).is_some());
    for new in after.iter().filter_map(Value::as_table) {
        let name = name_of(new);
        let old = named(before, name).unwrap_or_default();
        if old.is_empty() {
            let mut table = Table::new();
            apply(&mut table, &old, new)?;
            target.push(table);
            continue;
        }
        let mut tables = target.iter_mut();
        apply(tables.find(|table| table.get("name").and_then(Item::as_str) == name)?, &old, new)?;
    }
    Some(())
}

fn name_of(account: &toml::Table) -> Option<&str> {
    account.get("name").and_then(Value::as_str)
}

/// Sets a plain value; what stands around the old one, such as a comment behind it, stays.
fn set(target: &mut dyn TableLike, key: &str, value: &Value) -> Option<()> {
    let mut value: toml_edit::Value = value.to_string().parse().ok()?;
    if let Some(old) = target.get_mut(key).and_then(Item::as_value_mut) {
        *value.decor_mut() = old.decor().clone();
        *old = value;
    } else {
        target.insert(key, Item::Value(value));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use tidegate_domain::Account;

    use super::*;

    const TEXT: &str = "\
# Asked for by phone, 2026-03-02.
code = 'ACME01'   # as in the registry
contacts = [ \"it@acme.example\", # first level
]
name = \"Acme\"  # as they say it
hl7 = { versions = ['2.5.1'], processing_id = 'T' }

# The hospital's own.
[[account]]
name = \"acme\"    # Jane
allow_from = []

# The laboratory's.
[[account]]
disabled = true  # until they have paid
name = 'acme-lab'
";

    fn change(text: &str, what: impl FnOnce(&mut Organization)) -> Option<String> {
        let mut organization: Organization = toml::from_str(text).unwrap();
        what(&mut organization);
        edited(text, &organization)
    }

    #[test]
    fn nothing_changes_where_nothing_was_changed() {
        assert_eq!(change(TEXT, |_| {}).unwrap(), TEXT);
    }

    #[test]
    fn only_what_was_changed_is_written_anew() {
        let text = change(TEXT, |organization| {
            organization.name = "Acme \"Family\" Clinic".to_owned();
            organization.accounts[0].allow_from = vec!["10.0.0.0/8".to_owned()];
            organization.accounts[1].disabled = false;
        })
        .unwrap();
        let expected = TEXT
            .replace("name = \"Acme\"", "name = 'Acme \"Family\" Clinic'")
            .replace("allow_from = []", "allow_from = [\"10.0.0.0/8\"]")
            .replace("disabled = true  # until they have paid\n", "");
        assert_eq!(text, expected);
    }

    #[test]
    fn accounts_come_and_go_and_the_others_keep_their_comments() {
        let text = change(TEXT, |organization| {
            organization.accounts.remove(0);
            organization.accounts.push(Account::new("acme-new"));
        })
        .unwrap();
        assert!(!text.contains("Jane") && text.contains("until they have paid"), "{text}");
        assert!(text.ends_with("\n[[account]]\nname = \"acme-new\"\n"), "{text}");
        let none = change(TEXT, |organization| organization.accounts.clear()).unwrap();
        assert!(!none.contains("account") && none.contains("as in the registry"), "{none}");
        let again = change(&none, |organization| organization.accounts.push(Account::new("a"))).unwrap();
        assert!(again.starts_with("# Asked for by phone") && again.contains("[[account]]"), "{again}");
    }

    #[test]
    fn inline_tables_and_new_tables_are_edited_too() {
        let text = change(TEXT, |organization| {
            organization.disabled = true;
            organization.hl7.strict_counts = true;
            organization.limits.sessions_max = Some(3);
            organization.timezone = Some(chrono_tz::Tz::America__Chicago);
        })
        .unwrap();
        assert!(text.contains("processing_id = 'T'") && text.contains("strict_counts = true"), "{text}");
        assert!(text.contains("[limits]\nsessions_max = 3\n"), "{text}");
        assert!(text.starts_with("# Asked for by phone, 2026-03-02.\ncode = 'ACME01'   # as"), "{text}");
    }

    #[test]
    fn accounts_in_an_inline_list_are_left_to_people() {
        let inline = "code = 'A'\naccount = [{ name = 'a' }]\n";
        assert_eq!(change(inline, |organization| organization.accounts.push(Account::new("b"))), None);
        assert!(change(inline, |organization| organization.disabled = true).is_some());
    }
}
