/* Connections that subscribe and then do nothing: what each takes of the server's memory, and how fast they are
   taken in. Resident memory is read before the first and, once it has come to rest, after the last. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scenario.h"


static bool never(void) { return false; }

/* Memory after a moment of rest, in which the connections stay served. */
static uint64_t rested_memory(pid_t pid) {
    static const struct events nothing;
    loop_run(&nothing, never, now_ns() + SECOND);
    return memory_of(pid);
}

/* What connections that do nothing take, pings included. */
static void report_rest(const struct options *options, uint32_t ready) {
    static const struct events nothing;
    struct span span = span_begin(options->pid);
    watch_begin(options->watched, options->watched_count);
    loop_run(&nothing, never, now_ns() + (uint64_t)(options->rest * 1e9));
    span_end(&span);
    watch_end();
    report_number("rest_us_per_connection_s", span.server_s * 1e6 / ready / span.wall_s);
    report_span("rest_", &span);
    report_watched("rest_");
}

void run_idle(const struct options *options) {
    struct crowd first = crowd_of(1, options, SUBSCRIBER), crowd = crowd_of(options->clients, options, SUBSCRIBER);
    for (uint32_t i = 0; options->own_channels && i < crowd.count; i++)
        snprintf(crowd.members[i].channel, sizeof crowd.members[i].channel, "%s-%u", options->channel, i);
    for (uint32_t i = 0; options->positioned && i < crowd.count; i++)
        strcpy(crowd.members[i].recovery, ",\"recoverable\":true");
    crowd_open(&first, 1, 0); /* what a server loads for its first client is not counted */
    uint64_t before = rested_memory(options->pid);
    struct span span = span_begin(options->pid);
    watch_begin(options->watched, options->watched_count);
    crowd_open(&crowd, options->in_flight, 0);
    span_end(&span);
    watch_end();
    uint64_t after = rested_memory(options->pid);
    report_begin("idle");
    report_text("protocol", options->protocol_names);
    report_count("clients", options->clients);
    report_flag("own_channels", options->own_channels);
    report_count("ready", crowd.ready);
    report_count("lost", crowd.lost);
    report_count("memory_before", before);
    report_count("memory_after", after);
    report_number("bytes_per_connection", ((double)after - (double)before) / crowd.ready);
    report_number("connections_per_s", crowd.ready / span.wall_s);
    report_number("connections_per_server_cpu_s", crowd.ready / span.server_s);
    report_number("us_per_connection", span.server_s * 1e6 / crowd.ready);
    report_span("", &span);
    report_watched("");
    if (options->rest > 0) report_rest(options, crowd.ready);
    report_end();
}
