/* Which profiles a client over TCP gets, and why another one gets none. */
#include "match_fixture.h"

static const char local_file[] =
    "- {name: any, users: ['*'], apparmor-profiles: ['*']}\n"
    "- {name: alice, users: [alice], apparmor-profiles: ['*'], hosts: ['10.0.0.0/8']}\n"
    "- {name: root, users: [0], apparmor-profiles: ['*']}\n"
    "- {name: wheel, users: ['*'], apparmor-profiles: ['*'], groups: [0]}\n"
    "- {name: staff, users: ['*'], apparmor-profiles: ['*'], groups: [staff]}\n"
    "- {name: app, users: ['*'], apparmor-profiles: [app]}\n"
    "- {name: strong, users: ['*'], apparmor-profiles: [app], apparmor-evidence: kernel-only}\n"
    "- {name: free, users: ['*'], apparmor-profiles: [unconfined, /usr/bin/app]}\n"
    "- {name: exe, users: ['*'], apparmor-profiles: ['*'], executables: [/usr/bin/app]}\n"
    "- {name: unit, users: ['*'], apparmor-profiles: ['*'], units: ['app@*.service']}\n"
    "- {name: users-alone, users: ['*']}\n"
    "- {name: label-alone, apparmor-profiles: ['*']}\n"
    "- {name: hosts-alone, hosts: ['*', 127.0.0.1]}\n"
    "- {name: own, socket: true, users: [alice], apparmor-profiles: ['*']}\n"
    "- {name: own-group, socket: {group: staff}}\n";

static const struct match_row local_rows[] = {
    {LOCAL(OTHER), NULL, "any"},
    {LOCAL(ALICE), NULL, "any alice"},
    {LOCAL(ALICE, .address = "127.0.0.1"), NULL, "any alice"},
    {LOCAL(ALICE, .address = "::1"), NULL, "any alice"},
    {LOCAL(.uid = FIXTURE_ALICE), NULL, "any"},
    {LOCAL(KNOWN, .uid = 0, .gid = 5000), NULL, "any root"},
    {LOCAL(.uid = 0), NULL, "any"},
    {LOCAL(KNOWN, .uid = (uid_t)-1), NULL, "any"},
    /* the primary group is not known: a gid of 0 is nothing, not root */
    {LOCAL(KNOWN, .uid = 0), NULL, "any root"},
    {LOCAL(KNOWN, .uid = 1, .gid = FIXTURE_STAFF), NULL, "any"},
    {LOCAL(OTHER, GROUPS(with_staff)), NULL, "any staff"},
    {LOCAL(OTHER, GROUPS(without_staff)), NULL, "any"},
    {LOCAL(OTHER, .groups = with_staff), NULL, "any"},
    /* labels that the holders of the socket agree on are as weak as those of /proc */
    {LOCAL(OTHER, HOLDERS("app (enforce)\n")), NULL, "any app"},
    {LOCAL(OTHER, PROC("app (enforce)\n")), NULL, "any app"},
    {LOCAL(OTHER, NO_EVIDENCE("app (enforce)\n")), NULL, "any"},
    {LOCAL(OTHER, HOLDERS("app//&unconfined (enforce)\n")), NULL, "any"},
    {LOCAL(OTHER, HOLDERS("unconfined\n")), NULL, "any free"},
    {LOCAL(OTHER, HOLDERS("unconfined\n"), EXE("/usr/bin/app")), NULL, "any free exe"},
    {LOCAL(OTHER, EXE("/usr/bin/app")), NULL, "any exe"},
    {LOCAL(OTHER, UNIT("app@1.service")), NULL, "any unit"},
    /* profiles with a socket of their own have it for a reason */
    {LOCAL(ALICE), "own", ""},
    {LOCAL(OTHER), "own-group", ""},
    {LOCAL(ALICE), "any", ""},
};

Test(policy_match_tcp, local)
{
    check_matches(fixture_policy(local_file), "local", local_rows, COUNT(local_rows));
}

static const char remote_file[] =
    "- {name: any, hosts: ['*']}\n"
    "- {name: one, hosts: [10.0.0.1]}\n"
    "- {name: same, hosts: [10.0.0.1/32]}\n"
    "- {name: mapped, hosts: ['::ffff:10.0.0.1']}\n"
    "- {name: mapped-net, hosts: ['::ffff:10.0.0.0/120']}\n"
    "- {name: net, hosts: [10.152.152.0/24]}\n"
    "- {name: odd, hosts: [10.1.2.128/25]}\n"
    "- {name: pair, hosts: [10.1.2.2/31]}\n"
    "- {name: half, hosts: [128.0.0.0/1]}\n"
    "- {name: masked, hosts: [192.168.77.33/20]}\n"
    "- {name: v4, hosts: [0.0.0.0/0]}\n"
    "- {name: v6, hosts: ['::/0']}\n"
    "- {name: six, hosts: ['fd00::1']}\n"
    "- {name: six-net, hosts: ['fd00:1:2:3::/61']}\n"
    "- {name: first-bytes, hosts: ['a00:1::/32']}\n"
    "- {name: list, hosts: [192.0.2.1, 'fd00::5', 192.0.2.3]}\n"
    "- {name: nobody, hosts: []}\n"
    "- {name: local-only, users: ['*'], apparmor-profiles: ['*']}\n"
    "- {name: with-locals, users: [alice], apparmor-profiles: [app], groups: [staff], "
    "executables: [/usr/bin/app], units: [app.service], hosts: [192.0.2.9]}\n"
    "- {name: own, socket: {group: staff}, hosts: ['*']}\n";

static const struct match_row remote_rows[] = {
    {REMOTE("10.0.0.1"), NULL, "any one same mapped mapped-net v4"},
    {REMOTE("10.0.0.0"), NULL, "any mapped-net v4"},
    {REMOTE("10.0.0.2"), NULL, "any mapped-net v4"},
    {REMOTE("10.0.1.1"), NULL, "any v4"},
    {REMOTE("10.152.152.0"), NULL, "any net v4"},
    {REMOTE("10.152.152.255"), NULL, "any net v4"},
    {REMOTE("10.152.153.0"), NULL, "any v4"},
    {REMOTE("10.152.151.255"), NULL, "any v4"},
    {REMOTE("10.1.2.127"), NULL, "any v4"},
    {REMOTE("10.1.2.128"), NULL, "any odd v4"},
    {REMOTE("10.1.2.255"), NULL, "any odd v4"},
    {REMOTE("10.1.2.1"), NULL, "any v4"},
    {REMOTE("10.1.2.2"), NULL, "any pair v4"},
    {REMOTE("10.1.2.3"), NULL, "any pair v4"},
    {REMOTE("10.1.2.4"), NULL, "any v4"},
    {REMOTE("127.255.255.255"), NULL, "any v4"},
    {REMOTE("128.0.0.0"), NULL, "any half v4"},
    {REMOTE("255.255.255.255"), NULL, "any half v4"},
    {REMOTE("192.168.63.255"), NULL, "any half v4"},
    {REMOTE("192.168.64.0"), NULL, "any half masked v4"},
    {REMOTE("192.168.79.255"), NULL, "any half masked v4"},
    {REMOTE("192.168.80.0"), NULL, "any half v4"},
    {REMOTE("192.0.2.3"), NULL, "any half v4 list"},
    {REMOTE("0.0.0.0"), NULL, "any v4"},
    /* IPv6 is a world of its own */
    {REMOTE("fd00::1"), NULL, "any v6 six"},
    {REMOTE("fd00::2"), NULL, "any v6"},
    {REMOTE("fd00::5"), NULL, "any v6 list"},
    {REMOTE("fd00:1:2:0::1"), NULL, "any v6 six-net"},
    {REMOTE("fd00:1:2:7:ffff:ffff:ffff:ffff"), NULL, "any v6 six-net"},
    {REMOTE("fd00:1:2:8::"), NULL, "any v6"},
    {REMOTE("fd00:1:1:ffff::"), NULL, "any v6"},
    {REMOTE("::"), NULL, "any v6"},
    {REMOTE("a00:1::"), NULL, "any v6 first-bytes"},
    /* local qualifiers have no meaning for it: neither met nor missed */
    {REMOTE("192.0.2.9"), NULL, "any half v4 with-locals"},
    {REMOTE("192.0.2.9", ROOT), NULL, "any half v4 with-locals"},
    {REMOTE("192.0.2.8", ALICE, GROUPS(with_staff), KERNEL("app (enforce)"), EXE("/usr/bin/app"),
            UNIT("app.service")),
     NULL, "any half v4"},
    {REMOTE("192.0.2.8", ALICE, KERNEL("app (enforce)")), "own", ""},
    {REMOTE("192.0.2.8"), "any", ""},
};

Test(policy_match_tcp, remote)
{
    check_matches(fixture_policy(remote_file), "remote", remote_rows, COUNT(remote_rows));
}

/* Each single bit of an address counts if it is in the prefix, and only then. */
Test(policy_match_tcp, every_bit_of_every_prefix)
{
    static const unsigned bits[] = {32, 128};

    for (unsigned family = 0; family < 2; family++) {
        for (unsigned prefix = 0; prefix <= bits[family]; prefix++) {
            char *yaml =
                mem_printf("- {name: x, hosts: ['%s/%u']}\n", family ? "::" : "0.0.0.0", prefix);
            struct policy *policy = fixture_policy(yaml);
            free(yaml);
            for (unsigned bit = 0; bit < bits[family]; bit++) {
                struct identity identity = {.transport = IDENTITY_TCP_REMOTE,
                                            .is_ipv6 = family == 1};
                struct policy_view view;
                identity.address[bit / 8] = (uint8_t)(0x80u >> (bit % 8));
                policy_match(policy, &identity, NULL, &view);
                cr_expect_eq(view.count, bit >= prefix ? 1 : 0, "IPv%u /%u, bit %u", family ? 6 : 4,
                             prefix, bit);
                policy_view_clear(&view);
            }
            policy_unref(policy);
        }
    }
}

struct reason_row {
    struct client client;
    const char *socket;
    const char *expected; /* NULL: a profile serves it */
};

static const char reasons_file[] =
    "- {name: a, users: [alice], groups: [staff], apparmor-profiles: [app], "
    "executables: [/usr/bin/app], units: [app.service], apparmor-evidence: kernel-only}\n"
    "- {name: b, users: [bob], apparmor-profiles: [app]}\n"
    "- {name: net, hosts: [10.0.0.0/8]}\n"
    "- {name: own, socket: true, users: [bob]}\n";

#define BOB KNOWN, .uid = FIXTURE_BOB
#define STAFF ALICE, GROUPS(with_staff)
#define APP STAFF, KERNEL("app (enforce)")

static const struct reason_row reason_rows[] = {
    {UNIX(BOB, PROC("app (enforce)")), NULL, NULL},
    {UNIX(OTHER), NULL, "no profile lists this user in users"},
    {UNIX(ROOT), NULL, "no profile lists this user in users"},
    {UNIX(KERNEL("app (enforce)")), NULL, "the client's user is not known"},
    {UNIX(ALICE), NULL, "the client is in none of the groups that the profile lists"},
    {UNIX(STAFF), NULL, "the client's AppArmor label is not known"},
    {UNIX(BOB, PROC("unconfined")), NULL,
     "the client is unconfined, and no profile for this user is for that or for its executable"},
    {UNIX(BOB, PROC("x (enforce)")), NULL,
     "no profile for this user lists the client's AppArmor label"},
    {UNIX(STAFF, PROC("app (enforce)")), NULL,
     "the evidence for the client's AppArmor label is too weak"},
    {UNIX(BOB, NO_EVIDENCE("app (enforce)")), NULL,
     "the evidence for the client's AppArmor label is too weak"},
    {UNIX(APP), NULL, "the client's executable is not known"},
    {UNIX(APP, EXE("/x")), NULL, "no profile for this label lists the client's executable"},
    {UNIX(APP, EXE("/usr/bin/app")), NULL, "the client's systemd unit is not known"},
    {UNIX(APP, EXE("/usr/bin/app"), UNIT("x.service")), NULL,
     "no profile for this client lists its systemd unit"},
    {UNIX(APP, EXE("/usr/bin/app"), UNIT("app.service")), NULL, NULL},
    {UNIX(APP, .is_tor = true), NULL, "the client is tor itself, or a connection that tor made"},
    {UNIX(BOB), "own", NULL},
    {UNIX(ALICE), "own", "no profile lists this user in users"},
    {UNIX(BOB), "gone", "no profile is for clients of this socket"},
    {UNIX(BOB), "b", "no profile is for clients of this socket"},
    {LOCAL(OTHER), NULL, "no profile lists this user in users"},
    {LOCAL(BOB, HOLDERS("app (enforce)")), NULL, NULL},
    {LOCAL(BOB), "own", "no profile is for local clients without a socket of their own"},
    {REMOTE("10.1.1.1"), NULL, NULL},
    {REMOTE("11.1.1.1"), NULL, "no profile lists the client's address in hosts"},
    {REMOTE("10.1.1.1"), "net", "no profile is for clients from elsewhere"},
};

Test(policy_match_tcp, reasons)
{
    struct policy *policy = fixture_policy(reasons_file);

    for (size_t i = 0; i < COUNT(reason_rows); i++) {
        const struct reason_row *row = &reason_rows[i];
        struct identity identity = client_identity(&row->client);
        const char *reason = policy_no_match_reason(policy, &identity, row->socket);
        if (reason && row->expected)
            cr_expect_str_eq(reason, row->expected, "row %zu: %s", i, reason);
        else
            cr_expect(!reason && !row->expected, "row %zu: %s", i, reason ? reason : "none");
        identity_clear(&identity);
    }
    policy_unref(policy);
}

Test(policy_match_tcp, reasons_of_an_empty_policy)
{
    static const struct reason_row rows[] = {
        {UNIX(ALICE), NULL, "no profile is for clients of this socket"},
        {LOCAL(ALICE), NULL, "no profile is for local clients without a socket of their own"},
        {REMOTE("10.1.1.1"), NULL, "no profile is for clients from elsewhere"},
    };
    struct policy *policy = policy_new();

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct identity identity = client_identity(&rows[i].client);
        const char *reason = policy_no_match_reason(policy, &identity, rows[i].socket);
        cr_expect(reason && strcmp(reason, rows[i].expected) == 0, "row %zu: %s", i,
                  reason ? reason : "none");
        identity_clear(&identity);
    }
    policy_unref(policy);
}
