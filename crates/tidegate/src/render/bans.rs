//! Bans under each other.

use tidegate_web::api::BanView;

use super::{Screen, Table};

/// The bans that stand.
pub(crate) fn ban_list(bans: &[BanView], screen: &Screen) -> String {
    if bans.is_empty() {
        return "No address is banned.".to_owned();
    }
    let mut table = Table::new(*screen, &["ADDRESS", "UNTIL", "IN A ROW"]);
    for ban in bans {
        let until = format!("{} ({})", screen.time(ban.until), screen.distance(ban.until));
        table.row([ban.address.clone(), until, ban.times.to_string()].map(|cell| (cell, None)));
    }
    table.to_string()
}
