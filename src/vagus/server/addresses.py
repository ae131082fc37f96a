"""Where a server is reached, from where it listens."""


def url_of(host: str, port: int) -> str:
    """The address at which a server can be reached from its own machine."""
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"
