/* The server's HTTP API: keep-alive connections, one request at a time on each, `--batch` publications in a request.

   With `--others` there are as many channels, and a batch goes to one after the other. Each has a subscriber, with
   `--ports` one at each node of those; it is over when they have everything. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

#define PATIENCE (2 * SECOND) /* this long without a delivery, and the rest is taken for lost */

static struct crowd crowd, subscribers;
static char *request;
static size_t request_size;
static uint64_t answers, errors, until, in_flight, delivered, last_progress;
static uint32_t closed_count, copies = 1;
static uint64_t *sent_at;
static struct histogram latencies;
static const struct options *wishes;
static char first_error[128];

static void ask(struct connection *connection) {
    sent_at[connection->index] = now_ns();
    in_flight++;
    connection_send_bytes(connection, request, request_size);
}

static void answer(struct connection *connection, int status, const char *body, size_t size) {
    answers++;
    in_flight--;
    histogram_add(&latencies, now_ns() - sent_at[connection->index]);
    if ((status != 200 || memmem(body, size, "\"error\"", 7) != NULL) && errors++ == 0)
        snprintf(first_error, sizeof first_error, "status %d", status);
    if (now_ns() < until) ask(connection);
}

static void message(struct connection *connection, const char *text, size_t size, uint64_t now) {
    struct stamp stamp;
    (void)connection;
    if (!stamp_read(text, size, &stamp)) return;
    delivered++;
    last_progress = now;
}

static void closed(struct connection *connection) {
    (void)connection;
    closed_count++;
}

static bool done(void) {
    uint64_t now = now_ns();
    if (closed_count > 0) return true;
    if (now < until || in_flight > 0) return false;
    return subscribers.count == 0 || delivered >= answers * wishes->batch * copies || now > last_progress + PATIENCE;
}

static struct span stretch(double seconds, const struct options *options) {
    static const struct events events = {.answer = answer, .message = message, .closed = closed};
    answers = errors = delivered = 0;
    memset(&latencies, 0, sizeof latencies);
    last_progress = now_ns();
    until = last_progress + (uint64_t)(seconds * 1e9);
    struct span span = span_begin(options->pid);
    watch_begin(options->watched, options->watched_count);
    for (uint32_t i = 0; i < crowd.count; i++) ask(&crowd.members[i]);
    loop_run(&events, done, until + 20 * SECOND);
    span_end(&span);
    watch_end();
    return span;
}

/* The one request that is sent over and over: a publication, or a batch of them. */
static void write_request(const struct options *options) {
    char data[4096];
    if (options->size >= sizeof data) fail("data is at most %zu bytes", sizeof data - 1);
    data_write(data, options->size, (struct stamp){.kind = 'h'});
    size_t room = (size_t)options->batch * (options->size + 80) + 100, size = 0;
    char *body = malloc(room);
    request = malloc(room + 512);
    if (body == NULL || request == NULL) fail("out of memory");
    if (options->batch == 1) {
        size = (size_t)snprintf(body, room, "{\"channel\":\"%s0\",\"data\":%s}", options->channel, data);
    } else {
        size = (size_t)snprintf(body, room, "{\"commands\":[");
        for (uint32_t i = 0; i < options->batch; i++)
            size += (size_t)snprintf(body + size, room - size, "%s{\"publish\":{\"channel\":\"%s%u\",\"data\":%s}}",
                                     i ? "," : "", options->channel, options->others ? i % options->others : 0, data);
        size += (size_t)snprintf(body + size, room - size, "]}");
    }
    request_size = (size_t)snprintf(request, room + 512,
                                    "POST /api/%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-API-Key: %s\r\n"
                                    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                    options->batch == 1 ? "publish" : "batch", crowd.members[0].port,
                                    crowd.members[0].key, size, body);
    free(body);
}

void run_http(const struct options *options) {
    wishes = options;
    crowd = crowd_of(options->clients, options, HTTP_CLIENT);
    copies = options->port_count > 0 ? options->port_count : 1;
    subscribers = crowd_of(options->others * copies, options, SUBSCRIBER);
    for (uint32_t i = 0; i < subscribers.count; i++) {
        struct connection *member = &subscribers.members[i];
        snprintf(member->channel, sizeof member->channel, "%s%u", options->channel, i / copies);
        if (options->port_count > 0) member->port = options->ports[i % copies];
    }
    write_request(options);
    sent_at = calloc(crowd.count + 1, sizeof *sent_at);
    crowd_open(&subscribers, options->in_flight, 0);
    crowd_open(&crowd, options->in_flight, 0);
    if (options->warmup > 0) stretch(options->warmup, options);
    struct span span = stretch(options->seconds, options);
    if (answers == 0) fail("the server answers nothing");
    report_begin("http");
    report_count("clients", options->clients);
    report_count("batch", options->batch);
    report_count("requests", answers);
    report_count("errors", errors);
    report_count("closed", closed_count);
    if (errors > 0) report_text("first_error", first_error);
    report_number("requests_per_s", (double)answers / span.wall_s);
    report_number("publications_per_s", (double)(answers * options->batch) / span.wall_s);
    report_number("publications_per_server_cpu_s", (double)(answers * options->batch) / span.server_s);
    if (subscribers.count > 0) {
        uint64_t expected = (answers - errors) * options->batch * copies;
        report_count("publications", answers * options->batch);
        report_count("subscribers", subscribers.count);
        report_count("delivered", delivered);
        report_count("lost", expected > delivered ? expected - delivered : 0);
    }
    report_latencies("", &latencies);
    report_span("", &span);
    report_watched("");
    report_end();
}
