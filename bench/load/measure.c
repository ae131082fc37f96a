/* See measure.h. The process clock of another process (clock_getcpuclockid) is used instead of /proc/PID/stat: the
   same sum of user and system time, but not rounded to hundredths of a second. */
#define _GNU_SOURCE
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double clock_seconds(clockid_t clock) {
    struct timespec at;
    if (clock_gettime(clock, &at) != 0) return -1;
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

uint64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * SECOND + (uint64_t)at.tv_nsec;
}

double cpu_seconds_of(pid_t pid) {
    clockid_t clock;
    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0) return -1;
    return clock_seconds(clock);
}

double cpu_seconds_of_this(void) { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

uint64_t memory_of(pid_t pid) {
    char path[64];
    unsigned long size = 0, resident = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static unsigned bucket_of(uint64_t value) {
    if (value < 64) return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value);
    return (power - 5) * 64 + (unsigned)((value >> (power - 6)) & 63);
}

static uint64_t value_of(unsigned bucket) {
    if (bucket < 64) return bucket;
    unsigned power = bucket / 64 + 5;
    return (64ULL + bucket % 64) << (power - 6);
}

void histogram_add(struct histogram *h, uint64_t value) {
    h->count++;
    if (value > h->highest) h->highest = value;
    h->buckets[bucket_of(value)]++;
}

double histogram_ms(const struct histogram *h, double quantile) {
    uint64_t wanted = (uint64_t)((double)h->count * quantile), passed = 0;
    for (unsigned i = 0; i < sizeof h->buckets / sizeof h->buckets[0]; i++) {
        passed += h->buckets[i];
        if (passed > wanted) return (double)value_of(i) / 1e6;
    }
    return (double)h->highest / 1e6;
}

struct span span_begin(pid_t server) {
    struct span span = {.server = server};
    span.server_from = cpu_seconds_of(server);
    span.own_from = cpu_seconds_of_this();
    span.wall_from = now_ns();
    return span;
}

void span_end(struct span *span) {
    span->server_s = cpu_seconds_of(span->server) - span->server_from;
    span->own_s = cpu_seconds_of_this() - span->own_from;
    span->wall_s = (double)(now_ns() - span->wall_from) / 1e9;
}

static struct {
    pid_t pids[16];
    double from[16], taken_s[16];
    uint32_t count;
} watched;

void watch_begin(const pid_t *pids, uint32_t count) {
    watched.count = count;
    for (uint32_t i = 0; i < count; i++) {
        watched.pids[i] = pids[i];
        watched.from[i] = cpu_seconds_of(pids[i]);
    }
}

void watch_end(void) {
    for (uint32_t i = 0; i < watched.count; i++)
        watched.taken_s[i] = cpu_seconds_of(watched.pids[i]) - watched.from[i];
}

void report_watched(const char *prefix) {
    for (uint32_t i = 0; i < watched.count; i++)
        printf(",\"%swatched_%u_cpu_s\":%.4f", prefix, i + 1, watched.taken_s[i]);
}

void report_begin(const char *scenario) { printf("{\"scenario\":\"%s\"", scenario); }
void report_text(const char *key, const char *value) { printf(",\"%s\":\"%s\"", key, value); }
void report_count(const char *key, uint64_t value) { printf(",\"%s\":%llu", key, (unsigned long long)value); }
void report_number(const char *key, double value) { printf(",\"%s\":%.4f", key, value); }
void report_flag(const char *key, bool value) { printf(",\"%s\":%s", key, value ? "true" : "false"); }

void report_latencies(const char *prefix, const struct histogram *h) {
    static const struct {
        const char *name;
        double quantile;
    } wanted[] = {{"p50", 0.50}, {"p90", 0.90}, {"p99", 0.99}, {"max", 1.0}};
    for (unsigned i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        printf(",\"%s%s_ms\":%.3f", prefix, wanted[i].name, histogram_ms(h, wanted[i].quantile));
}

void report_span(const char *prefix, const struct span *span) {
    double server = span->server_s / span->wall_s, own = span->own_s / span->wall_s;
    printf(",\"%swall_s\":%.3f,\"%sserver_cpu_s\":%.4f,\"%sserver_cpu_share\":%.3f", prefix, span->wall_s, prefix,
           span->server_s, prefix, server);
    printf(",\"%sgenerator_cpu_share\":%.3f,\"%ssaturated\":%s", prefix, own, prefix, own > 0.85 ? "true" : "false");
    if (own > 0.85) printf(",\"%swarning\":\"load generator saturated\"", prefix);
}

void report_end(void) {
    printf("}\n");
    fflush(stdout);
}

void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}
