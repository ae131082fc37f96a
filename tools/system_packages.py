"""Installs the programs of the operating system that the tests use, where that is allowed.

An installed one is left alone. What is missing comes from Debian's or Ubuntu's packages when this runs as root and
apt-get exists; otherwise it is named, and the tests that need it skip (or, in CI, fail: tests/conftest.py decides).
The table below is the one place that says which programs the tests need and where they are.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Program to look for -> packages that bring it. A font comes along so that screenshots have letters.
PACKAGES = {
    "chromium": ("chromium", "fonts-dejavu-core"),
    "redis-server": ("redis-server",),
    "initdb": ("postgresql",),
    "nginx": ("nginx",),
    "haproxy": ("haproxy",),
}


def program_path(name: str) -> Path | None:
    """Find a program on PATH, beside this Python, or where Debian keeps servers; None where it is not."""
    folders = [os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent), "/usr/sbin"]
    folders += sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    found = shutil.which(name, path=os.pathsep.join(folders))
    return Path(found) if found else None


def main() -> None:
    """Install what is missing, and say what stays missing and what that means."""
    missing = [name for name in PACKAGES if program_path(name) is None]
    if missing and _may_install():
        _install([package for name in missing for package in PACKAGES[name]])
        missing = [name for name in missing if program_path(name) is None]
    if missing:
        fate = "FAIL, as this is CI" if os.environ.get("CI") else "are SKIPPED"
        print(f"!! not on this machine: {', '.join(missing)}. Tests that need them {fate}.", flush=True)


def _may_install() -> bool:
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(packages: list[str]) -> None:
    """Try one apt-get run; its failure is no error here, as what is still missing is named afterwards."""
    print(f"== installing {' '.join(packages)}", flush=True)
    # RUNLEVEL=1 keeps the packages' scripts from starting the servers: the tests start their own.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", "-o", "DPkg::Lock::Timeout=300", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=False,
        )


if __name__ == "__main__":
    main()
