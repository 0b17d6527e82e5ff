//! The command as a deployment meets it: what it says of a configuration, and the keys that it makes.

use std::process::{Command, Output};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Runs the command with these arguments, and these environment variables alone.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> std::io::Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_classlink-gateway"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).output()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn check_accepts_a_configuration_of_the_environment() -> std::io::Result<()> {
    let variables = [
        ("CLASSLINK_CLIENT_ID", "client-1"),
        ("CLASSLINK_CLIENT_SECRET", "s3cret"),
        ("APP_ORIGIN", "https://app.example"),
        ("SEALING_KEYS", KEY),
    ];
    let output = run(&["check", "--offline"], &variables)?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    Ok(())
}

#[test]
fn check_and_serve_name_everything_that_is_wrong_and_no_value() -> std::io::Result<()> {
    let variables = [
        ("CLASSLINK_CLIENT_ID", "client-1"),
        ("APP_ORIGIN", "http://app.example"),
        ("SEALING_KEYS", "hunter2"),
    ];
    for arguments in [&["check", "--offline"][..], &["serve"]] {
        let output = run(arguments, &variables)?;
        let said = text(&output.stderr);
        assert!(!output.status.success());
        for field in ["clients[0].clientSecret", "clients[0].redirectUris[0]", "sealingKeys[0]"] {
            assert!(said.contains(field), "{field}: {said}");
        }
        assert!(!said.contains("hunter2"), "{said}");
    }
    Ok(())
}

#[test]
fn keys_that_it_makes_configure_it() -> std::io::Result<()> {
    let sealing = text(&run(&["keygen"], &[])?.stdout);
    let assertion = text(&run(&["assertion-key"], &[])?.stdout);
    let variables = [
        ("CLASSLINK_CLIENT_ID", "client-1"),
        ("CLASSLINK_CLIENT_SECRET", "s3cret"),
        ("APP_ORIGIN", "https://app.example"),
        ("SEALING_KEYS", &sealing),
        ("ASSERTION_KEYS", &assertion),
        ("ASSERTION_ISSUER", "https://app.example/auth"),
        ("ASSERTION_AUDIENCE", "https://app.example"),
    ];
    let output = run(&["check", "--offline"], &variables)?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    Ok(())
}
