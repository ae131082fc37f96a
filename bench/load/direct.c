/* Direct messages while everybody is busy: each client has a channel of its own beside the channel of all. One
   publisher sends to the channel of all, another to one own channel after the other, at random. */
#include <stdio.h>
#include <string.h>

#include "scenario.h"

static struct crowd crowd, publishers;
static struct stream direct, broadcast;
static struct beat direct_beat, broadcast_beat;
static uint32_t subscribed, data_size, closed_count;
static uint64_t patience_over;

static void subscribe_reply(struct connection *connection, const char *text, size_t size, uint64_t now) {
    (void)connection, (void)now;
    if (size < 8 || strncmp(text, "{\"id\":3,", 8) != 0) return;
    if (strncmp(text, "{\"id\":3,\"error", 14) == 0) fail("refused: %.*s", (int)size, text);
    subscribed++;
}

static bool all_subscribed(void) { return subscribed == crowd.count; }

/* The second subscription of each, a few hundred at a time. */
static void subscribe_all_to_their_own(void) {
    static const struct events events = {.message = subscribe_reply};
    char text[128];
    for (uint32_t i = 0; i < crowd.count; i++) {
        int size = snprintf(text, sizeof text, "{\"id\":3,\"subscribe\":{\"channel\":\"own-%u\"}}", i);
        connection_send(&crowd.members[i], text, (size_t)size);
    }
    if (!loop_run(&events, all_subscribed, now_ns() + 30 * SECOND))
        fail("%u of %u subscribed", subscribed, crowd.count);
}

static void message(struct connection *connection, const char *text, size_t size, uint64_t now) {
    struct stamp stamp;
    if (!stamp_read(text, size, &stamp)) return;
    if (stamp.kind == direct.kind) stream_take(&direct, connection->index, stamp, now);
    if (stamp.kind == broadcast.kind) stream_take(&broadcast, connection->index, stamp, now);
}

static void closed(struct connection *connection) {
    (void)connection;
    closed_count++;
}

static uint32_t anyone(void) {
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (uint32_t)((uint64_t)state * crowd.count >> 32);
}

static uint64_t tick(uint64_t now) {
    char channel[32];
    while (beat_due(&broadcast_beat, now))
        publish(&publishers.members[0], "bench", stream_next(&broadcast, now, crowd.count), data_size);
    while (beat_due(&direct_beat, now)) {
        snprintf(channel, sizeof channel, "own-%u", anyone());
        publish(&publishers.members[1], channel, stream_next(&direct, now, 1), data_size);
    }
    uint64_t next = now + 50 * MILLISECOND;
    if (beat_next(&direct_beat) < next) next = beat_next(&direct_beat);
    return beat_next(&broadcast_beat) < next ? beat_next(&broadcast_beat) : next;
}

static bool done(void) {
    if (direct_beat.done < direct_beat.total || broadcast_beat.done < broadcast_beat.total) return false;
    bool whole = direct.delivered == direct.expected && broadcast.delivered == broadcast.expected;
    return whole || now_ns() > patience_over;
}

void run_direct(const struct options *options) {
    static const struct events events = {.message = message, .closed = closed, .tick = tick};
    data_size = options->size;
    crowd = crowd_of(options->clients, options, SUBSCRIBER);
    publishers = crowd_of(2, options, PUBLISHER);
    crowd_open(&crowd, options->in_flight, 0);
    subscribe_all_to_their_own();
    crowd_open(&publishers, 2, 0);
    uint64_t now = now_ns();
    direct_beat = beat_of(options->rate, options->seconds, now);
    broadcast_beat = beat_of(options->busy_rate, options->seconds, now);
    stream_begin(&direct, 'd', crowd.count, direct_beat.total);
    stream_begin(&broadcast, 'b', crowd.count, broadcast_beat.total);
    patience_over = now + (uint64_t)(options->seconds * 1e9) + 5 * SECOND;
    struct span span = span_begin(options->pid);
    loop_run(&events, done, patience_over);
    span_end(&span);
    report_begin("direct");
    report_count("clients", options->clients);
    report_number("rate", options->rate);
    report_number("busy_rate", options->busy_rate);
    stream_report("", &direct);
    stream_report("broadcast_", &broadcast);
    report_count("closed", closed_count);
    report_span("", &span);
    report_end();
}
