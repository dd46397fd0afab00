use super::*;
use tidegate_core::http::AckLevel;

fn load(file: &str, environment: &[(&str, &str)], flags: ServeFlags) -> Result<Config, Failure> {
    let dir = crate::testing::TempDir::new();
    let path = dir.path().join("tidegate.toml");
    std::fs::write(&path, file).expect("write");
    let flags = ServeFlags {
        config: Some(path),
        ..flags
    };
    let environment = environment.iter().map(|(k, v)| ((*k).into(), (*v).into()));
    Config::load(&flags, environment)
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let file = "[http]\nbind-address = ':1'\nmax-body-size = '1m'\nidle-timeout = '5s'\nack-level = 'wal'\n";
    let environment = [
        ("TIDEGATE_HTTP_BIND_ADDRESS", ":2"),
        ("TIDEGATE_HTTP_MAX_BODY_SIZE", "200"),
        ("TIDEGATE_HTTP_OPEN_TO_NETWORK", "true"),
        ("TIDEGATE_HTTP_MAX_CONNECTION_LIMIT", "7"),
        ("TIDEGATE_HTTP_ACK_LEVEL", "memory"),
        ("PATH", "/bin"),
    ];
    let flags = ServeFlags {
        http: Some(":3".into()),
        ..ServeFlags::default()
    };
    let config = load(file, &environment, flags).expect("loads");
    assert_eq!(config.http.bind_address, ":3");
    assert_eq!(config.http.max_body_size, Size(200));
    assert_eq!(config.http.idle_timeout, Span::seconds(5));
    assert!(config.http.open_to_network);
    assert_eq!(config.http.max_connection_limit, 7);
    assert_eq!(config.http.ack_level, Level(AckLevel::Memory));
    assert_eq!(config.data.dir, Path::new("./tidegate-data"));
}

#[test]
fn what_is_not_understood_is_named_and_exits_with_2() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case<'_>; 9] = [
        (
            "[htp]\n",
            &[],
            "unknown key htp; known here are data, guest, http",
        ),
        ("[http]\nbind-adress = ''\n", &[], "http.bind-adress"),
        ("http = 1\n", &[], "write [http]"),
        ("[http\n", &[], "tidegate.toml"),
        ("[http]\nmax-body-size = 'lots'\n", &[], "lots"),
        (
            "",
            &[("TIDEGATE_HTTP_BIND", "x")],
            "TIDEGATE_HTTP_BIND_ADDRESS",
        ),
        (
            "",
            &[("TIDEGATE_HTTP_AUTH_ENABLED", "yes")],
            "true or false",
        ),
        ("", &[("TIDEGATE_DATA_IDLE_CLOSE", "soon")], "soon"),
        (
            "[http]\nack-level = 'sure'\n",
            &[],
            "invalid acknowledgement level \"sure\" (use memory, wal or durable)",
        ),
    ];
    for (file, environment, part) in cases {
        let failure = load(file, environment, ServeFlags::default()).expect_err(part);
        assert_eq!(failure.code, 2);
        assert!(failure.to_string().contains(part), "{failure}");
    }
}
