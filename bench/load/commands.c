/* Commands in: each connection keeps a number of them in flight, each command a frame of its own. Counted are replies;
   a publication into the client's own channel comes back to it as well, and that is part of the work. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "scenario.h"

static const struct {
    const char *name, *text;
} kinds[] = {
    {"publish", "{\"id\":$i,\"publish\":{\"channel\":\"$c\",\"data\":$d}}"},
    {"history", "{\"id\":$i,\"history\":{\"channel\":\"$c\",\"limit\":10}}"},
    {"presence", "{\"id\":$i,\"presence_stats\":{\"channel\":\"$c\"}}"},
    {"rpc", "{\"id\":$i,\"rpc\":{\"method\":\"echo\",\"data\":$d}}"},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

static struct crowd crowd;
static char data[4096];
static unsigned first_kind, last_kind;
static uint32_t window, closed_count;
static uint64_t replies, errors, until;
static char first_error[128];

static void fill(struct connection *connection) {
    char text[8192];
    while (connection->in_flight < window) {
        unsigned kind = first_kind + connection->number % (last_kind - first_kind + 1);
        struct words words = {.number = ++connection->number, .channel = connection->channel, .data = data};
        size_t size = expand(text, sizeof text, kinds[kind].text, words);
        connection_queue(connection, text, size);
        connection->in_flight++;
    }
    connection_flush(connection);
}

/* The first error goes into the report, without its quotation marks. */
static void keep_error(const char *text, size_t size) {
    for (size_t i = 0; i < size && i < sizeof first_error - 1; i++) first_error[i] = text[i] == '"' ? '\'' : text[i];
}

static void message(struct connection *connection, const char *text, size_t size, uint64_t now) {
    (void)now;
    if (size < 6 || memcmp(text, "{\"id\":", 6) != 0) return;
    replies++;
    if (memmem(text, size, "\"error\"", 7) != NULL && errors++ == 0)
        keep_error(text, size);
    if (--connection->in_flight <= window / 2) fill(connection);
}

static void closed(struct connection *connection) {
    (void)connection;
    closed_count++;
}

static bool done(void) { return now_ns() >= until || closed_count == crowd.count; }

static struct span stretch(double seconds, const struct options *options) {
    static const struct events events = {.message = message, .closed = closed};
    replies = errors = 0;
    until = now_ns() + (uint64_t)(seconds * 1e9);
    struct span span = span_begin(options->pid);
    loop_run(&events, done, until);
    span_end(&span);
    return span;
}

static void choose(const char *mix) {
    first_kind = 0;
    last_kind = KINDS - 1;
    if (mix == NULL || strcmp(mix, "mixed") == 0) return;
    for (unsigned i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, mix) == 0) {
            first_kind = last_kind = i;
            return;
        }
    fail("no mix is named %s", mix);
}

void run_commands(const struct options *options) {
    choose(options->mix);
    if (options->size >= sizeof data) fail("data is at most %zu bytes", sizeof data - 1);
    data_write(data, options->size, (struct stamp){.kind = 'c'});
    crowd = crowd_of(options->clients, options, SUBSCRIBER);
    for (uint32_t i = 0; i < crowd.count; i++)
        snprintf(crowd.members[i].channel, sizeof crowd.members[i].channel, "%s-%u", options->channel, i);
    window = options->in_flight;
    crowd_open(&crowd, 64, 0);
    for (uint32_t i = 0; i < crowd.count; i++) fill(&crowd.members[i]);
    if (options->warmup > 0) stretch(options->warmup, options);
    struct span span = stretch(options->seconds, options);
    report_begin("commands");
    report_text("mix", options->mix == NULL ? "mixed" : options->mix);
    report_count("clients", options->clients);
    report_count("in_flight", window);
    report_count("replies", replies);
    report_count("errors", errors);
    if (errors > 0) report_text("first_error", first_error);
    report_count("closed", closed_count);
    report_number("replies_per_s", (double)replies / span.wall_s);
    report_number("replies_per_server_cpu_s", (double)replies / span.server_s);
    report_span("", &span);
    report_end();
}
