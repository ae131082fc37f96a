"""``vagus serve``: the server, and what is said when it is ready."""

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vagus.kernel.identity import Role
from vagus.settings import Loaded, Settings, SettingsError, load
from vagus.settings.sources import FILE_NAME

from .arguments import configuration_options
from .faults import CommandError, ConfigurationError
from .surroundings import Flags, Surroundings, load_configuration

if TYPE_CHECKING:
    from vagus.server.folder import DataFolder

Read = Callable[[], Loaded]


@click.command()
@configuration_options
@click.option("--host", metavar="HOST", help="The address to listen on; 127.0.0.1 by default.")
@click.option("--port", type=int, metavar="PORT", help="The port; 8000 by default, 0 for a free one.")
@click.option("--app", metavar="MODULE:HUB", help="Serve an application's own hub.")
@click.option("--demo", is_flag=True, default=None, help="Publish demo data, for anybody to follow.")
@click.option("--insecure", is_flag=True, default=None, help="Everybody may do everything; on loopback only.")
@click.option("--workers", type=int, metavar="N", help="Processes that share the port; they need Redis.")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
@click.option("--log-format", metavar="FORMAT", help="auto, console or json.")
@click.option("--post", hidden=True, help="What the parent of workers tells a worker.")
def serve(
    config: str | None,
    data_dir: str | None,
    host: str | None,
    port: int | None,
    app: str | None,
    demo: bool | None,
    insecure: bool | None,
    workers: int | None,
    log_level: str | None,
    log_format: str | None,
    post: str | None,
) -> None:
    """Start the server.

    Settings come from vagus.toml, then from the environment (VAGUS_SERVER__PORT=9000), then from these flags. Without
    any, the server listens on 127.0.0.1:8000 and makes its own secrets in ./vagus-data.

    \b
    vagus serve --demo                     something to look at
    vagus serve --app shop.live:hub        an application's own hub
    vagus serve --insecure --port 9000     for trying things on a laptop
    vagus serve --workers 4                one for each core, with broker.url in vagus.toml
    """
    server = {
        "host": host,
        "port": port,
        "app": app,
        "demo": demo or None,
        "data_dir": data_dir,
        "workers": workers,
        "log_level": log_level,
        "log_format": log_format,
    }
    flags: Flags = {"server": server, "access": {"insecure": insecure or None}}
    loaded = load_configuration(config, flags)
    settings = loaded.settings
    from vagus.server.folder import DataFolder
    from vagus.server.listening import CannotListenError

    folder = DataFolder(Path(settings.server.data_dir), Path(config or FILE_NAME))
    if settings.access.insecure and post is None:
        click.echo(warning_of_insecure(), err=True)
    try:
        if post is not None:
            _work(settings, folder, post, reader(config, flags))
        elif settings.server.workers > 1:
            sys.exit(_watch(settings, folder, command_of(config, flags)))
        else:
            _serve(settings, folder, reader(config, flags))
    except SettingsError as error:
        raise ConfigurationError.of(loaded.located(error).problems) from None
    except CannotListenError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"data folder {folder.path}: {error.strerror or error}") from None


@contextlib.contextmanager
def loading() -> Iterator[None]:
    """Have the garbage collector leave alone what is imported meanwhile: that stays, and looking through it again and

    again is a seventh of the start.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _serve(settings: Settings, folder: "DataFolder", read: Read) -> None:
    with loading():
        from vagus.server.serving import CannotStartError
        from vagus.server.serving import serve as serve_node

    try:
        serve_node(settings, folder, lambda url: _greet(settings, folder, url), read)
    except CannotStartError as error:
        raise CommandError(str(error)) from None


def _work(settings: Settings, folder: "DataFolder", post: str, read: Read) -> None:
    with loading():
        from vagus.server.leash import Post
        from vagus.server.serving import CannotStartError, serve_as_worker

    try:
        serve_as_worker(settings, folder, Post.from_text(post), read)
    except CannotStartError as error:
        raise CommandError(str(error)) from None


def _watch(settings: Settings, folder: "DataFolder", command: list[str]) -> int:
    """Be the parent of workers."""
    if sys.platform == "win32":
        raise CommandError("workers need a system with file descriptors to hand on: leave server.workers at 1")
    from vagus.server.workers import serve_workers

    return serve_workers(
        settings,
        folder,
        lambda post: [*command, "--post", post.text],
        lambda url: _greet(settings, folder, url),
    )


def _greet(settings: Settings, folder: "DataFolder", url: str) -> None:
    click.echo(welcome(settings, folder.path, url, _console(settings, folder, url)))


def _console(settings: Settings, folder: "DataFolder", url: str) -> str:
    """Where to open the console; empty where there is none. The server has started: its store is there."""
    from vagus.server.pages import is_built

    if not settings.console.enabled:
        return ""
    if not is_built():
        return "not built: pip install . in a clone of the repository makes it"
    if settings.access.insecure:
        return f"{url}/"
    if not settings.console.link_at_start:
        return f"{url}/  (vagus link makes a link to sign in with)"
    from vagus.apps.console.links import address_of

    from .link import new_code

    try:
        code = new_code(Surroundings(settings, folder), roles=frozenset({Role.ADMIN}), start=False)
    except CommandError as error:
        return f"{url}/  (no link could be made: {error})"
    return f"{address_of(url, code)}  (signs in once, within 15 minutes)"


def command_of(config: str | None, flags: Flags) -> list[str]:
    """The command line that starts this again in another process, as it was meant here."""
    command = [sys.executable, "-m", "vagus", "serve", *(("--config", config) if config else ())]
    for name, value in {**flags["server"], **flags["access"]}.items():
        if value is not None:
            option = f"--{name.replace('_', '-')}"
            command += [option] if value is True else [option, str(value)]
    return command


def configuration_file(config: str | None) -> Path | None:
    """The file that is named, or the one in the working folder if there is one."""
    if config:
        return Path(config)
    return Path(FILE_NAME) if Path(FILE_NAME).is_file() else None


def reader(config: str | None, flags: Flags) -> Read:
    """What reads the configuration again. A file that was there must be there; one that was not may be by now."""
    file = configuration_file(config)
    return lambda: load(file=file or configuration_file(None), environment=os.environ, flags=flags)


def welcome(settings: Settings, folder: Path, url: str, console: str = "") -> str:
    """What is printed once the server takes requests. Its first line is for programs too."""
    lines = [f"vagus is ready at {url}", ""]
    if console:
        lines.append(f"  console     {console}")
    if settings.websocket.enabled:
        lines.append(f"  clients     {url.replace('http', 'ws', 1)}/connection/websocket")
    lines += [f"  API         {url}/docs", f"  health      {url}/health"]
    if settings.access.insecure:
        lines.append("  tokens      none needed: anybody on this machine may do everything")
    else:
        lines.append(_about_tokens(settings))
        lines.append(_about_keys(settings, folder))
    if settings.server.demo:
        lines.append("  demo data   vagus tail demo:clock demo:numbers")
    elif not settings.channels and not settings.access.insecure and not settings.server.app:
        lines.append("  channels    none yet: add [[channels]] to vagus.toml, or try vagus serve --demo")
    return "\n".join(lines) + "\n"


def _about_tokens(settings: Settings) -> str:
    if settings.tokens.has_key and settings.tokens.hmac_secret is None:
        return "  tokens      from your issuer"
    return "  tokens      vagus token --user NAME"


def _about_keys(settings: Settings, folder: Path) -> str:
    if settings.keys:
        return f"  API keys    {', '.join(key.name for key in settings.keys)}"
    return f"  API key     in {folder / 'api_key'}"


def warning_of_insecure() -> str:
    text = "INSECURE: everybody who reaches this port may read, publish and steer everything."
    return click.style(f"{text}\nFor a laptop only. It listens on loopback and asks for no tokens and no keys.", "red")
