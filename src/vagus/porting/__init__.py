"""Moving an existing server over: APIs in the style of other servers, on the hub's public API and nothing else.

``socketio`` is for those who have a Socket.IO server, ``signalr`` for those who have SignalR hubs. Both stand on
``rooms`` (who is told what) and ``members`` (who is there), and their words hold inside them only. A new application
is better written with ``vagus.Hub`` itself.
"""
