//! Every input in the corpora goes through its target again: those that the fuzzer found, since each reaches something that
//! no other does; those that were written by hand, each for a rule; and those that once broke something.

use std::fs;
use std::path::{Path, PathBuf};

use classlink_spa_fuzz::TARGETS;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Returns the paths in a folder, sorted; nothing if the folder does not exist.
fn paths(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The names in a folder, less what a program's file ends with.
fn names(parent: &str) -> Vec<String> {
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths(&folder(parent)).iter().map(stem).collect()
}

#[test]
fn every_target_has_its_seeds_and_its_program_and_each_of_these_its_target() {
    let targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let corpora = names("corpus");
    assert!(corpora.iter().all(|name| targets.contains(name)), "{corpora:?}");
    assert_eq!(names("seeds"), targets);
    assert_eq!(names("fuzz_targets"), targets);
    let regressions = names("regressions");
    assert!(regressions.iter().all(|name| targets.contains(name)), "{regressions:?}");
}

/// So that a clone stays small: `npm run test:fuzz -- --minimize` chooses the inputs, and has the same limit.
const CORPUS_MAX_INPUTS: usize = 50;

#[test]
fn no_corpus_has_more_inputs_than_the_limit() {
    for (name, _) in TARGETS {
        let inputs = paths(&folder("corpus").join(name)).len();
        assert!(
            inputs <= CORPUS_MAX_INPUTS,
            "`fuzz/corpus/{name}` is too large: it has {inputs} inputs, and {CORPUS_MAX_INPUTS} are \
             allowed; run `npm run test:fuzz -- {name} --minimize`"
        );
    }
}

fn replay(name: &str) {
    let (_, run) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let parents = ["corpus", "seeds", "regressions"];
    let [kept, seeds, regressions] = parents.map(|parent| paths(&folder(parent).join(name)));
    // A target has no corpus before its first run with `--keep`.
    let is_new = kept.is_empty();
    assert!((is_new || kept.len() > 5) && seeds.len() > 5, "hardly anything was kept");
    for path in kept.into_iter().chain(seeds).chain(regressions) {
        let input = fs::read(&path).unwrap();
        // Shown if the test fails: the last line names the input.
        println!("{}", path.display());
        run(&input);
    }
}

/// One test for each target.
macro_rules! replay {
    ($($name:ident)*) => {
        mod every_input_that_was_kept_passes {
            $(
                #[test]
                fn $name() {
                    super::replay(stringify!($name));
                }
            )*

            #[test]
            fn of_every_target() {
                let replayed = [$(stringify!($name)),*];
                assert!(super::TARGETS.iter().all(|(name, _)| replayed.contains(name)));
            }
        }
    };
}

replay! {
    callback form gateway id_token json jws key_set metadata pending_login profile server_assertion
    server_configuration server_cookies server_device server_form server_logout server_provider server_request
    server_session token_answer url
}
