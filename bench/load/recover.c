/* Clients that lose their node and come back to another, while publications go on: how long each is away, and what
   became of every publication for every one of them. They do what client libraries do: wait, connect, subscribe with
   the position that they have, and take what they missed from the reply.

   With a victim, all clients are on the first port and its process is killed; it is over when all are back and have
   everything. Without one, clients are spread over the ports, and what happens to the nodes is the affair of who
   started this; it is over when standard input ends and all are back.

   mix "backoff" is the policy of the JavaScript client: before try n it waits 0.5 s and a random part of 0.5 * 2^n s,
   20 s at most. "immediate" waits for at most a millisecond, which shows the servers alone. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scenario.h"

#define LIMIT_S 100
#define PATIENCE (5 * SECOND) /* this long without anything new, and the rest is taken for lost */
#define SLOTS 32768 /* of a millisecond each */
#define OUTBOX 4096
#define NOBODY UINT32_MAX

struct follower {
    uint64_t offset, lost_at; /* lost_at: 0 while it is there */
    char epoch[24];
    uint32_t tries, next; /* next: of those who are due in the same millisecond */
    uint8_t at;           /* which port */
};

struct parcel {
    uint32_t channel;
    struct stamp stamp;
};

static const struct options *wishes;
static struct crowd crowd, publishers;
static struct follower *followers;
static struct stream *streams;
static struct beat beat;
static uint32_t due[SLOTS];
static uint64_t slot, killed_at, last_progress, last_back, publisher_due;
static uint32_t away, attempts, told, closures, refusals, ended;
static struct histogram absences;
static struct span storm;
static bool storm_over;

/* ---- positions */

static bool is_immediate(void) { return wishes->mix != NULL && strcmp(wishes->mix, "immediate") == 0; }

static const char *after(const char *text, size_t size, const char *what) {
    const char *at = memmem(text, size, what, strlen(what));
    return at == NULL ? NULL : at + strlen(what);
}

/* The highest offset in a message, which is where its reader stands. */
static void take_offsets(struct follower *follower, const char *text, size_t size) {
    const char *end = text + size;
    for (const char *at = text; (at = after(at, (size_t)(end - at), "\"offset\":")) != NULL;) {
        uint64_t offset = strtoull(at, NULL, 10);
        if (offset > follower->offset) follower->offset = offset;
    }
}

static void take_stamps(struct connection *connection, const char *text, size_t size, uint64_t now) {
    struct stamp stamp;
    const char *end = text + size;
    for (const char *at = text; stamp_read(at, (size_t)(end - at), &stamp);) {
        struct stream *stream = &streams[connection->index % wishes->channels];
        if (stamp.kind == stream->kind) stream_take(stream, connection->index / wishes->channels, stamp, now);
        last_progress = now;
        at = (const char *)memchr(at, '~', (size_t)(end - at)) + STAMP_SIZE;
    }
}

static void take_epoch(struct follower *follower, const char *text, size_t size) {
    const char *at = after(text, size, "\"epoch\":\"");
    if (at == NULL) return;
    size_t length = strcspn(at, "\"");
    if (length >= sizeof follower->epoch) fail("an epoch is too long: %.*s", (int)length, at);
    memcpy(follower->epoch, at, length);
    follower->epoch[length] = 0;
}

/* The reply to a subscription: the position, and what was missed. */
static void opening(struct connection *connection, const char *text, size_t size, uint64_t now) {
    struct follower *follower = &followers[connection->index];
    if (size < 8 || strncmp(text, "{\"id\":2,", 8) != 0) return;
    bool asked = follower->epoch[0] != 0;
    if (connection->refused) {
        refusals++;
        return;
    }
    if (asked && after(text, size, "\"recovered\":true") == NULL) {
        told++;
        follower->offset = 0;
    }
    take_epoch(follower, text, size);
    take_offsets(follower, text, size);
    take_stamps(connection, text, size, now);
}

static void message(struct connection *connection, const char *text, size_t size, uint64_t now) {
    if (connection->role != SUBSCRIBER) {
        refusals += after(text, size, "\"error\"") != NULL;
        return;
    }
    take_offsets(&followers[connection->index], text, size);
    take_stamps(connection, text, size, now);
}

/* ---- publishing: over a connection, or by POST, repeated at the next node until it is answered */

static struct parcel outbox[OUTBOX];
static uint64_t posted, accepted;
static bool asking;

static void post_next(void) {
    struct connection *publisher = publishers.members;
    if (asking || accepted == posted || publisher->state != READY) return;
    const struct parcel *parcel = &outbox[accepted % OUTBOX];
    char data[4096], body[4608], request[5120];
    data_write(data, wishes->size < sizeof data ? wishes->size : sizeof data - 1, parcel->stamp);
    int size = snprintf(body, sizeof body, "{\"channel\":\"%s%u\",\"data\":%s,\"idempotency_key\":\"%d-%llu\"}",
                        wishes->channel, parcel->channel, data, (int)getpid(), (unsigned long long)accepted);
    size = snprintf(request, sizeof request,
                    "POST /api/publish HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-API-Key: %s\r\n"
                    "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                    publisher->port, publisher->key, size, body);
    asking = true;
    connection_send_bytes(publisher, request, (size_t)size);
}

static void answer(struct connection *publisher, int status, const char *body, size_t size) {
    asking = false;
    if (status == 200 && after(body, size, "\"error\"") == NULL) {
        accepted++;
        post_next();
    } else {
        refusals++;
        connection_close(publisher);
    }
}

static void reopen_publisher(uint64_t now) {
    static uint32_t at;
    struct connection *publisher = publishers.members;
    if (publisher->state != CLOSED || now < publisher_due) return;
    publisher->port = wishes->ports[++at % wishes->port_count];
    connection_renew(publisher);
    asking = false;
    connection_open(publisher, 0);
}

static void publish_one(uint64_t now) {
    uint32_t channel = beat.done % wishes->channels;
    char name[32];
    struct stream *stream = &streams[channel];
    struct stamp stamp = stream_next(stream, now, stream->receivers);
    if (stream->sent > stream->capacity) fail("more was published than there is room for");
    if (wishes->via_http) {
        if (posted - accepted == OUTBOX) fail("nobody takes what is published");
        outbox[posted++ % OUTBOX] = (struct parcel){.channel = channel, .stamp = stamp};
        post_next();
    } else {
        snprintf(name, sizeof name, "%s%u", wishes->channel, channel);
        publish(publishers.members, name, stamp, wishes->size);
    }
}

/* ---- away and back */

static void schedule(uint32_t index, uint64_t now) {
    struct follower *follower = &followers[index];
    double most = 0.5 * (1 << (follower->tries < 10 ? follower->tries : 10));
    double wait_s = is_immediate() ? drand48() / 1000 : 0.5 + drand48() * (most < 20 ? most : 20);
    uint64_t at = now / MILLISECOND + 1 + (uint64_t)((wait_s < 20 ? wait_s : 20) * 1000);
    follower->tries++;
    follower->next = due[at % SLOTS];
    due[at % SLOTS] = index;
}

static void try_again(uint32_t index) {
    struct connection *member = &crowd.members[index];
    struct follower *follower = &followers[index];
    uint32_t first = killed_at > 0 ? 1 : 0; /* a balancer does not choose the dead one */
    follower->at = (uint8_t)(first + (follower->at - first + 1u) % (wishes->port_count - first));
    member->port = wishes->ports[follower->at];
    connection_renew(member);
    snprintf(member->recovery, sizeof member->recovery,
             ",\"recoverable\":true,\"recover\":true,\"offset\":%llu,\"epoch\":\"%s\"",
             (unsigned long long)follower->offset, follower->epoch);
    attempts++;
    connection_open(member, 0);
}

static void closed(struct connection *connection) {
    uint64_t now = now_ns();
    if (connection->role != SUBSCRIBER) {
        publisher_due = now + 50 * MILLISECOND;
        return;
    }
    struct follower *follower = &followers[connection->index];
    if (follower->lost_at == 0) {
        follower->lost_at = now;
        follower->tries = 0;
        away++;
        closures++;
    }
    schedule(connection->index, now);
}

static void ready(struct connection *connection) {
    uint64_t now = now_ns();
    if (connection->role != SUBSCRIBER) {
        if (wishes->via_http) post_next();
        return;
    }
    struct follower *follower = &followers[connection->index];
    if (connection->refused) {
        connection_close(connection);
        return;
    }
    histogram_add(&absences, now - (killed_at > 0 ? killed_at : follower->lost_at));
    follower->lost_at = 0;
    last_back = last_progress = now;
    away--;
}

static void wake(uint64_t now) {
    for (; slot <= now / MILLISECOND; slot++) {
        uint32_t index = due[slot % SLOTS];
        due[slot % SLOTS] = NOBODY;
        for (uint32_t next; index != NOBODY; index = next) {
            next = followers[index].next;
            try_again(index);
        }
    }
}

/* ---- the course of it */

static bool is_complete(void) {
    for (uint32_t i = 0; i < wishes->channels; i++)
        if (streams[i].delivered < streams[i].expected) return false;
    return accepted == posted;
}

static bool input_ended(void) {
    char rest[16];
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&input, 1, 0) == 1 && read(STDIN_FILENO, rest, sizeof rest) <= 0;
}

static void kill_victim(uint64_t now) {
    storm = span_begin(wishes->pid);
    watch_begin(wishes->watched, wishes->watched_count);
    killed_at = now;
    if (kill(wishes->victim, SIGKILL) != 0) fail("the victim cannot be killed");
}

static uint64_t tick(uint64_t now) {
    if (wishes->victim != 0 && killed_at == 0 && now >= beat.from + (uint64_t)(wishes->warmup * 1e9)) kill_victim(now);
    if (wishes->victim == 0 && !ended && input_ended()) {
        ended = true;
        beat.total = beat.done;
        last_progress = now;
    }
    wake(now);
    reopen_publisher(now);
    while (beat_due(&beat, now)) publish_one(now);
    if (killed_at > 0 && !storm_over && away == 0 && closures >= crowd.count) {
        span_end(&storm);
        watch_end();
        storm_over = true;
    }
    uint64_t next = beat_next(&beat);
    return next < now + MILLISECOND ? next : now + MILLISECOND;
}

static bool done(void) {
    if (beat.done < beat.total) return false;
    if (wishes->victim != 0 ? !storm_over : away > 0) return false;
    return is_complete() || now_ns() > last_progress + PATIENCE;
}

static void open_all(const struct options *options) {
    crowd = crowd_of(options->clients, options, SUBSCRIBER);
    publishers = crowd_of(1, options, options->via_http ? HTTP_CLIENT : PUBLISHER);
    followers = calloc(crowd.count + 1, sizeof *followers);
    streams = calloc(options->channels, sizeof *streams);
    if (followers == NULL || streams == NULL) fail("out of memory");
    for (uint32_t i = 0; i < crowd.count; i++) {
        struct connection *member = &crowd.members[i];
        followers[i].at = options->victim != 0 ? 0 : (uint8_t)(i % options->port_count);
        member->port = options->ports[followers[i].at];
        snprintf(member->channel, sizeof member->channel, "%s%u", options->channel, i % options->channels);
        strcpy(member->recovery, ",\"recoverable\":true");
    }
    for (uint32_t i = 0; i < options->channels; i++) {
        uint32_t receivers = crowd.count / options->channels + (i < crowd.count % options->channels);
        stream_begin(&streams[i], 'r', receivers, (uint32_t)(options->rate * LIMIT_S) / options->channels + 2);
    }
    publishers.members->port = options->ports[options->port_count - 1];
    crowd.opening = opening;
    crowd_open(&crowd, options->in_flight, 0);
    crowd_open(&publishers, 1, 0);
}

static void report(const struct options *options) {
    uint64_t expected = 0, delivered = 0, duplicated = 0, disordered = 0, sent = 0;
    for (uint32_t i = 0; i < options->channels; i++) {
        sent += streams[i].sent;
        expected += streams[i].expected;
        delivered += streams[i].delivered;
        duplicated += streams[i].duplicated;
        disordered += streams[i].disordered;
    }
    report_begin("recover");
    report_count("clients", options->clients);
    report_text("mix", is_immediate() ? "immediate" : "backoff");
    report_number("rate", options->rate);
    report_count("closures", closures);
    report_count("back", absences.count);
    report_count("attempts", attempts);
    report_count("refusals", refusals);
    report_count("told_lost", told);
    report_number("last_back_s", killed_at > 0 ? (double)(last_back - killed_at) / 1e9 : 0);
    report_latencies("away_", &absences);
    report_count("sent", sent);
    report_count("expected", expected);
    report_count("delivered", delivered);
    report_count("lost", expected - delivered);
    report_count("duplicated", duplicated);
    report_count("disordered", disordered);
    report_number("publisher_late_ms", (double)beat.latest_ns / 1e6);
    if (killed_at > 0) {
        report_number("us_per_return", storm.server_s * 1e6 / (double)(absences.count ? absences.count : 1));
        report_span("", &storm);
        report_watched("");
    }
    report_end();
}

void run_recover(const struct options *options) {
    static const struct events events = {
        .ready = ready, .message = message, .answer = answer, .closed = closed, .opening = opening, .tick = tick};
    wishes = options;
    if (options->port_count < 2) fail("where to? --ports needs two at least");
    memset(due, 0xff, sizeof due);
    srand48(1);
    open_all(options);
    for (uint32_t i = 0; i < crowd.count; i++) crowd.members[i].may_fail = true;
    publishers.members->may_fail = true;
    fprintf(stderr, "load: ready\n");
    uint64_t now = now_ns();
    slot = now / MILLISECOND;
    last_progress = now;
    double seconds = options->victim != 0 ? options->warmup + options->seconds : LIMIT_S;
    beat = beat_of(options->rate, seconds, now);
    if (!loop_run(&events, done, now + (uint64_t)LIMIT_S * SECOND))
        fail("after %d s %u of %u clients are away", LIMIT_S, away, crowd.count);
    report(options);
}
