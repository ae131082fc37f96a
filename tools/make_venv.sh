#!/bin/sh
# Makes the virtual environment in the folder given, with the first Python of 3.11 or later on PATH ($PYTHON goes first).
# Debian and Ubuntu keep a part of the venv module in a package of its own: it is installed when that is allowed.
set -eu
venv=$1

recent() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=
for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
    if recent "$candidate"; then python=$candidate; break; fi
done
if [ -z "$python" ]; then
    echo "Vagus needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3" >&2
    exit 1
fi

echo "== making $venv with $("$python" --version)"
rm -rf "$venv"
if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    exec "$python" -m venv "$venv"
fi
package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt-get install $package" >&2
    exit 1
fi
echo "== installing $package"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" </dev/null >/dev/null
exec "$python" -m venv "$venv"
