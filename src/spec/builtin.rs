//! The files of `modules.d/`, as they were when the program was built.

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../../modules.d/", $path)))),*]
    };
}

/// Paths inside `modules.d/`, and texts.
pub(super) const FILES: &[(&str, &str)] = files![
    "FIRST-MODULE.md",
    "az.yaml",
    "azure.yaml",
    "exo.yaml",
    "graph.yaml",
    "include/effects.yaml",
    "include/microsoft.yaml",
    "ipps.yaml",
    "m365.yaml",
    "pnp.yaml",
    "powerplatform.yaml",
    "shells/bash-bootstrap.sh",
    "shells/bash.yaml",
    "shells/pwsh-bootstrap.ps1",
    "shells/pwsh.yaml",
    "teams.yaml",
];

/// The page for who writes a first module.
pub(crate) fn guide() -> &'static str {
    text("FIRST-MODULE.md").expect("it is one of the files")
}

/// The text of the file at `path`.
pub(super) fn text(path: &str) -> Option<&'static str> {
    FILES
        .iter()
        .find(|(known, _)| *known == path)
        .map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_file_of_modules_d_is_part_of_the_program() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("modules.d");
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("the folder is there") {
                let path = entry.expect("the entry can be read").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let inside = path.strip_prefix(&root).expect("it lies in the folder");
                let inside = inside.to_str().expect("its name is UTF-8");
                assert!(
                    text(inside).is_some(),
                    "`{inside}` is missing in `builtin::FILES`"
                );
            }
        }
    }
}
