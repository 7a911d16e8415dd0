#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use orrery_types::Settings;
use serde_json::json;

use super::{Counts, Redactor, builtin};

fn masked(text: &str) -> String {
    let mut text = text.to_owned();
    Redactor::default().text(&mut text, &mut Counts::new());
    text
}

/// Letters and digits that repeat from run to run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap()
    }

    fn some(&mut self, letters: &str, count: usize) -> String {
        (0..count).map(|_| char::from(letters.as_bytes()[self.next() % letters.len()])).collect()
    }

    fn part(&mut self, kind: &str) -> String {
        let (kind, count) = kind.split_once(':').unwrap_or((kind, "0"));
        let count = count.parse().unwrap();
        let (lower, upper, digits) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789");
        let mixed = format!("{lower}{upper}{digits}");
        // A real token of this length has a digit; one of chance should too.
        let with_digit = |mut text: String| {
            let middle = text.len() / 2;
            text.replace_range(middle..=middle, "7");
            text
        };
        match kind {
            "hex" => with_digit(self.some("0123456789abcdef", count)),
            "dig" => self.some("123456789", count),
            "an" => with_digit(self.some(&format!("{lower}{digits}"), count)),
            "AN" => with_digit(self.some(&format!("{upper}{digits}"), count)),
            "B32" => with_digit(self.some("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", count)),
            "bech" => self.some("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", count),
            "mix" => with_digit(self.some(&mixed, count)),
            "b64" => with_digit(self.some(&format!("{mixed}{mixed}+/"), count)),
            "b64u" => with_digit(self.some(&format!("{mixed}{mixed}_-"), count)),
            "uuid" => {
                let mut part = |count| with_digit(self.some("0123456789abcdef", count));
                format!("{}-{}-{}-{}-{}", part(8), part(4), part(4), part(4), part(12))
            }
            other => panic!("no such kind of letters: {other}"),
        }
    }

    /// The template with its `{kind:count}` filled, and the longest of what was filled in.
    fn fill(&mut self, template: &str) -> (String, String) {
        let (mut text, mut secret, mut rest) = (String::new(), String::new(), template);
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            text.push_str(before);
            let kind = after[1..].split('}').next().unwrap();
            let is_kind = kind.chars().next().is_some_and(char::is_alphabetic) && kind.len() < 9;
            if !is_kind {
                text.push('{');
                rest = &after[1..];
                continue;
            }
            let part = self.part(kind);
            if part.len() >= secret.len() {
                secret.clone_from(&part);
            }
            text.push_str(&part);
            rest = &after[kind.len() + 2..];
        }
        (text + rest, secret)
    }
}

/// Ways in which a name and its value stand in files, programs and payloads.
const SHAPES: [&str; 34] = [
    "NAME_token=VALUE",
    "NAME_TOKEN=\"VALUE\"",
    "NAMEToken = 'VALUE'",
    "export NAME_API_KEY=VALUE",
    "{\"NAME_token\": \"VALUE\"}",
    "{\"NAME_token\":\"VALUE\"}",
    "{\\\"NAME_token\\\":\\\"VALUE\\\"}",
    "{\\\\\\\"NAME_token\\\\\\\": \\\\\\\"VALUE\\\\\\\"}",
    "{\"name\": \"NAME_token\", \"value\": \"VALUE\"}",
    "<NAMEToken>VALUE</NAMEToken>",
    "<NAMEToken>\n    VALUE\n</NAMEToken>",
    "NAME_token: VALUE",
    "NAME_token: 'VALUE'",
    "NAME_token: |\n  VALUE",
    "string NAMEToken = \"VALUE\";",
    "var NAMEToken string = \"VALUE\"",
    "NAMEToken := \"VALUE\"",
    "NAMEToken := `VALUE`",
    "String NAMEToken = \"VALUE\";",
    "let NAMEToken: string = \"VALUE\";",
    "$NAMEToken .= \"VALUE\"",
    "$NAMEToken ??= \"VALUE\"",
    "NAME_TOKEN ::= \"VALUE\"",
    "NAME_TOKEN :::= \"VALUE\"",
    "NAME_TOKEN ?= \"VALUE\"",
    "NAMEToken <- \"VALUE\"",
    "\"NAMEToken\" => \"VALUE\"",
    ":NAME_token => 'VALUE'",
    "System.setProperty(\"NAME_TOKEN\", \"VALUE\")",
    "NAME.token=VALUE\\nnext",
    "a\\nNAME_TOKEN=VALUE\\n",
    "config['NAME_token'] = 'VALUE'",
    "NAME-token VALUE_HERE NAME_token=VALUE&x",
    "NAME_TOKEN || \"VALUE\"",
];

/// Ways in which a token with a mark of its own stands.
const PLACES: [&str; 8] = [
    "VALUE",
    "key VALUE end",
    "\"VALUE\"",
    "first line\\nVALUE\\nlast",
    "x=VALUE;",
    "a\nVALUE\nb",
    "`VALUE`",
    "(VALUE)",
];

#[test]
fn a_corpus_of_every_kind_is_masked() {
    let mut dice = Dice(42);
    let (mut kinds, mut missed) = (BTreeSet::new(), BTreeSet::new());
    let mut cases = 0;
    for line in include_str!("corpus.txt").lines() {
        let (id, template) = line.split_once(' ').unwrap();
        kinds.insert(id);
        let texts: Vec<(String, String)> = match template.split_at(2) {
            ("> ", template) => PLACES
                .iter()
                .map(|place| {
                    let (text, secret) = dice.fill(&template.replace("\\n", "\n"));
                    (place.replace("VALUE", &text), secret)
                })
                .collect(),
            (_, template) => {
                let (name, value) = template.split_once(" ~ ").unwrap();
                let shape = |shape: &&str| {
                    let (value, secret) = dice.fill(value);
                    (shape.replace("VALUE_HERE", "").replace("NAME", name).replace("VALUE", &value), secret)
                };
                SHAPES.iter().map(shape).collect()
            }
        };
        for (text, secret) in texts {
            cases += 1;
            let clean = masked(&text);
            if clean.contains(&secret) || clean == text {
                missed.insert(format!("{id}: {text} -> {clean}"));
            }
            assert_eq!(masked(&clean), clean, "masked text stays as it is");
            assert_eq!(clean.lines().count(), text.lines().count(), "lines stay: {text}");
        }
    }
    println!("{} kinds, {cases} cases, {} missed", kinds.len(), missed.len());
    assert!(kinds.len() >= 222, "{} kinds", kinds.len());
    let every: BTreeSet<&str> = builtin().list.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(every, kinds, "every rule has a case");
    assert!(missed.is_empty(), "{} of {cases}:\n{}", missed.len(), Vec::from_iter(missed).join("\n"));
}

#[test]
fn every_rule_compiles() {
    for rule in &builtin().list {
        assert!(rule.regex().is_some(), "{}", rule.id);
    }
}

#[test]
fn what_says_the_kind_stays() {
    for (text, expected) in [
        ("key sk-ant-api03-abcdefghijklmnop end", "key sk-ant-api03-[redacted] end"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "ghp_[redacted]"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIA[redacted]"),
        ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [redacted]"),
        ("postgres://app:hunter2@db/x", "postgres://app:[redacted]@db/x"),
        ("DB_PASSWORD=correct7horse", "DB_PASSWORD=[redacted]"),
        (r#"{"api_key": "abc123def456"}"#, r#"{"api_key": "[redacted]"}"#),
        (r#"{\"password\":\"abc123def456\"}"#, r#"{\"password\":\"[redacted]\"}"#),
        (r#""GITHUB_TOKEN":"ghp_abcdefghijklmnopqrstuvwxyz0123456789""#, r#""GITHUB_TOKEN":"ghp_[redacted]""#),
        (
            "-----BEGIN RSA PRIVATE KEY-----\\nMIIEabcdefghijklmnop\\nqrst\\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY-----\\n[redacted]\\n[redacted]\\n-----END RSA PRIVATE KEY-----",
        ),
        (r#"{"k":"sk\u002dant-api03\u002dabcdefghijklmnop"}"#, r#"{"k":"sk\u002dant-api03\u002d[redacted]"}"#),
        (r#"{"u":"https:\/\/me:hunter2x@a.example\/"}"#, r#"{"u":"https:\/\/me:[redacted]@a.example\/"}"#),
        ("ключ ghp_abcdefghijklmnopqrstuvwxyz0123456789 конец", "ключ ghp_[redacted] конец"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

#[test]
fn ordinary_text_stays() {
    let base64 = Dice(7).some("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 40_000);
    let image = format!("{{\"type\":\"image\",\"data\":\"{base64}\"}}");
    for text in [
        image.as_str(),
        "sk-ant- is the prefix",
        "password: string",
        "let password = read_password();",
        "const token = self.tokens.access_token2;",
        "let access_token = request.headers.get(\"authorization\");",
        "ask-anthropic",
        "https://example.org/a:b@c",
        "http://127.0.0.1:4000/app",
        "git@github.com:orrery-app/orrery.git",
        "-----BEGIN CERTIFICATE-----\nMIIEabcdefghijklmnopqrstuvwxyz0123456789",
        "-----BEGIN PUBLIC KEY-----\nMIIEabcdefghijklmnopqrstuvwxyz0123456789",
        "äöü ghp_x",
        "550e8400-e29b-41d4-a716-446655440000",
        "commit 7ec50d7a94a8fe5ccb19ba61c4c0873d391e987982fbbd3",
        "\"session_id\":\"550e8400-e29b-41d4-a716-446655440000\",\"uuid\":\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"",
        "{\"input_tokens\":82392022,\"cache_read_input_tokens\":1234567890,\"output_tokens\":5}",
        "{\"id\":\"msg_01AbCdEfGhIjKlMnOpQrStUv\",\"tool_use_id\":\"toolu_01AbCdEfGhIjKlMnOpQrStUv\"}",
        "\"requestId\":\"req_011CSHoEeqs5C35K2UUqR7Fy\"",
        "tokenizer: cl100k_base",
        "token_expires_at: 2026-11-25T10:00:00Z",
        "PWD=/home/sam/shop2",
        "secret_path=./config/secret1.yaml",
        "API_KEY=your_api_key_1_here",
        "api_key = os.environ[\"API_KEY_1\"]",
        "password = ${DB_PASSWORD_1}",
        "max_tokens = 200000000",
        "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore",
        "The linear gradient, the square, the travis build and the drone are words; so is kraken: characterization",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "integrity sha512-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKlMn==",
        "password=[redacted]",
        "sk-learn and task-runner-with-a-long-name-that-goes-on",
    ] {
        let (mut clean, mut counts) = (text.to_owned(), Counts::new());
        Redactor::default().text(&mut clean, &mut counts);
        assert_eq!(clean, text, "{counts:?}");
    }
}

#[test]
fn json_stays_json() {
    let key = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
    let pem = "-----BEGIN PRIVATE KEY-----\nMIIEabcdefghijklmnop\nqrstuvwxyz0123456789\n";
    let deep = json!({"password": "hunter2hunter2", "env": format!("A={key}\nB=2"), "pem": pem}).to_string();
    let payload = json!({
        "tool_input": {"command": format!("curl -u me:s3cretpw -H 'Authorization: Bearer {key}' https://u:p4ss@a.example")},
        "tool_response": {"stdout": deep, "again": json!({"inner": deep}).to_string()},
        "api_key": "abc123def456", "pem": pem, "tokens": 12_345_678, "token": 123_456_789, "path": "C:\\secret\\token1",
    });
    let mut bytes = serde_json::to_vec(&payload).unwrap();
    let mut counts = Counts::new();
    assert!(Redactor::default().bytes(&mut bytes, &mut counts));
    let text = String::from_utf8(bytes).unwrap();
    let clean: serde_json::Value = serde_json::from_str(&text).unwrap();
    for secret in ["hunter2", "abcdefghijklmnop", "s3cretpw", "p4ss", "abc123def456"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert_eq!(clean["tokens"], 12_345_678);
    assert_eq!(clean["pem"].as_str().unwrap().lines().count(), pem.lines().count());
    let inner: serde_json::Value = serde_json::from_str(clean["tool_response"]["stdout"].as_str().unwrap()).unwrap();
    assert_eq!(inner["password"], "[redacted]");
    assert!(counts.contains_key("github-pat") && counts.contains_key("private-key"), "{counts:?}");
}

#[test]
fn a_rule_switched_off_masks_nothing() {
    let redactor = Redactor::default();
    let text = "ghp_abcdefghijklmnopqrstuvwxyz0123456789 and AKIAIOSFODNN7EXAMPLE";
    let with = |settings: Settings| {
        redactor.set(&settings);
        let mut text = text.to_owned();
        redactor.text(&mut text, &mut Counts::new());
        text
    };
    let off = Settings { redact_off: vec!["github-pat".to_owned()], ..Settings::default() };
    assert_eq!(with(off), "ghp_abcdefghijklmnopqrstuvwxyz0123456789 and AKIA[redacted]");
    assert_eq!(with(Settings { redact: false, ..Settings::default() }), text);
    assert_eq!(with(Settings::default()), "ghp_[redacted] and AKIA[redacted]");
}
