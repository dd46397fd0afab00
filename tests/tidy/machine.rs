//! What would make the core compute other things on another machine.
//!
//! `tests/trace.rs` compares what was computed; this finds the reason before it happens.

use crate::strip::strip;
use crate::tree::Source;

/// (what stands in code, why not).
const WORDS: [(&str, &str); 17] = [
    ("HashMap", "its order differs from run to run"),
    ("HashSet", "its order differs from run to run"),
    ("RandomState", "it differs from run to run"),
    ("as_ptr()", "addresses differ from run to run"),
    ("as *const", "addresses differ from run to run"),
    (".addr()", "addresses differ from run to run"),
    ("size_of", "pointers have 4 bytes in a guest"),
    ("align_of", "pointers have 4 bytes in a guest"),
    ("usize::BITS", "pointers have 4 bytes in a guest"),
    (
        ".capacity()",
        "how buffers grow is the allocator's business",
    ),
    ("_ne_bytes", "the order of bytes is the processor's"),
    ("cfg(target", "guests run other code"),
    ("sort_unstable_by", "equal items come out in any order"),
    (".mul_add(", "rounds otherwise where it is emulated"),
    (".powf(", "rounds as the library likes"),
    (".ln(", "rounds as the library likes"),
    (".exp(", "rounds as the library likes"),
];
/// (file, word of [`WORDS`], why it does no harm).
const ALLOWED: [(&str, &str, &str); 3] = [
    (
        "core/src/hash/checksum.rs",
        "cfg(target",
        "the same checksum; a test ties both together",
    ),
    (
        "core/src/wal/log.rs",
        ".capacity()",
        "decides which buffers are used again, not what is in them",
    ),
    (
        "core/src/line/scan.rs",
        "sort_unstable_by",
        "no two tags are equal: their places tell them apart",
    ),
];
/// What reads a table in the order of its hashes, which differ between guests and natively.
const ORDERED: [&str; 6] = [
    ".iter",
    ".into_iter",
    ".drain",
    ".retain",
    ".extract_if",
    " {",
];

/// What of it stands in the code of the core, tests apart.
pub(crate) fn faults(file: &Source) -> Vec<String> {
    if file.path.contains("/tests/") || file.path.ends_with("tests.rs") {
        return Vec::new();
    }
    let code = strip(&file.text);
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let found = WORDS.iter().filter(|(word, _)| code.contains(word));
    let is_allowed = |word: &str| {
        let mut allowed = ALLOWED.iter();
        allowed.any(|&(path, other, _)| path == file.path && other == word)
    };
    found
        .filter(|(word, _)| !is_allowed(word))
        .map(|(word, why)| format!("{word}: {why}"))
        .chain(walked_tables(code))
        .collect()
}

/// Hash tables that are walked through.
fn walked_tables(code: &str) -> Vec<String> {
    let names = code.lines().filter_map(|line| {
        let (name, kind) = line.trim().split_once(": ")?;
        let is_table = kind.starts_with("HashTable<") || kind.starts_with("&HashTable<");
        is_table.then(|| name.rsplit(' ').next().unwrap_or(name))
    });
    let walks = names.flat_map(|name| ORDERED.map(|walk| format!("{name}{walk}")));
    let found = walks.filter(|walk| {
        let places = code.match_indices(walk.as_str());
        places.into_iter().any(|(at, _)| {
            let before = code[..at].trim_end_matches("self.");
            // A block behind a table's name is a loop over it.
            !walk.ends_with(" {") || before.ends_with("in ") || before.ends_with('&')
        })
    });
    found
        .map(|walk| format!("{walk}: hashes differ between guests and natively"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED, WORDS, faults};
    use crate::tree::Source;

    fn count(text: &str) -> usize {
        faults(&Source::new("core/src/x.rs", text)).len()
    }

    #[test]
    fn every_word_and_every_walk_through_a_table_is_found() {
        for (word, _) in WORDS {
            assert_eq!(count(&format!("fn f() {{ {word} }}")), 1, "{word}");
            assert_eq!(count(&format!("// {word}")), 0, "{word}");
            assert_eq!(count(&format!("#[cfg(test)]\n{word}")), 0, "{word}");
        }
        let table = |rest: &str| count(&format!("    pub by_key: HashTable<Id>,\n{rest}"));
        assert_eq!(table("self.by_key.find(hash, same)"), 0);
        assert_eq!(table("if self.by_key.is_empty() {"), 0);
        for walk in [
            "self.by_key.iter()",
            "by_key.drain()",
            "for id in &self.by_key {",
        ] {
            assert_eq!(table(walk), 1, "{walk}");
        }
    }

    #[test]
    fn what_is_allowed_is_there() {
        for (path, word, _) in ALLOWED {
            let text = format!("fn f() {{ {word} }}");
            assert_eq!(faults(&Source::new(path, &text)), [""; 0], "{path}");
            let file = crate::tree::rust("core/src");
            let file = file.iter().find(|file| file.path == path);
            assert!(file.is_some_and(|file| file.text.contains(word)), "{path}");
        }
    }
}
