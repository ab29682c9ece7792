/* When accept(2) finds no descriptor, the client stays in the queue, and the listener readable for
 * ever. One descriptor is kept for this moment: it is closed, the client accepted, told and closed,
 * and the descriptor opened again. So a client hears at once what is the matter. Where that fails
 * too, or memory is short, the listener pauses, longer each time, until a session closes.
 *
 * Descriptors are given out from below, so the number of a new one tells how many are left. The
 * last few are for the sessions that there are: tor, /proc, a reload. */
#include "gate.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "listener.h"
#include "log.h"
#include "upstream.h"

#define GATE_SPARE_DESCRIPTORS 16
#define GATE_PAUSE_FIRST_MS 50
#define GATE_PAUSE_MAX_MS 5000
#define GATE_QUIET_MS 60000
#define GATE_NO_DESCRIPTOR "551 No descriptor is left for this connection\r\n"

static void gate_reserve(struct gate *gate)
{
    if (gate->reserve < 0)
        gate->reserve = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

void gate_init(struct gate *gate, struct counters *counters)
{
    *gate = (struct gate){.counters = counters, .reserve = -1};
    gate_reserve(gate);
}

void gate_clear(struct gate *gate)
{
    if (gate->reserve >= 0)
        close(gate->reserve);
    gate->reserve = -1;
}

/* Clients bring this about, so the log hears of it once a minute. */
static void gate_say(struct gate *gate, const char *what, int error)
{
    uint64_t now_ms = clock_monotonic_ms();

    if (now_ms < gate->quiet_until_ms)
        return;
    gate->quiet_until_ms = now_ms + GATE_QUIET_MS;
    log_at(LOG_LEVEL_WARNING, "%s: %s; %s", what, strerror(error),
           error == EMFILE ? "raise LimitNOFILE or lower limits: sessions"
                           : "the machine is short of it");
}

void gate_turn_away(int fd, const char *line)
{
    char unread[4096];

    /* What is left unread would make the kernel drop our line with the connection. */
    (void)!recv(fd, unread, sizeof unread, MSG_DONTWAIT);
    /* One short line into an empty socket buffer: it fits, and if not, nothing is lost. */
    (void)!send(fd, line, strlen(line), MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

enum gate_result {
    GATE_TURNED_AWAY,
    GATE_NOBODY, /* waits: accept(2) wants a descriptor before it looks */
    GATE_FAILED,
};

static enum gate_result gate_turn_next_away(struct gate *gate, const struct listener *listener)
{
    enum gate_result result = GATE_TURNED_AWAY;

    if (gate->reserve < 0)
        return GATE_FAILED;
    close(gate->reserve);
    gate->reserve = -1;
    int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        gate->counters->no_descriptor++;
        gate_turn_away(fd, GATE_NO_DESCRIPTOR);
    } else {
        result = upstream_is_shortage(errno) ? GATE_FAILED : GATE_NOBODY;
    }
    gate_reserve(gate);
    return result;
}

static void gate_pause(struct gate *gate, struct listener *listener)
{
    unsigned next = gate->pause_ms ? gate->pause_ms * 2 : GATE_PAUSE_FIRST_MS;

    gate->pause_ms = next < GATE_PAUSE_MAX_MS ? next : GATE_PAUSE_MAX_MS;
    gate->counters->pauses++;
    listener_pause(listener, &gate->paused, gate->pause_ms);
}

bool gate_exhausted(struct gate *gate, struct listener *listener, int error)
{
    bool is_descriptor = error == EMFILE || error == ENFILE;

    switch (is_descriptor ? gate_turn_next_away(gate, listener) : GATE_FAILED) {
    case GATE_TURNED_AWAY:
        gate_say(gate, "a client was turned away", error);
        return true;
    case GATE_NOBODY:
        return false;
    case GATE_FAILED:
        break;
    }
    gate_say(gate, "no new clients for now", error);
    gate_pause(gate, listener);
    return false;
}

bool gate_is_closed(struct gate *gate, int fd)
{
    struct rlimit limit;

    gate->pause_ms = 0;
    gate_reserve(gate);
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
        (rlim_t)fd + GATE_SPARE_DESCRIPTORS < limit.rlim_cur)
        return false;
    gate->counters->no_descriptor++;
    gate_turn_away(fd, GATE_NO_DESCRIPTOR);
    gate_say(gate, "a client was turned away", EMFILE);
    return true;
}

void gate_open(struct gate *gate)
{
    gate_reserve(gate);
    listener_resume_all(&gate->paused);
}
