"""The history: what was measured, kept in the store for two years, and charts of it in a few milliseconds.

::

    history = History(store)
    await history.start()
    history.add(at_ms, {"memos": 12, "revenue": 4200.5})
    chart = await history.query(["memos"], from_ms, to_ms, points=800)
    await history.stop()

Every point is kept for two days, then its minute for a month and its hour for two years (``vagus.settings.history``).
It knows metrics by name and nothing of sources. Points may come late, twice or in any order, and from several nodes;
those of one metric at the same millisecond are one point.

Reading order: ``tables``, ``tiers`` (the rules), ``gaps``, ``writing``, ``reading``, ``exporting``, ``pruning``,
``history``. Importing it loads SQLAlchemy, which takes a quarter second.
"""

from .exporting import file_name
from .history import Figures, History
from .pruning import Pruned
from .reading import Chart, Metric, Series

__all__ = ["Chart", "Figures", "History", "Metric", "Pruned", "Series", "file_name"]
