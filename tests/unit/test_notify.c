/* What the service manager gets: to a socket of ours in its place. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))

static char place[108];
static int manager = -1;

/* As a path, or abstract; NOTIFY_SOCKET names it. */
static void begin(bool is_abstract)
{
    struct sockaddr_un address;
    socklen_t len;
    struct timeval limit = {.tv_sec = 5};

    log_open(LOG_LEVEL_ERROR);
    snprintf(place, sizeof place, "%s/tmp/notify-%d-%u", is_abstract ? "@" : "", (int)getpid(),
             (unsigned)rand());
    cr_assert(notify_address(place, &address, &len), "address %s", place);
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(manager, (struct sockaddr *)&address, len) == 0, "bind %s", place);
    setsockopt(manager, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setenv("NOTIFY_SOCKET", place, 1);
}

static void end(void)
{
    close(manager);
    if (place[0] == '/')
        unlink(place);
}

static const char *receive(void)
{
    static char text[4096];
    ssize_t got = recv(manager, text, sizeof text - 1, 0);

    text[got < 0 ? 0 : got] = '\0';
    return text;
}

Test(notify, address)
{
    static char longest[108], too_long[109];
    const struct {
        const char *text;
        bool good;
        size_t len; /* of the name in the address */
    } rows[] = {
        {"/run/systemd/notify", true, 20},
        {"@/org/freedesktop/systemd1/notify/1", true, 35},
        {longest, true, 108},
        {too_long, false, 0},
        {NULL, false, 0},
        {"", false, 0},
        {"/", false, 0},
        {"@", false, 0},
        {"run/notify", false, 0},
        {"vsock:2:1234", false, 0},
    };

    memset(longest, 'a', 107);
    memset(too_long, 'a', 108);
    longest[0] = too_long[0] = '/';
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct sockaddr_un address;
        socklen_t len = 0;
        bool good = notify_address(rows[i].text, &address, &len);
        cr_expect(good == rows[i].good, "row %zu: %d", i, good);
        if (!good)
            continue;
        cr_expect(len == offsetof(struct sockaddr_un, sun_path) + rows[i].len, "row %zu: %u", i,
                  (unsigned)len);
        cr_expect(address.sun_path[0] == (rows[i].text[0] == '@' ? '\0' : '/'), "row %zu", i);
    }
}

Test(notify, watchdog_time)
{
    const struct {
        const char *usec, *pid;
        uint64_t expected;
    } rows[] = {
        {"30000000", "7", 30000000},
        {"30000000", NULL, 30000000},
        {"30000000", "8", 0},
        {"30000000", "", 0},
        {"30000000", "7x", 0},
        {NULL, "7", 0},
        {"", "7", 0},
        {"-1", "7", 0},
        {"0", "7", 0},
        {"18446744073709551616", "7", 0},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        uint64_t time = notify_watchdog_us(rows[i].usec, rows[i].pid, 7);
        cr_expect(time == rows[i].expected, "row %zu: %" PRIu64, i, time);
    }
}

static void check_life(bool is_abstract)
{
    struct notify notify;
    uint64_t then;

    begin(is_abstract);
    notify_init(&notify);
    cr_expect(!getenv("NOTIFY_SOCKET"), "a child could speak for us");
    notify_ready(&notify, "3 profiles\nMAINPID=1");
    cr_expect_str_eq(receive(), "READY=1\nSTATUS=3 profiles\\x0AMAINPID=1");
    notify_reloading(&notify);
    const char *text = receive();
    cr_expect(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNu64 "\nSTATUS=", &then) == 1 &&
                  then > 0,
              "%s", text);
    notify_stopping(&notify);
    cr_expect(strncmp(receive(), "STOPPING=1\n", 11) == 0);
    notify_clear(&notify);
    end();
}

Test(notify, life)
{
    check_life(false);
}

Test(notify, life_abstract)
{
    check_life(true);
}

Test(notify, watchdog_is_fed_by_the_loop)
{
    struct event_base *base = event_base_new();
    struct timeval limit = {.tv_usec = 90000};
    struct notify notify;
    int count = 0;

    begin(false);
    setenv("WATCHDOG_USEC", "40000", 1);
    notify_init(&notify);
    cr_expect(!getenv("WATCHDOG_USEC"));
    notify_watch(&notify, base);
    event_base_loopexit(base, &limit);
    event_base_dispatch(base);
    notify_stopping(&notify);
    while (strcmp(receive(), "WATCHDOG=1") == 0)
        count++;
    cr_expect(count >= 3 && count <= 5, "%d signs of life in 90 ms", count);
    notify_clear(&notify);
    event_base_free(base);
    end();
}

/* Without a manager, with a wrong name, and when it is gone or does not read. */
Test(notify, nobody_listens)
{
    struct notify notify;

    log_open(LOG_LEVEL_ERROR);
    unsetenv("NOTIFY_SOCKET");
    notify_init(&notify);
    cr_expect(notify.fd == -1);
    notify_ready(&notify, "x");
    setenv("NOTIFY_SOCKET", "nonsense", 1);
    notify_init(&notify);
    cr_expect(notify.fd == -1);
    notify_clear(&notify);

    begin(false);
    setenv("WATCHDOG_USEC", "1", 1);
    notify_init(&notify);
    for (int i = 0; i < 10000; i++)
        notify_ready(&notify, "x");
    cr_expect_str_eq(receive(), "READY=1\nSTATUS=x");
    end();
    notify_ready(&notify, "x");
    notify_clear(&notify);
}
