"""Settings: where values come from, which beats which, and every way of being wrong."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.kernel.limits import Limits
from vagus.kernel.rates import Rate
from vagus.settings import Loaded, Option, Settings, SettingsError, load, options
from vagus.settings.describing import field_docs
from vagus.settings.fusion import HttpJsonSource, JsonFileSource
from vagus.settings.sources import LEGACY, OTHERS
from vagus.settings.tree import Tokens


def from_file(folder: Path, text: str, environment: dict[str, str] | None = None) -> Loaded:
    file = folder / "vagus.toml"
    file.write_text(text)
    return load(file=file, environment=environment)


def problems(**sources: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(**sources)  # type: ignore[arg-type]
    return str(caught.value).splitlines()


def problems_of_file(folder: Path, text: str) -> list[str]:
    file = folder / "vagus.toml"
    file.write_text(text)
    return [line.removeprefix(f"{file}: ") for line in problems(file=file)]


def test_without_sources_all_defaults_hold() -> None:
    assert load().settings == Settings()


def test_the_environment_beats_the_file_and_flags_beat_both(tmp_path: Path) -> None:
    file = tmp_path / "vagus.toml"
    file.write_text('[server]\nport = 1\nhost = "::1"\ndata_dir = "a"')
    variables = {"VAGUS_SERVER__PORT": "2", "VAGUS_SERVER__HOST": "localhost"}
    server = load(file=file, environment=variables, flags={"server": {"port": 3, "host": None}}).settings.server
    assert (server.port, server.host, server.data_dir) == (3, "localhost", "a")


def test_a_file_fills_tables_lists_of_tables_and_tables_below_tables(tmp_path: Path) -> None:
    text = """
        [limits]
        queue_bytes = 1000
        commands = { per_s = 10, burst = 20 }
        [[channels]]
        pattern = "orders:{id}"
        history = { size = 10, hours = 1 }
        subscribe = ["user"]
        [[keys]]
        name = "billing"
        secret = "s"
        scopes = ["publish"]
    """
    settings = from_file(tmp_path, text).settings
    assert settings.limits == Limits(queue_bytes=1000, commands=Rate(10, 20))
    assert settings.channels[0].history is not None
    assert settings.channels[0].history.ttl_s == 3600
    assert settings.keys[0].scopes == {"publish"}


def test_variables_are_read_as_their_options_type() -> None:
    variables = {
        "VAGUS_ACCESS__ORIGINS": "https://a.example, https://b.example",
        "VAGUS_ACCESS__PROXIES": '["10.0.0.0/8"]',
        "VAGUS_ACCESS__ALLOW_ANONYMOUS": "true",
        "VAGUS_TOKENS__LEEWAY_S": "1.5",
        "VAGUS_TOKENS__HMAC_SECRET": "12345",
        "VAGUS_LIMITS__COMMANDS__PER_S": "3",
        "VAGUS_LIMITS__COMMANDS__BURST": "4",
        "VAGUS_CHANNELS": '[{"pattern": "news"}]',
    }
    settings = load(environment=variables).settings
    assert settings.access.origins == ("https://a.example", "https://b.example")
    assert settings.access.proxies == ("10.0.0.0/8",)
    assert settings.access.allow_anonymous
    assert (settings.tokens.leeway_s, settings.tokens.hmac_secret) == (1.5, "12345")
    assert settings.limits.commands == Rate(3, 4)
    assert settings.channels[0].pattern == "news"


def test_everything_wrong_is_told_at_once_each_on_a_line_with_its_source(tmp_path: Path) -> None:
    file = tmp_path / "vagus.toml"
    file.write_text(
        'nothing = 1\n[server]\nprot = 1\n[limits]\nqueue_bytes = 0\n[[channels]]\npatternn = "x"\n[broker]\nurl = "amqp://h"'
    )
    assert problems(file=file, environment={"VAGUS_SERVER__PORT": "x", "VAGUS_SERVR__PORT": ""}) == [
        "VAGUS_SERVR__PORT: is not a setting; did you mean VAGUS_SERVER__PORT?",
        f"{file}: nothing: is not a setting",
        f"{file}: server.prot: is not a setting; did you mean port?",
        "VAGUS_SERVER__PORT: server.port: expected int, got str",
        f"{file}: limits.queue_bytes: must be above 0",
        f"{file}: channels[0].patternn: is not a setting; did you mean pattern?",
        f"{file}: channels[0].pattern: is needed",
        f"{file}: broker.url: must be memory:// or begin with redis://, rediss://, redis+sentinel:// or redis+cluster://",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("server = 1", "server: must be a table"),
        ("[server.port]\nx = 1", "server.port: is not a table"),
        ("[server]\nport = 70000", "server.port: expected int <= 65535"),
        ("[server]\nport = '1'", "server.port: expected int, got str"),
        ("[server]\nlog_level = 'loud'", "server.log_level: must be one of debug, info, warning, error"),
        ("[server]\nlog_format = 'xml'", "server.log_format: must be one of auto, console, json"),
        ("[server]\nshutdown_s = 0", "server.shutdown_s: expected float > 0.0"),
        (
            "[server]\nhost = '0.0.0.0'\n[access]\ninsecure = true",
            "server.host: an insecure server listens on loopback only, not on 0.0.0.0",
        ),
        ("[broker]\nprefix = 'a b'", "broker.prefix: expected str matching regex '^[A-Za-z0-9_.-]{1,64}$'"),
        ("[server]\nworkers = 2", "server.workers: more than one worker needs Redis: set broker.url"),
        ("[store]\nurl = 'mysql://x'", "store.url: must begin with sqlite:/// or postgresql://"),
        (
            "[subscription_tokens]\nissuer = 'x'",
            "subscription_tokens: needs a key: hmac_secret, a public key or jwks_url",
        ),
        ("[[keys]]\nname = 'a'", "keys[0]: needs either hash or secret"),
        ("[[keys]]\nname = 'a'\nhash = 'x'\nsecret = 'y'", "keys[0]: needs either hash or secret"),
        ("[[keys]]\nname = ''\nhash = 'x'", "keys[0].name: expected str of length >= 1"),
        ("keys = 3", "keys: must be a list of tables"),
        ("channels = [3]", "channels[0]: must be a table"),
        ("[[channels]]\npattern = '{'", "channels[0].pattern: a place is written {name}, in lower case"),
        ("[[channels]]\npattern = 'a'\nrecovery = 'cache'", "channels[0].recovery: cache needs history"),
        ("[[channels]]\npattern = 'a'\n[[channels]]\npattern = 'a'", "channels[1].pattern: 'a' has a rule already"),
        ("[limits]\npong_timeout_s = 60", "limits.pong_timeout_s: must be above 0 and below ping_interval_s"),
        (
            "[limits.commands]\nper_s = 0\nburst = 1",
            "limits.commands: a rate needs per_s above 0 and burst of at least 1",
        ),
        ("[websocket]\ncompression_level = 12", "websocket.compression_level: expected int <= 9"),
        ("[api]\nerror_mode = 'x'", "api.error_mode: must be one of result, transport"),
        ("[api]\nmetrics = 'x'", "api.metrics: must be one of local, key, public"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path(tmp_path: Path, text: str, problem: str) -> None:
    assert problems_of_file(tmp_path, text) == [problem]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "absent.toml"
    assert problems(file=file) == [f"{file}: cannot be read: No such file or directory"]


def test_a_file_that_is_not_toml_is_refused_with_the_place(tmp_path: Path) -> None:
    assert problems_of_file(tmp_path, "[server")[0].startswith("is not TOML: ")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "vagus.toml"
    file.write_bytes(b"\xff\xfe[")
    assert problems(file=file) == [f"{file}: is not UTF-8"]


def test_an_unknown_variable_is_refused_with_what_was_meant() -> None:
    assert problems(environment={"VAGUS_SERVER__PROT": "1"}) == [
        "VAGUS_SERVER__PROT: is not a setting; did you mean VAGUS_SERVER__PORT?"
    ]


def test_variables_of_the_command_line_and_of_others_are_left_alone() -> None:
    variables = dict.fromkeys(OTHERS, "x") | {"PATH": "/bin", "VAGUSTIME": "1"}
    assert load(environment=variables).settings == Settings()


def test_a_list_of_tables_in_a_variable_that_is_not_json_is_refused() -> None:
    assert problems(environment={"VAGUS_CHANNELS": "[{"})[0].startswith("VAGUS_CHANNELS: channels: ")


def test_a_flag_is_named_in_its_problem() -> None:
    assert problems(flags={"server": {"log_level": "loud"}}) == [
        "--log-level: server.log_level: must be one of debug, info, warning, error"
    ]


def test_a_problem_of_several_values_names_all_their_sources(tmp_path: Path) -> None:
    file = tmp_path / "vagus.toml"
    file.write_text("[limits]\nping_interval_s = 5")
    found = problems(file=file, environment={"VAGUS_LIMITS__CHANNELS": "7"})
    assert found[0].startswith(f"{file}, VAGUS_LIMITS__CHANNELS: limits.pong_timeout_s: ")


def test_the_source_of_a_value_can_be_asked_for() -> None:
    loaded = load(environment={"VAGUS_SERVER__PORT": "1", "VAGUS_CHANNELS": '[{"pattern": "a"}]'})
    assert loaded.source_of("server.port") == "VAGUS_SERVER__PORT"
    assert loaded.source_of("channels[0].pattern") == "VAGUS_CHANNELS"
    assert loaded.source_of("server") == "VAGUS_SERVER__PORT"
    assert loaded.source_of("tokens.issuer") == ""


# the variables of other systems


def test_the_old_variables_work() -> None:
    variables = {
        "WEBSOCKET_ENABLED": "false",
        "WEBSOCKET_PORT": "9000",
        "WEBSOCKET_MAX_CONNECTIONS": "5000",
        "WEBSOCKET_HEARTBEAT_INTERVAL": "30000",
        "WEBSOCKET_CONNECTION_TIMEOUT": "40",
    }
    settings = load(environment=variables).settings
    assert (settings.websocket.enabled, settings.server.port, settings.limits.connections) == (False, 9000, 5000)
    assert (settings.limits.ping_interval_s, settings.limits.pong_timeout_s) == (30, 10)


def test_without_the_old_variables_connections_have_no_bound() -> None:
    assert load(environment={}).settings.limits.connections == 0


def test_a_long_old_timeout_is_cut_so_that_one_ping_is_outstanding() -> None:
    variables = {"WEBSOCKET_HEARTBEAT_INTERVAL": "30000", "WEBSOCKET_CONNECTION_TIMEOUT": "300"}
    limits = load(environment=variables).settings.limits
    assert limits.ping_interval_s == 30
    assert limits.pong_timeout_s == 27


def test_a_short_old_heartbeat_takes_the_timeout_with_it() -> None:
    limits = load(environment={"WEBSOCKET_HEARTBEAT_INTERVAL": "5000"}).settings.limits
    assert (limits.ping_interval_s, limits.pong_timeout_s) == (5, 4.5)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("WEBSOCKET_PORT", "x", "WEBSOCKET_PORT: server.port: expected int, got str"),
        ("WEBSOCKET_HEARTBEAT_INTERVAL", "x", "WEBSOCKET_HEARTBEAT_INTERVAL: expected float, got str"),
        ("WEBSOCKET_HEARTBEAT_INTERVAL", "0", "WEBSOCKET_HEARTBEAT_INTERVAL: must be above 0"),
        (
            "WEBSOCKET_CONNECTION_TIMEOUT",
            "25",
            "WEBSOCKET_CONNECTION_TIMEOUT: must be more than the heartbeat interval, 25 s",
        ),
    ],
)
def test_a_wrong_old_variable_is_refused(name: str, value: str, problem: str) -> None:
    assert problems(environment={name: value}) == [problem]


def test_a_variable_of_ours_beats_an_old_one() -> None:
    assert load(environment={"WEBSOCKET_PORT": "1", "VAGUS_SERVER__PORT": "2"}).settings.server.port == 2


# secrets


def test_secrets_are_masked_when_settings_are_printed() -> None:
    variables = {
        "VAGUS_TOKENS__HMAC_SECRET": "hush-1",
        "VAGUS_TOKENS__HMAC_PREVIOUS_SECRET": "hush-2",
        "VAGUS_SUBSCRIPTION_TOKENS__HMAC_SECRET": "hush-3",
        "VAGUS_KEYS": '[{"name": "a", "secret": "hush-4"}]',
    }
    settings = load(environment=variables).settings
    assert "hush" not in repr(settings)
    assert settings.tokens.hmac_secret == "hush-1"


@pytest.mark.parametrize("name", ["VAGUS_BROKER__URL", "VAGUS_STORE__URL"])
def test_a_refused_address_does_not_show_its_password(name: str) -> None:
    assert "hush" not in "".join(problems(environment={name: "amqp://user:hush@host"}))


def test_a_secret_of_the_wrong_type_is_not_repeated() -> None:
    assert "4711" not in "".join(problems(environment={"VAGUS_KEYS": '[{"name": "a", "secret": 4711}]'}))


# what is described


def test_every_option_says_what_it_means_or_has_a_name_that_does() -> None:
    silent = {option.path for option in options() if not option.doc and not option.path.startswith("limits.")}
    assert silent == {"keys", "channels"}


def test_descriptions_are_read_from_below_the_fields() -> None:
    assert field_docs(Tokens)["leeway_s"] == "How far clocks may differ."


def test_every_old_variable_stands_for_an_option() -> None:
    assert {legacy.path for legacy in LEGACY} <= {option.path for option in options()}


@pytest.mark.parametrize("option", options(), ids=lambda option: option.path)
def test_every_options_variable_reaches_it(option: Option) -> None:
    try:
        loaded = load(environment={option.variable: "1"})
    except SettingsError as error:  # not every option takes a 1, and some need others beside them
        assert all("is not a setting" not in problem.text for problem in error.problems)
    else:
        assert loaded.source_of(option.path) == option.variable


# properties

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70000) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "server",
                    "port",
                    "limits",
                    "commands",
                    "channels",
                    "pattern",
                    "keys",
                    "name",
                    "history",
                    "x",
                    "tokens",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*Settings.__struct_fields__, "x"]), _JSON, max_size=5))
def test_whatever_is_given_becomes_settings_or_problems_with_their_source(tree: dict[str, object]) -> None:
    flags = {name: value if isinstance(value, dict) else {"x": value} for name, value in tree.items()}
    try:
        assert isinstance(load(flags=flags).settings, Settings)
    except SettingsError as error:
        assert all(problem.source.startswith("--") for problem in error.problems if "needed" not in problem.text)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "VAGUS_SERVER__PORT": st.integers(0, 65535).map(str),
            "VAGUS_SERVER__DEMO": st.sampled_from(["true", "false", "1", "0"]),
            "VAGUS_LIMITS__QUEUE_BYTES": st.integers(1, 2**40).map(str),
            "VAGUS_TOKENS__HMAC_SECRET": st.text(min_size=1),
            "VAGUS_TOKENS__LEEWAY_S": st.floats(0, 1e6).map(repr),
        },
    )
)
def test_what_settings_say_survives_a_round_through_a_file(variables: dict[str, str]) -> None:
    settings = load(environment=variables).settings
    table = msgspec.to_builtins(settings)
    sections = {name: value for name, value in table.items() if isinstance(value, dict)}
    assert load(flags=sections).settings == settings


SOURCES = """
    [fusion]
    interval_s = 5
    [[fusion.sources]]
    kind = "json_file"
    name = "orders"
    path = "orders.json"
    fields = [{ name = "open", select = "$.open", unit = "orders" }]
    [[fusion.sources]]
    kind = "http_json"
    name = "shop"
    url = "https://shop.example/api"
    headers = { Authorization = "Bearer hidden" }
"""


def test_sources_are_tables_of_the_kind_that_they_name(tmp_path: Path) -> None:
    orders, shop = from_file(tmp_path, SOURCES).settings.fusion.sources
    assert isinstance(orders, JsonFileSource)
    assert (orders.fields[0].name, orders.fields[0].unit) == ("open", "orders")
    assert isinstance(shop, HttpJsonSource)
    assert shop.headers == {"Authorization": "Bearer hidden"}
    assert "hidden" not in repr(shop)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("path = 'a'\nname = 'b'", "fusion.sources[0].kind: is needed"),
        (
            "kind = 'xml'\nname = 'b'",
            "fusion.sources[0].kind: must be one of json_file, json_list, log_file, http_json",
        ),
        ("kind = 5\nname = 'b'", "fusion.sources[0].kind: must be one of json_file"),
        ("kind = 'json_file'\nname = 'b'", "fusion.sources[0].path: is needed"),
        ("kind = 'json_file'\nname = 'b'\npth = 'c'", "fusion.sources[0].pth: is not a setting; did you mean path?"),
        ("kind = 'json_file'\nname = 'b-c'\npath = 'c'", "fusion.sources[0].name: expected str matching regex"),
        ("kind = 'json_file'\nname = 'b'\npath = 'c'\nfields = [{}]", "fusion.sources[0].fields[0].name: is needed"),
        (
            "kind = 'sql'\nname = 'b'\nurl = 'mysql://x'\nquery = 'x'",
            "fusion.sources[0].url: expected str matching regex",
        ),
    ],
)
def test_what_is_wrong_with_a_source_is_told_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    assert any(line.startswith(problem) for line in problems_of_file(tmp_path, f"[[fusion.sources]]\n{text}"))


def test_a_source_that_is_no_table_is_told(tmp_path: Path) -> None:
    assert problems_of_file(tmp_path, "[fusion]\nsources = ['x']") == ["fusion.sources[0]: must be a table"]
