/* What the loader makes of the keys that say whom a profile is for. The messages are tested by
 * tests/policy. */
#include "profile_fixture.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "mem.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct {
    const char *text;
    const char *address;
    bool is_ipv6;
    unsigned prefix;
} network_rows[] = {
    {"10.0.0.1", "10.0.0.1", false, 32},
    {"10.0.0.1/32", "10.0.0.1", false, 32},
    {"10.1.2.3/31", "10.1.2.2", false, 31},
    {"10.1.2.3/8", "10.0.0.0", false, 8},
    {"255.255.255.255/1", "128.0.0.0", false, 1},
    {"255.255.255.255/0", "0.0.0.0", false, 0},
    {"10.1.2.255/25", "10.1.2.128", false, 25},
    {"fd00::1", "fd00::1", true, 128},
    {"fd00::1/128", "fd00::1", true, 128},
    {"fd00::3/127", "fd00::2", true, 127},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/61", "ffff:ffff:ffff:fff8::", true, 61},
    {"fd00::1/0", "::", true, 0},
    {"FD00::A", "fd00::a", true, 128},
    /* mapped: IPv4, as far as the prefix says so */
    {"::ffff:10.0.0.1", "10.0.0.1", false, 32},
    {"::ffff:a00:1", "10.0.0.1", false, 32},
    {"::ffff:10.1.2.3/104", "10.0.0.0", false, 8},
    {"::ffff:10.1.2.3/96", "0.0.0.0", false, 0},
    {"::ffff:10.1.2.3/95", "::fffe:0:0", true, 95},
    {"::10.0.0.1", "::10.0.0.1", true, 128},
    {"1::ffff:10.0.0.1", "1::ffff:10.0.0.1", true, 128},
};

Test(profile_qualifiers, networks)
{
    for (size_t i = 0; i < COUNT(network_rows); i++) {
        uint8_t expected[16] = {0};
        char *yaml = mem_printf("hosts: ['%s']", network_rows[i].text);
        struct profile_file *file = fixture_file("x.yml", yaml);
        const struct host_qualifier *hosts = &file->profiles[0].hosts;
        int family = network_rows[i].is_ipv6 ? AF_INET6 : AF_INET;
        cr_assert_eq(inet_pton(family, network_rows[i].address, expected), 1);
        cr_assert_eq(hosts->count, 1, "row %zu", i);
        cr_expect(hosts->is_present && !hosts->is_any, "row %zu", i);
        cr_expect_eq(hosts->networks[0].is_ipv6, network_rows[i].is_ipv6, "row %zu", i);
        cr_expect_eq(hosts->networks[0].prefix, network_rows[i].prefix, "row %zu: /%u", i,
                     hosts->networks[0].prefix);
        cr_expect_arr_eq(hosts->networks[0].address, expected, sizeof expected, "row %zu", i);
        profile_file_unref(file);
        free(yaml);
    }
}

Test(profile_qualifiers, a_star_among_hosts)
{
    struct profile_file *file = fixture_file("x.yml", "hosts: [10.0.0.1, '*', 'fd00::1']");

    cr_expect(file->profiles[0].hosts.is_any);
    cr_expect_eq(file->profiles[0].hosts.count, 2);
    cr_expect_eq(file->profiles[0].hosts.where.line, 1);
    profile_file_unref(file);
}

/* --- how many, and how often --- */

struct asked {
    size_t users, groups;
};

static bool count_user(void *context, const char *name, uid_t *uid_out)
{
    struct asked *asked = context;

    asked->users++;
    *uid_out = strcmp(name, "staff") == 0 ? 7 : FIXTURE_ALICE;
    return strcmp(name, "nobody") != 0 && strcmp(name, "12") != 0;
}

static bool count_group(void *context, const char *name, gid_t *gid_out)
{
    struct asked *asked = context;

    (void)name;
    asked->groups++;
    *gid_out = FIXTURE_STAFF;
    return true;
}

Test(profile_qualifiers, each_name_is_looked_up_once)
{
    static const char yaml[] =
        "- {name: a, socket: {user: alice, group: staff}, users: [alice, staff, nobody, 12]}\n"
        "- {name: b, socket: true, users: [12, nobody, alice, alice], groups: [staff, staff]}\n"
        "- {name: c, socket: {user: alice}, users: ['*', staff]}\n";
    struct asked asked = {0};
    const struct name_resolver resolver = {count_user, count_group, &asked};
    struct diag_list diags;

    diag_list_init(&diags);
    struct profile_file *file = profile_load("x.yml", span_from_string(yaml), &resolver, &diags);
    cr_assert(file);
    cr_expect_eq(asked.users, 4, "%zu", asked.users);
    cr_expect_eq(asked.groups, 1, "%zu", asked.groups);
    cr_expect_eq(diags.count, 2, "a warning wherever the missing name stands");
    const struct profile *profiles = file->profiles;
    cr_assert_eq(profiles[0].users.count, 3);
    cr_expect_eq(profiles[0].users.ids[0], FIXTURE_ALICE);
    cr_expect_eq(profiles[0].users.ids[1], 7);
    cr_expect_eq(profiles[0].users.ids[2], 12);
    cr_assert_eq(profiles[1].users.count, 3);
    cr_expect_eq(profiles[1].users.ids[0], 12);
    cr_expect_eq(profiles[1].groups.ids[1], FIXTURE_STAFF, "a group's number, not the user's");
    cr_expect_eq(profiles[2].socket.user, FIXTURE_ALICE);
    cr_expect_eq(profiles[0].socket.group, FIXTURE_STAFF);
    profile_file_unref(file);
    diag_list_clear(&diags);
}

static const struct {
    const char *front;
    const char *item;
    const char *back;
    size_t most;
} count_rows[] = {
    {"- {hosts: ['*'], users: [", "alice, ", "]}", 1024},
    {"- {hosts: ['*'], groups: [", "staff, ", "]}", 1024},
    {"- {hosts: ['*'], apparmor-profiles: [", "a, ", "]}", 1024},
    {"- {hosts: ['*'], executables: [", "/a, ", "]}", 1024},
    {"- {hosts: ['*'], units: [", "a.service, ", "]}", 1024},
    {"- {hosts: [", "10.0.0.1, ", "]}", 1024},
    {"- {hosts: ['*'], commands: {GETINFO: [", "a, ", "]}}", 65536},
};

Test(profile_qualifiers, lists_are_bounded)
{
    for (size_t i = 0; i < COUNT(count_rows); i++) {
        for (size_t extra = 0; extra < 2; extra++) {
            struct asked asked = {0};
            const struct name_resolver resolver = {count_user, count_group, &asked};
            struct diag_list diags;
            struct buf yaml;
            buf_init(&yaml, 1024 * 1024);
            buf_append_string(&yaml, count_rows[i].front);
            for (size_t n = 0; n < count_rows[i].most + extra; n++)
                buf_append_string(&yaml, count_rows[i].item);
            buf_append_string(&yaml, count_rows[i].back);
            diag_list_init(&diags);
            struct profile_file *file = profile_load("x.yml", buf_span(&yaml), &resolver, &diags);
            cr_expect_eq(file == NULL, extra == 1, "row %zu", i);
            cr_expect_eq(diags.errors, extra, "row %zu", i);
            char *limit = mem_printf("at most %zu are taken", count_rows[i].most);
            if (extra)
                cr_expect(strstr(diags.items[0].text, limit), "row %zu: %s", i,
                          diags.items[0].text);
            free(limit);
            profile_file_unref(file);
            diag_list_clear(&diags);
            buf_clear(&yaml);
        }
    }
}

static const struct {
    const char *keys;
    bool writer_any;
    enum profile_evidence evidence;
} word_rows[] = {
    {"", false, PROFILE_EVIDENCE_INHERIT},
    {", writer: connector", false, PROFILE_EVIDENCE_INHERIT},
    {", writer: any", true, PROFILE_EVIDENCE_INHERIT},
    {", writer: 'any'", true, PROFILE_EVIDENCE_INHERIT},
    {", apparmor-evidence: any", false, PROFILE_EVIDENCE_ANY},
    {", apparmor-evidence: kernel-only", false, PROFILE_EVIDENCE_KERNEL_ONLY},
    {", apparmor-evidence: kernel-only, writer: any", true, PROFILE_EVIDENCE_KERNEL_ONLY},
};

Test(profile_qualifiers, writer_and_evidence)
{
    for (size_t i = 0; i < COUNT(word_rows); i++) {
        char *yaml = mem_printf("{hosts: ['*']%s}", word_rows[i].keys);
        struct profile_file *file = fixture_file("x.yml", yaml);
        cr_expect_eq(file->profiles[0].writer_any, word_rows[i].writer_any, "row %zu", i);
        cr_expect_eq(file->profiles[0].apparmor_evidence, word_rows[i].evidence, "row %zu", i);
        profile_file_unref(file);
        free(yaml);
    }
}

Test(profile_qualifiers, executables_and_units)
{
    struct profile_file *file = fixture_file(
        "x.yml", "- socket: true\n  executables: [/usr/bin/a, '/b c']\n  units: ['x@*.service']\n"
                 "- {name: y, socket: true, executables: ['*', /a], units: [a.scope, '*']}\n"
                 "- hosts: ['*']\n");
    const struct profile *profiles = file->profiles;

    cr_expect(profiles[0].executables.is_present && !profiles[0].executables.is_any);
    cr_assert_eq(profiles[0].executables.count, 2);
    cr_expect_str_eq(profiles[0].executables.names[1], "/b c");
    cr_expect(profiles[0].units.is_present && !profiles[0].units.is_any);
    cr_assert_eq(profiles[0].units.count, 1);
    cr_expect_str_eq(profiles[0].units.names[0], "x@*.service");
    cr_expect_eq(profiles[0].units.where.line, 3);
    cr_expect_eq(profiles[0].socket.mode, 0666, "they say who may use the socket");
    cr_expect(profiles[1].executables.is_any && profiles[1].units.is_any);
    cr_expect(!profiles[2].executables.is_present && !profiles[2].units.is_present);
    profile_file_unref(file);
}
