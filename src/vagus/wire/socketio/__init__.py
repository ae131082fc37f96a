"""Socket.IO protocol 5 on Engine.IO protocol 4: packets, the dialect, its conversations. Sans-I/O.

==========================  ===========================================================================================
Socket.IO                   here
==========================  ===========================================================================================
namespace ``/chat``, ``/``  section ``chat``, the root section; a namespace that is no section is refused
room                        channel: joined with the event ``subscribe``, left with ``unsubscribe``
event with a verb's name    that command: ``subscribe``, ``unsubscribe``, ``publish``, ``presence``, ``presence_stats``,
                            ``history``, ``refresh``; unless the section has a call of this name itself
any other event             call ``<section>.<event>``, in the root section ``<event>``
ack                         the reply: ``[result]``, ``[]`` for none, ``[{"error": {"code", "message"}}]``
event of the server         a publication that is an envelope: its ``type`` and its arguments; any other publication:
                            ``publication`` with ``{"channel", "data", …}``
event with ack              ``Hub.ask``
CONNECT's ``auth``          the connect command: ``auth.token`` is its token, all of it its data
socket id                   the client's id
connection state recovery   offsets in the shared bytes (``dialect``); what may be asked for again is the gateway's
==========================  ===========================================================================================

``engine`` is the layer below: what Engine.IO puts around packets, and several of them into a body.
"""

from .dialect import EventDialect
from .dialogue import CONNECT_NUMBER, EventDialogue, connect_of
from .packets import Assembly, Packet, PacketType, packet_of

__all__ = [
    "CONNECT_NUMBER",
    "Assembly",
    "EventDialect",
    "EventDialogue",
    "Packet",
    "PacketType",
    "connect_of",
    "packet_of",
]
