"""Composition: settings become a hub with everything around it, and it is served until a signal says stop.

Reading order: ``folder`` (what the server keeps between starts), ``tokens``, ``applications`` and ``loopback`` (parts
that need more than a line), ``building`` (settings to parts; the only place that names implementations), ``demo``,
``logs``, ``listening``, ``draining``, ``reloading``, ``node`` (uvicorn, signals, from start to stop), ``leash`` and
``workers`` (several processes and their parent), ``serving``. Nothing is imported here: the command line loads what it
needs.
"""
