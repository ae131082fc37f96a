/* Client connections and the one epoll loop they live on: handshake, opening steps, WebSocket frames in and out, HTTP
   answers and streams in. What a message means is the scenario's affair: it hands in `struct events`. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bodies.h"
#include "protocols.h"

enum state { UNUSED, CONNECTING, UPGRADING, OPENING, READY, CLOSED };
enum role { SUBSCRIBER, PUBLISHER, HTTP_CLIENT };

struct bytes {
    char *data;
    size_t start, end, room;
};

struct events;

struct connection {
    int fd;
    enum state state;
    enum role role;
    uint32_t index; /* in the scenario's own numbering */
    uint32_t number; /* of the last command sent */
    uint32_t in_flight;
    const struct protocol *protocol;
    uint16_t port;
    const char *key; /* of the HTTP API */
    uint16_t close_code; /* of the close frame that the server sent; 0: none */
    bool refused;        /* an opening step was answered with an error */
    bool unread;         /* not read by the loop: see connection_read */
    bool may_fail;       /* to connect: it is then closed, where otherwise the scenario ends */
    uint8_t step;
    bool chunked; /* the body of a STREAM */
    struct chunks chunks;
    struct bytes in, out;
    char channel[32];
    char session[64], node[64]; /* as the server said them */
    char recovery[96]; /* what its subscription asks for beside the channel */
    const struct events *events; /* its own, instead of the scenario's */
};

/* A message of the scenario; in HTTP the body of an answer, with its status. */
struct events {
    void (*ready)(struct connection *connection);
    void (*message)(struct connection *connection, const char *text, size_t size, uint64_t now);
    void (*answer)(struct connection *connection, int status, const char *body, size_t size);
    void (*closed)(struct connection *connection);
    void (*opening)(struct connection *connection, const char *text, size_t size, uint64_t now); /* an opening step */
    uint64_t (*tick)(uint64_t now); /* does what is due, and returns when it wants to be called next */
};

struct traffic {
    uint64_t reads, frames, bytes;
};
extern struct traffic traffic;

void loop_begin(void);
/* Runs until done() or the deadline; true when it was done(). */
bool loop_run(const struct events *events, bool (*done)(void), uint64_t deadline);

void connection_open(struct connection *connection, int receive_buffer);
void connection_close(struct connection *connection);
/* Makes a closed connection one that can be opened again; what it knows of its server is forgotten. */
void connection_renew(struct connection *connection);
/* Sends one message, over whatever carries them; `queue` only puts it into the buffer, for a later connection_flush. */
void connection_queue(struct connection *connection, const char *text, size_t size);
void connection_flush(struct connection *connection);
void connection_send(struct connection *connection, const char *text, size_t size);
void connection_send_bytes(struct connection *connection, const char *bytes, size_t size);
/* Reads at most `most` bytes of an `unread` connection; false when it is closed. */
bool connection_read(struct connection *connection, size_t most);

#endif
