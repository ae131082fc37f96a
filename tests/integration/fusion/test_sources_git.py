"""Commits of a real git repository."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import pytest

from vagus.apps.fusion.sources import SourceError
from vagus.apps.fusion.sources.fence import Fence
from vagus.apps.fusion.sources.making import Surroundings, source_of
from vagus.apps.fusion.values import checked
from vagus.settings.fusion import GitActivitySource

DAY_S = 86_400


class Repository:
    def __init__(self, folder: Path, git: Path) -> None:
        self._git, self.folder = str(git), folder
        folder.mkdir()
        self.run("init", "-q", "-b", "main")

    def run(self, *arguments: str, at: float = 0) -> None:
        identity = {
            f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        dates = {"GIT_AUTHOR_DATE": f"{at:.0f} +0000", "GIT_COMMITTER_DATE": f"{at:.0f} +0000"} if at else {}
        subprocess.run([self._git, *arguments], cwd=self.folder, env=os.environ | identity | dates, check=True)

    def commit(self, subject: str, at: float) -> None:
        self.run("commit", "-q", "--allow-empty", "-m", subject, at=at)

    async def collect(self, branch: str = "HEAD") -> dict[str, object]:
        around = Surroundings(self.folder.parent)
        return await collected(GitActivitySource(name="code", path=self.folder.name, branch=branch), around)


async def collected(settings: GitActivitySource, around: Surroundings, fence: Fence | None = None) -> dict[str, object]:
    source = source_of(settings, around, fence)
    try:
        return dict(checked(source.terms.fields, (await source.collect()).values))
    finally:
        await around.close()


@pytest.fixture
def repository(tmp_path: Path, installed_program: Callable[[str], Path]) -> Repository:
    return Repository(tmp_path / "code", installed_program("git"))


async def test_commits_of_the_last_day_and_week_are_counted(repository: Repository) -> None:
    now = int(time.time())
    for days in (20, 5, 3, 0.5):
        repository.commit(f"{days} days ago", now - days * DAY_S)
    assert await repository.collect() == {
        "codeCommitsDay": 1,
        "codeCommitsWeek": 3,
        "codeLastCommit": (now - DAY_S // 2) * 1000,
        "codeLastSubject": "0.5 days ago",
    }


async def test_a_repository_without_commits_has_none(repository: Repository) -> None:
    assert await repository.collect() == {
        "codeCommitsDay": 0, "codeCommitsWeek": 0, "codeLastCommit": None, "codeLastSubject": None
    }  # fmt: skip


async def test_another_branch_can_be_counted_and_one_that_is_not_there_is_said(repository: Repository) -> None:
    repository.commit("here", time.time())
    repository.run("branch", "release/1.0")
    assert (await repository.collect(branch="release/1.0"))["codeCommitsDay"] == 1
    with pytest.raises(SourceError, match="has no branch nowhere"):
        await repository.collect(branch="nowhere")


async def test_a_folder_that_is_no_repository_is_said(repository: Repository, tmp_path: Path) -> None:
    other = Surroundings(tmp_path)
    (tmp_path / "plain").mkdir()
    with pytest.raises(SourceError, match="is not a git repository"):
        await source_of(GitActivitySource(name="code", path="plain"), other).collect()
    with pytest.raises(SourceError, match="is not there, or no folder"):
        await source_of(GitActivitySource(name="code", path="gone"), other).collect()
    await other.close()


async def test_what_a_repository_says_that_git_should_run_is_not_run(repository: Repository, tmp_path: Path) -> None:
    script = tmp_path / "evil"
    script.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    script.chmod(0o755)
    repository.commit("here", time.time())
    for name in ("core.fsmonitor", "core.pager", "pager.log", "gpg.program", "log.showSignature"):
        repository.run("config", name, "true" if name == "log.showSignature" else str(script))
    assert (await repository.collect())["codeCommitsDay"] == 1
    assert not (tmp_path / "ran").exists()


async def test_a_source_from_the_network_finds_no_repository_above_the_fence(repository: Repository) -> None:
    repository.commit("inside", time.time())
    (repository.folder / "data" / "deep").mkdir(parents=True)
    for folder, is_inside in ((repository.folder, True), (repository.folder / "data", False)):
        around = Surroundings(folder)
        deep = (repository.folder / "data" / "deep").relative_to(folder)
        source = GitActivitySource(name="code", path=str(deep))
        assert (await collected(source, around))["codeLastSubject"] == "inside"
        with nullcontext() if is_inside else pytest.raises(SourceError, match="is not a git repository"):
            assert (await collected(source, around, around.fence))["codeLastSubject"] == "inside"
