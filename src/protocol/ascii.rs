//! Taking text apart at ASCII characters and reading digits, byte by byte: the standard library's own searches are made
//! for speed, and several times as large.

/// The text before and after the first of these characters.
#[must_use]
pub fn split_once(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.bytes().position(|byte| byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// The text before the first of these characters; all of it where there is none.
#[must_use]
pub fn until(text: &str, at: u8) -> &str {
    split_once(text, at).map_or(text, |(before, _)| before)
}

/// As many characters as there may be.
#[must_use]
pub fn truncate_chars(text: &str, most: usize) -> &str {
    let begins = |byte: u8| byte & 0xc0 != 0x80;
    let mut starts = text.bytes().enumerate().filter(|(_, byte)| begins(*byte));
    starts.nth(most).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The whole number that these digits are, from 0 to 4,294,967,295; `None` where they are anything else.
#[must_use]
pub fn parse_u32(digits: &[u8]) -> Option<u32> {
    let mut number: Option<u32> = None;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add((digit - b'0').into())?);
    }
    number
}

/// A whole number in digits.
#[must_use]
pub fn format_u64(mut number: u64) -> String {
    let mut digits = String::new();
    loop {
        // The remainder is a single digit.
        digits.insert(0, char::from(b'0' | (number % 10) as u8));
        number /= 10;
        if number == 0 {
            return digits;
        }
    }
}

/// UTF-8 as text; what is none becomes the replacement character, as `String::from_utf8_lossy` has it.
#[must_use]
pub fn from_utf8_lossy(mut bytes: &[u8]) -> String {
    let mut text = String::new();
    loop {
        let error = match std::str::from_utf8(bytes) {
            Ok(rest) => {
                text.push_str(rest);
                return text;
            }
            Err(error) => error,
        };
        let (valid, rest) = bytes.split_at_checked(error.valid_up_to()).unwrap_or_default();
        text.push_str(std::str::from_utf8(valid).unwrap_or_default());
        text.push(char::REPLACEMENT_CHARACTER);
        bytes = error.error_len().and_then(|length| rest.get(length..)).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_split_at_the_first_of_the_characters() {
        assert_eq!(split_once("né=a=b", b'='), Some(("né", "a=b")));
        assert_eq!(split_once("=", b'='), Some(("", "")));
        assert_eq!(split_once("abc", b'='), None);
        assert_eq!((until("a#b#c", b'#'), until("abc", b'#')), ("a", "abc"));
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(
            (truncate_chars("ééé", 2), truncate_chars("éé", 2), truncate_chars("é", 2)),
            ("éé", "éé", "é")
        );
    }

    #[test]
    fn a_whole_number_has_digits_and_no_more_than_fit() {
        for (digits, number) in
            [("0", Some(0)), ("007", Some(7)), ("4294967295", Some(u32::MAX)), ("4294967296", None)]
        {
            assert_eq!(parse_u32(digits.as_bytes()), number, "{digits}");
        }
        for none in ["", "-1", "+1", " 1", "1.0", "1e3", "x", "99999999999"] {
            assert_eq!(parse_u32(none.as_bytes()), None, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back_from_their_digits(number: u64, small: u32) {
            prop_assert_eq!(format_u64(number), number.to_string());
            prop_assert_eq!(parse_u32(small.to_string().as_bytes()), Some(small));
        }

        #[test]
        fn bytes_become_what_the_standard_library_makes_of_them(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x80..=0xf4u8], 0..12),
        ) {
            prop_assert_eq!(from_utf8_lossy(&bytes), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}
