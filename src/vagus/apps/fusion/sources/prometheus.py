"""Numbers of an endpoint in the text format of Prometheus (version 0.0.4, and OpenMetrics as far as samples go).

Only the lines of the metrics that are wanted are taken apart, so that an exporter with a hundred thousand lines costs
a search and not a parser.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from vagus.apps.fusion.kinds import combine
from vagus.apps.fusion.values import Field
from vagus.settings.fusion import Combine, PrometheusField

ACCEPT: Final = "text/plain;version=0.0.4,*/*;q=0.5"

_LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|$)')
_ESCAPES: Final = {r"\\": "\\", r"\"": '"', r"\n": "\n"}
_ESCAPED: Final = re.compile(r"\\[\\\"n]")


class Metric:
    """Which samples are wanted, and how several become one number."""

    def __init__(self, field: Field, name: str, labels: Mapping[str, str], how: Combine | None) -> None:
        self.field = field
        self._name = name
        self._labels = dict(labels)
        self._how = how
        self._line = re.compile(
            rf'^{re.escape(name)}[ \t]*(?:\{{((?:[^"}}\n]|"(?:[^"\\\n]|\\.)*")*)\}})?[ \t]+(\S+)(?:[ \t]+[^\n]*)?$',
            re.MULTILINE,
        )

    @classmethod
    def of(cls, spec: PrometheusField) -> "Metric":
        return cls(Field(spec.name, "number", spec.unit), spec.metric, spec.labels, spec.combine)

    def value_in(self, text: str) -> float | None:
        """``None`` for NaN. Raises ``ValueError`` where no sample matches, or several do and nobody said what then."""
        found = list(self._samples(text))
        if not found and self._how != "count":
            raise ValueError(f"there is no {self._name} with these labels" if self._labels else f"no {self._name}")
        if self._how is None and len(found) > 1:
            raise ValueError(
                f"{len(found)} samples of {self._name} match: name more labels, or say how to combine them"
            )
        return combine([sample for sample in found if not math.isnan(sample)], self._how or "max")

    def _samples(self, text: str) -> Iterator[float]:
        for found in self._line.finditer(text):
            labels = _labels(found[1] or "")
            if all(labels.get(name, "") == value for name, value in self._labels.items()):
                yield float(found[2])  # NaN and +Inf are written as Python reads them


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    at = 0
    while found := _LABEL.match(text, at):
        labels[found[1]] = _ESCAPED.sub(lambda escape: _ESCAPES[escape[0]], found[2])
        at = found.end()
        if not found[3]:
            break
    return labels


def values_in(metrics: Sequence[Metric], body: bytes) -> dict[str, object]:
    """Each metric's value. Raises ``ValueError`` where one has none."""
    text = body.decode(errors="replace").replace("\r\n", "\n")
    return {metric.field.name: metric.value_in(text) for metric in metrics}
