//! Secrets: where they may stand, and that they never come out.

use super::*;
use secrecy::ExposeSecret as _;

const WHSEC: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A receiver with these keys, and the problems below it.
#[track_caller]
fn check(keys: &str, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|rest| format!("receiver[0]{rest}")).collect();
    let variables = [
        ("HTTP", "http://hooks.example/canary"),
        ("NONE", ""),
        ("TEXT", "canary"),
        ("HOOK", "https://hooks.example/canary"),
        ("FTP", "ftp://x/canary"),
    ];
    assert_eq!(problems(&format!("{MODEL}[[receiver]]\nname = \"r\"\n{keys}\n"), &variables), expected, "\n{keys}");
}

#[test]
fn urls_that_are_refused_are_not_quoted() {
    let in_the_open =
        "may be a secret, and secrets do not stand in this file: name a file or a variable that holds it in url_file or url_env";
    let plain = format!(".url: {in_the_open}");
    check("type = \"slack\"\nurl = \"https://hooks.slack.com/services/canary\"", &[&plain]);
    check("type = \"slack\"\nurl = \"http://127.0.0.1.evil.example/\"", &[&plain]);
    check("type = \"slack\"\nurl = \"http://localhost@evil.example/\"", &[&plain]);
    check("type = \"slack\"\nurl = \"https://events.pagerduty.com/v2/enqueue\"", &[&plain]);
    check("type = \"webhook\"\nurl = \"canary\"", &[&plain]);
    check("type = \"slack\"", &[": has no URL: name the file or the variable that holds it in url_file or url_env"]);
    check(
        "type = \"slack\"\nurl_env = \"HTTP\"",
        &[".url_env: the URL that is read there is not https; set insecure_http = true where that is meant"],
    );
    check("type = \"slack\"\nurl_env = \"FTP\"\ninsecure_http = true", &[".url_env: the URL that is read there is neither https nor http"]);
    check("type = \"slack\"\nurl_env = \"TEXT\"", &[".url_env: what is read there is no URL"]);
    check("type = \"slack\"\nurl_env = \"MISSING\"", &[".url_env: the variable MISSING is not set"]);
    check("type = \"slack\"\nurl_env = \"NONE\"", &[".url_env: the variable NONE is empty"]);
    let no_name = ".url_env: names a variable of the environment, but no such name stands there (a secret itself must not)";
    check("type = \"slack\"\nurl_env = \"https://hooks.slack.com/canary\"", &[no_name]);
    let no_file = ".url_file: names a file, but the secret itself seems to stand there: move it into a file";
    check("type = \"slack\"\nurl_file = \"https://hooks.slack.com/canary\"", &[no_file]);
    check("type = \"slack\"\nurl_file = \"gone\"", &[".url_file: cannot read /nowhere/gone: No such file or directory (os error 2)"]);
    check("type = \"slack\"\nurl_file = \"a\"\nurl_env = \"B\"", &[".url_env: stands beside url_file: keep one of them"]);
    check(
        "type = \"slack\"\nurl = \"http://localhost/\"\nurl_env = \"HOOK\"",
        &[".url: stands beside url_file or url_env: keep one of them"],
    );
}

#[test]
fn keys_and_headers() {
    check(
        "type = \"pagerduty\"",
        &[": has no routing key: name the file or the variable that holds it in routing_key_file or routing_key_env"],
    );
    check(
        "type = \"pagerduty\"\nrouting_key = \"canary\"\nrouting_key_env = \"TEXT\"",
        &[".routing_key: no such key, did you mean `routing_key_env`?"],
    );
    check(
        "type = \"pagerduty\"\nrouting_key_env = \"HOOK\"",
        &[".routing_key_env: what is read there is no integration key (letters and digits)"],
    );
    check(
        "type = \"pagerduty\"\nrouting_key_file = \"R0123456789abcdefghijklmnopqrstu\"",
        &[".routing_key_file: names a file, but the secret itself seems to stand there: move it into a file"],
    );
    let unsigned = ".secret_env: what is read there is no signing secret: whsec_ and then base64 (`echo whsec_$(openssl rand -base64 32)`)";
    check("type = \"webhook\"\nurl_env = \"HOOK\"\nsecret_env = \"TEXT\"", &[unsigned]);
    let webhook = "type = \"webhook\"\nurl_env = \"HOOK\"\n";
    let open = ".headers.Authorization: holds a secret, and secrets do not stand in this file: sign the requests (secret_file) instead";
    check(&format!("{webhook}headers = {{ Authorization = \"Bearer canary\" }}"), &[open]);
    check(&format!("{webhook}headers = {{ \"Content-Type\" = \"x\" }}"), &[".headers.Content-Type: is set by driftd"]);
    check(&format!("{webhook}headers = {{ \"a b\" = \"x\" }}"), &[".headers.a b: is no header name"]);
    check(&format!("{webhook}headers = {{ \"X-A\" = \"a\\nb\" }}"), &[".headers.X-A: has a value beyond printable ASCII"]);
    check("type = \"slack\"\nurl_env = \"HOOK\"\nheaders = {}", &[".headers: no such key"]);
    check("type = \"slck\"", &[".type: \"slck\" is none of slack, pagerduty, webhook, did you mean `slack`?"]);
    check("type = \"slack\"\nurl_env = \"HOOK\"\ntimeout = \"1ms\"", &[".timeout: \"1ms\" is shorter than 100ms"]);
    check(
        "type = \"slack\"\nurl_env = \"HOOK\"\nmin_severity = \"warn\"",
        &[".min_severity: \"warn\" is none of info, warning, error, critical"],
    );
}

#[test]
fn names_of_receivers() {
    let two = |a: &str, b: &str| {
        let one = |name: &str| format!("[[receiver]]\nname = \"{name}\"\ntype = \"slack\"\nurl = \"http://[::1]:9/\"\n");
        problems(&format!("{MODEL}{}{}", one(a), one(b)), &[])
    };
    assert_eq!(two("a", "a"), ["receiver[1].name: \"a\" is the name of an earlier receiver"]);
    assert_eq!(two("retrain", "a"), ["receiver[0].name: \"retrain\" is the name of the retraining trigger: choose another"]);
    assert_eq!(two("a b", "c"), ["receiver[0].name: \"a b\" is no name: at most 64 letters, digits and - _ ."]);
}

#[test]
fn they_are_read_and_never_printed() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    std::fs::write(place("url"), "  https://hooks.example/canary-url \n").unwrap();
    std::fs::write(place("password"), "canary-password\n").unwrap();
    let text = format!(
        "[kafka]\nsecrets = {{ \"sasl.password\" = \"password\" }}\n{MODEL}\
         [[receiver]]\nname = \"s\"\ntype = \"slack\"\nurl_file = \"url\"\n\
         [[receiver]]\nname = \"p\"\ntype = \"pagerduty\"\nrouting_key_env = \"KEY\"\n\
         [[receiver]]\nname = \"w\"\ntype = \"webhook\"\nurl_env = \"HOOK\"\nsecret_env = \"SIGN\"\n\
         [retrain]\nurl = \"http://127.0.0.1:9/\"\nsecret_env = \"SIGN\"\n"
    );
    let variables = env(&[("KEY", "canarykey"), ("HOOK", "https://x.example/canary-hook"), ("SIGN", WHSEC)]);
    let loaded = load_text(&text, &place("c.toml"), &variables, &options()).unwrap_or_else(|error| panic!("{error}"));

    let channels = &loaded.config.channels;
    assert_eq!(channels[0].url.expose_secret(), "https://hooks.example/canary-url");
    assert_eq!(channels[1].url.expose_secret(), "https://events.pagerduty.com/v2/enqueue");
    assert_eq!(channels.len(), 4);
    assert_eq!(loaded.config.kafka.secrets["sasl.password"].expose_secret(), "canary-password");

    let printed = format!("{loaded:?}");
    assert!(!printed.contains("canary") && !printed.contains(WHSEC), "{printed}");
    let hidden: Vec<_> = loaded.effective.iter().filter(|e| e.value == "***").map(|e| (e.path.as_str(), e.origin.to_string())).collect();
    let expected = [
        ("receiver[0].url", "file url"),
        ("receiver[1].routing_key", "environment KEY"),
        ("receiver[2].url", "environment HOOK"),
        ("receiver[2].secret", "environment SIGN"),
        ("retrain.secret", "environment SIGN"),
    ];
    assert_eq!(hidden, expected.map(|(path, origin)| (path, origin.to_owned())));

    let unread = LoadOptions { secrets: SecretPolicy::Unread, ..options() };
    let without = load_text(&text, Path::new("/nowhere/c.toml"), &env(&[]), &unread).unwrap_or_else(|error| panic!("{error}"));
    assert!(without.config.channels.is_empty() && without.config.kafka.secrets.is_empty());
    assert_eq!(without.config.engine.alerting, loaded.config.engine.alerting);
}

#[test]
fn a_webhook_beyond_this_machine_may_be_http_where_that_is_said() {
    let text = format!("{MODEL}[[receiver]]\nname = \"w\"\ntype = \"webhook\"\nurl_env = \"HOOK\"\ninsecure_http = true\n");
    let loaded = load_with_env(&text, &[("HOOK", "http://argo.events:12000/x")]).unwrap();
    assert_eq!(loaded.config.channels[0].url.expose_secret(), "http://argo.events:12000/x");
}
