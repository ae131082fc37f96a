"""Which ``Servers`` the options of a URL mean."""

from . import Options, Servers
from .cluster import Cluster
from .single import Single


def servers_from(options: Options) -> Servers:
    return Cluster(options) if options.kind == "cluster" else Single(options)
