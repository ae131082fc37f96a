"""Tokens from the command line are believed by a server with the same configuration."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from vagus.server.folder import TOKEN_SECRET, DataFolder

from .conftest import Run


def checked(run: Run, token: str, *options: str) -> dict[str, Any]:
    ran = run("token", *options, "check", "--json", token)
    assert ran.code == 0, ran.err
    answer: dict[str, Any] = json.loads(ran.out)
    return answer


def test_a_token_says_what_was_asked_for(run: Run) -> None:
    options = ("--role", "operator", "--role", "viewer", "--info", '{"name": "Ada"}', "--ttl", "1h")
    claims = checked(run, run("token", "--user", "42", *options).out.strip())
    assert (claims["kind"], claims["user"], claims["info"]) == ("connection", "42", {"name": "Ada"})
    assert sorted(claims["roles"]) == ["operator", "viewer"]
    assert 3590 < claims["exp"] - time.time() <= 3600


def test_without_configuration_the_data_folders_secret_is_made(run: Run, empty_folder: Path) -> None:
    token = run("token", "--user", "42").out.strip()
    assert DataFolder(empty_folder / "vagus-data").read(TOKEN_SECRET)
    assert checked(run, token)["user"] == "42"


def test_a_token_may_last_for_ever(run: Run) -> None:
    assert "exp" not in checked(run, run("token", "--user", "42", "--ttl", "never").out.strip())


def test_a_subscription_token_names_its_channel(run: Run) -> None:
    claims = checked(run, run("token", "--user", "42", "--channel", "$orders:7").out.strip())
    assert (claims["kind"], claims["channel"], claims["user"]) == ("subscription", "$orders:7", "42")


def test_what_the_server_expects_of_a_token_is_in_it(run: Run, empty_folder: Path) -> None:
    (empty_folder / "vagus.toml").write_text(
        '[tokens]\nhmac_secret = "a"\naudience = "live"\nissuer = "us"\n[subscription_tokens]\nhmac_secret = "b"'
    )
    claims = checked(run, run("token", "--user", "42").out.strip())
    assert (claims["aud"], claims["iss"]) == (["live"], "us")
    assert checked(run, run("token", "--user", "42", "--channel", "c").out.strip())["channel"] == "c"
    assert not (empty_folder / "vagus-data").exists()


def test_a_token_is_shown_with_its_time_in_words(run: Run) -> None:
    ran = run("token", "check", run("token", "--user", "42").out.strip())
    assert ran.out.startswith("a good connection token\n")
    assert "+00:00" in ran.out


def test_json_tells_a_program_when_it_ends(run: Run) -> None:
    made = json.loads(run("token", "--user", "42", "--json").out)
    assert made["token"].count(".") == 2
    assert made["expires_at"] > time.time()


@pytest.mark.parametrize("token", ["x", "a.b.c"])
def test_a_token_that_is_not_believed_is_code_1(run: Run, token: str) -> None:
    run("token", "--user", "42")
    ran = run("token", "check", token)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("vagus: not believed: ")


def test_a_token_of_another_secret_is_not_believed(run: Run) -> None:
    token = run("token", "--data-dir", "one", "--user", "42").out.strip()
    run("token", "--data-dir", "two", "--user", "42")
    assert run("token", "--data-dir", "two", "check", token).err == (
        "vagus: not believed: the signature does not match\n"
    )


def test_the_folder_of_a_check_may_be_named_on_either_side_of_its_name(run: Run, empty_folder: Path) -> None:
    token = run("token", "--data-dir", "one", "--user", "42").out.strip()
    (empty_folder / "my.toml").write_text('[server]\ndata_dir = "one"')
    for arguments in (
        ("token", "--data-dir", "one", "check", token),
        ("token", "check", "--data-dir", "one", token),
        ("token", "--config", "my.toml", "check", token),
        ("token", "check", "--config", "my.toml", token),
    ):
        ran = run(*arguments)
        assert ran.out.startswith("a good connection token\n"), ran.err


def test_a_check_where_no_secret_is_says_so(run: Run, empty_folder: Path) -> None:
    ran = run("token", "check", "x")
    assert (ran.code, "there is no secret in vagus-data" in ran.err) == (2, True)
    assert list(empty_folder.iterdir()) == []


def test_a_secret_that_is_empty_is_not_taken_for_none(run: Run, empty_folder: Path) -> None:
    run("token", "--user", "42")
    (empty_folder / "vagus-data" / TOKEN_SECRET).write_text("\n")
    for arguments in (("--user", "42"), ("check", "x")):
        ran = run("token", *arguments)
        assert ran.code == 1
        assert ran.err.startswith("vagus: data folder vagus-data: token_secret is empty: restore it from a backup, or")


def test_a_user_is_needed(run: Run) -> None:
    ran = run("token")
    assert (ran.code, ran.err) == (2, "vagus: token: --user is needed (an empty one is anonymous)\n")


def test_a_subscription_token_has_no_roles(run: Run) -> None:
    assert run("token", "--user", "1", "--channel", "c", "--role", "admin").code == 2


def test_where_only_public_keys_are_configured_no_token_can_be_made(run: Run, empty_folder: Path) -> None:
    (empty_folder / "vagus.toml").write_text('[tokens]\njwks_url = "https://example.com/jwks"')
    ran = run("token", "--user", "42")
    assert (ran.code, "tokens come from your issuer" in ran.err) == (2, True)


def test_a_data_folder_that_cannot_be_used_is_named(run: Run, empty_folder: Path) -> None:
    (empty_folder / "vagus-data").write_text("")
    ran = run("token", "--user", "42")
    assert (ran.code, ran.err) == (1, "vagus: data folder vagus-data: Not a directory\n")
