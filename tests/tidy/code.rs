//! Sizes of Rust sources, and words that stand for work left undone.

use crate::strip::strip;
use crate::tree::Source;

pub(crate) const FILE_LINES_WARN: usize = 300;
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
/// A table of cases may be longer than what has to be understood.
const TEST_LINES_MAX: usize = 90;
const COLUMNS_MAX: usize = 100;

/// Too many lines.
pub(crate) fn length(file: &Source) -> Vec<String> {
    let lines = file.text.lines().count();
    let long = lines > FILE_LINES_MAX;
    long.then(|| format!("{lines} lines")).into_iter().collect()
}

/// Too long lines. A literal counts as nothing: texts are not to be torn apart, nor are rows of
/// tables in comments.
pub(crate) fn columns(file: &Source) -> Vec<String> {
    let code = strip(&file.text);
    let long = |line: &str| line.trim_end().chars().count() > COLUMNS_MAX;
    let lines = file.text.lines().zip(code.lines()).enumerate();
    lines
        .filter(|(_, (line, code))| {
            let literal = line.contains('"') && !long(&without_gaps(line, code));
            let table = line.trim_start().starts_with("//") && line.contains("/ |")
                || line.trim_start().starts_with("//! |");
            long(line) && !literal && !table
        })
        .map(|(at, (line, _))| format!("line {} has {} columns", at + 1, line.chars().count()))
        .collect()
}

/// The code of the line behind its indentation, with every run of spaces made one.
fn without_gaps(line: &str, code: &str) -> String {
    let indentation = &line[..line.len() - line.trim_start().len()];
    let words: Vec<&str> = code.split_whitespace().collect();
    format!("{indentation}{}", words.join(" "))
}

/// Too long functions.
pub(crate) fn functions(file: &Source) -> Vec<String> {
    let code = strip(&file.text);
    let test = file.path.contains("tests/") || file.path.ends_with("tests.rs");
    let lines_max = if test {
        TEST_LINES_MAX
    } else {
        FUNCTION_LINES_MAX
    };
    let mut faults = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let rest = &code[at..];
        let Some(length) = body_end(rest) else {
            continue;
        };
        let lines = rest[..length].lines().count();
        if lines > lines_max {
            let name: String = rest[3..]
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect();
            faults.push(format!("{name} has {lines} lines"));
        }
    }
    faults
}

/// Where the body of the function at the start of `code` ends; none if it has no body.
fn body_end(code: &str) -> Option<usize> {
    let open = code.find('{')?;
    // `fn` in a type, or a function of a trait without a body. Arrays hold their `;` in brackets.
    let mut brackets = 0;
    for letter in code[..open].chars() {
        match letter {
            '[' => brackets += 1,
            ']' => brackets -= 1,
            ';' if brackets == 0 => return None,
            _ => {}
        }
    }
    let mut depth = 0;
    for (at, letter) in code[open..].char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(open + at + 1);
        }
    }
    None
}

/// Work left undone, in code or in comments.
pub(crate) fn undone(file: &Source) -> Vec<String> {
    // Spelled in pieces, or this file would be its own fault.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("dbg", "!("),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[ig", "nore"),
    ];
    let found = words.iter().filter(|word| file.text.contains(**word));
    found.map(|word| format!("holds {word}")).collect()
}

/// Printing, outside tests.
pub(crate) fn prints(file: &Source) -> Vec<String> {
    if file.path.contains("/tests/") || file.path.ends_with("tests.rs") {
        return Vec::new();
    }
    let code = strip(&file.text);
    let code = code.split("#[cfg(test)]").next().unwrap_or_default();
    let prints = code.contains("print!(") || code.contains("println!(");
    prints.then(|| "prints".to_owned()).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{columns, functions, length, prints, undone};
    use crate::tree::Source;

    fn source(text: &str) -> Source {
        Source::new("core/src/x.rs", text)
    }

    #[test]
    fn long_files_lines_and_functions_are_found() {
        assert!(length(&source(&"\n".repeat(500))).is_empty());
        assert_eq!(length(&source(&"\n".repeat(501))).len(), 1);
        assert!(columns(&source(&"\u{e4}".repeat(100))).is_empty());
        assert_eq!(columns(&source(&"x".repeat(101))).len(), 1);
        assert_eq!(
            columns(&source(&format!("// {}", "x".repeat(101)))).len(),
            1
        );
        assert!(columns(&source(&format!("f(\"{}\")", "x".repeat(101)))).is_empty());
        let function = |lines: usize| {
            let body = "    let x = \"}\";\n".repeat(lines - 2);
            source(&format!(
                "type F = fn (u8);\nfn g(x: [u8; 3]) {{\n{body}}}\nfn h() {{}}\n"
            ))
        };
        assert!(functions(&function(70)).is_empty());
        assert_eq!(functions(&function(71)), ["g has 71 lines"]);
    }

    #[test]
    fn words_and_prints_are_found() {
        assert_eq!(undone(&source(concat!("// TO", "DO: later"))).len(), 1);
        assert!(undone(&source("// done")).is_empty());
        assert_eq!(prints(&source("fn f() { println!(\"x\") }")).len(), 1);
        assert!(prints(&source("#[cfg(test)] fn f() { println!(\"x\") }")).is_empty());
        assert!(prints(&source("/// println!(x)\nfn f() {}")).is_empty());
    }
}
