//! What tests know of the files of a log.

/// Where the frames of a segment end: a host may have written zeros ahead of them. Frames are
/// multiples of eight bytes; one that ends in eight zeros would be taken for shorter, so tests
/// write values that do not.
pub fn end(segment: &[u8]) -> usize {
    let last = segment.iter().rposition(|&byte| byte != 0);
    last.map_or(0, |last| last + 1).next_multiple_of(8)
}

#[test]
fn zeros_ahead_do_not_count_and_padding_does() {
    assert_eq!(end(&[0; 100]), 0);
    assert_eq!(end(&[1; 16]), 16);
    let mut bytes = [0; 100];
    bytes[40] = 7;
    assert_eq!(end(&bytes), 48);
}
