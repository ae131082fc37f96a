/* See errands.h. The server may close the shared connection whenever no request is on its way; it is opened again for
   the next. */
#include "errands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

struct errand {
    struct errand *next;
    struct connection *from;
    size_t size;
    char request[];
};

static struct errand *first, **last = &first;
static struct connection runner;

static void run_first(struct connection *connection) {
    if (first != NULL) connection_send_bytes(connection, first->request, first->size);
}

static void answered(struct connection *connection, int status, const char *body, size_t size) {
    struct errand *errand = first;
    if (errand == NULL) fail("an answer came to no request");
    first = errand->next;
    if (first == NULL) last = &first;
    if (status < 200 || status > 299) {
        fprintf(stderr, "load: refused with %d: %.*s\n", status, (int)(size < 200 ? size : 200), body);
        errand->from->refused = true;
        connection_close(errand->from);
    }
    free(errand);
    run_first(connection);
}

static void open_runner(struct connection *connection) {
    static const struct events events = {.ready = run_first, .answer = answered, .closed = open_runner};
    if (first == NULL) return;
    uint16_t port = first->from->port;
    free(connection->in.data);
    free(connection->out.data);
    *connection = (struct connection){.role = HTTP_CLIENT, .port = port, .events = &events};
    connection_open(connection, 0);
}

void errand_post(struct connection *from, const char *path, const char *body, size_t size) {
    size_t room = strlen(path) + size + 256;
    const char *type = from->protocol->carrier == POLLING ? "text/plain;charset=UTF-8" : "application/json";
    struct errand *errand = calloc(1, sizeof *errand + room);
    if (errand == NULL) fail("out of memory");
    errand->from = from;
    errand->size = (size_t)snprintf(errand->request, room,
                                    "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: %s\r\n"
                                    "Content-Length: %zu\r\n\r\n%.*s",
                                    path, from->port, type, size, (int)size, body);
    *last = errand;
    last = &errand->next;
    if (runner.state == UNUSED || runner.state == CLOSED) open_runner(&runner);
    else if (first == errand && runner.state == READY) run_first(&runner);
}
