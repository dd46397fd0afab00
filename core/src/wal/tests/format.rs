//! Golden bytes: what these say is what other versions read.

use super::*;
use crate::wal::frame::{COPY, Head};
use crate::wal::header::{Header, HeaderFound, Register};

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| alloc::format!("{byte:02x}"))
        .collect()
}

#[test]
fn a_frame_head_has_these_bytes() {
    let head = Head {
        payload_bytes: 0x0102,
        lsn: 0x0304,
        synced_up_to: 12_288,
        chain: 0xaabb_ccdd,
        points: 5,
        payload_crc: 0x1122_3344,
        kind: FrameKind::Definitions,
        flags: COPY,
    };
    let bytes = head.encode(0xfeed_beef);
    assert_eq!(
        hex(&bytes[4..]),
        "02010000\
         0403000000000000\
         0030000000000000\
         ddccbbaa\
         05000000\
         44332211\
         01020000"
    );
    assert_eq!(bytes[..4], crc32c(0xfeed_beef, &bytes[4..]).to_le_bytes());
    assert_eq!(Head::decode(&bytes, 0xfeed_beef), Some(head));
    assert_eq!(Head::decode(&bytes, 0xfeed_beee), None);
    assert_eq!(Head::decode(&[0; 40], 0), None);
}

#[test]
fn a_header_and_a_register_have_these_bytes() {
    let header = Header {
        repair: true,
        salt: 0x0a0b_0c0d,
        segment: SegmentId(3),
        node_id: NODE,
        predecessor: Some((SegmentId(2), 0x4000)),
        first_lsn: Lsn(77),
        low_watermark: SegmentId(1),
        snapshot: None,
    };
    let mut block = vec![0; HEADER_BLOCK_BYTES as usize];
    header.write(&mut block);
    assert_eq!(
        hex(&block[..72]),
        "5447534547 4d4e54\
         0100 01 01 0d0c0b0a\
         0300000000000000\
         7766554433221100 efcdab8967452301\
         0200000000000000\
         0040000000000000\
         4d00000000000000\
         0100000000000000"
            .replace(' ', "")
    );
    assert!(block[72..124].iter().all(|&byte| byte == 0));
    assert_eq!(block[124..128], crc32c(0, &block[..124]).to_le_bytes());
    assert_eq!(block[..128], block[4608..4736]);
    assert_eq!(block[..128], block[8704..8832]);
    assert_eq!(
        Header::find(&block, header.file()),
        HeaderFound::Valid(header)
    );

    let register = Register {
        segment: SegmentId(3),
        salt: 0x0a0b_0c0d,
        durable_end: 0x5000,
        durable_lsn: Lsn(80),
        counter: 7,
        settled: true,
    };
    let mut slot = Vec::new();
    register.encode(&mut slot);
    assert_eq!((slot.len(), register.offset()), (512, 8192));
    assert_eq!(
        hex(&slot[..45]),
        "544744555241424c\
         0300000000000000\
         0050000000000000\
         5000000000000000\
         0700000000000000\
         0d0c0b0a01"
    );
    block[8192..8704].copy_from_slice(&slot);
    assert_eq!(Register::find(&block, SegmentId(3)), Some(register));
    assert_eq!(Register::find(&block, SegmentId(4)), None);
}

#[test]
fn a_whole_segment_has_these_bytes() {
    let mut log = first_log(1 << 20);
    let mut store = Store::new();
    log.begin_record();
    log.append(FrameKind::Rows, b"twelve bytes", 2, false);
    drain(&mut log, &mut store, true);
    let bytes = &store[&1];
    assert_eq!(bytes.len(), 12_288 + 56);
    assert_eq!(&bytes[12_328..12_340], b"twelve bytes");
    assert_eq!(crc32c(0, bytes), GOLDEN_SEGMENT, "{:#x}", crc32c(0, bytes));
}

/// Changes only with the format version.
const GOLDEN_SEGMENT: u32 = 0x20f6_5c39;
