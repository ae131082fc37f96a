"""The command line. One file for each group of commands, loaded when it is used, so that help comes at once.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 the server cannot be reached, 4 the server refused, 130
interrupted. Errors are one line each on standard error.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from keyword import iskeyword
from typing import Final

import click

from vagus.version import VERSION

from .faults import INTERRUPTED, CommandError

COMMANDS: Final = {
    "serve": ("serve", "Start the server."),
    "token": ("token", "Make a token for a user, or look at one."),
    "key": ("key", "Make keys for the server's API."),
    "link": ("link", "Make a link that signs in to the console."),
    "user": ("user", "Let people sign in to the console with a password."),
    "check-config": ("configuration", "Say whether the configuration is right."),
    "config-doc": ("configuration", "Print every option as Markdown."),
    "migrate": ("migrate", "Bring the database's schema up to date."),
    "export": ("export", "Copy the store into a file, also while a server runs."),
    "import": ("export", "Put back what export wrote."),
    "publish": ("publish", "Publish to a channel."),
    "tail": ("tail", "Show what is published, live."),
    "top": ("top", "Watch a server: clients, rates, processor, memory."),
    "bench": ("bench", "Try how fast this machine is."),
}
"""Each command's module in this package, and its short help, known without loading it."""


class Commands(click.Group):
    """Loads a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f".{COMMANDS[cmd_name][0]}", __name__)
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(module, f"{name}_" if iskeyword(name) else name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, "-V", "--version", prog_name="vagus", message="%(prog)s %(version)s")
def vagus() -> None:
    """A real-time operations hub.

    \b
    vagus serve --demo            a server with demo data
    vagus token --user 42         a token for user 42
    vagus tail demo:clock         what is published, live

    Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 the server cannot be reached, 4 it refused,
    130 interrupted.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        code = vagus.main(arguments, prog_name="vagus", standalone_mode=False)
    except CommandError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        # Click's own errors are all about usage, and would show several lines.
        click.echo(f"vagus: {_without_hidden(error).format_message()} (vagus --help says more)", err=True)
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; Python would complain about it at exit
        sys.exit(0)
    sys.exit(code if isinstance(code, int) else 0)


def _without_hidden(error: click.ClickException) -> click.ClickException:
    """The error, without suggesting an option that help does not show."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return error
    options = error.ctx.command.params
    hidden = {name for option in options if getattr(option, "hidden", False) for name in option.opts}
    shown = [name for name in error.possibilities or () if name not in hidden]
    return click.NoSuchOption(error.option_name, possibilities=shown, ctx=error.ctx)
