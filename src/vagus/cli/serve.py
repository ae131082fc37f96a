"""``vagus serve``: the server, and what is said when it is ready."""

from pathlib import Path

import click

from vagus.settings import Settings, SettingsError

from .arguments import configuration_options
from .faults import CommandError, ConfigurationError
from .surroundings import load_configuration


@click.command()
@configuration_options
@click.option("--host", metavar="HOST", help="The address to listen on; 127.0.0.1 by default.")
@click.option("--port", type=int, metavar="PORT", help="The port; 8000 by default, 0 for a free one.")
@click.option("--app", metavar="MODULE:HUB", help="Serve an application's own hub.")
@click.option("--demo", is_flag=True, default=None, help="Publish demo data, for anybody to follow.")
@click.option("--insecure", is_flag=True, default=None, help="Everybody may do everything; on loopback only.")
@click.option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
@click.option("--log-format", metavar="FORMAT", help="auto, console or json.")
def serve(
    config: str | None,
    data_dir: str | None,
    host: str | None,
    port: int | None,
    app: str | None,
    demo: bool | None,
    insecure: bool | None,
    log_level: str | None,
    log_format: str | None,
) -> None:
    """Start the server.

    Settings come from vagus.toml, then from the environment (VAGUS_SERVER__PORT=9000), then from these flags. Without
    any, the server listens on 127.0.0.1:8000 and makes its own secrets in ./vagus-data.

    \b
    vagus serve --demo                     something to look at
    vagus serve --app shop.live:hub        an application's own hub
    vagus serve --insecure --port 9000     for trying things on a laptop
    """
    server = {
        "host": host,
        "port": port,
        "app": app,
        "demo": demo or None,
        "data_dir": data_dir,
        "log_level": log_level,
        "log_format": log_format,
    }
    loaded = load_configuration(config, {"server": server, "access": {"insecure": insecure or None}})
    settings = loaded.settings
    from vagus.server.folder import DataFolder
    from vagus.server.serving import CannotListenError
    from vagus.server.serving import serve as serve_node

    folder = DataFolder(Path(settings.server.data_dir))
    if settings.access.insecure:
        click.echo(warning_of_insecure(), err=True)
    try:
        serve_node(settings, folder, lambda url: click.echo(welcome(settings, folder.path, url)))
    except SettingsError as error:
        raise ConfigurationError.of(loaded.located(error).problems) from None
    except CannotListenError as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"data folder {folder.path}: {error.strerror or error}") from None


def welcome(settings: Settings, folder: Path, url: str) -> str:
    """What is printed once the server takes requests. Its first line is for programs too."""
    lines = [f"vagus is ready at {url}", ""]
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
