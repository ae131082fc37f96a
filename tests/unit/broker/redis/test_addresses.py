import ssl
from pathlib import Path

import pytest

from vagus.broker.redis.addresses import options_from
from vagus.settings.tree import REDIS_SCHEMES


def test_a_host_alone_is_enough() -> None:
    options = options_from("redis://cache")
    assert (options.kind, options.addresses, options.database) == ("single", (("cache", 6379),), 0)
    assert (options.user, options.password, options.tls) == ("", "", None)


def test_user_password_port_and_database_are_read() -> None:
    options = options_from("redis://hub:s%2Fe%40c%3A1@10.0.0.1:6380/3", timeout_s=1.5)
    assert (options.user, options.password) == ("hub", "s/e@c:1")
    assert (options.addresses, options.database, options.timeout_s) == ((("10.0.0.1", 6380),), 3, 1.5)


def test_a_password_may_be_without_a_user() -> None:
    options = options_from("valkey://:secret@cache")
    assert (options.user, options.password) == ("", "secret")


def test_an_ipv6_host_is_in_brackets() -> None:
    assert options_from("redis://[::1]:7000").addresses == (("::1", 7000),)
    assert options_from("redis://[fe80::1]/2").addresses == (("fe80::1", 6379),)


def test_sentinels_name_their_master_and_a_database() -> None:
    options = options_from("redis+sentinel://:pw@h1:26380,h2/orders/1?sentinel_user=s&sentinel_password=p%26q")
    assert (options.kind, options.addresses) == ("sentinel", (("h1", 26380), ("h2", 26379)))
    assert (options.master, options.database, options.password) == ("orders", 1, "pw")
    assert (options.sentinel_user, options.sentinel_password) == ("s", "p&q")


def test_a_cluster_names_some_of_its_nodes() -> None:
    options = options_from("redis+cluster://h1:7000,h2:7001")
    assert (options.kind, options.addresses) == ("cluster", (("h1", 7000), ("h2", 7001)))


@pytest.mark.parametrize("scheme", REDIS_SCHEMES)
def test_every_scheme_that_the_settings_take_is_understood(scheme: str) -> None:
    path = "/orders" if scheme.endswith("sentinel") else ""
    options = options_from(f"{scheme}://cache{path}")
    secure = scheme.partition("+")[0] in ("rediss", "valkeys")
    assert isinstance(options.tls, ssl.SSLContext) is secure


def test_certificates_and_host_names_are_verified() -> None:
    tls = options_from("rediss://cache").tls
    assert tls is not None
    assert (tls.verify_mode, tls.check_hostname) == (ssl.CERT_REQUIRED, True)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://cache", "begins with redis://"),
        ("redis:cache", "begins with redis://"),
        ("redisss://cache", "begins with redis://"),
        ("redis+other://cache", "begins with redis://"),
        ("redis://", "names a host"),
        ("redis://:secret@", "names a host"),
        ("redis://a,b", "names one host"),
        ("redis://a:port", "is name:port"),
        ("redis://a:70000", "is name:port"),
        ("redis://::1", "is name:port"),
        ("redis://a b", "is name:port"),
        ("redis://cache/first", "is a number"),
        ("redis://secret@cache", "needs a password"),
        ("redis://cache?db=1", "after the [?]"),
        ("redis+cluster://a/1", "database 0 only"),
        ("redis+sentinel://a", "name of the master"),
        ("redis+sentinel://a/m/x", "is a number"),
        ("redis+sentinel://a/m?sentinel_pass=secret", "after the [?]"),
        ("redis://us:secret@ca@che:x", "is name:port"),
    ],
)
def test_what_is_no_url_of_redis_is_refused_without_telling_secrets(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        options_from(url)
    assert "secret" not in str(refused.value)


def test_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    with pytest.raises(ValueError, match=r"broken\.pem cannot be read"):
        options_from("rediss://cache", ca_file=str(broken))
    with pytest.raises(ValueError, match=r"certificate .*missing\.pem and its key cannot be read"):
        options_from("rediss://cache", cert_file=str(tmp_path / "missing.pem"))
