/* The protocols spoken, one row each. A server that is to be measured needs a row here and nothing else. */
#ifndef PROTOCOLS_H
#define PROTOCOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How messages travel. SOCKET: in WebSocket frames, both ways. STREAM: down in the body of a response that does not
   end. POLLING: down in the answers to one GET after another. Of the latter two, up in a POST for each message. */
enum carrier { SOCKET, STREAM, POLLING };

/* How messages share a frame or a body: each by itself, as lines, as records that end in 0x1e, or with their length (7
   bits a byte, the lowest first) in front of each. */
enum joining { ALONE, LINES, RECORDS, LENGTHS };

/* One step of an opening: wait for a message that contains `await` (NULL: do not wait), then send `send` (NULL:
   nothing). A connection is ready when its steps are done. */
struct step {
    const char *await, *send;
};

/* What is sent are templates with these words: $c the channel, $m the same in MessagePack, $i a number that counts up
   on the connection, $d the data, $q the data as the inside of a JSON string, $s and $n what the server said of the
   session, $r what a subscription asks for beside the channel, $= the length in one byte of all that follows. */
struct protocol {
    const char *name;
    enum carrier carrier;
    enum joining joining;
    bool binary;                /* in binary frames */
    const char *path;           /* of a subscriber; NULL: no handshake, frames flow at once */
    const char *body;           /* STREAM: what is posted to the path; NULL: a GET */
    const char *line_head;      /* STREAM: how a line that is a message begins; NULL: all are */
    const char *up_path;        /* STREAM, POLLING: where messages go up; POLLING: and where the next GET goes */
    const char *up_body;        /* STREAM, POLLING: with the message as the data */
    const char *session_key;    /* the key of the session in the first message */
    const char *ping, *pong;    /* texts of the protocol's own heartbeat, or NULL */
    const char *refusal;        /* what a message of the opening contains that is a refusal; NULL: "error" */
    struct step subscriber[4];
    const char *publishes_as;   /* the row that a publisher speaks; NULL: this one */
    const char *publisher_path; /* of a connection that publishes */
    struct step publisher[4];
    const char *publish; /* NULL in the publisher's row: publications are posted to /api/publish */
    const char *reply;   /* how the reply to a command begins; NULL: there are none */
};

const struct protocol *protocol_named(const char *name);
const struct protocol *publisher_of(const struct protocol *protocol);

/* What the words of a template stand for. */
struct words {
    uint32_t number;
    const char *channel, *data, *session, *node, *recovery;
};

/* Writes the template with its words replaced; the length, which is less than `room`, is returned. */
size_t expand(char *to, size_t room, const char *template, struct words words);

#endif
