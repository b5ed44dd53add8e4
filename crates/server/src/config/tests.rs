//! What each source may set, and the errors for mistakes.

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let mut settings = Settings::default();
    settings.read_text(Path::new("etc/valetkey.toml"), text)?;
    Config::of(&settings)
}

fn error(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

/// The template with every key switched on.
fn everything() -> String {
    let keys = Config::template().lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || rest.contains(" = ") => rest,
        _ => line,
    });
    // Only one of the two stores can be set.
    keys.filter(|line| *line != "store = \"sqlite\"").collect::<Vec<_>>().join("\n")
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_the_nearest_one() {
    for (text, said) in [
        ("\nlistn = \"127.0.0.1:1\"", "etc/valetkey.toml, line 2, listn: there is no such key; did you mean `listen`?"),
        (
            "public-url = \"x\"",
            "etc/valetkey.toml, line 1, public-url: there is no such key; did you mean `public_url`?",
        ),
        (
            "data = \"d\"\n[tls]\ncerts = \"c\"",
            "etc/valetkey.toml, line 3, tls.certs: there is no such key; did you mean `tls.cert`?",
        ),
        ("level = \"info\"", "etc/valetkey.toml, line 1, level: there is no such key; did you mean `log.level`?"),
        (
            "[limits]\n\nbody_limit = 5",
            "etc/valetkey.toml, line 3, limits.body_limit: there is no such key; did you mean `limits.body_limit_bytes`?",
        ),
        (
            "[[kinds]]\nword = \"w\"\ntask = [\"A\"]",
            "etc/valetkey.toml, line 3, kinds.task: there is no such key; did you mean `tasks`?",
        ),
        (
            "[nothing.like.it]\nx = 1",
            "etc/valetkey.toml, line 1, nothing: there is no such key; there are data, store, \
             store_root_certificate, listen, public_url, trusted_proxies, behind_proxy, node, lease_s, tls, log, limits, kinds",
        ),
    ] {
        assert_eq!(error(text), said, "{text}");
    }
}

#[test]
fn a_value_that_makes_no_sense_is_named_with_its_place() {
    for (text, said) in [
        (
            "listen = \"8080\"",
            "etc/valetkey.toml, line 1, listen: it must be ADDRESS:PORT, such as 127.0.0.1:8080, not \"8080\"",
        ),
        (
            "behind_proxy = \"perhaps\"",
            "etc/valetkey.toml, line 1, behind_proxy: it must be true or false, not \"perhaps\"",
        ),
        ("data = [\"a\"]", "etc/valetkey.toml, line 1, data: it must be one value, not a list"),
        (
            "data = 1.5",
            "etc/valetkey.toml, line 1, data: it must be a text, a number, true or false, or a list of texts",
        ),
        ("[tls]\nkey = \"k\"", "etc/valetkey.toml, line 2, tls.key: it needs tls.cert beside it"),
        (
            "[limits]\nheader_limit_bytes = 1",
            "etc/valetkey.toml, line 2, limits.header_limit_bytes: limit header_limit_bytes is 1: it must be between 8192 and 1048576",
        ),
        ("[log]\nformat = \"xml\"", "etc/valetkey.toml, line 2, log.format: it must be `text` or `json`"),
        ("kinds = 1", "etc/valetkey.toml, line 1, kinds: it must be a list of tables, each written as [[kinds]]"),
        (
            "public_url = \"ftp://x\"",
            "etc/valetkey.toml, line 1, public_url: it must be an address such as https://graph.example.com, without a query",
        ),
        (
            "store_root_certificate = \"x\"",
            "etc/valetkey.toml, line 1, store_root_certificate: it applies only to a PostgreSQL store",
        ),
    ] {
        assert_eq!(error(text), said, "{text}");
    }
    for (text, part) in [
        ("trusted_proxies = [\"10.0.0.1/8\"]", "10.0.0.0/8"),
        ("data = \"a\"\ndata = \"b\"", "line 2"),
        ("data = ", "line 1"),
        ("[limits]\ndrain_s = -1", "not negative, not \"-1\""),
        ("[[kinds]]\nword = \"w\"", "needs `tasks`"),
        ("[[kinds]]\ntasks = [\"A\"]", "needs a `word`"),
        ("node = \"a\\u0000b\"", "control character"),
        ("lease_s = 0", "a number of seconds from 1 to 300"),
        ("lease_s = 301", "a number of seconds from 1 to 300"),
    ] {
        let said = error(text);
        assert!(said.starts_with("etc/valetkey.toml, line") && said.contains(part), "{text}: {said}");
    }
}

#[test]
fn a_password_is_in_no_error_and_in_no_debug_text() {
    let said = error("store = \"mysql://me:hunter2@db/x\"");
    assert!(said.contains("line 1, store") && !said.contains("hunter2"), "{said}");
    let config = read("store = \"postgres://me:hunter2@db/x\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
    assert!(matches!(&config.store, StoreChoice::Postgres(address) if address.expose().contains("hunter2")));
}

#[test]
fn the_template_says_what_counts_and_names_every_key() {
    let plain = read(Config::template()).unwrap();
    let default = Config::default();
    assert_eq!((plain.listen, &plain.limits, &plain.data), (default.listen, &default.limits, &default.data));
    let all = everything();
    let config = read(&all).unwrap();
    assert_eq!(config.limits, Limits::default(), "the template tells other limits than those that count");
    assert_eq!(config.listen, LISTEN);
    assert_eq!(config.data, Path::new("etc").join(DATA));
    assert_eq!(config.kinds.len(), 1);
    let mut settings = Settings::default();
    settings.read_text(Path::new("valetkey.toml"), &all).unwrap();
    for key in settings::keys() {
        assert!(settings.list(&key).is_some(), "the template lacks {key}");
    }
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = crate::lifecycle::folder::tests::scratch();
    let file = folder.path().join("valetkey.toml");
    std::fs::write(&file, "data = \"here\"\nlisten = \"127.0.0.1:1\"\nnode = \"file\"\n[log]\nformat = \"json\"\n")
        .unwrap();
    let environment = |name: &str| {
        let value = match name {
            "VALETKEY_LISTEN" => "127.0.0.1:2",
            "VALETKEY_TRUSTED_PROXIES" => "10.0.0.0/8, 192.0.2.7",
            "VALETKEY_LIMITS_DRAIN_S" => "3",
            "VALETKEY_LOG_FORMAT" => "",
            "VALETKEY_MASTER_KEY" => "hush",
            // Kubernetes sets this for a service of our name.
            "VALETKEY_PORT" => "tcp://10.0.0.1:80",
            _ => return None,
        };
        Some(value.to_owned())
    };
    let flags = [
        Flag::of("node", "--node", Some("flag")),
        Flag::of("port", "--port", Some(9)),
        Flag::of("data", "--data", None::<&str>),
    ];
    let config = Config::load_from(Some(&file), &environment, flags.into_iter().flatten()).unwrap();
    assert_eq!(config.data, folder.path().join("here"));
    assert_eq!(config.listen, "127.0.0.1:9".parse().unwrap());
    assert_eq!(config.node, "flag");
    assert_eq!(config.log.format, Format::Json);
    assert_eq!(config.limits.drain_s, 3);
    assert!(config.trusted_proxies.contains("192.0.2.7".parse().unwrap()));
    assert!(matches!(config.master_key, keys::Origin::Set(_)));
    let said =
        Config::load_from(Some(&file), &|name| (name == "VALETKEY_LISTEN").then(|| "x".into()), None).unwrap_err();
    assert_eq!(
        said.to_string(),
        "the environment variable VALETKEY_LISTEN: it must be ADDRESS:PORT, such as 127.0.0.1:8080, not \"x\""
    );
    let port = Flag::of("port", "--port", Some("70000"));
    let said = Config::load_from(Some(&file), &|_| None, port).unwrap_err();
    assert_eq!(said.to_string(), "--port: it must be a number from 0 to 65535, not \"70000\"");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let said = Config::load_from(Some(Path::new("none/at/all.toml")), &|_| None, None).unwrap_err().to_string();
    assert!(said.starts_with("none/at/all.toml: the configuration can't be read"), "{said}");
    let by_variable = |name: &str| (name == FILE_VARIABLE).then(|| "none/either.toml".to_owned());
    assert!(Config::load_from(None, &by_variable, None).unwrap_err().to_string().starts_with("none/either.toml"));
}

#[test]
fn the_base_url_follows_from_the_address_unless_it_is_said() {
    let at = |address: &str| Config::default().base_url(address.parse().unwrap());
    assert_eq!(at("0.0.0.0:80"), "http://127.0.0.1:80");
    assert_eq!(at("[::]:81"), "http://[::1]:81");
    let said = read("public_url = \"https://graph.example.com/\"").unwrap();
    assert_eq!(said.base_url(LISTEN), "https://graph.example.com");
}
