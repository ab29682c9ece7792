/* The index leaves no profile out that would serve a client: it is compared with asking each profile
 * alone, in a policy of its own, for many clients and many profiles. */
#include "match_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "identity_needs.h"

static const char *const labels[] = {
    "['*']", "[app]", "[app, 'unconfined']", "['/usr/bin/app']", "[other, app]", NULL,
};
static const char *const users[] = {"['*']", "['1001']", "['1001', '1002']", "['0']", NULL};
static const char *const sockets[] = {NULL, "true"};
static const char *const hosts[] = {NULL, "['10.0.0.0/8']", "['*']"};

/* Writes the profile of that number; false: there is none that a loader would take. */
static bool write_profile(struct buf *out, unsigned number)
{
    const char *label = labels[number % COUNT(labels)];
    const char *user = users[number / 6 % COUNT(users)];
    const char *socket = sockets[number / 30 % COUNT(sockets)];
    const char *host = hosts[number / 60 % COUNT(hosts)];

    if ((!label || !user) && !socket && !host)
        return false;
    if (socket && !label && !user)
        return false;
    buf_printf(out, "- name: p%u\n", number);
    if (label)
        buf_printf(out, "  apparmor-profiles: %s\n", label);
    if (user)
        buf_printf(out, "  users: %s\n", user);
    if (socket)
        buf_printf(out, "  socket: {path: /run/s%u, mode: '0666'}\n", number);
    if (host)
        buf_printf(out, "  hosts: %s\n", host);
    if (number % 7 == 0 && label && strcmp(label, "['*']") != 0)
        buf_append_string(out, "  apparmor-evidence: kernel-only\n");
    if (number % 5 == 0 && label && user)
        buf_append_string(out, "  units: [app.service]\n");
    return true;
}

#define PROFILES 180

static const struct client clients[] = {
    UNIX(KNOWN, .uid = 1001, KERNEL("app (enforce)")),
    UNIX(KNOWN, .uid = 1002, PROC("app (enforce)"), UNIT("app.service")),
    UNIX(KNOWN, .uid = 1001, PROC("unconfined"), EXE("/usr/bin/app")),
    UNIX(KNOWN, .uid = 0, PROC("unconfined"), EXE("/usr/bin/cat")),
    UNIX(KNOWN, .uid = 7, .label = NULL),
    LOCAL(.has_credentials = false),
    LOCAL(KNOWN, .uid = 1002, HOLDERS("other (complain)")),
    REMOTE("10.1.2.3", .has_credentials = false),
    REMOTE("192.168.0.1", .has_credentials = false),
    UNIX(KNOWN, .uid = 1001, KERNEL("app (enforce)"), .is_tor = true),
};

/* Names of the profiles that serve the client. */
static void list_view(const struct policy *policy, const struct identity *identity,
                      const char *socket, struct buf *out)
{
    struct policy_view view;

    policy_match(policy, identity, socket, &view);
    for (size_t i = 0; i < view.count; i++)
        buf_printf(out, "%s ", view.profiles[i]->name);
    policy_view_clear(&view);
}

static void add_needs(struct identity_needs *needs, struct identity_needs more)
{
    needs->label |= more.label;
    needs->kernel_label |= more.kernel_label;
    needs->unconfined_path |= more.unconfined_path;
    needs->executable |= more.executable;
    needs->unit |= more.unit;
    needs->writer |= more.writer;
}

static void compare(const struct policy *all, struct policy *const *alone, size_t client,
                    const char *socket)
{
    struct identity_needs sum = {0}, needs;
    struct identity identity;
    struct buf expected, got;

    buf_init(&expected, 65536);
    buf_init(&got, 65536);
    identity = client_identity(&clients[client]);
    for (unsigned i = 0; i < PROFILES; i++) {
        if (!alone[i])
            continue;
        list_view(alone[i], &identity, socket, &expected);
        add_needs(&sum, identity_needs_of_client(alone[i], &identity, socket));
    }
    list_view(all, &identity, socket, &got);
    needs = identity_needs_of_client(all, &identity, socket);
    cr_expect(span_equals(buf_span(&got), buf_span(&expected)), "client %zu at %s: %.*s, not %.*s",
              client, socket ? socket : "the shared socket", (int)got.len, buf_span(&got).data,
              (int)expected.len, buf_span(&expected).data);
    cr_expect(needs.label == sum.label && needs.kernel_label == sum.kernel_label &&
                  needs.unconfined_path == sum.unconfined_path &&
                  needs.executable == sum.executable && needs.unit == sum.unit &&
                  needs.writer == sum.writer,
              "client %zu at %s: other needs", client, socket ? socket : "the shared socket");
    identity_clear(&identity);
    buf_clear(&expected);
    buf_clear(&got);
}

Test(policy_index, gives_what_each_profile_alone_would_give)
{
    struct policy *alone[PROFILES] = {NULL}, *all;
    struct buf text, one;
    char socket[16];
    size_t loaded = 0;

    buf_init(&text, 1 << 20);
    for (unsigned i = 0; i < PROFILES; i++) {
        buf_init(&one, 4096);
        if (write_profile(&one, i)) {
            buf_append(&text, buf_span(&one));
            buf_append_char(&one, '\0');
            alone[i] = fixture_policy(buf_span(&one).data);
            loaded++;
        }
        buf_clear(&one);
    }
    cr_assert(loaded > 100, "%zu profiles", loaded);
    buf_append_char(&text, '\0');
    all = fixture_policy(buf_span(&text).data);
    for (size_t client = 0; client < COUNT(clients); client++) {
        compare(all, alone, client, NULL);
        compare(all, alone, client, "no-such-profile");
        for (unsigned i = 0; i < PROFILES; i += 11) {
            snprintf(socket, sizeof socket, "p%u", i);
            compare(all, alone, client, socket);
        }
    }
    for (unsigned i = 0; i < PROFILES; i++)
        policy_unref(alone[i]);
    policy_unref(all);
    buf_clear(&text);
}

Test(policy_index, is_empty_at_first)
{
    struct policy *policy = policy_new();
    struct identity identity;
    struct policy_view view;

    identity = client_identity(&clients[0]);
    policy_match(policy, &identity, NULL, &view);
    cr_expect_eq(view.count, 0);
    cr_expect(!identity_needs_of_client(policy, &identity, NULL).writer);
    identity_clear(&identity);
    policy_unref(policy);
}
