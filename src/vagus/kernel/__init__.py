"""Values and rules of the hub: channels, publications, history, presence, a client's states, permissions, rates, codes.

Nothing here does I/O, reads a clock, logs or knows asyncio. Time comes in as a parameter, in seconds since the epoch.
Read in this order: codes, errors, publications, commands, replies, states, permissions, channels, history, presence,
rates.
"""
