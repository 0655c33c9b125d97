//! How the program is linked, so that a server for an assistant takes little memory: what it needs lies beside each other
//! (`deploy/layout/trace.py` says why), and the list of addresses that the loader fills in is packed. What the program does is not
//! changed by either.

use std::path::Path;
use std::process::Command;

/// The first glibc whose loader knows packed lists.
const PACKED_SINCE: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=deploy/layout/start.ld");
    let var = |name: &str| std::env::var(name).unwrap_or_default();
    // Somebody who has chosen a linker may have one that does not know such a file; `mold` does not.
    let flags = var("CARGO_ENCODED_RUSTFLAGS");
    let is_chosen = flags.contains("linker") || flags.contains("fuse-ld");
    if var("PROFILE") != "release" || var("CARGO_CFG_TARGET_OS") != "linux" || is_chosen {
        return;
    }
    let order = Path::new(&var("CARGO_MANIFEST_DIR")).join("deploy/layout/start.ld");
    println!("cargo::rustc-link-arg-bin=mm=-Wl,-T,{}", order.display());
    if var("HOST") == var("TARGET") && glibc().is_some_and(|version| version >= PACKED_SINCE) {
        println!("cargo::rustc-link-arg-bin=mm=-Wl,-z,pack-relative-relocs");
    }
}

/// This machine's glibc, where it has one that says which it is.
fn glibc() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let said = String::from_utf8(said.ok()?.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
