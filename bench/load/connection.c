/* See connection.h. Sockets are edge-triggered and read once for each event: a read that does not fill the buffer has
   emptied the socket (epoll(7)), so a delivery costs the generator one system call and no more. */
#define _GNU_SOURCE
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "errands.h"
#include "measure.h"

#define READ_ROOM (1 << 20)
#define BATCH 256

struct traffic traffic;

static int poller = -1;
static const struct events *current;
static uint64_t next_tick;
static char room[READ_ROOM];

static const unsigned char mask[4] = {0x5a, 0x17, 0xc3, 0x2e};

/* ---- buffers */

static void bytes_reserve(struct bytes *buffer, size_t more) {
    if (buffer->start == buffer->end) buffer->start = buffer->end = 0;
    if (buffer->end + more <= buffer->room) return;
    buffer->room = (buffer->end + more) * 2;
    buffer->data = realloc(buffer->data, buffer->room);
    if (buffer->data == NULL) fail("out of memory");
}

static void bytes_append(struct bytes *buffer, const void *data, size_t size) {
    bytes_reserve(buffer, size);
    memcpy(buffer->data + buffer->end, data, size);
    buffer->end += size;
}

/* ---- out */

static const struct events *events_of(const struct connection *connection) {
    return connection->events != NULL ? connection->events : current;
}

static void closed(struct connection *connection) {
    const struct events *events = events_of(connection);
    if (connection->state == CLOSED) return;
    connection->state = CLOSED;
    close(connection->fd);
    connection->fd = -1;
    if (events != NULL && events->closed != NULL) events->closed(connection);
}

void connection_close(struct connection *connection) { closed(connection); }

void connection_renew(struct connection *connection) {
    connection->state = UNUSED;
    connection->step = 0;
    connection->close_code = 0;
    connection->refused = false;
    connection->session[0] = connection->node[0] = 0;
    connection->in.start = connection->in.end = connection->out.start = connection->out.end = 0;
}

void connection_flush(struct connection *connection) {
    struct bytes *out = &connection->out;
    while (out->start < out->end) {
        ssize_t sent = send(connection->fd, out->data + out->start, out->end - out->start, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno == EAGAIN) return; /* the next EPOLLOUT goes on */
        if (sent < 0) {
            closed(connection);
            return;
        }
        out->start += (size_t)sent;
    }
}

static void queue_frame(struct connection *connection, unsigned char opcode, const char *payload, size_t size) {
    unsigned char head[14] = {(unsigned char)(0x80 | opcode)};
    size_t length = 2;
    if (size < 126) {
        head[1] = (unsigned char)(0x80 | size);
    } else if (size < 65536) {
        head[1] = 0x80 | 126;
        head[2] = (unsigned char)(size >> 8);
        head[3] = (unsigned char)size;
        length = 4;
    } else {
        head[1] = 0x80 | 127;
        for (unsigned i = 0; i < 8; i++) head[2 + i] = (unsigned char)((uint64_t)size >> (56 - 8 * i));
        length = 10;
    }
    memcpy(head + length, mask, 4);
    bytes_append(&connection->out, head, length + 4);
    bytes_reserve(&connection->out, size);
    char *to = connection->out.data + connection->out.end;
    for (size_t i = 0; i < size; i++) to[i] = (char)(payload[i] ^ mask[i & 3]);
    connection->out.end += size;
}

static struct words words_of(const struct connection *connection, const char *data) {
    return (struct words){
        .channel = connection->channel,
        .data = data,
        .session = connection->session,
        .node = connection->node,
        .recovery = connection->recovery,
    };
}

/* A message up, in a request of its own. */
static void post_up(struct connection *connection, const char *text) {
    char path[256], body[2048];
    expand(path, sizeof path, connection->protocol->up_path, words_of(connection, text));
    size_t size = expand(body, sizeof body, connection->protocol->up_body, words_of(connection, text));
    errand_post(connection, path, body, size);
}

void connection_queue(struct connection *connection, const char *text, size_t size) {
    if (connection->state == CLOSED) return;
    if (connection->protocol->carrier != SOCKET) post_up(connection, text);
    else queue_frame(connection, connection->protocol->binary ? 2 : 1, text, size);
}

void connection_send(struct connection *connection, const char *text, size_t size) {
    connection_queue(connection, text, size);
    connection_flush(connection);
}

void connection_send_bytes(struct connection *connection, const char *bytes, size_t size) {
    if (connection->state == CLOSED) return;
    bytes_append(&connection->out, bytes, size);
    connection_flush(connection);
}

/* ---- opening */

static const struct step *steps_of(const struct connection *connection) {
    return connection->role == PUBLISHER ? connection->protocol->publisher : connection->protocol->subscriber;
}

static void send_step(struct connection *connection, const struct step *step) {
    char text[512];
    if (step->send == NULL) return;
    size_t size = expand(text, sizeof text, step->send, words_of(connection, "null"));
    connection->number = 2;
    connection_send(connection, text, size);
}

/* Does the steps that need not wait; with none left the connection is ready. */
static void advance(struct connection *connection) {
    const struct step *steps = steps_of(connection);
    for (; connection->step < 4; connection->step++) {
        const struct step *step = &steps[connection->step];
        if (step->await == NULL && step->send == NULL) break;
        if (step->await != NULL) return;
        send_step(connection, step);
    }
    if (connection->state != OPENING) return;
    connection->state = READY;
    if (events_of(connection)->ready != NULL) events_of(connection)->ready(connection);
}

static bool contains(const char *text, size_t size, const char *what) {
    return memmem(text, size, what, strlen(what)) != NULL;
}

/* The string that a key has in a JSON text, which has no escapes. */
static void keep_string(char *to, size_t most, const char *text, size_t size, const char *key) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, "\"%s\":\"", key);
    const char *at = memmem(text, size, wanted, strlen(wanted));
    if (at == NULL) return;
    at += strlen(wanted);
    const char *end = memchr(at, '"', (size_t)(text + size - at));
    if (end == NULL || (size_t)(end - at) >= most) fail("the %s is too long: %.*s", key, (int)size, text);
    memcpy(to, at, (size_t)(end - at));
}

static void keep_session(struct connection *connection, const char *text, size_t size) {
    if (connection->protocol->session_key == NULL || connection->session[0] != 0) return;
    keep_string(connection->session, sizeof connection->session, text, size, connection->protocol->session_key);
    keep_string(connection->node, sizeof connection->node, text, size, "node");
}

static void open_further(struct connection *connection, const char *text, size_t size) {
    const struct step *step = &steps_of(connection)[connection->step];
    const char *refusal = connection->protocol->refusal;
    if (contains(text, size, refusal == NULL ? "\"error\"" : refusal)) {
        if (!connection->refused) fprintf(stderr, "load: refused: %.*s\n", (int)(size < 200 ? size : 200), text);
        connection->refused = true;
    }
    if (events_of(connection)->opening != NULL) events_of(connection)->opening(connection, text, size, now_ns());
    if (connection->state == CLOSED || step->await == NULL || !contains(text, size, step->await)) return;
    keep_session(connection, text, size);
    connection->step++;
    send_step(connection, step);
    advance(connection);
}

static void begin_opening(struct connection *connection) {
    connection->state = OPENING;
    advance(connection);
}

static void send_upgrade(struct connection *connection) {
    char path[128], request[512];
    const char *template =
        connection->role == PUBLISHER ? connection->protocol->publisher_path : connection->protocol->path;
    expand(path, sizeof path, template, words_of(connection, ""));
    int size = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                        path, connection->port);
    connection->state = UPGRADING;
    connection_send_bytes(connection, request, (size_t)size);
}

static void send_get(struct connection *connection, const char *template) {
    char path[256], request[512];
    expand(path, sizeof path, template, words_of(connection, ""));
    int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: %s\r\n\r\n", path,
                        connection->port, connection->protocol->carrier == STREAM ? "text/event-stream" : "*/*");
    connection_send_bytes(connection, request, (size_t)size);
}

/* Asks for the response that does not end. */
static void send_request(struct connection *connection) {
    const char *body = connection->protocol->body;
    char request[512];
    connection->state = UPGRADING;
    if (body == NULL) {
        send_get(connection, connection->protocol->path);
        return;
    }
    int size = snprintf(request, sizeof request,
                        "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
                        "Content-Length: %zu\r\n\r\n%s",
                        connection->protocol->path, connection->port, strlen(body), body);
    connection_send_bytes(connection, request, (size_t)size);
}

static void connected(struct connection *connection) {
    if (connection->role == HTTP_CLIENT) {
        connection->state = READY;
        if (events_of(connection)->ready != NULL) events_of(connection)->ready(connection);
    } else if (connection->protocol->path == NULL) {
        begin_opening(connection);
    } else if (connection->protocol->carrier == SOCKET) {
        send_upgrade(connection);
    } else if (connection->protocol->carrier == STREAM) {
        send_request(connection);
    } else {
        begin_opening(connection);
        send_get(connection, connection->protocol->path);
    }
}

void connection_open(struct connection *connection, int receive_buffer) {
    int yes = 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(connection->port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connection->fd < 0) fail("socket: %s", strerror(errno));
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (receive_buffer > 0) setsockopt(connection->fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    connection->state = CONNECTING;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    if (connect(connection->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
        if (!connection->may_fail) fail("connect: %s", strerror(errno));
        closed(connection);
        return;
    }
    if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->fd, &event) != 0) fail("epoll_ctl: %s", strerror(errno));
}

/* ---- in: each takes what is whole from the bytes and returns how many it took */

static void take_message(struct connection *connection, const char *text, size_t size, uint64_t now) {
    const struct protocol *protocol = connection->protocol;
    bool short_enough = size <= 2 && protocol->ping != NULL;
    if (short_enough && size == strlen(protocol->ping) && memcmp(text, protocol->ping, size) == 0)
        connection_send(connection, protocol->pong, strlen(protocol->pong));
    else if (connection->state == OPENING)
        open_further(connection, text, size);
    else if (events_of(connection)->message != NULL)
        events_of(connection)->message(connection, text, size, now);
}

static void take_line(struct connection *connection, const char *text, size_t size, uint64_t now) {
    const char *head = connection->protocol->line_head;
    size_t skip = head == NULL ? 0 : strlen(head);
    if (size > skip && (skip == 0 || memcmp(text, head, skip) == 0))
        take_message(connection, text + skip, size - skip, now);
}

static void take_divided(struct connection *connection, char divider, const char *text, size_t size, uint64_t now) {
    const char *end = text + size;
    while (text < end && connection->state != CLOSED) {
        const char *stop = memchr(text, divider, (size_t)(end - text));
        if (stop == NULL) stop = end;
        take_line(connection, text, (size_t)(stop - text), now);
        text = stop + 1;
    }
}

static void take_measured(struct connection *connection, const char *text, size_t size, uint64_t now) {
    const char *end = text + size;
    while (text < end && connection->state != CLOSED) {
        size_t length = 0, shift = 0;
        unsigned char byte;
        do {
            byte = (unsigned char)*text++;
            length |= (size_t)(byte & 127) << shift;
            shift += 7;
        } while (byte & 128 && text < end);
        if (length > (size_t)(end - text)) fail("a message of %zu bytes is not whole in its frame", length);
        take_message(connection, text, length, now);
        text += length;
    }
}

static void take_text(struct connection *connection, const char *text, size_t size, uint64_t now) {
    enum joining joining = connection->protocol->joining;
    bool handshake = joining == LENGTHS && connection->state == OPENING && size > 0 && text[0] == '{';
    if (joining == ALONE) take_message(connection, text, size, now);
    else if (joining == LENGTHS && !handshake) take_measured(connection, text, size, now);
    else take_divided(connection, joining == LINES ? '\n' : '\x1e', text, size, now);
}

static void take_frame(struct connection *connection, unsigned opcode, const char *payload, size_t size, uint64_t now) {
    traffic.frames++;
    if (opcode <= 2) {
        take_text(connection, payload, size, now);
    } else if (opcode == 8) {
        const unsigned char *code = (const unsigned char *)payload;
        if (size >= 2) connection->close_code = (uint16_t)(code[0] << 8 | code[1]);
        queue_frame(connection, 8, payload, size < 2 ? size : 2); /* the server then closes the connection */
        connection_flush(connection);
    } else if (opcode == 9) {
        queue_frame(connection, 10, payload, size);
        connection_flush(connection);
    }
}

static size_t take_frames(struct connection *connection, const char *data, size_t size, uint64_t now) {
    size_t at = 0;
    while (connection->state != CLOSED && size - at >= 2) {
        const unsigned char *head = (const unsigned char *)data + at;
        size_t length = head[1] & 127, skip = 2;
        if (length == 126) {
            if (size - at < 4) break;
            length = (size_t)head[2] << 8 | head[3];
            skip = 4;
        } else if (length == 127) {
            if (size - at < 10) break;
            length = 0;
            for (unsigned i = 0; i < 8; i++) length = length << 8 | head[2 + i];
            skip = 10;
        }
        if (size - at < skip + length) break;
        take_frame(connection, head[0] & 15, data + at + skip, length, now);
        at += skip + length;
    }
    return at;
}

/* The head of the response that opens a SOCKET or a STREAM. */
static size_t take_head(struct connection *connection, const char *data, size_t size) {
    bool stream = connection->protocol->carrier == STREAM;
    size_t head = head_size(data, size);
    if (head == 0) return 0;
    if (head_status(data) != (stream ? 200 : 101)) {
        fprintf(stderr, "load: not opened: %.*s\n", (int)head, data);
        connection->refused = true;
        closed(connection);
        return size;
    }
    connection->chunked = stream && head_value(data, head, "transfer-encoding:") != NULL;
    begin_opening(connection);
    return head;
}

/* An answer to a GET of POLLING, and the next GET. */
static void take_poll(struct connection *connection, int status, const char *body, size_t size) {
    traffic.frames++;
    if (status != 200) {
        fprintf(stderr, "load: a poll was answered with %d: %.*s\n", status, (int)size, body);
        closed(connection);
        return;
    }
    take_text(connection, body, size, now_ns());
    if (connection->state != CLOSED) send_get(connection, connection->protocol->up_path);
}

static size_t take_answers(struct connection *connection, const char *data, size_t size) {
    size_t at = 0;
    while (connection->state != CLOSED) {
        const char *head = data + at;
        size_t length = head_size(head, size - at);
        if (length == 0) break;
        const char *value = head_value(head, length, "content-length:");
        int status = head_status(head);
        if (value == NULL && status != 204) fail("an HTTP answer has no Content-Length: %.*s", (int)length, head);
        size_t body = value == NULL ? 0 : strtoul(value, NULL, 10);
        if (size - at < length + body) break;
        at += length + body;
        if (connection->role == HTTP_CLIENT) events_of(connection)->answer(connection, status, head + length, body);
        else take_poll(connection, status, head + length, body);
    }
    return at;
}

/* What is there of the body of a STREAM, up to its last whole line. */
static size_t take_lines(struct connection *connection, const char *data, size_t size, uint64_t now) {
    const char *last = memrchr(data, '\n', size);
    size_t whole = last == NULL ? 0 : (size_t)(last + 1 - data);
    take_text(connection, data, whole, now);
    return whole;
}

/* Bytes of a STREAM that have just come: without the frames of its chunks, in place. */
static size_t plain(struct connection *connection, char *data, size_t size) {
    size_t begun = connection->chunks.begun;
    size_t left = connection->chunked ? unchunk(&connection->chunks, data, size) : size;
    traffic.frames += connection->chunked ? connection->chunks.begun - begun : size > 0;
    if (connection->chunks.complete) closed(connection);
    return left;
}

static bool is_open(const struct connection *connection) {
    return connection->state == OPENING || connection->state == READY;
}

static size_t take_stream(struct connection *connection, char *data, size_t kept, size_t *size, uint64_t now) {
    size_t at = 0;
    if (connection->state == UPGRADING) {
        at = take_head(connection, data, *size);
        if (at == 0) return 0;
        kept = at;
    }
    if (is_open(connection)) *size = kept + plain(connection, data + kept, *size - kept);
    if (is_open(connection)) at += take_lines(connection, data + at, *size - at, now);
    return at;
}

/* Takes what is whole of the bytes, of which the first `kept` were there before; how many are taken. */
static size_t take(struct connection *connection, char *data, size_t kept, size_t *size, uint64_t now) {
    size_t at = 0;
    if (connection->role == HTTP_CLIENT || connection->protocol->carrier == POLLING)
        return take_answers(connection, data, *size);
    if (connection->protocol->carrier == STREAM) return take_stream(connection, data, kept, size, now);
    if (connection->state == UPGRADING) at = take_head(connection, data, *size);
    if (is_open(connection)) at += take_frames(connection, data + at, *size - at, now);
    return at;
}

/* One recv(), and what is whole of it taken; the rest is kept for the next. Returns what recv() did. */
static ssize_t receive(struct connection *connection, size_t most) {
    struct bytes *in = &connection->in;
    size_t kept = in->end - in->start;
    char *data = room;
    if (kept > 0) memcpy(room, in->data + in->start, kept);
    if (kept >= READ_ROOM) fail("a message is longer than the buffer");
    if (most > READ_ROOM - kept) most = READ_ROOM - kept;
    ssize_t got = recv(connection->fd, data + kept, most, 0);
    if (got <= 0) return got;
    traffic.reads++;
    traffic.bytes += (uint64_t)got;
    size_t size = kept + (size_t)got, taken = take(connection, data, kept, &size, now_ns());
    in->start = in->end = 0;
    if (taken < size) bytes_append(in, data + taken, size - taken);
    return got == (ssize_t)most ? got : 0x7fffffff; /* a short read: the socket is empty */
}

static void drain(struct connection *connection) {
    while (connection->state != CLOSED) {
        ssize_t got = receive(connection, READ_ROOM);
        if (got == 0x7fffffff) return;
        if (got < 0 && errno == EAGAIN) return;
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) closed(connection);
    }
}

bool connection_read(struct connection *connection, size_t most) {
    if (connection->state == CLOSED) return false;
    ssize_t got = receive(connection, most);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) closed(connection);
    return connection->state != CLOSED;
}

/* ---- the loop */

void loop_begin(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) fail("epoll_create1: %s", strerror(errno));
}

static void handle(struct connection *connection, uint32_t events) {
    if (connection->state == CLOSED) return;
    if (connection->state == CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0 && !connection->may_fail) fail("connect: %s", strerror(error));
        if (error != 0) {
            closed(connection);
            return;
        }
        if (events & EPOLLOUT) connected(connection);
    }
    if (connection->out.start < connection->out.end && (events & EPOLLOUT)) connection_flush(connection);
    if (connection->unread) return;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) drain(connection);
}

static void tick_if_due(void) {
    uint64_t now = now_ns();
    if (current->tick != NULL && now >= next_tick) next_tick = current->tick(now);
}

bool loop_run(const struct events *events, bool (*done)(void), uint64_t deadline) {
    static struct epoll_event ready[BATCH];
    current = events;
    next_tick = 0;
    while (!done()) {
        uint64_t now = now_ns();
        if (now >= deadline) return false;
        tick_if_due();
        now = now_ns();
        uint64_t until = events->tick != NULL && next_tick < deadline ? next_tick : deadline;
        uint64_t rest = until > now ? until - now : 0;
        struct timespec wait = {.tv_sec = (time_t)(rest / SECOND), .tv_nsec = (long)(rest % SECOND)};
        int count = epoll_pwait2(poller, ready, BATCH, &wait, NULL);
        if (count < 0 && errno != EINTR) fail("epoll_pwait2: %s", strerror(errno));
        for (int i = 0; i < count; i++) {
            handle(ready[i].data.ptr, ready[i].events);
            if (i % 16 == 15) tick_if_due(); /* or a publication would wait for a whole batch */
        }
    }
    return true;
}
