/* Which facts are looked up for a client, and which are compared with those of a writer. */
#include "match_fixture.h"

#include <stdio.h>

#include "identity_needs.h"

static const char file[] =
    "- name: plain\n"
    "  apparmor-profiles: ['*']\n"
    "  users: [bob]\n"
    "- name: label\n"
    "  apparmor-profiles: [app]\n"
    "  users: [alice]\n"
    "- name: kernel\n"
    "  apparmor-profiles: [app]\n"
    "  apparmor-evidence: kernel-only\n"
    "  users: ['3000']\n"
    "- name: path\n"
    "  apparmor-profiles: [app, /usr/bin/app]\n"
    "  users: ['3001']\n"
    "- name: unit\n"
    "  apparmor-profiles: ['*']\n"
    "  units: ['app*.service']\n"
    "  users: ['3002']\n"
    "- name: any-unit\n"
    "  apparmor-profiles: ['*']\n"
    "  units: ['*']\n"
    "  executables: ['*']\n"
    "  users: ['3003']\n"
    "- name: portal\n"
    "  apparmor-profiles: [portal]\n"
    "  writer: any\n"
    "  users: ['3004']\n"
    "- name: own\n"
    "  socket: true\n"
    "  executables: [/usr/bin/app]\n"
    "- name: own-users\n"
    "  socket: true\n"
    "  users: ['*']\n"
    "- name: own-portal\n"
    "  socket: true\n"
    "  users: ['*']\n"
    "  writer: any\n";

/* l: label, k: the kernel's, p: path of the unconfined, x: executable, u: unit, w: writer. */
static void letters(const struct identity_needs *needs, char out[8])
{
    snprintf(out, 8, "%s%s%s%s%s%s", needs->label ? "l" : "", needs->kernel_label ? "k" : "",
             needs->unconfined_path ? "p" : "", needs->executable ? "x" : "",
             needs->unit ? "u" : "", needs->writer ? "w" : "");
}

Test(identity_needs, of_clients)
{
    static const struct {
        bool unknown;
        uid_t uid;
        const char *socket;
        const char *needs;
    } rows[] = {
        {.uid = FIXTURE_BOB, .needs = "w"},
        {.uid = FIXTURE_ALICE, .needs = "lw"},
        {.uid = 3000, .needs = "lkw"},
        {.uid = 3001, .needs = "lpw"},
        {.uid = 3002, .needs = "uw"},
        {.uid = 3003, .needs = "w"},
        {.uid = 3004, .needs = "l"},
        {.uid = 9999, .needs = ""},
        {.uid = 0, .needs = ""},
        {.unknown = true, .uid = FIXTURE_ALICE, .needs = ""},
        {.uid = FIXTURE_ALICE, .socket = "own", .needs = "xw"},
        {.uid = 9999, .socket = "own", .needs = "xw"},
        {.unknown = true, .socket = "own", .needs = "xw"},
        {.uid = 9999, .socket = "own-users", .needs = "w"},
        {.uid = 9999, .socket = "own-portal", .needs = ""},
        {.uid = FIXTURE_ALICE, .socket = "label", .needs = ""},
        {.uid = FIXTURE_ALICE, .socket = "nothing", .needs = ""},
    };
    struct policy *policy = fixture_policy(file);
    char got[8];

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct identity identity = {.has_credentials = !rows[i].unknown, .uid = rows[i].uid};
        struct identity_needs needs = identity_needs_of_client(policy, &identity, rows[i].socket);
        letters(&needs, got);
        cr_expect_str_eq(got, rows[i].needs, "row %zu: \"%s\" in place of \"%s\"", i, got,
                         rows[i].needs);
        cr_expect_eq(identity_needs_process(&needs), strpbrk(got, "lxu") != NULL, "row %zu", i);
    }
    policy_unref(policy);
}

/* A view asks what any of its profiles asks; the writer is free only if all of them free him. */
Test(identity_needs, of_views)
{
    static const struct {
        const char *names[3];
        bool kernel_only;
        const char *needs;
    } rows[] = {
        {{NULL}, false, ""},
        {{"plain"}, false, "w"},
        {{"plain", "label"}, false, "lw"},
        {{"label"}, true, "lkw"},
        {{"plain"}, true, "w"},
        {{"portal"}, false, "l"},
        {{"portal"}, true, "lk"},
        {{"portal", "own-portal"}, false, "l"},
        {{"portal", "plain"}, false, "lw"},
        {{"plain", "portal"}, false, "lw"},
        {{"own", "unit", "path"}, false, "lpxuw"},
        {{"label", "kernel"}, false, "lkw"},
    };
    struct policy *policy = fixture_policy(file);
    char got[8];

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct profile *profiles[3];
        struct policy_view view = {.profiles = profiles};
        for (size_t j = 0; j < 3 && rows[i].names[j]; j++) {
            profiles[view.count++] = policy_find_profile(policy, rows[i].names[j]);
            cr_assert_not_null(profiles[j], "row %zu", i);
        }
        policy->kernel_evidence_only = rows[i].kernel_only;
        struct identity_needs needs = identity_needs_of_view(policy, &view);
        letters(&needs, got);
        cr_expect_str_eq(got, rows[i].needs, "row %zu: \"%s\" in place of \"%s\"", i, got,
                         rows[i].needs);
    }
    policy_unref(policy);
}

/* Forgets what nobody asked for. */
static void forget(struct client *client, const struct identity_needs *needs)
{
    bool unconfined = client->label && strcmp(client->label, "unconfined") == 0;

    if (!needs->executable && !(needs->unconfined_path && unconfined))
        client->executable = NULL;
    if (!needs->label)
        client->label = NULL;
    if (!needs->unit)
        client->unit = NULL;
}

static void check_enough(const struct policy *policy, const struct client *client,
                         const char *socket, const char *what)
{
    struct identity all = client_identity(client);
    struct identity_needs needs = identity_needs_of_client(policy, &all, socket);
    struct client asked = *client;
    struct policy_view expected, view;

    forget(&asked, &needs);
    struct identity known = client_identity(&asked);
    policy_match(policy, &all, socket, &expected);
    policy_match(policy, &known, socket, &view);
    cr_expect_eq(view.count, expected.count, "%s, uid %u: %zu profiles in place of %zu", what,
                 (unsigned)client->uid, view.count, expected.count);
    policy_view_clear(&expected);
    policy_view_clear(&view);
    identity_clear(&all);
    identity_clear(&known);
}

/* What is not asked for never decides. */
Test(identity_needs, are_enough)
{
    static const uid_t uids[] = {FIXTURE_ALICE, FIXTURE_BOB, 3000, 3001, 3002, 3003, 3004, 9999};
    static const char *const sockets[] = {NULL, "own", "own-users", "own-portal"};
    static const struct client programs[] = {
        UNIX(KNOWN, KERNEL("app (enforce)"), EXE("/usr/bin/app"), UNIT("app.service")),
        UNIX(KNOWN, PROC("app (enforce)"), EXE("/usr/bin/other")),
        UNIX(KNOWN, PROC("unconfined"), EXE("/usr/bin/app"), UNIT("app@1.service")),
        UNIX(KNOWN, PROC("portal (complain)")),
        UNIX(KNOWN, EXE("/usr/bin/app"), UNIT("app.service")),
        UNIX(.label = NULL),
    };
    struct policy *policy = fixture_policy(file);

    for (size_t i = 0; i < COUNT(uids) * COUNT(sockets) * COUNT(programs); i++) {
        struct client client = programs[i / (COUNT(uids) * COUNT(sockets))];
        const char *socket = sockets[i / COUNT(uids) % COUNT(sockets)];
        client.uid = uids[i % COUNT(uids)];
        check_enough(policy, &client, socket, socket ? socket : "shared");
    }
    policy_unref(policy);
}
