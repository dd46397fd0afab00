//! Compressed bodies that are not what they seem.

use std::time::Duration;

use tidegate_tests::kit::{gzip, proc};
use tidegate_tests::proof::say;

use crate::{ask_raw, start};

/// A request with a compressed body, sized or chunked.
fn request(body: &[u8], chunked: bool, declared: usize) -> Vec<u8> {
    let mut out = b"POST /write?db=d HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n\
        Connection: close\r\n"
        .to_vec();
    if !chunked {
        out.extend_from_slice(format!("Content-Length: {declared}\r\n\r\n").as_bytes());
        out.extend_from_slice(body);
        return out;
    }
    out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    for piece in body.chunks(10_000) {
        out.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        out.extend_from_slice(piece);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

#[test]
fn bombs_of_every_kind_cost_little_and_store_nothing() {
    let Some((_home, server)) = start(&[]) else {
        return;
    };
    let line = b"bomb,host=a v=1 1\n";
    let good = gzip::compress(&line.repeat(50), 6).expect("memory");
    let member = gzip::compress(&vec![b' '; 16 << 20], 9).expect("memory");
    let lines = gzip::compress(&line.repeat(2_000_000), 9).expect("memory");
    let nested = gzip::compress(&gzip::compress(&member, 9).expect("memory"), 9).expect("memory");
    let mut bad_sum = good.clone();
    let end = bad_sum.len();
    bad_sum[end - 6] ^= 1;
    let mut bad_length = good.clone();
    bad_length[end - 1] ^= 1;
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("one member of zeros", member.clone(), 413),
        ("many members", member.repeat(100), 413),
        ("lines beyond the limit", lines, 413),
        ("gzip within gzip", nested, 400),
        ("junk behind", [&good[..], b"junk junk junk"].concat(), 400),
        ("a wrong checksum", bad_sum, 400),
        ("a wrong length", bad_length, 400),
        ("cut off", good[..end - 9].to_vec(), 400),
        (
            "empty members",
            gzip::compress(b"", 9).expect("memory").repeat(200_000),
            204,
        ),
    ];
    ask_raw(
        server.address,
        &request(&good[..0], false, 0),
        Duration::from_secs(30),
    );
    let before = proc::rss_peak_bytes(server.pid()).expect("memory");
    for (what, body, status) in &cases {
        for chunked in [false, true] {
            let bytes = request(body, chunked, body.len());
            let (answer, closed) = ask_raw(server.address, &bytes, Duration::from_secs(30));
            let answer = String::from_utf8_lossy(&answer);
            let expected = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&expected) && closed, "{what}: {answer}");
        }
    }
    let grown = proc::rss_peak_bytes(server.pid())
        .expect("memory")
        .saturating_sub(before)
        >> 20;
    assert!(grown < 160, "memory grew by {grown} MiB");
    let stored = server
        .query("d", "SELECT * FROM bomb")
        .expect("answer")
        .text();
    assert!(!stored.contains("values"), "{stored}");
    say(&format!(
        "attack: {} gzip bombs, {grown} MiB of memory",
        2 * cases.len()
    ));
}

#[test]
fn limits_hold_to_the_byte_for_every_way_of_sending() {
    let Some((_home, server)) = start(&[("TIDEGATE_HTTP_MAX_BODY_SIZE", "1000")]) else {
        return;
    };
    for bytes in [999, 1000, 1001] {
        let body = [b"m s=\"".to_vec(), vec![b'x'; bytes - 8], b"\" 1".to_vec()].concat();
        assert_eq!(body.len(), bytes);
        let status = if bytes > 1000 { 413 } else { 204 };
        let packed = gzip::compress(&body, 6).expect("memory");
        let plain = |chunked| {
            let request = request(&body, chunked, body.len());
            let text = String::from_utf8_lossy(&request).replace("Content-Encoding: gzip\r\n", "");
            text.into_bytes()
        };
        for request in [
            plain(false),
            plain(true),
            request(&packed, false, packed.len()),
            request(&packed, true, 0),
        ] {
            let (answer, _) = ask_raw(server.address, &request, Duration::from_secs(30));
            let answer = String::from_utf8_lossy(&answer);
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{bytes}: {answer}"
            );
        }
    }
}
