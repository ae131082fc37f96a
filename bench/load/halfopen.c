/* Half-open sockets: connected, and then nothing, or half of a handshake. Normal clients are measured without and
   with them; a server should not let them matter, and should end them after a while. */
#include <errno.h>
#include <sys/socket.h>

#include "scenario.h"

static struct crowd halves;

static void open_halves(const struct options *options) {
    static const char half[] = "GET /connection/websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: webso";
    halves = crowd_of(options->others, options, HTTP_CLIENT);
    for (uint32_t i = 0; i < halves.count; i++) {
        halves.members[i].index = options->clients + i;
        halves.members[i].unread = true;
    }
    crowd_open(&halves, options->in_flight, 0);
    for (uint32_t i = 1; i < halves.count; i += 2) connection_send_bytes(&halves.members[i], half, sizeof half - 1);
}

/* How many of them the server has ended. */
static uint32_t ended(void) {
    uint32_t count = 0;
    char byte;
    for (uint32_t i = 0; i < halves.count; i++) {
        ssize_t got = recv(halves.members[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        count += got >= 0 || (errno != EAGAIN && errno != EINTR);
    }
    return count;
}

void run_halfopen(const struct options *options) {
    struct crowd crowd, publisher;
    fanout_open(&crowd, &publisher, options);
    const struct fanout fanout = {.crowd = &crowd, .publisher = publisher.members};
    report_begin("halfopen");
    report_count("clients", options->clients);
    report_count("half_open", options->others);
    report_number("rate", options->rate);
    double p99_before = fanout_measure("without_", &fanout, options);
    uint64_t before = memory_of(options->pid);
    open_halves(options);
    double p99_after = fanout_measure("with_", &fanout, options);
    report_number("p99_change", p99_after / p99_before);
    report_number("bytes_per_half_open", ((double)memory_of(options->pid) - (double)before) / options->others);
    report_count("ended_by_server", ended());
    report_end();
}
