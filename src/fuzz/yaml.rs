//! Files of modules, shells and shared rules: every text is sound or is refused with findings that can be shown.

use std::path::Path;

use super::CATALOG;
use crate::spec::{Subject, check_text, explain};

/// What kind of file it is by the first byte; the rest is its text.
pub fn yaml(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let path = ["zoo.yaml", "shells/zoo.yaml", "include/zoo.yaml"][usize::from(*kind) % 3];
    let findings = match check_text(Path::new(path), text, &CATALOG) {
        Ok(checked) => {
            if let Subject::Module(module) = &checked.subject {
                assert!(!explain(module).is_empty());
            }
            checked.warnings
        }
        Err(findings) => {
            assert!(findings.has_errors(), "refused without a reason");
            findings
        }
    };
    let count = findings.iter().count();
    for colour in [false, true] {
        assert_eq!(findings.render(colour).is_empty(), count == 0);
    }
    assert_eq!(findings.to_json().len(), count);
}
