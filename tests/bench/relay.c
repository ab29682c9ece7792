/* A plain byte relay between Unix sockets: what any proxy costs at least.
 *
 * relay LISTEN TARGET. One thread, epoll, one connection to TARGET for each client; bytes are read
 * and written without a look at them. What a peer does not take at once is kept, and its other side
 * is not read until it is gone. Ends with the first SIGTERM. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CHUNK (64 * 1024)
#define EVENTS 64

/* One end of a pair. `held` is what this end has not taken yet. */
struct end {
    int fd;
    struct end *peer;
    char *held;
    size_t held_len;
    bool is_closed; /* read to its end */
    struct end *next_dead;
};

static struct end *dead_ends;

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
    fprintf(stderr, "relay: %s: %s\n", what, strerror(errno));
    exit(1);
}

static struct sockaddr_un address_of(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        die(path);
    }
    strcpy(address.sun_path, path);
    return address;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, 1024) < 0)
        die(path);
    return fd;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = address_of(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void watch(int epoll, int operation, struct end *end)
{
    struct epoll_event event = {.data.ptr = end};

    if (!end->peer->held && !end->is_closed)
        event.events |= EPOLLIN;
    if (end->held)
        event.events |= EPOLLOUT;
    if (epoll_ctl(epoll, operation, end->fd, &event) < 0)
        die("epoll_ctl");
}

static struct end *end_new(int fd)
{
    struct end *end = calloc(1, sizeof(*end));

    if (!end)
        die("memory");
    end->fd = fd;
    return end;
}

static void pair_new(int epoll, int client, const char *target)
{
    int upstream = connect_to(target);
    struct end *a;
    struct end *b;

    if (upstream < 0) {
        close(client);
        return;
    }
    a = end_new(client);
    b = end_new(upstream);
    a->peer = b;
    b->peer = a;
    watch(epoll, EPOLL_CTL_ADD, a);
    watch(epoll, EPOLL_CTL_ADD, b);
}

/* Closes both now, frees them when no event of this turn can name them any more. */
static void pair_close(struct end *end)
{
    struct end *both[2] = {end, end->peer};

    for (int i = 0; i < 2; i++) {
        close(both[i]->fd);
        both[i]->fd = -1;
        both[i]->next_dead = dead_ends;
        dead_ends = both[i];
    }
}

static void bury_dead(void)
{
    while (dead_ends) {
        struct end *end = dead_ends;

        dead_ends = end->next_dead;
        free(end->held);
        free(end);
    }
}

static void hold(struct end *end, const char *bytes, size_t len)
{
    end->held = malloc(len);
    if (!end->held)
        die("memory");
    memcpy(end->held, bytes, len);
    end->held_len = len;
}

/* False: the end is gone. */
static bool give(struct end *end, const char *bytes, size_t len)
{
    ssize_t sent = send(end->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (sent < 0 && errno != EAGAIN)
        return false;
    if (sent < 0)
        sent = 0;
    if ((size_t)sent < len)
        hold(end, bytes + sent, len - (size_t)sent);
    return true;
}

static bool give_held(int epoll, struct end *end)
{
    char *held = end->held;
    size_t len = end->held_len;
    bool is_alive;

    end->held = NULL;
    end->held_len = 0;
    is_alive = give(end, held, len);
    free(held);
    if (is_alive && !end->held) {
        watch(epoll, EPOLL_CTL_MOD, end);
        watch(epoll, EPOLL_CTL_MOD, end->peer);
        if (end->peer->is_closed)
            shutdown(end->fd, SHUT_WR);
    }
    return is_alive;
}

/* False: the pair is to be closed. */
static bool take(int epoll, struct end *end)
{
    static char chunk[CHUNK];
    ssize_t len = recv(end->fd, chunk, sizeof(chunk), MSG_DONTWAIT);

    if (len < 0)
        return errno == EAGAIN;
    if (len == 0) {
        end->is_closed = true;
        watch(epoll, EPOLL_CTL_MOD, end);
        if (!end->peer->held)
            shutdown(end->peer->fd, SHUT_WR);
        return !end->peer->is_closed;
    }
    if (!give(end->peer, chunk, (size_t)len))
        return false;
    if (end->peer->held) {
        watch(epoll, EPOLL_CTL_MOD, end);
        watch(epoll, EPOLL_CTL_MOD, end->peer);
    }
    return true;
}

static void end_ready(int epoll, struct end *end, unsigned events)
{
    bool goes_on = true;

    if (end->fd < 0)
        return;
    if (events & EPOLLOUT)
        goes_on = give_held(epoll, end);
    if (goes_on && (events & EPOLLIN))
        goes_on = take(epoll, end);
    else if (goes_on && (events & (EPOLLHUP | EPOLLERR)))
        goes_on = end->peer->held != NULL;
    if (!goes_on)
        pair_close(end);
}

static void accept_all(int epoll, int listener, const char *target)
{
    int client;

    while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        pair_new(epoll, client, target);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];
    struct epoll_event accepting = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    int listener;

    if (argc != 3) {
        fprintf(stderr, "usage: relay LISTEN-SOCKET TARGET-SOCKET\n");
        return 2;
    }
    listener = listen_at(argv[1]);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &accepting) < 0)
        die("epoll");
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                end_ready(epoll, events[i].data.ptr, events[i].events);
            else
                accept_all(epoll, listener, argv[2]);
        }
        bury_dead();
    }
}
