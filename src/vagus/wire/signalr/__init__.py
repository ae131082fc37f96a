"""The hub protocol of ASP.NET Core SignalR, versions 0 to 2, in JSON and in MessagePack: a view of the same channels.

============================  =========================================================================================
in SignalR                    here
============================  =========================================================================================
hub ``/hubs/chat``            section ``chat`` of the hub's calls; ``/hubs/vagus`` is the root section
hub method ``Send``           call ``chat.send``, whatever the case of its letters; ``Subscribe``, ``Unsubscribe``,
                              ``Publish``, ``Presence``, ``PresenceStats``, ``History`` and ``Refresh`` are the commands
                              of these names, unless the section has a call of that name
group                         channel: a client that subscribes is in it
message to clients            publication: ``target`` and arguments of the event that it holds, else ``publication``
streaming hub method          call that gives many results; ``Stream(channel)`` follows a channel as a stream
client result                 the server's question to a client
============================  =========================================================================================

``records`` cuts the stream of bytes into records; ``json`` and ``messagepack`` are the two notations of a record and
``messages`` what it says; ``dialect`` writes what many get and ``dialogue`` what one connection hears and is told;
``sequences`` counts messages for connections that outlive their sockets.
"""
