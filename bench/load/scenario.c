/* See scenario.h: crowds of connections, the beat of publications, and a publication itself. */
#include "scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_DATA 65536

static struct crowd *opening;
static int opening_buffer;

struct crowd crowd_of(uint32_t count, const struct options *options, enum role role) {
    struct crowd crowd = {.count = count, .members = calloc(count + 1, sizeof *crowd.members)};
    if (crowd.members == NULL) fail("out of memory");
    for (uint32_t i = 0; i < count; i++) {
        struct connection *member = &crowd.members[i];
        member->index = i;
        member->role = role;
        member->protocol = options->protocols[i % options->protocol_count];
        if (role != SUBSCRIBER) member->protocol = publisher_of(member->protocol);
        member->port = role != SUBSCRIBER && options->publish_port != 0 ? options->publish_port : options->port;
        member->key = options->key == NULL ? "" : options->key;
        snprintf(member->channel, sizeof member->channel, "%s", options->channel);
    }
    return crowd;
}

static void open_next(void) {
    if (opening->opened < opening->count) connection_open(&opening->members[opening->opened++], opening_buffer);
}

static void one_ready(struct connection *connection) {
    if (connection->refused) fail("a subscription was refused");
    opening->ready++;
    open_next();
}

static void one_closed(struct connection *connection) {
    opening->lost++;
    fprintf(stderr, "load: connection %u closed while opening, code %u\n", connection->index, connection->close_code);
    if (opening->lost > 10) fail("the server does not take the connections");
    open_next();
}

static bool all_open(void) { return opening->ready + opening->lost >= opening->count; }

void crowd_open(struct crowd *crowd, uint32_t in_flight, int receive_buffer) {
    const struct events events = {.ready = one_ready, .closed = one_closed, .opening = crowd->opening};
    opening = crowd;
    opening_buffer = receive_buffer;
    for (uint32_t i = 0; i < in_flight; i++) open_next();
    if (!loop_run(&events, all_open, now_ns() + 60 * SECOND))
        fail("%u of %u connections were ready after 60 s", crowd->ready, crowd->count);
}

struct beat beat_of(double rate, double seconds, uint64_t from) {
    return (struct beat){.from = from, .rate = rate, .total = (uint32_t)(rate * seconds + 0.5)};
}

uint64_t beat_next(const struct beat *beat) {
    if (beat->done >= beat->total) return UINT64_MAX;
    return beat->from + (uint64_t)((double)beat->done * 1e9 / beat->rate);
}

bool beat_due(struct beat *beat, uint64_t now) {
    uint64_t due = beat_next(beat);
    if (now < due) return false;
    if (now - due > beat->latest_ns) beat->latest_ns = now - due;
    beat->done++;
    return true;
}

static void post(struct connection *publisher, const char *body, size_t size) {
    static char request[LARGEST_DATA + 1024];
    int length = snprintf(request, sizeof request,
                          "POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-API-Key: %s\r\n"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          publisher->port, publisher->key, size, body);
    connection_send_bytes(publisher, request, (size_t)length);
}

void publish(struct connection *publisher, const char *channel, struct stamp stamp, uint32_t size) {
    static char data[LARGEST_DATA + 1], text[LARGEST_DATA + 256];
    if (size > LARGEST_DATA) fail("data is at most %d bytes", LARGEST_DATA);
    bool http = publisher->role == HTTP_CLIENT;
    const char *template = http ? "{\"channel\":\"$c\",\"data\":$d}" : publisher->protocol->publish;
    data_write(data, size, stamp);
    struct words words = {.number = ++publisher->number, .channel = channel, .data = data};
    size_t length = expand(text, sizeof text, template, words);
    if (http) post(publisher, text, length);
    else connection_send(publisher, text, length);
}
