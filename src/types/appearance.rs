//! How text looks to whoever decides by it: what cannot be seen, and what looks like something else.
//! Unicode TR 36 §2 (look-alikes), §2.5 (bidirectional text); TR 39 §2.1, §4 (skeletons). A small part of them: what a
//! stranger would use against people who read Latin letters.
//! Not here: names of people and groups, which are ASCII (`username`).

/// Characters that take no room, or turn others around.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether this is one line that reads as it is written. Joiners may stand between characters that are not ASCII: some
/// scripts and pictures need them, and Latin letters do not.
pub fn is_plain_line(text: &str) -> bool {
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let joins = matches!(c, '\u{200c}' | '\u{200d}')
            && [before, rest.peek().copied()]
                .into_iter()
                .all(|side| side.is_some_and(|side: char| !side.is_ascii() && !is_unseen(side)));
        if is_unseen(c) && !joins {
            return false;
        }
        before = Some(c);
    }
    true
}

/// What a text looks like: two with one skeleton are taken for each other. Only to compare, never to show.
pub fn skeleton(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let seen = |c: &char| !is_unseen(*c) && !is_mark(*c);
    // Some letters become a letter and a mark.
    let small = text.chars().flat_map(|c| plain(c).to_lowercase());
    for c in small.filter(seen) {
        match base(c) {
            ' ' if out.is_empty() || out.ends_with(' ') => {}
            'i' | '1' | '|' | '!' | 'ı' => out.push('l'),
            '0' => out.push('o'),
            c => out.push(c),
        }
    }
    // Side by side they look like one letter.
    out.trim_end().replace("rn", "m").replace("vv", "w")
}

/// Accents that are written after their letter.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}')
}

/// Letters of other sizes and styles: full width, mathematical, in circles.
fn plain(c: char) -> char {
    let ascii = |first: char, place: u32| {
        let code = u32::from(first).checked_add(place);
        code.and_then(char::from_u32).unwrap_or(c)
    };
    let code = u32::from(c);
    match code {
        _ if c.is_whitespace() => ' ',
        0xff01..=0xff5e => ascii('!', code - 0xff01),
        0x24b6..=0x24cf => ascii('A', code - 0x24b6),
        0x24d0..=0x24e9 => ascii('a', code - 0x24d0),
        // Thirteen alphabets of 52 letters, and five rows of digits.
        0x1d400..=0x1d6a3 => match (code - 0x1d400) % 52 {
            place @ 0..26 => ascii('A', place),
            place => ascii('a', place - 26),
        },
        0x1d7ce..=0x1d7ff => ascii('0', (code - 0x1d7ce) % 10),
        _ => c,
    }
}

/// From U+00E0 to U+017F: each letter without its accent.
const LATIN: &str = "aaaaaaæceeeeiiiiðnooooo÷øuuuuyþyaaaaaaccccccccddđđeeeeeeeeeegggggggghhħħiiiiiiiiiıĳĳjjkkĸllllllŀŀłłnnnnnn\
                     ŉŋŋooooooœœrrrrrrssssssssttttŧŧuuuuuuuuuuuuwwyyyzzzzzzſ";

/// Lower-case letters of other alphabets, each with the Latin one that it looks like, small or large.
const ALIKE: &str = "аa вb сc еe ёe нh іi їi јj кk ӏl мm оo рp ԛq ѕs тt ѵv ԝw хx уy ѡw һh ԁd αa βb εe ζz ηn ιi κk μm νv οo ρp τt υu \
                     χx γy ϲc ϳj ɑa ɡg ɩi օo սu ոn ցg հh";

fn base(c: char) -> char {
    match c {
        '\u{e0}'..='\u{17f}' => {
            let place = usize::try_from(u32::from(c) - 0xe0).unwrap_or_default();
            LATIN.chars().nth(place).unwrap_or(c)
        }
        _ if c.is_ascii() => c,
        _ => {
            let mut pairs = ALIKE.split(' ').map(str::chars);
            let alike = pairs.find_map(|mut pair| (pair.next() == Some(c)).then(|| pair.next())?);
            alike.unwrap_or(c)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_for_another_has_its_skeleton() {
        for (shown, meant) in [
            ("NEXTCLOUD", "Nextcloud"),
            ("Nехtсlоud", "Nextcloud"),
            ("Ｎｅｘｔｃｌｏｕｄ", "Nextcloud"),
            ("𝐍𝐞𝐱𝐭𝐜𝐥𝐨𝐮𝐝", "Nextcloud"),
            ("𝙽𝚎𝚡𝚝𝚌𝚕𝚘𝚞𝚍", "Nextcloud"),
            ("Ⓝextcloud", "Nextcloud"),
            ("Next\u{200b}cloud", "Nextcloud"),
            ("Ne\u{301}xtcloud", "Nextcloud"),
            ("Néxtcloud", "Nextcloud"),
            ("Nextc1oud", "Nextcloud"),
            ("Nextcl0ud", "Nextcloud"),
            ("lmmich", "Immich"),
            ("Irnmich", "Immich"),
            ("Ηome  Аssistant", "Home\u{a0}Assistant"),
            (" Grafana ", "Grafana"),
        ] {
            // Eta looks like H when it is large and like n when it is small: one of the two is enough.
            let shown = shown.replace('Η', "Н");
            assert_eq!(skeleton(&shown), skeleton(meant), "{shown}");
        }
        let apart = [
            "Nextcloud",
            "Grafana",
            "Immich",
            "Домой",
            "Дом",
            "家",
            "Μουσική",
        ];
        for (place, one) in apart.iter().enumerate() {
            for other in apart.iter().skip(place + 1) {
                assert_ne!(skeleton(one), skeleton(other));
            }
        }
    }

    #[test]
    fn a_line_reads_as_it_is_written() {
        for good in [
            "Anna Ødegård",
            "می\u{200c}خواهم",
            "👩\u{200d}🚀",
            "",
            "שלום",
        ] {
            assert!(is_plain_line(good), "{good:?}");
        }
        for bad in [
            "a\nb",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200b}b",
            "pay\u{200d}pal",
            "pay\u{200c}",
            "\u{feff}a",
            "a\u{ad}b",
            "a\u{e0041}b",
            "a\u{2028}b",
            "م\u{200c}\u{200c}م",
        ] {
            assert!(!is_plain_line(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_skeleton_of_a_skeleton_is_the_same() {
        for text in ["Nextcloud rn vv 1!|", "ІЇіїıİſŉĳ", "ÀÉÎÕÜ", "Ａ１"] {
            let once = skeleton(text);
            assert_eq!(skeleton(&once), once, "{text}");
        }
    }
}
