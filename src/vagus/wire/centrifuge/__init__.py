"""The native dialect: the Centrifuge protocol, in JSON and in Protobuf.

Client libraries for a dozen languages speak it unmodified. Its words for ours:

===============  ==================
Centrifuge       Vagus
===============  ==================
user             identity
rpc              call
server-side sub  attached subscription
disconnect       closure
unsubscribe      ending
===============  ==================
"""
