/* What is measured with: the clock, CPU time and memory of a process, a histogram of latencies, and the one JSON
   line of results. Nothing here knows of sockets. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SECOND 1000000000ULL
#define MILLISECOND 1000000ULL

uint64_t now_ns(void);

/* CPU time of a process with all its threads, those that ended included, to the nanosecond; -1 when it is gone. */
double cpu_seconds_of(pid_t pid);
double cpu_seconds_of_this(void);
uint64_t memory_of(pid_t pid); /* resident bytes */

/* Latencies in nanoseconds, kept to 1.6 % in 64 buckets for each power of two. */
struct histogram {
    uint64_t count, highest;
    uint32_t buckets[64 * 64];
};
void histogram_add(struct histogram *h, uint64_t value);
double histogram_ms(const struct histogram *h, double quantile);

/* CPU and wall time between two moments, of the server and of this process: the load generator must not be the
   bottleneck, and says so when it was. */
struct span {
    pid_t server;
    uint64_t wall_from;
    double server_from, own_from;
    double wall_s, server_s, own_s;
};
struct span span_begin(pid_t server);
void span_end(struct span *span);

/* CPU time of other processes in the same stretch; reported as watched_1_cpu_s and so on. */
void watch_begin(const pid_t *pids, uint32_t count);
void watch_end(void);
void report_watched(const char *prefix);

void report_begin(const char *scenario);
void report_text(const char *key, const char *value);
void report_count(const char *key, uint64_t value);
void report_number(const char *key, double value);
void report_flag(const char *key, bool value);
void report_latencies(const char *prefix, const struct histogram *h);
void report_span(const char *prefix, const struct span *span);
void report_end(void);

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
