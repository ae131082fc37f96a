/* What scenarios share: the options of the command line, a crowd of connections, a publisher that keeps a beat. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "connection.h"
#include "measure.h"
#include "stream.h"

#define MOST_PROTOCOLS 8
#define MOST_PORTS 8
#define MOST_WATCHED 8

struct options {
    const struct protocol *protocols[MOST_PROTOCOLS]; /* clients are divided among them; the first publishes */
    uint32_t protocol_count;
    const char *protocol_names;
    uint16_t port;
    uint16_t publish_port; /* of the node that publications go to, where it is another */
    uint16_t ports[MOST_PORTS]; /* recover: of the nodes, the first being the one that dies */
    uint32_t port_count;
    pid_t pid;         /* of the server: its CPU time and memory are read */
    pid_t watched[MOST_WATCHED]; /* other processes whose CPU time is read */
    uint32_t watched_count;
    pid_t victim;      /* recover: who is killed; without one, it goes on until standard input ends */
    const char *channel; /* its name, or how the names begin where there are several */
    uint32_t channels; /* recover: how many */
    uint32_t clients;
    uint32_t others;   /* slow clients, half-open sockets; http: subscribers */
    double rate;       /* publications a second */
    double busy_rate;  /* of the broadcast that keeps clients busy while direct messages are measured */
    uint32_t size;     /* bytes of data */
    double seconds, warmup;
    uint32_t in_flight; /* connections being opened at a time, or commands of one connection */
    bool own_channels; /* idle: one channel for each client */
    bool positioned;   /* idle: subscribe as who wants to recover later */
    double rest;       /* idle: for how many seconds the CPU time of connections at rest is read */
    const char *mix;   /* commands: publish, history, presence, rpc or mixed; slow: trickle or silent; recover: backoff or
                          immediate */
    const char *key;   /* of the HTTP API */
    bool via_http;     /* fanout: publish with POST /api/publish instead of a client connection */
    uint32_t batch;    /* http: publications in a request; 1 is /api/publish */
    int cpu;           /* climit: the core of the sending loop */
};

/* Connections that are opened together, `in_flight` at a time. */
struct crowd {
    struct connection *members;
    uint32_t count, opened, ready, lost;
    void (*opening)(struct connection *connection, const char *text, size_t size, uint64_t now); /* or NULL */
};

struct crowd crowd_of(uint32_t count, const struct options *options, enum role role);
/* Opens all and waits until all are ready; ends the process with a message when they are not in 60 s. */
void crowd_open(struct crowd *crowd, uint32_t in_flight, int receive_buffer);

/* A beat: publication i is due at from + i / rate. What is late is caught up, and how late is recorded. */
struct beat {
    uint64_t from, latest_ns;
    double rate;
    uint32_t done, total;
};
struct beat beat_of(double rate, double seconds, uint64_t from);
bool beat_due(struct beat *beat, uint64_t now);
uint64_t beat_next(const struct beat *beat);

/* One publication, over the publisher's protocol or, when it is an HTTP client, as POST /api/publish. */
void publish(struct connection *publisher, const char *channel, struct stamp stamp, uint32_t size);

void run_fanout(const struct options *options);
void run_idle(const struct options *options);
void run_direct(const struct options *options);
void run_commands(const struct options *options);
void run_slow(const struct options *options);
void run_http(const struct options *options);
void run_halfopen(const struct options *options);
void run_climit(const struct options *options);
void run_recover(const struct options *options);

/* Publishes to a crowd that is open, first to warm up, and reports with every key prefixed; shared by the scenarios
   that are a fan-out and something more. Returns the p99 in milliseconds. */
struct fanout {
    struct crowd *crowd;
    struct connection *publisher;        /* NULL: the server publishes by itself, from when it is asked */
    uint64_t (*meanwhile)(uint64_t now); /* what else is due while it runs, and when again; or NULL */
};
double fanout_measure(const char *prefix, const struct fanout *fanout, const struct options *options);
void fanout_open(struct crowd *crowd, struct crowd *publisher, const struct options *options);

#endif
