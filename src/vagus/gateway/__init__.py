"""Sockets in: each transport turns what arrives into messages for a client of the hub, and writes what comes back.

``gate`` decides who may connect and in which encoding; ``doorway`` and ``websocket`` are the fast path under uvicorn;
``asgi`` serves the same clients behind any ASGI server.
"""
