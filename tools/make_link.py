"""What `make link` runs: prints a link to sign in with at the server that runs here, or says what is missing.

It takes the folder of the server's data, if that is not where the configuration says.
"""

import subprocess
import sys
from typing import Final

from vagus.cli.faults import ConfigurationError
from vagus.cli.surroundings import Surroundings
from vagus.server.folder import answers

ELSEWHERE: Final = "if its data is elsewhere, name that folder: make link DATA=/path/to/vagus-data"


def main(named: str) -> int:
    """Return the exit code."""
    try:
        folder = Surroundings.found(None, named or None, may_be_new=True).folder
    except ConfigurationError as error:
        return _fail(*error.lines)
    try:
        address = folder.address()
    except OSError as error:
        return _fail(f"{folder.path.resolve()} cannot be read: {error.strerror}; {ELSEWHERE}")
    if address is None or not answers(address):
        return _fail(
            f"no server runs on the data in {folder.path.resolve()}",
            f"start it with make run, which prints a link; {ELSEWHERE}",
        )
    command = [sys.executable, "-m", "vagus", "link", "--data-dir", str(folder.path)]
    return subprocess.run(command, check=False).returncode


def _fail(*lines: str) -> int:
    for line in lines:
        print(f"make link: {line}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main("".join(sys.argv[1:2])))
