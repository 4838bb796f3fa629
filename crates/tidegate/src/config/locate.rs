//! Which configuration file is meant.

use std::path::{Path, PathBuf};

/// Looked for in this order where nothing is said.
const PLACES: [&str; 2] = ["tidegate.toml", "/etc/tidegate/tidegate.toml"];

/// The file that was named (with `--config` or `$TIDEGATE_CONFIG`), or the first of the usual places;
/// `None` if there is none.
pub(crate) fn locate(named: Option<&Path>) -> Option<PathBuf> {
    named.map_or_else(
        || PLACES.iter().map(PathBuf::from).find(|place| place.exists()),
        |named| Some(named.to_owned()),
    )
}
