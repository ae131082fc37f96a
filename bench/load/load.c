/* load: the load generator of the benchmarks. One process, one thread, one scenario a run; what it found is one line
   of JSON on stdout, and whatever makes the figures worthless is an exit with a message.

     load SCENARIO --port N --pid N [--protocol NAME[,NAME...]] [--clients N] [--rate N] [--size BYTES] ...

   Scenarios and options are the two tables below; scenario.h says what the options mean. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario.h"

static const struct {
    const char *name;
    void (*run)(const struct options *options);
} scenarios[] = {
    {"fanout", run_fanout}, {"broadcast", run_fanout}, {"idle", run_idle},         {"direct", run_direct},
    {"commands", run_commands}, {"slow", run_slow},    {"http", run_http},         {"halfopen", run_halfopen},
    {"climit", run_climit},
};

enum {
    PORT = 1, PID, PROTOCOL, CLIENTS, OTHERS, RATE, BUSY_RATE, SIZE, SECONDS,
    WARMUP, IN_FLIGHT, OWN, MIX, KEY, VIA_HTTP, BATCH, CPU,
};

static const struct option words[] = {
    {"port", 1, 0, PORT},           {"pid", 1, 0, PID},         {"protocol", 1, 0, PROTOCOL},
    {"clients", 1, 0, CLIENTS},     {"others", 1, 0, OTHERS},   {"rate", 1, 0, RATE},
    {"busy-rate", 1, 0, BUSY_RATE}, {"size", 1, 0, SIZE},       {"seconds", 1, 0, SECONDS},
    {"warmup", 1, 0, WARMUP},       {"own-channels", 0, 0, OWN}, {"in-flight", 1, 0, IN_FLIGHT},
    {"mix", 1, 0, MIX},             {"key", 1, 0, KEY},         {"batch", 1, 0, BATCH},
    {"cpu", 1, 0, CPU},             {"via-http", 0, 0, VIA_HTTP}, {0, 0, 0, 0},
};

static void set_protocols(struct options *options, const char *names) {
    static char text[256];
    snprintf(text, sizeof text, "%s", names);
    options->protocol_names = names;
    options->protocol_count = 0;
    for (char *name = strtok(text, ","); name != NULL; name = strtok(NULL, ",")) {
        if (options->protocol_count == MOST_PROTOCOLS) fail("at most %d protocols", MOST_PROTOCOLS);
        options->protocols[options->protocol_count++] = protocol_named(name);
    }
}

static void set(struct options *options, int word) {
    switch (word) {
    case PORT: options->port = (uint16_t)atoi(optarg); break;
    case PID: options->pid = atoi(optarg); break;
    case PROTOCOL: set_protocols(options, optarg); break;
    case CLIENTS: options->clients = (uint32_t)atoi(optarg); break;
    case OTHERS: options->others = (uint32_t)atoi(optarg); break;
    case RATE: options->rate = atof(optarg); break;
    case BUSY_RATE: options->busy_rate = atof(optarg); break;
    case SIZE: options->size = (uint32_t)atoi(optarg); break;
    case SECONDS: options->seconds = atof(optarg); break;
    case WARMUP: options->warmup = atof(optarg); break;
    case IN_FLIGHT: options->in_flight = (uint32_t)atoi(optarg); break;
    case OWN: options->own_channels = true; break;
    case MIX: options->mix = optarg; break;
    case KEY: options->key = optarg; break;
    case VIA_HTTP: options->via_http = true; break;
    case BATCH: options->batch = (uint32_t)atoi(optarg); break;
    case CPU: options->cpu = atoi(optarg); break;
    default: fail("see the head of load.c for the options");
    }
}

int main(int argc, char **argv) {
    struct options options = {
        .clients = 500,
        .rate = 50,
        .size = 100,
        .seconds = 3,
        .warmup = 1,
        .in_flight = 64,
        .batch = 1,
    };
    if (argc < 2) fail("which scenario?");
    set_protocols(&options, "centrifuge");
    signal(SIGPIPE, SIG_IGN);
    for (int word; (word = getopt_long(argc - 1, argv + 1, "", words, NULL)) != -1;) set(&options, word);
    loop_begin();
    for (size_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (strcmp(scenarios[i].name, argv[1]) == 0) {
            scenarios[i].run(&options);
            return 0;
        }
    fail("no scenario is named %s", argv[1]);
}
