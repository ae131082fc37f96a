/* One channel, many subscribers, a publisher with a beat. What is measured: the server's CPU time for a delivery, and
   what became of every single one. The CPU time is counted from the first publication to the last delivery, so that
   what a server puts off is counted too. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "scenario.h"

#define PATIENCE (2 * SECOND) /* this long without a delivery, and the rest is taken for lost */
#define GLANCE (50 * MILLISECOND)

static struct fanout fanout;
static struct stream stream;
static struct beat beat;
static uint32_t data_size, closed_count, refused_count;
static uint64_t last_progress;

static void message(struct connection *connection, const char *text, size_t size, uint64_t now) {
    struct stamp stamp;
    const char *reply = connection->protocol->reply;
    if (reply != NULL && strncmp(text, reply, strlen(reply)) == 0) {
        refused_count += memmem(text, size, "\"error\"", 7) != NULL;
    } else if (stamp_read(text, size, &stamp) && stamp.kind == stream.kind) {
        stream_take(&stream, connection->index, stamp, now);
        last_progress = now;
    }
}

static void answer(struct connection *connection, int status, const char *body, size_t size) {
    (void)connection;
    refused_count += status != 200 || memmem(body, size, "\"error\"", 7) != NULL;
}

static void closed(struct connection *connection) {
    closed_count += connection->index < fanout.crowd->count;
}

static uint64_t tick(uint64_t now) {
    while (fanout.publisher != NULL && beat_due(&beat, now)) {
        publish(fanout.publisher, fanout.publisher->channel, stream_next(&stream, now, fanout.crowd->count), data_size);
        last_progress = now;
    }
    uint64_t next = fanout.publisher == NULL ? UINT64_MAX : beat_next(&beat);
    uint64_t other = fanout.meanwhile == NULL ? UINT64_MAX : fanout.meanwhile(now);
    if (other < next) next = other;
    return next < now + GLANCE ? next : now + GLANCE;
}

static bool done(void) {
    if (fanout.publisher != NULL && beat.done < beat.total) return false;
    return stream.delivered == stream.expected || now_ns() > last_progress + PATIENCE;
}

/* One stretch of publishing; the stream is left open for a report. */
static struct span stretch(char kind, double seconds, const struct options *options) {
    static const struct events events = {.message = message, .answer = answer, .closed = closed, .tick = tick};
    uint64_t now = now_ns();
    beat = beat_of(options->rate, seconds, now);
    stream_begin(&stream, kind, fanout.crowd->count, beat.total);
    if (fanout.publisher == NULL) {
        stream.sent = beat.total;
        stream.expected = (uint64_t)beat.total * fanout.crowd->count;
    }
    last_progress = now;
    struct span span = span_begin(options->pid);
    watch_begin(options->watched, options->watched_count);
    loop_run(&events, done, now + (uint64_t)(seconds * 1e9) + 20 * SECOND);
    span_end(&span);
    watch_end();
    return span;
}

double fanout_measure(const char *prefix, const struct fanout *what, const struct options *options) {
    char key[64];
    fanout = *what;
    data_size = options->size;
    if (fanout.publisher != NULL && options->warmup > 0) {
        stretch('w', options->warmup, options);
        stream_end(&stream);
    }
    closed_count = refused_count = 0;
    traffic = (struct traffic){0};
    struct span span = stretch('f', options->seconds, options);
    stream_report(prefix, &stream);
    snprintf(key, sizeof key, "%sus_per_delivery", prefix);
    report_number(key, span.server_s * 1e6 / (double)(stream.delivered ? stream.delivered : 1));
    snprintf(key, sizeof key, "%sdeliveries_per_s", prefix);
    report_number(key, (double)stream.delivered / span.wall_s);
    snprintf(key, sizeof key, "%sdeliveries_per_frame", prefix);
    report_number(key, (double)stream.delivered / (double)(traffic.frames ? traffic.frames : 1));
    snprintf(key, sizeof key, "%spublisher_late_ms", prefix);
    report_number(key, (double)beat.latest_ns / 1e6);
    snprintf(key, sizeof key, "%sclosed", prefix);
    report_count(key, closed_count);
    snprintf(key, sizeof key, "%srefused", prefix);
    report_count(key, refused_count);
    report_span(prefix, &span);
    report_watched(prefix);
    stream_end(&stream);
    return histogram_ms(&stream.latencies, 0.99);
}

void fanout_open(struct crowd *crowd, struct crowd *publisher, const struct options *options) {
    *crowd = crowd_of(options->clients, options, SUBSCRIBER);
    bool via_http = options->via_http || publisher_of(options->protocols[0])->publish == NULL;
    *publisher = crowd_of(1, options, via_http ? HTTP_CLIENT : PUBLISHER);
    crowd_open(crowd, options->in_flight, 0);
    crowd_open(publisher, 1, 0);
}

void run_fanout(const struct options *options) {
    struct crowd crowd, publisher;
    fanout_open(&crowd, &publisher, options);
    report_begin("fanout");
    report_text("protocol", options->protocol_names);
    report_count("clients", options->clients);
    report_number("rate", options->rate);
    report_count("size", options->size);
    fanout_measure("", &(struct fanout){.crowd = &crowd, .publisher = publisher.members}, options);
    report_end();
}
