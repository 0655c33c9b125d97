//! The files in which people say what `mm` allows. A command that names one of them and does more than read may be about to
//! decide for itself. Whoever writes the name otherwise is not seen here: that a file is written, or that the code is not
//! known, is.

use super::parsed::Word;

/// Parts of their paths, of the variables that say where they are, and of the commands that change them, in lower case.
const NAMES: [&str; 16] = [
    "m365-connections",
    ".config/mm",
    "/modules.d",
    "mm/config.yaml",
    ".local/state/mm",
    "mm.sock",
    "mm.db",
    "audit.key",
    "audit-head.json",
    "mm_connections",
    "mm_modules",
    "mm_config",
    "mm_socket",
    "mm_state_dir",
    "mm connections",
    "mm approvals",
];

/// Where they are named, once a line.
pub(super) fn named(text: &str) -> Vec<Word> {
    let mut found = Vec::new();
    for (content, line) in text.lines().zip(1..) {
        let plain = content.to_lowercase().replace('\\', "/");
        let plain = plain.replace(['`', '\'', '"'], "");
        let name = NAMES.iter().find(|name| plain.contains(**name));
        found.extend(name.map(|name| Word {
            text: (*name).to_owned(),
            line,
        }));
    }
    found
}
