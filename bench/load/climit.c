/* The limit: a loop of send() in C, one prebuilt frame to all sockets at each round. No server that writes to its
   clients one by one can be cheaper; the receiving side is the same as for every other figure. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scenario.h"

static int to_sender[2];

/* The frame that a hub would send: the publication in its envelope. */
static size_t write_frame(char *frame, uint32_t data_bytes) {
    static char data[4096];
    if (data_bytes > 3800) fail("data is at most 3800 bytes");
    data_write(data, data_bytes, (struct stamp){.kind = 'f'});
    int size = snprintf(frame + 4, 4092, "{\"push\":{\"channel\":\"bench\",\"pub\":{\"data\":%s}}}", data);
    frame[0] = (char)0x81;
    frame[1] = 126;
    frame[2] = (char)(size >> 8);
    frame[3] = (char)size;
    return (size_t)size + 4;
}

static void wait_until(uint64_t moment) {
    struct timespec at = {.tv_sec = (time_t)(moment / SECOND), .tv_nsec = (long)(moment % SECOND)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) continue;
}

static void send_rounds(const int *sockets, const struct options *options) {
    static char frame[4096];
    size_t size = write_frame(frame, options->size);
    char *stamp = memchr(frame + 4, '~', size - 4); /* behind the head, whose 126 is a ~ as well */
    uint64_t from = now_ns();
    uint32_t total = beat_of(options->rate, options->seconds, from).total;
    for (uint32_t round = 0; round < total; round++) {
        wait_until(from + (uint64_t)((double)round * 1e9 / options->rate));
        stamp_write(stamp, (struct stamp){.kind = 'f', .sequence = round, .sent_ns = now_ns()});
        for (uint32_t i = 0; i < options->clients; i++)
            if (send(sockets[i], frame, size, MSG_NOSIGNAL) != (ssize_t)size) fail("send: %s", strerror(errno));
    }
}

/* The sending process: takes the connections, waits for the word, sends, and stays until it is ended. */
static _Noreturn void sender(int listener, const struct options *options) {
    int *sockets = calloc(options->clients + 1, sizeof *sockets), yes = 1;
    char word;
    cpu_set_t core;
    CPU_ZERO(&core);
    CPU_SET(options->cpu, &core);
    if (sched_setaffinity(0, sizeof core, &core) != 0) fail("sched_setaffinity: %s", strerror(errno));
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (uint32_t i = 0; i < options->clients; i++) {
        sockets[i] = accept(listener, NULL, NULL);
        if (sockets[i] < 0) fail("accept: %s", strerror(errno));
        setsockopt(sockets[i], IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    if (read(to_sender[0], &word, 1) == 1) send_rounds(sockets, options);
    for (;;) pause();
}

static uint64_t give_the_word(uint64_t now) {
    static bool given;
    (void)now;
    if (!given && write(to_sender[1], "g", 1) != 1) fail("pipe: %s", strerror(errno));
    given = true;
    return UINT64_MAX;
}

void run_climit(const struct options *asked) {
    struct options options = *asked;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 4096) != 0)
        fail("listen: %s", strerror(errno));
    getsockname(listener, (struct sockaddr *)&address, &size);
    if (pipe(to_sender) != 0) fail("pipe: %s", strerror(errno));
    options.port = ntohs(address.sin_port);
    options.protocols[0] = protocol_named("raw");
    options.protocol_count = 1;
    options.pid = fork();
    if (options.pid == 0) sender(listener, &options);
    struct crowd crowd = crowd_of(options.clients, &options, SUBSCRIBER);
    crowd_open(&crowd, options.in_flight, 0);
    report_begin("climit");
    report_count("clients", options.clients);
    report_number("rate", options.rate);
    report_count("size", options.size);
    fanout_measure("", &(struct fanout){.crowd = &crowd, .meanwhile = give_the_word}, &options);
    report_end();
    kill(options.pid, SIGKILL);
    waitpid(options.pid, NULL, 0);
}
