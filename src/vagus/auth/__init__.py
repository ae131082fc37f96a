"""Who is it: tokens, published keys, service keys, origins and addresses.

Each module stands alone and is imported by its own name; nothing is re-exported here, so that a hub without
asymmetric keys never pays for loading `cryptography` (a tenth of a second). What an identity may do is not
decided here but by the rules of channels and routes. Nothing here logs: a refusal is an error with a short
reason, or a plain `False`, and the gateway decides what to write down.
"""
