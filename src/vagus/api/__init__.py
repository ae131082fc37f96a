"""The server's side over HTTP: the API that programs publish and steer through, health, metrics, documentation.

Reading order: ``messages`` and ``methods`` (what can be asked), ``http`` and ``problems`` (bytes in and out),
``endpoint`` (the server API as an ASGI application), ``health`` and ``metrics`` (how this node does),
``openapi`` and ``pages`` (what a person reads), ``rest`` (Litestar, for the routes of apps), ``app`` (all of it
behind one door).

Nothing is re-exported here, and only ``rest`` imports Litestar, when a request first needs it: half a second of imports
would otherwise be paid at every start.
"""
