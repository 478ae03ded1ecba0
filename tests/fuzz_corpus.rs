//! Replays what the fuzz targets found interesting, and the seeds from which they set out.

use std::fs;
use std::path::Path;

#[path = "../fuzz/checks/mod.rs"]
mod checks;

#[test]
fn the_head_parser_keeps_its_word() {
    replay("head", checks::head::check);
}

#[test]
fn the_content_reader_keeps_its_word() {
    replay("content", checks::content::check);
}

#[test]
fn no_target_leads_out_of_the_root() {
    let mut world = checks::target::World::new();
    replay("target", |target| world.check(target));
}

fn replay(target: &str, mut check: impl FnMut(&[u8])) {
    for kind in ["seeds", "corpus"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(kind).join(target);
        let mut count = 0;
        for entry in fs::read_dir(&folder).expect("the inputs are checked in") {
            let path = entry.expect("a folder that can be read").path();
            // Shown only if the check fails.
            println!("{}", path.display());
            check(&fs::read(path).expect("a file"));
            count += 1;
        }
        assert!(count > 0, "{} is empty", folder.display());
    }
}
