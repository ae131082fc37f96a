"""The fence around sources from the network: the server's own files stay its own, by whatever name they go."""

import contextlib
import os
import sqlite3
from pathlib import Path

import msgspec
import pytest

from tests.unit.apps.fusion.sources.folders import Folder
from vagus.apps.fusion.sources import Source, SourceError
from vagus.apps.fusion.sources.fence import Fence
from vagus.apps.fusion.sources.making import Surroundings, source_of
from vagus.apps.fusion.sources.postgresql import has_password
from vagus.settings.fusion import SourceSettings

SECRET = "[1, 2, 3]"


@pytest.fixture
def own(folder: Folder) -> Folder:
    """A folder with a secret and a database of the server's."""
    folder.write("token_secret", SECRET)
    with contextlib.closing(sqlite3.connect(folder.path / "vagus.db")) as connection:
        connection.execute("CREATE TABLE vagus_settings (value TEXT)")
    names = ("token_secret", "vagus.db", "vagus.toml")
    folder.around = Surroundings(folder.path, [folder.path / name for name in names])
    return folder


def settings_of(**options: object) -> SourceSettings:
    found: SourceSettings = msgspec.convert({"name": "peek", **options}, SourceSettings)
    return found


def fenced(folder: Folder, **options: object) -> Source:
    return source_of(settings_of(**options), folder.around, folder.around.fence)


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "json_file", "path": "token_secret"},
        {"kind": "json_file", "path": "Token_Secret"},
        {"kind": "json_list", "path": "a/../token_secret"},
        {"kind": "log_file", "path": "vagus.db-wal"},
        {"kind": "log_file", "path": "vagus.toml~"},
        {"kind": "sql", "url": "sqlite:///./VAGUS.db", "query": "SELECT 1"},
        {"kind": "http_json", "url": "https://host/", "ca_file": "token_secret"},
    ],
    ids=str,
)
def test_what_is_named_like_a_file_of_the_servers_own_is_refused(own: Folder, options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^(path|url|ca_file): .* is the server's own"):
        fenced(own, **options)


@pytest.mark.parametrize("link", [os.symlink, os.link])
@pytest.mark.parametrize("kind", ["json_file", "log_file"])
async def test_a_link_to_a_file_of_the_servers_own_is_not_followed(own: Folder, kind: str, link: object) -> None:
    assert callable(link)
    link(own.path / "token_secret", own.path / "innocent.json")
    source = fenced(own, kind=kind, path="innocent.json", **({"pattern": "(?P<x>.+)"} if kind == "log_file" else {}))
    with pytest.raises(SourceError, match="leads to a file of the server's own"):
        await source.collect()
    await source.close()


@pytest.mark.parametrize("link", [os.symlink, os.link])
async def test_a_link_to_the_servers_own_database_is_not_followed(own: Folder, link: object) -> None:
    assert callable(link)
    link(own.path / "vagus.db", own.path / "shop.db")
    source = fenced(own, kind="sql", url="sqlite:///shop.db", query="SELECT count(*) FROM vagus_settings")
    with pytest.raises(SourceError, match="leads to a file of the server's own"):
        await source.collect()


async def test_a_file_that_becomes_a_link_is_looked_at_again(own: Folder) -> None:
    own.write("orders.json", "[1]")
    source = fenced(own, kind="json_file", path="orders.json")
    assert (await source.collect()).values == {"peek": 1}
    (own.path / "orders.json").unlink()
    (own.path / "orders.json").symlink_to("token_secret")
    with pytest.raises(SourceError, match="leads to a file of the server's own"):
        await source.collect()


async def test_a_link_to_any_other_file_is_followed(own: Folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "orders.json"
    elsewhere.write_text("[1, 2]")
    (own.path / "orders.json").symlink_to(elsewhere)
    assert (await fenced(own, kind="json_file", path="orders.json").collect()).values == {"peek": 2}


def test_a_folder_that_is_called_like_a_file_of_the_servers_own_is_none(tmp_path: Path) -> None:
    Fence(tmp_path / "vagus-data", [tmp_path / "vagus"]).check(settings_of(kind="json_file", path="orders.json"))


async def test_what_the_configuration_names_is_read_wherever_it_is(own: Folder) -> None:
    assert (await own.source(kind="json_file", name="peek", path="token_secret").collect()).values == {"peek": 3}


def test_in_a_folder_that_is_everything_a_process_finds_nothing_of_its_own() -> None:
    fence = Fence(Path("/"))
    fence.check(settings_of(kind="json_file", path="srv/orders.json"))
    for path in ("proc/self/environ", "/proc/self/fd/3"):
        with pytest.raises(ValueError, match=r"path: .* is the server's own"):
            fence.check(settings_of(kind="log_file", path=path))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="this system has no /proc")
def test_what_a_process_has_open_is_found_under_no_number(own: Folder) -> None:
    with (own.path / "token_secret").open() as opened:
        for target in (f"/proc/self/fd/{opened.fileno()}", "/proc/self/environ"):
            (own.path / "link").unlink(missing_ok=True)
            (own.path / "link").symlink_to(target)
            with pytest.raises(SourceError, match="leads to a file of the server's own"):
                own.around.fence.check_target(own.path / "link")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///shop",
        "postgresql://ada@/shop?host=/var/run/postgresql",
        "postgresql://ada:secret@%2Fvar%2Frun%2Fpostgresql/shop",
        "postgresql://ada@db.example/shop?passfile=/home/ada/.pgpass",
        "postgresql://ada@db.example/shop?service=own",
    ],
)
def test_a_database_is_not_asked_in_the_name_of_the_servers_user(folder: Folder, url: str) -> None:
    with pytest.raises(ValueError, match=r"^url: .* for the server's configuration"):
        folder.around.fence.check(settings_of(kind="sql", url=url, query="SELECT 1"))
    source_of(settings_of(kind="sql", url=url, query="SELECT 1"), folder.around)


@pytest.mark.parametrize(
    ("url", "has_one"),
    [
        ("postgresql://ada:secret@db.example/shop", True),
        ("postgresql://ada@db.example/shop?password=secret", True),
        ("postgresql://ada@db.example/shop?sslmode=require", False),
    ],
)
def test_a_database_of_a_host_may_be_asked(folder: Folder, url: str, *, has_one: bool) -> None:
    fenced(folder, kind="sql", url=url, query="SELECT 1")
    assert has_password(url) is has_one
