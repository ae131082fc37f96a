"""``vagus export`` and ``vagus import``: the store as a file, and back."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from vagus.kernel.errors import ConflictError, StoreError

from .arguments import configuration_options, json_option
from .faults import CommandError, ConfigurationError
from .migrate import on_store
from .surroundings import Surroundings

if TYPE_CHECKING:
    from vagus.store import Store

PG_DUMP = "the store is in PostgreSQL: pg_dump makes copies of it, and vagus export --lines one that goes anywhere"
PG_RESTORE = (
    "the store is in PostgreSQL, and the file is a copy of a SQLite database: make it with vagus export --lines"
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@configuration_options
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@click.option("--lines", is_flag=True, help="Every row as a line of JSON, to move to another kind of database.")
@json_option
def export(file: Path, config: str | None, data_dir: str | None, force: bool, lines: bool, as_json: bool) -> None:
    """Copy the store into a file, also while a server uses it, and check that the copy is whole.

    The copy is a SQLite database of one moment. vagus import puts it back.

    \b
    vagus export backup.db
    vagus export --lines all.jsonl
    """
    surroundings = Surroundings.found(config, data_dir)
    database = _sqlite_file(surroundings)
    with _speaking_of_files():
        if lines:
            said = _export_lines(surroundings, database, file, force)
        elif database is None:
            raise CommandError(PG_DUMP)
        else:
            said = _export_copy(database, file, force, quiet=as_json)
    said = {"file": str(file), "bytes": file.stat().st_size} | said
    click.echo(msgspec.json.encode(said) if as_json else f"{file}: {said['bytes']:,} bytes, schema {said['schema']}")


def _export_copy(database: Path, file: Path, force: bool, *, quiet: bool) -> dict[str, Any]:
    from vagus.store.backups import export as copy_database

    with _progress("copying", quiet) as progress:
        schema = copy_database(database, file, replace=force, progress=progress)
    return {"schema": schema.present}


def _export_lines(surroundings: Surroundings, database: Path | None, file: Path, force: bool) -> dict[str, Any]:
    from vagus.store.backups import check_target, keep, temporary_beside
    from vagus.store.moving import write_lines

    check_target(file, database, replace=force)

    async def write(store: "Store") -> str:
        await write_lines(store, out)
        return (await store.schema()).present

    with temporary_beside(file) as unfinished:
        with unfinished.open("wb") as out:
            schema = on_store(surroundings, write, start=False)
        keep(unfinished, file)
    return {"schema": schema}


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@configuration_options
@json_option
def import_(file: Path, config: str | None, data_dir: str | None, as_json: bool) -> None:
    """Put back what vagus export wrote. No server may be using the store.

    A copy replaces the database, which is kept beside it under another name. Lines go into an empty database, of
    whatever kind.

    \b
    vagus import backup.db
    """
    surroundings = Surroundings.found(config, data_dir, may_be_new=True)
    database = _sqlite_file(surroundings)
    with _speaking_of_files():
        with file.open("rb") as content:
            is_copy = content.read(16) == b"SQLite format 3\0"
        if not is_copy:
            said = _import_lines(surroundings, file)
        elif database is None:
            raise CommandError(PG_RESTORE)
        else:
            said = _import_copy(file, database, quiet=as_json)
    if as_json:
        click.echo(msgspec.json.encode(said))
    else:
        click.echo("\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in said.items()))


def _import_copy(file: Path, database: Path, *, quiet: bool) -> dict[str, Any]:
    from vagus.store.backups import restore

    aside = database.with_name(f"{database.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    with _progress("restoring", quiet) as progress:
        schema = restore(file, database, aside=aside, progress=progress)
    said = {"restored": str(database), "schema": schema.present}
    return said | ({"kept_before": str(aside)} if aside.exists() else {})


def _import_lines(surroundings: Surroundings, file: Path) -> dict[str, Any]:
    from vagus.store.moving import read_lines

    async def read(store: "Store") -> int:
        return await read_lines(store, lines)

    with file.open("rb") as lines:
        return {"rows": on_store(surroundings, read, make=True)}


def _sqlite_file(surroundings: Surroundings) -> Path | None:
    from vagus.server.storing import sqlite_file

    try:
        return sqlite_file(surroundings.settings, surroundings.folder)
    except ValueError as error:
        raise ConfigurationError(f"store.url: {error}") from None


@contextlib.contextmanager
def _speaking_of_files() -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise CommandError(f"{error} is there already: --force replaces it") from None
    except OSError as error:
        raise CommandError(f"{error.filename or 'file'}: {error.strerror or error}") from None
    except (StoreError, ConflictError) as error:
        raise CommandError(str(error)) from None


@contextlib.contextmanager
def _progress(label: str, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    hidden = quiet or not sys.stderr.isatty()
    with click.progressbar(length=1, label=label, hidden=hidden, file=sys.stderr) as bar:

        def tell(done: int, total: int) -> None:
            bar.length = max(total, 1)
            bar.update(done - bar.pos)

        yield tell
