/* Accepting where there are no descriptors: a process that may open no more, and its clients. */
#include "gate.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "listener.h"
#include "mem.h"

#define CLIENTS 6
#define REFUSAL "551 No descriptor is left for this connection\r\n"

static struct {
    struct event_base *base;
    struct counters counters;
    struct gate gate;
    struct listener *listener;
    int clients[CLIENTS];
    int accepted; /* how many were */
    bool no_memory;
} world;

static bool on_accept(void *context, struct listener *listener, int fd)
{
    (void)context;
    if (fd < 0)
        return gate_exhausted(&world.gate, listener, errno);
    if (world.no_memory) {
        close(fd);
        return gate_exhausted(&world.gate, listener, ENOMEM);
    }
    world.accepted++;
    close(fd);
    return true;
}

static struct sockaddr_un address_of(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    /* An abstract one. */
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "og-test-gate-%ld", (long)getpid());
    return address;
}

static void begin(void)
{
    struct sockaddr_un address = address_of();
    struct listener_spec spec = {.path = mem_copy_string(SPAN("test"))};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    memset(&world, 0, sizeof world);
    cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    cr_assert(listen(fd, CLIENTS) == 0);
    world.base = event_base_new();
    gate_init(&world.gate, &world.counters);
    world.listener = listener_adopt(world.base, fd, &spec, on_accept, NULL);
    for (int i = 0; i < CLIENTS; i++) {
        world.clients[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        cr_assert(connect(world.clients[i], (struct sockaddr *)&address, sizeof address) == 0);
    }
}

static void end(void)
{
    listener_free(world.listener);
    gate_clear(&world.gate);
    event_base_free(world.base);
}

TestSuite(gate, .init = begin, .fini = end);

/* No descriptor more than there are: nothing below the next free number, and nothing above. */
static void forbid_descriptors(rlim_t *former)
{
    struct rlimit limit;
    int next = dup(0);

    close(next);
    getrlimit(RLIMIT_NOFILE, &limit);
    *former = limit.rlim_cur;
    limit.rlim_cur = (rlim_t)next;
    cr_assert(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

static void allow_descriptors(rlim_t former)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = former;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void expect_told(int i)
{
    char text[100] = "";

    cr_expect(recv(world.clients[i], text, sizeof text - 1, MSG_DONTWAIT) > 0, "client %d", i);
    cr_expect(strcmp(text, REFUSAL) == 0, "client %d: %s", i, text);
    cr_expect_eq(recv(world.clients[i], text, sizeof text, MSG_DONTWAIT), 0, "client %d: closed", i);
}

Test(gate, without_descriptors_everybody_is_told)
{
    rlim_t former;

    forbid_descriptors(&former);
    event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    allow_descriptors(former);
    for (int i = 0; i < CLIENTS; i++)
        expect_told(i);
    cr_expect_eq(world.accepted, 0);
    cr_expect_eq(world.counters.no_descriptor, CLIENTS);
    cr_expect_eq(world.counters.pauses, 0, "nobody is left waiting, so there is nothing to pause");
    cr_expect(event_pending(&world.listener->readable, EV_READ, NULL));
    cr_expect(world.gate.reserve >= 0, "the next one will be told, too");
}

Test(gate, without_the_reserve_it_pauses_until_something_closes)
{
    rlim_t former;
    int spare = world.gate.reserve;

    /* As if somebody else had taken it. */
    world.gate.reserve = -1;
    forbid_descriptors(&former);
    event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_expect_eq(world.counters.pauses, 1);
    cr_expect_not(event_pending(&world.listener->readable, EV_READ, NULL), "it does not spin");
    cr_expect(event_pending(&world.listener->resume, EV_TIMEOUT, NULL), "and comes back by itself");
    allow_descriptors(former);
    close(spare);
    gate_open(&world.gate);
    cr_expect(event_pending(&world.listener->readable, EV_READ, NULL));
    cr_expect(world.gate.reserve >= 0, "it has one again");
    event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_expect_eq(world.accepted, CLIENTS);
}

Test(gate, without_memory_the_pauses_grow_and_end)
{
    unsigned last = 0;

    world.no_memory = true;
    for (int i = 0; i < CLIENTS - 1; i++) {
        event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        cr_expect_gt(world.gate.pause_ms, last, "pause %d", i);
        cr_expect_leq(world.gate.pause_ms, 5000);
        last = world.gate.pause_ms;
        gate_open(&world.gate);
    }
    world.no_memory = false;
    event_base_loop(world.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    cr_expect_eq(world.accepted, 1);
    cr_expect_null(world.gate.paused);
}

Test(gate, a_listener_that_goes_leaves_the_list)
{
    struct listener *others[3];

    for (int i = 0; i < 3; i++) {
        struct listener_spec spec = {.path = mem_copy_string(SPAN("other"))};
        others[i] = listener_adopt(world.base, dup(world.listener->fd), &spec, on_accept, NULL);
        listener_pause(others[i], &world.gate.paused, 1000);
        listener_pause(others[i], &world.gate.paused, 1000);
    }
    listener_free(others[1]);
    listener_free(others[2]);
    cr_expect_eq(world.gate.paused, others[0]);
    gate_open(&world.gate);
    cr_expect_null(world.gate.paused);
    listener_free(others[0]);
}

/* The last few numbers are for those that are there already. */
Test(gate, the_last_descriptors_are_kept)
{
    struct rlimit limit;
    int fd = dup(0);

    getrlimit(RLIMIT_NOFILE, &limit);
    for (int spare = 40; spare > 0; spare--) {
        limit.rlim_cur = (rlim_t)(fd + spare);
        setrlimit(RLIMIT_NOFILE, &limit);
        bool is_closed = gate_is_closed(&world.gate, fd);
        cr_expect_eq(is_closed, spare <= 16, "%d above it", spare);
        if (is_closed)
            fd = dup(0);
    }
    close(fd);
}
