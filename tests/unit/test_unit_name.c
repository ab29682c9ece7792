/* The unit of a process, from texts of /proc/PID/cgroup. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "unit_name.h"

struct row {
    const char *cgroups;
    const char *unit; /* "": none */
};

static void check(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct span found = unit_name_find(span_from_string(rows[i].cgroups));
        cr_expect(span_equals(found, span_from_string(rows[i].unit)), "row %zu (%s): got \"%.*s\"",
                  i, rows[i].cgroups, (int)found.len, found.data);
    }
}

Test(unit_name, of_the_system)
{
    static const struct row rows[] = {
        {"0::/system.slice/onionshare.service\n", "onionshare.service"},
        {"0::/system.slice/onionshare.service", "onionshare.service"},
        {"0::/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"},
        {"0::/a.slice/a-b.slice/a-b-c.slice/x.service\n", "x.service"},
        {"0::/init.scope\n", "init.scope"},
        {"0::/machine.slice/machine-web.scope\n", "machine-web.scope"},
        {"0::/user.slice/user-1000.slice/session-2.scope\n", "session-2.scope"},
        {"0::/system.slice/systemd-journald.socket\n", "systemd-journald.socket"},
        {"0::/system.slice/dev-hugepages.mount\n", "dev-hugepages.mount"},
        {"0::/system.slice/a\\x20b.service\n", "a\\x20b.service"},
        {"0::/system.slice/_cpu.service\n", "cpu.service"},
        {"0::/x.service\n", "x.service"},
    };

    check(rows, sizeof rows / sizeof *rows);
}

/* What lies below a unit was named by whoever runs in it. */
Test(unit_name, below_a_unit_names_prove_nothing)
{
    static const struct row rows[] = {
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/tor.service\n",
         "user@1000.service"},
        {"0::/user.slice/user-1000.slice/user@1000.service/tor.service\n", "user@1000.service"},
        {"0::/user.slice/user-1000.slice/user@1000.service/system.slice/tor.service\n",
         "user@1000.service"},
        {"0::/machine.slice/machine-web.scope/payload/system.slice/tor.service\n",
         "machine-web.scope"},
        {"0::/system.slice/docker-0123.scope/tor.service\n", "docker-0123.scope"},
        {"0::/system.slice/app.service/supervised/tor.service\n", "app.service"},
    };

    check(rows, sizeof rows / sizeof *rows);
}

Test(unit_name, none)
{
    static const struct row rows[] = {
        {"", ""},
        {"\n", ""},
        {"0::\n", ""},
        {"0::/\n", ""},
        {"0::/system.slice\n", ""},
        {"0::/system.slice/\n", ""},
        {"0::/system.slice//x.service\n", ""},
        {"0::x.service\n", ""},
        {"0::/lxc/web/x.service\n", ""},
        {"0::/docker/0123/system.slice/x.service\n", ""},
        {"0::/../x.service\n", ""},
        {"0::/../../system.slice/x.service\n", ""},
        {"0::/system.slice/../x.service\n", ""},
        {"0::/system.slice/.service\n", ""},
        {"0::/system.slice/_.service\n", ""},
        {"0::/system.slice/x.services\n", ""},
        {"0::/system.slice/x.service (deleted)\n", ""},
        {"0::/.slice/x.service\n", ""},
        {"0:/system.slice/x.service\n", ""},
        {"0\n", ""},
        {":::::\n", ""},
    };

    check(rows, sizeof rows / sizeof *rows);
}

/* Both of systemd's hierarchies count, no other, and not against each other. */
Test(unit_name, hierarchies)
{
    static const struct row rows[] = {
        {"1:name=systemd:/system.slice/x.service\n", "x.service"},
        {"12:pids:/system.slice/y.service\n1:name=systemd:/system.slice/x.service\n0::/\n",
         "x.service"},
        {"1:name=systemd:/system.slice/x.service\n0::/system.slice/x.service\n", "x.service"},
        {"1:name=systemd:/system.slice/x.service\n0::/system.slice/y.service\n", ""},
        {"0::/system.slice/y.service\n1:name=systemd:/system.slice/x.service\n", ""},
        {"5:cpu,cpuacct:/system.slice/y.service\n", ""},
        {"1:name=elogind:/system.slice/y.service\n", ""},
        {"1:name=systemd,cpu:/system.slice/y.service\n", ""},
        {"1::/system.slice/y.service\n", ""},
        {"00::/system.slice/y.service\n", ""},
        {"0::/user.slice/a:b/y.service\n", ""},
        {"0::/user.slice/a:b.service/y.service\n", "a:b.service"},
    };

    check(rows, sizeof rows / sizeof *rows);
}

/* No cut of a text names another unit. */
Test(unit_name, cuts)
{
    static const char text[] = "1:name=systemd:/system.slice/tor.service\n0::/\n";

    for (size_t len = 0; len < sizeof text; len++) {
        char *copy = strndup(text, len);
        struct span found = unit_name_find(span_make(copy, len));
        cr_expect(found.len == 0 || span_equals(found, SPAN("tor.service")), "cut at %zu: %.*s",
                  len, (int)found.len, found.data);
        free(copy);
    }
}
