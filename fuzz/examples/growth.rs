//! How the time that a parser takes grows with what it is given: nanoseconds for each byte, at sizes up to ten times what
//! the client reads at all. More than a constant number of steps for each byte shows as a growing row.
//!
//! `cargo run --release --package classlink-spa-fuzz --example growth`

use std::hint::black_box;
use std::time::Instant;

use classlink_spa::protocol::callback::Callback;
use classlink_spa::protocol::encoding::from_base64url;
use classlink_spa::protocol::jwks::KeySet;
use classlink_spa::protocol::jws::Jws;
use classlink_spa::protocol::pending::PendingLogin;
use classlink_spa::protocol::token::TokenResponse;
use classlink_spa::protocol::{ascii, json, metadata, url};

const SIZES: [usize; 4] = [64 << 10, 256 << 10, 1 << 20, 10 << 20];

/// The repeated text, and its start and end.
type Shape = [&'static str; 3];

/// A parser, by what it is for.
type Parser = (&'static str, fn(&str), &'static [Shape]);

const JSON: [Shape; 9] = [
    ["{\"a\":\"", "\\u00e9", "\"}"],
    ["{\"a\":\"", "x", "\"}"],
    ["{\"a\":[", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],", "0]}"],
    ["{\"a\":", "[", "}"],
    ["{", "\"a\":1,", "\"b\":1}"],
    ["{\"a\":[", "1e5,", "0]}"],
    ["{\"a\":", "1", "}"],
    ["{\"a\":0.", "1", "}"],
    ["{", " ", "}"],
];

const PARSERS: [Parser; 10] = [
    ("JSON", |text| drop(black_box(json::parse_object(text.as_bytes()))), &JSON),
    (
        "callback",
        |text| drop(black_box(Callback::parse(text))),
        &[["/cb?", "&", ""], ["/cb?", "%ff", ""], ["/cb?", "code=1&", ""], ["/cb?a=", "%", ""]],
    ),
    ("UTF-8", |text| drop(black_box(ascii::from_utf8_lossy(text.as_bytes()))), &[["", "é", ""]]),
    ("base64url", |text| drop(black_box(from_base64url(text))), &[["", "Ab_-", ""]]),
    (
        "endpoint",
        |text| {
            let _ = black_box(url::is_potentially_trustworthy(text));
        },
        &[["http://", "a.", "localhost"]],
    ),
    (
        "metadata",
        |text| drop(black_box(metadata::from_discovery(text.as_bytes(), "https://op.example"))),
        &[
            ["{", "\"issuer\":\"https://op.example\",", "\"a\":1}"],
            [
                "{\"issuer\":\"https://op.example\",\"id_token_signing_alg_values_supported\":[",
                "\"x\",",
                "\"RS256\"],\"authorization_endpoint\":\"https://a/\",\"token_endpoint\":\"https://a/\",\
                 \"jwks_uri\":\"https://a/\"}",
            ],
        ],
    ),
    (
        "key set",
        |text| {
            let _ = black_box(candidates(text));
        },
        &[
            [
                "{\"keys\":[",
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"A\",\"kid\":\"k\"},",
                "0]}",
            ],
            ["{\"keys\":[{\"kty\":\"OKP\",\"key_ops\":[", "\"sign\",", "\"verify\"]}]}"],
        ],
    ),
    (
        "token answer",
        |text| drop(black_box(TokenResponse::parse(200, text.as_bytes()))),
        &[["{", "\"access_token\":\"a\",", "\"token_type\":\"Bearer\"}"]],
    ),
    (
        "pending login",
        |text| drop(black_box(PendingLogin::from_stored(text))),
        &[[
            "{\"verifier\":\"v\",",
            "\"token_endpoint\":\"https://a/\",",
            "\"jwks_uri\":\"https://a/\"}",
        ]],
    ),
    (
        "ID token",
        |text| {
            let _ = black_box(Jws::parse(text, "RS256").is_ok());
        },
        &[["e30.", "A", ".A"], ["", ".", ""]],
    ),
];

fn candidates(text: &str) -> usize {
    let token = Jws::parse("eyJhbGciOiJFZERTQSIsImtpZCI6ImsifQ.e30.AA", "EdDSA");
    let keys = KeySet::parse(text.as_bytes());
    match (token, keys) {
        (Ok(token), Ok(keys)) => keys.select_verification_keys(&token).map_or(0, |keys| keys.len()),
        _ => 0,
    }
}

fn main() {
    println!("{:<14} {:<32} ns a byte at 64 KiB, 256 KiB, 1 MiB, 10 MiB", "", "repeated");
    for (name, parse, shapes) in PARSERS {
        for [start, middle, end] in shapes {
            let shown: String = middle.chars().take(30).collect();
            print!("{name:<14} {shown:<32}");
            for size in SIZES {
                let input = [start, &*middle.repeat(size / middle.len()), end].concat();
                let best = (0..5).map(|_| {
                    let started = Instant::now();
                    parse(&input);
                    started.elapsed().as_nanos()
                });
                let best = best.min().unwrap_or_default();
                // In thousandths, since no byte takes as long as would make that inexact.
                let each = best * 1000 / size as u128;
                print!(" {:>5}.{:03}", each / 1000, each % 1000);
            }
            println!();
        }
    }
}
