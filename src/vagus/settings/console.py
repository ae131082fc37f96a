"""How people sign in to the console, and for how long."""

from typing import Annotated

import msgspec

from .section import Count, Positive, Section


class Console(Section, frozen=True):
    """The console: the pages at `/`, and signing in to them by a link, by a password or by a token."""

    enabled: bool = True
    """Whether it is there."""
    link_at_start: bool = True
    """Whether vagus serve prints a link to sign in with, good for one use within 15 minutes. Without it: vagus link."""
    session_idle_hours: Positive = 12.0
    """When a session ends that nobody uses, in hours. An open page uses it."""
    session_days: Positive = 7.0
    """When a session ends whatever happens, in days."""
    sessions_per_user: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10
    """How many sessions a user may have at a time. One more ends the one that was not used for longest."""
    requests_per_s: Positive = 20.0
    """How often one address may ask below `/api/console` in the long run; the answer beyond it is 429. Tries to sign in
    are fewer: 20 from one address and 5 for one user, then one every 5 and every 20 seconds."""
    requests_burst: Count = 100
    """How often at once after a pause."""
