/* The protocols spoken, one row each. A server that is to be measured needs a row here and nothing else. */
#ifndef PROTOCOLS_H
#define PROTOCOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One step of an opening: wait for a text that begins with `await` (NULL: do not wait), then send `send` (NULL:
   nothing). A connection is ready when its steps are done. In what is sent $c is the channel, $i a number that
   counts up on the connection, $d the data. */
struct step {
    const char *await, *send;
};

struct protocol {
    const char *name;
    const char *path;           /* of a subscriber; NULL: no handshake, frames flow at once */
    const char *publisher_path; /* of a connection that publishes */
    bool joins_lines;           /* several messages in a frame, one a line */
    const char *ping, *pong;    /* texts of the protocol's own heartbeat, or NULL */
    struct step subscriber[4], publisher[4];
    const char *publish;
    const char *reply; /* how the reply to a command begins; NULL: there are none */
};

const struct protocol *protocol_named(const char *name);

/* Writes the template with its $-words replaced; the length, which is less than `room`, is returned. */
size_t expand(char *to, size_t room, const char *template, uint32_t number, const char *channel, const char *data);

#endif
