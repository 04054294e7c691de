//! Texts that are references, or nearly.

/// As many texts, the same in each run.
pub(super) fn texts(count: usize) -> impl Iterator<Item = String> {
    let mut dice = Dice(0x5eed);
    (0..count).map(move |_| {
        let mut text = reference(&mut dice);
        // A third of them is broken in one to three places.
        if dice.roll(3) == 0 {
            for _ in 0..=dice.roll(3) {
                damage(&mut text, &mut dice);
            }
        }
        text
    })
}

const REGISTRIES: &[&str] = &[
    "docker.io",
    "index.docker.io",
    "localhost",
    "localhost:5000",
    "LOCALHOST",
    "ghcr.io",
    "registry:443",
    "UPPER",
    "a-b.example.com:65535",
    "example.com:65536",
    "foo_bar.example",
    "foo_bar:80",
    "127.0.0.1:5000",
    "[::1]:5000",
    "[fc00::1]",
    "[2001:db8::]:80",
    "[1:2]:5000",
    "[::ffff:1.2.3.4]",
    "[fe80::1%eth0]:80",
    "[]",
    "xn--n3h.com",
    "a..b",
    "-a.b",
    "a-.b:1",
    "EXAMPLE.com:80",
];

const COMPONENTS: &[&str] = &[
    "library",
    "ubuntu",
    "a",
    "0",
    "a.b",
    "a_b",
    "a__b",
    "a-b",
    "a---b",
    "localhost",
    "docker.io",
    "a.b_c-d",
    "test-com",
    "sha256",
    "dbcc1c35ac38df41fd2f5e4130b32ffdb93ebae8b3dbe638c23575912276fc9c",
];

const ODD_COMPONENTS: &[&str] = &["a___b", "a..b", "-a", "a-", "A", "Ubuntu", "\u{e9}", ""];

const TAGS: &[&str] = &[
    "latest",
    "1.0",
    "V1_x-y",
    "_",
    ".1",
    "-1",
    "",
    "5000",
    "a/b",
    "a b",
    "\u{fc}",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456",
];

const ALGORITHMS: &[&str] = &[
    "sha256",
    "sha384",
    "sha512",
    "sha1",
    "md5",
    "SHA256",
    "sha256+b64u",
    "a.b",
    "+",
];

/// Characters that mean something, and some that mean nothing.
const CHARACTERS: &[char] = &[
    ':', '/', '@', '.', '_', '-', '[', ']', '%', '+', ' ', 'a', 'Z', '0', '9', '\u{131}', '\u{212a}', '\n',
];

fn reference(dice: &mut Dice) -> String {
    let mut text = String::new();
    if dice.roll(2) == 0 {
        text.push_str(dice.pick(REGISTRIES));
        text.push('/');
    }
    for index in 0..=dice.roll(3) {
        if index > 0 {
            text.push('/');
        }
        let odd = dice.roll(6) == 0;
        text.push_str(dice.pick(if odd { ODD_COMPONENTS } else { COMPONENTS }));
        // Now and then about as long as a name may be.
        if dice.roll(50) == 0 {
            text.push_str(&"a".repeat(225 + dice.roll(40)));
        }
    }
    if dice.roll(3) == 0 {
        text.push(':');
        text.push_str(dice.pick(TAGS));
    }
    if dice.roll(4) == 0 {
        text.push('@');
        text.push_str(dice.pick(ALGORITHMS));
        text.push(':');
        let length = [64, 96, 128, 40, 32, 31][dice.roll(6)];
        let digits = if dice.roll(8) == 0 {
            b"0123ABCDEF"
        } else {
            b"0123456abf"
        };
        text.extend((0..length).map(|_| char::from(digits[dice.roll(digits.len())])));
    }
    text
}

/// Takes a character away, doubles one, or puts another in.
fn damage(text: &mut String, dice: &mut Dice) {
    let mut characters: Vec<char> = text.chars().collect();
    let at = dice.roll(characters.len() + 1);
    match dice.roll(3) {
        0 if at < characters.len() => drop(characters.remove(at)),
        1 if at < characters.len() => characters.insert(at, characters[at]),
        _ => characters.insert(at, CHARACTERS[dice.roll(CHARACTERS.len())]),
    }
    *text = characters.into_iter().collect();
}

/// The generator `SplitMix64`: the same numbers everywhere, without a dependency.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % sides as u64).unwrap_or_default()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }
}
