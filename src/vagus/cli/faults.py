"""How commands fail: with one line for each problem, and an exit code that says whose fault it is.

::

    CommandError            1  it failed
    ├── ConfigurationError  2  the configuration or the arguments are wrong
    ├── UnreachableError    3  no server answers
    └── RefusedByServerError 4 the server says no
"""

from collections.abc import Iterable
from typing import Final

import click

INTERRUPTED: Final = 130


class CommandError(click.ClickException):
    """The command failed; its ``lines`` are shown."""

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines

    def show(self, file: object = None) -> None:
        for line in self.lines:
            click.echo(f"vagus: {' '.join(line.split())}", err=True)  # others' texts may have line breaks


class ConfigurationError(CommandError):
    exit_code = 2

    @classmethod
    def of(cls, problems: Iterable[object]) -> "ConfigurationError":
        return cls(*map(str, problems))


class UnreachableError(CommandError):
    exit_code = 3


class RefusedByServerError(CommandError):
    exit_code = 4
