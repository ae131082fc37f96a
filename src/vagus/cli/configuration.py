"""``vagus check-config`` and ``vagus config-doc``: whether the configuration is right, and what can be configured."""

import tempfile
from pathlib import Path

import click
import msgspec

from vagus.kernel.channels import ChannelRule, Last
from vagus.settings import Key, Option, Settings, SettingsError, Tokens, options
from vagus.settings.describing import field_docs, table_options
from vagus.settings.filling import tables_of
from vagus.settings.fusion import Fusion, JsonField, PlainField, PrometheusField, SourceSettings
from vagus.settings.sources import LEGACY

from .arguments import configuration_options, json_option
from .faults import CommandError, ConfigurationError
from .surroundings import load_configuration


@click.command("check-config")
@configuration_options
def check_config(config: str | None, data_dir: str | None) -> None:
    """Say whether the configuration is right: exit code 0, or 2 and a line for each problem.

    Everything is made as the server would make it, but nothing is started and nothing is written.
    """
    from vagus.server.building import build
    from vagus.server.folder import DataFolder

    loaded = load_configuration(config, {"server": {"data_dir": data_dir}})
    try:
        with tempfile.TemporaryDirectory() as folder:  # secrets that are missing are made here, and go with it
            build(loaded.settings, DataFolder(Path(folder)))
    except SettingsError as error:
        raise ConfigurationError.of(loaded.located(error).problems) from None
    except OSError as error:
        raise CommandError(str(error)) from None
    click.echo("the configuration is right")


@click.command("config-doc")
@json_option
def config_doc(as_json: bool) -> None:
    """Print every option with its type, default and environment variable."""
    if as_json:
        click.echo(msgspec.json.encode(options()))
        return
    click.echo(markdown())


def markdown() -> str:
    """The documentation of all options."""
    parts = [_HEAD]
    for field in msgspec.structs.fields(Settings):
        rows = [option for option in options() if option.section == field.name]
        parts.append(_section(field.name, rows))
    return "\n".join([*parts, _legacy()])


def _section(name: str, rows: list[Option]) -> str:
    match name:
        case "channels":
            lead = f"{_doc(ChannelRule)}\n\n`history` is a table:"
            body = f"{_table(table_options(ChannelRule, name))}\n\n{lead}\n\n{_table(table_options(Last, 'history'))}"
            return f"## `[[channels]]`\n\nIn the environment: `{rows[0].variable}`, a list as JSON.\n\n{body}\n"
        case "keys":
            head = f"## `[[keys]]`\n\n{_doc(Key)}\n\nIn the environment: `{rows[0].variable}`, a list as JSON."
            return f"{head}\n\n{_table(table_options(Key, name))}\n"
        case "fusion":
            return f"## `[fusion]`\n\n{_doc(Fusion)}\n\n{_table(rows)}\n\n{_sources()}\n"
        case "subscription_tokens":
            return f"## `[{name}]`\n\n{field_docs(Settings)[name]} Its options are those of `[tokens]`.\n"
    kind = next(field.type for field in msgspec.structs.fields(Settings) if field.name == name)
    return f"## `[{name}]`\n\n{_doc(Tokens if name == 'tokens' else kind)}\n\n{_table(rows)}\n"


def _sources() -> str:
    """Each kind of source, and what its fields are."""
    parts = ["### `[[fusion.sources]]`\n\nIn the environment a list as JSON. `kind` says what else a source has."]
    for kind in tables_of(SourceSettings):
        name = kind.__struct_config__.tag
        parts.append(f'#### `kind = "{name}"`\n\n{_doc(kind)}\n\n{_table(table_options(kind, "sources"))}')
    for field, title in (
        (JsonField, "of JSON"),
        (PlainField, "of logs and queries"),
        (PrometheusField, "of Prometheus"),
    ):
        parts.append(f"#### `fields` {title}\n\n{_doc(field)}\n\n{_table(table_options(field, 'fields'))}")
    return "\n\n".join(parts)


def _doc(kind: type) -> str:
    import inspect

    return (inspect.getdoc(kind) or "").replace("``", "`")


def _table(rows: list[Option]) -> str:
    has_variables = any(row.variable for row in rows)  # tables of a list have none
    head = ("option", "type", "default", *(("variable",) if has_variables else ()), "meaning")
    lines = [head, ("---",) * len(head)]
    for row in rows:
        name = row.path.partition(".")[2]
        variable = (_code(row.variable),) if has_variables else ()
        lines.append((f"`{name}`", _cell(row.type), _code(row.default), *variable, _cell(row.doc)))
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("``", "`")


def _legacy() -> str:
    lines = ["## Variables of other systems", "", _LEGACY, "", "| variable | option | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{row.name}` | `{row.path}` | {row.doc} |" for row in LEGACY]
    return "\n".join(lines)


_HEAD = """\
# Configuration

Settings come from the file `vagus.toml`, then from environment variables, then from flags of the command line; each
beats the one before it. Unknown names and bad values are refused with their path and where they came from. In a
variable a list is written with commas or as JSON. `vagus check-config` says whether everything is right.
"""

_LEGACY = "These work too. A `VAGUS_…` variable beats them."
