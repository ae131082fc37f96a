"""Says how many machines a workload takes, and what happens when one is lost.

    python -m bench.scaling --connections 1000000 --publications-per-s 50000
    python -m bench.scaling --connections 20000 --cores 4 --memory-gb 8 --json
    python -m bench.scaling --docs          renew the tables of docs/scaling.md
    python -m bench.scaling --adopt         the same, after putting what the benchmarks measured into bench/costs.toml

What each thing costs is read from bench/costs.toml; copy it, put in what you measured, and give it with --costs.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

import msgspec

from bench.machine import BUILD, ROOT
from bench.scaling.costs import FILE, read
from bench.scaling.deriving import costs_from, with_values
from bench.scaling.model import Machines, Workload
from bench.scaling.report import as_json, as_text, docs_tables, plan, with_tables

MEASURED: Final = BUILD / "measured.json"
PAGE: Final = ROOT / "docs" / "scaling.md"

T = TypeVar("T", bound=msgspec.Struct)


def main(words: Sequence[str] | None = None) -> int:
    """Print what was asked for; 2 for options that make no sense, as argparse has it."""
    parser = _parser()
    arguments = vars(parser.parse_args(words))
    try:
        text = _answer(arguments)
    except KeyError as error:
        parser.error(f"the benchmarks have not measured {error}: run the stages fanout, idle and nodes")
    except (msgspec.ValidationError, OSError, ValueError) as error:
        parser.error(str(error))
    print(text)
    return 0


def _answer(arguments: dict[str, Any]) -> str:
    if arguments["adopt"]:
        adopt()
    costs = read(arguments["costs"])
    if arguments["docs"] or arguments["adopt"]:
        tables = docs_tables(costs)
        PAGE.write_text(with_tables(PAGE.read_text(), tables))
        return "\n\n".join(tables)
    made = plan(_taken(Workload, arguments), _taken(Machines, arguments), costs, seed=arguments["seed"])
    return as_json(made) if arguments["json"] else as_text(made)


def adopt() -> None:
    """Put the figures of build/bench/measured.json into bench/costs.toml."""
    FILE.write_text(with_values(FILE.read_text(), costs_from(json.loads(MEASURED.read_text()))))


def _parser() -> argparse.ArgumentParser:
    summary, _, rest = (__doc__ or "").partition("\n\n")
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m bench.scaling", description=summary, epilog=rest, formatter_class=raw)
    for title, kind in (("the workload", Workload), ("machines and prices, all of them examples", Machines)):
        group = parser.add_argument_group(title)
        for name, default, text in _fields(kind):
            _add(group, name, default, text)
    parser.add_argument("--costs", type=Path, default=FILE, metavar="FILE", help="what each thing costs")
    parser.add_argument("--seed", type=int, default=1, help="of the simulation: the same one plays the same course")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    parser.add_argument("--adopt", action="store_true", help="take over what the benchmarks measured last")
    parser.add_argument("--docs", action="store_true", help="renew the tables of docs/scaling.md")
    return parser


def _add(group: argparse._ArgumentGroup, name: str, default: Any, text: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    if isinstance(default, bool):
        group.add_argument(flag, action="store_true", default=default, help=text)
    else:
        kind = _number if isinstance(default, float) else int
        group.add_argument(flag, type=kind, default=default, metavar="N", help=f"{text} ({default:g})")


def _number(word: str) -> float:
    """What argparse says of anything else begins with ``invalid``."""
    number = float(word)
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"invalid number: {word!r}")
    return number


def _fields(kind: type[msgspec.Struct]) -> list[tuple[str, Any, str]]:
    hints = get_type_hints(kind, include_extras=True)
    fields = msgspec.structs.fields(kind)
    return [(field.name, field.default, hints[field.name].__metadata__[0].description) for field in fields]


def _taken(kind: type[T], arguments: dict[str, Any]) -> T:
    return msgspec.convert({name: arguments[name] for name in kind.__struct_fields__}, kind)


if __name__ == "__main__":
    sys.exit(main())
