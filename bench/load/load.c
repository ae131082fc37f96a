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
    {"climit", run_climit},     {"recover", run_recover},
};

enum {
    PORT = 1, PID, PROTOCOL, CLIENTS, OTHERS, RATE, BUSY_RATE, SIZE, SECONDS,
    WARMUP, IN_FLIGHT, OWN, MIX, KEY, VIA_HTTP, BATCH, CPU, PUBLISH_PORT, PORTS, WATCH, VICTIM, CHANNEL, CHANNELS, REST, POSITIONED,
};

static const struct option words[] = {
    {"port", 1, 0, PORT},           {"pid", 1, 0, PID},         {"protocol", 1, 0, PROTOCOL},
    {"clients", 1, 0, CLIENTS},     {"others", 1, 0, OTHERS},   {"rate", 1, 0, RATE},
    {"busy-rate", 1, 0, BUSY_RATE}, {"size", 1, 0, SIZE},       {"seconds", 1, 0, SECONDS},
    {"warmup", 1, 0, WARMUP},       {"own-channels", 0, 0, OWN}, {"in-flight", 1, 0, IN_FLIGHT},
    {"mix", 1, 0, MIX},             {"key", 1, 0, KEY},         {"batch", 1, 0, BATCH},
    {"cpu", 1, 0, CPU},             {"via-http", 0, 0, VIA_HTTP}, {"publish-port", 1, 0, PUBLISH_PORT},
    {"ports", 1, 0, PORTS},         {"watch", 1, 0, WATCH},     {"victim", 1, 0, VICTIM},
    {"channel", 1, 0, CHANNEL},     {"channels", 1, 0, CHANNELS}, {"rest", 1, 0, REST},
    {"positioned", 0, 0, POSITIONED}, {0, 0, 0, 0},
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

/* Numbers with commas between them; how many there are. */
static uint32_t numbers(const char *text, long *to, uint32_t most) {
    uint32_t count = 0;
    for (char *end; *text != 0; text = *end == ',' ? end + 1 : end) {
        if (count == most) fail("at most %u of them: %s", most, text);
        to[count++] = strtol(text, &end, 10);
        if (end == text) fail("not a number: %s", text);
    }
    return count;
}

static void set_ports(struct options *options, const char *text) {
    long found[MOST_PORTS];
    options->port_count = numbers(text, found, MOST_PORTS);
    for (uint32_t i = 0; i < options->port_count; i++) options->ports[i] = (uint16_t)found[i];
}

static void set_watched(struct options *options, const char *text) {
    long found[MOST_WATCHED];
    options->watched_count = numbers(text, found, MOST_WATCHED);
    for (uint32_t i = 0; i < options->watched_count; i++) options->watched[i] = (pid_t)found[i];
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
    case PUBLISH_PORT: options->publish_port = (uint16_t)atoi(optarg); break;
    case PORTS: set_ports(options, optarg); break;
    case WATCH: set_watched(options, optarg); break;
    case VICTIM: options->victim = atoi(optarg); break;
    case CHANNEL: options->channel = optarg; break;
    case CHANNELS: options->channels = (uint32_t)atoi(optarg); break;
    case REST: options->rest = atof(optarg); break;
    case POSITIONED: options->positioned = true; break;
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
        .channel = "bench",
        .channels = 100,
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
