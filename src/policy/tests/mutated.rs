//! The same text written otherwise does not do less: case, escapes, quotes, dashes, blanks, short parameters, aliases, and the
//! places where a statement can stand.

use super::{attacks, corpus, everyday, parse_powershell};
use crate::script::Effect;

/// Places for a whole text.
static AROUND: [(&str, &str); 14] = [
    ("& { ", " }"),
    (". { ", " }"),
    ("$( ", " )"),
    ("@( ", " )"),
    ("if ($true) { ", " }"),
    ("1..3 | ForEach-Object { ", " }"),
    ("try { ", " } catch { }"),
    ("function own { ", " }; own"),
    ("@{ a = $( ", " ) }"),
    ("Get-Mailbox; ", ""),
    ("# Get-Mailbox\n", ""),
    ("<# Get-Mailbox #> ", ""),
    ("", " # Get-Mailbox"),
    ("", "\nGet-Mailbox"),
];

/// Names that have a short one.
static SHORT: [(&str, &str); 5] = [
    ("ForEach-Object", "%"),
    ("Where-Object", "?"),
    ("Select-Object", "select"),
    ("Get-Content", "gc"),
    ("Get-ChildItem", "gci"),
];

/// What a text does beyond reading, and whether it is understood.
fn judged(text: &str) -> (Vec<Effect>, bool) {
    let judged = super::judged(text);
    let mut effects = judged.effects();
    effects.retain(|effect| *effect != Effect::Reads);
    (effects, judged.understood)
}

/// Every command's name written otherwise.
fn renamed(text: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for command in &parse_powershell(text).commands {
        let (end, first) = (command.name_end, command.first.as_str());
        let begin = end.wrapping_sub(first.len());
        // One that stands in a string or is a keyword has no place of its own.
        if end == 0 || text.get(begin..end) != Some(first) || !first.contains('-') {
            continue;
        }
        let plain = first.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let mut with = |name: String| {
            texts.push(format!("{}{name}{}", &text[..begin], &text[end..]));
        };
        with(first.to_uppercase());
        with(first.to_lowercase());
        if plain {
            // Behind a dash no letter makes an escape with a meaning, if it is in upper case.
            with(first.replace('-', "-`").to_uppercase());
            with(format!("& '{first}'"));
            with(format!("& \"{first}\""));
            with(format!("Some.Module\\{first}"));
            for dash in ['\u{2013}', '\u{2014}', '\u{2015}'] {
                with(first.replace('-', &dash.to_string()));
            }
        }
    }
    texts
}

/// Every parameter cut short by one letter.
fn shortened(text: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for command in &parse_powershell(text).commands {
        for (name, _) in command.parameters() {
            let whole = format!(" -{name}");
            if name.len() > 4 && name.is_ascii() && text.matches(&whole).count() == 1 {
                texts.push(text.replace(&whole, &whole[..whole.len() - 1]));
            }
        }
    }
    texts
}

fn mutated(text: &str) -> Vec<String> {
    let mut texts: Vec<String> = AROUND
        .iter()
        .map(|(before, after)| format!("{before}{text}{after}"))
        .collect();
    texts.extend(renamed(text));
    texts.extend(shortened(text));
    for (from, to) in [
        (" ", "\t"),
        (" ", "\u{a0}"),
        (" ", "\u{2003}"),
        (" ", " `\n "),
        ("'", "\u{2019}"),
        ("\"", "\u{201c}"),
        (" -", " \u{2013}"),
        ("\n", "\r\n"),
    ] {
        texts.push(text.replace(from, to));
    }
    for (long, short) in SHORT {
        texts.push(text.replace(long, short));
    }
    if !text.contains(['"', '\n']) {
        texts.push(format!("\"a $( {text} ) b\""));
    }
    texts
}

#[expect(
    clippy::print_stdout,
    reason = "how many were tried is what the test is for"
)]
#[test]
fn the_same_written_otherwise_does_no_less() {
    // A third of them keeps the test short; the corpus has each statement in many places.
    let known = corpus().into_iter().step_by(3).map(|judged| judged.text);
    let others = everyday::READS
        .iter()
        .copied()
        .chain(attacks::ATTACKS.iter().map(|(text, _)| *text));
    let texts: Vec<String> = known.chain(others.map(str::to_owned)).collect();
    let (mut tried, mut less) = (0, Vec::new());
    for text in &texts {
        let (before, understood) = judged(text);
        if !understood {
            continue;
        }
        for changed in mutated(text) {
            tried += 1;
            let (after, understood) = judged(&changed);
            // What is not understood is asked about whatever it does.
            let is_less = understood && !before.iter().all(|effect| after.contains(effect));
            if is_less {
                less.push(format!("{text:?} {before:?} -> {changed:?} {after:?}"));
            }
        }
    }
    println!("{} texts, {tried} changed ones", texts.len());
    assert!(tried > 5_000, "{tried}");
    assert!(less.is_empty(), "{} of {tried}: {less:#?}", less.len());
}
