/* The server's HTTP API: keep-alive connections, one request at a time on each, `--batch` publications in a request. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

static struct crowd crowd;
static char *request;
static size_t request_size;
static uint64_t answers, errors, until;
static uint32_t closed_count;
static uint64_t *sent_at;
static struct histogram latencies;
static char first_error[128];

static void ask(struct connection *connection) {
    sent_at[connection->index] = now_ns();
    connection_send_bytes(connection, request, request_size);
}

static void answer(struct connection *connection, int status, const char *body, size_t size) {
    answers++;
    histogram_add(&latencies, now_ns() - sent_at[connection->index]);
    if ((status != 200 || memmem(body, size, "\"error\"", 7) != NULL) && errors++ == 0)
        snprintf(first_error, sizeof first_error, "status %d", status);
    ask(connection);
}

static void closed(struct connection *connection) {
    (void)connection;
    closed_count++;
}

static bool done(void) { return now_ns() >= until || closed_count == crowd.count; }

static struct span stretch(double seconds, const struct options *options) {
    static const struct events events = {.answer = answer, .closed = closed};
    answers = errors = 0;
    memset(&latencies, 0, sizeof latencies);
    until = now_ns() + (uint64_t)(seconds * 1e9);
    struct span span = span_begin(options->pid);
    loop_run(&events, done, until);
    span_end(&span);
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
        size = (size_t)snprintf(body, room, "{\"channel\":\"http\",\"data\":%s}", data);
    } else {
        size = (size_t)snprintf(body, room, "{\"commands\":[");
        for (uint32_t i = 0; i < options->batch; i++)
            size += (size_t)snprintf(body + size, room - size, "%s{\"publish\":{\"channel\":\"http\",\"data\":%s}}",
                                     i ? "," : "", data);
        size += (size_t)snprintf(body + size, room - size, "]}");
    }
    request_size = (size_t)snprintf(request, room + 512,
                                    "POST /api/%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-API-Key: %s\r\n"
                                    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                                    options->batch == 1 ? "publish" : "batch", options->port,
                                    crowd.members[0].key, size, body);
    free(body);
}

void run_http(const struct options *options) {
    crowd = crowd_of(options->clients, options, HTTP_CLIENT);
    write_request(options);
    sent_at = calloc(crowd.count + 1, sizeof *sent_at);
    crowd_open(&crowd, options->in_flight, 0);
    for (uint32_t i = 0; i < crowd.count; i++) ask(&crowd.members[i]);
    if (options->warmup > 0) stretch(options->warmup, options);
    struct span span = stretch(options->seconds, options);
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
    report_latencies("", &latencies);
    report_span("", &span);
    report_end();
}
