/* Slow clients beside normal ones, on the same channel: what they change for the normal ones, and what becomes of them.

   So that they fall behind within seconds, they subscribe to a second channel as well, which carries 1 MB a second for
   them alone. First a crowd that reads it all is measured in their place, then they come: smallest receive buffer, and
   1 KB a second read (trickle) or nothing at all (silent). Only the reading differs. */
#include <stdio.h>
#include <string.h>

#include "scenario.h"

#define FLOOD_RATE 50
#define FLOOD_SIZE 20000
#define TURN (100 * MILLISECOND) /* a tenth of the slow clients reads at each turn, so each reads once a second */

static struct crowd others, flooder;
static struct beat flood;
static uint64_t next_turn;
static uint32_t turns;
static bool reads_trickle;

static void read_a_little(uint64_t now) {
    if (!reads_trickle || now < next_turn) return;
    for (uint32_t i = turns++ % 10; i < others.count; i += 10) connection_read(&others.members[i], 1024);
    next_turn = now + TURN;
}

static uint64_t flood_and_read(uint64_t now) {
    while (beat_due(&flood, now))
        publish(flooder.members, "flood", (struct stamp){.kind = 's', .sent_ns = now}, FLOOD_SIZE);
    read_a_little(now);
    uint64_t next = beat_next(&flood);
    return next < now + TURN ? next : now + TURN;
}

static bool never(void) { return false; }

static void open_others(const struct options *options, bool slow) {
    static const char subscribe[] = "{\"id\":3,\"subscribe\":{\"channel\":\"flood\"}}";
    static const struct events nothing;
    others = crowd_of(options->others, options, SUBSCRIBER);
    crowd_open(&others, options->in_flight, slow ? 2048 : 0);
    for (uint32_t i = 0; i < others.count; i++) {
        others.members[i].index = options->clients + i; /* not counted among the normal ones */
        connection_send(&others.members[i], subscribe, sizeof subscribe - 1);
    }
    loop_run(&nothing, never, now_ns() + 300 * MILLISECOND);
    for (uint32_t i = 0; i < others.count; i++) others.members[i].unread = slow;
}

static bool all_closed(void) {
    for (uint32_t i = 0; i < others.count; i++)
        if (others.members[i].state != CLOSED) return false;
    return true;
}

/* Reads all that is left for the slow ones, up to the close frame if there is one. */
static void read_to_the_end(void) {
    static const struct events nothing;
    for (uint32_t i = 0; i < others.count; i++) others.members[i].unread = false;
    uint64_t until = now_ns() + 3 * SECOND;
    while (!all_closed() && now_ns() < until) {
        for (uint32_t i = 0; i < others.count; i++) connection_read(&others.members[i], 1 << 16);
        loop_run(&nothing, all_closed, now_ns() + 10 * MILLISECOND);
    }
}

static void report_fates(void) {
    uint32_t with_code = 0, without_code = 0, open = 0, code = 0;
    for (uint32_t i = 0; i < others.count; i++) {
        const struct connection *member = &others.members[i];
        if (member->close_code != 0) code = member->close_code;
        with_code += member->close_code != 0;
        without_code += member->close_code == 0 && member->state == CLOSED;
        open += member->close_code == 0 && member->state != CLOSED;
    }
    report_count("slow_closed_with_code", with_code);
    report_count("slow_close_code", code);
    report_count("slow_closed_without_code", without_code);
    report_count("slow_open", open);
}

static double measure(const char *prefix, struct crowd *crowd, struct crowd *publisher, const struct options *options) {
    flood = beat_of(FLOOD_RATE, options->warmup + options->seconds, now_ns());
    const struct fanout fanout = {.crowd = crowd, .publisher = publisher->members, .meanwhile = flood_and_read};
    return fanout_measure(prefix, &fanout, options);
}

void run_slow(const struct options *options) {
    struct crowd crowd, publisher;
    bool silent = options->mix != NULL && strcmp(options->mix, "silent") == 0;
    fanout_open(&crowd, &publisher, options);
    flooder = crowd_of(1, options, PUBLISHER);
    crowd_open(&flooder, 1, 0);
    report_begin("slow");
    report_text("mix", silent ? "silent" : "trickle");
    report_count("clients", options->clients);
    report_count("slow_clients", options->others);
    report_number("rate", options->rate);
    report_count("size", options->size);
    open_others(options, false);
    double before = measure("without_", &crowd, &publisher, options);
    for (uint32_t i = 0; i < others.count; i++) connection_close(&others.members[i]);
    open_others(options, true);
    reads_trickle = !silent;
    double after = measure("with_", &crowd, &publisher, options);
    report_number("p99_change", after / before);
    report_count("memory", memory_of(options->pid));
    read_to_the_end();
    report_fates();
    report_end();
}
