/* Tables of clients before a policy: which profiles each of them gets, by name and in order, and
 * what must hold for every client whatever the table. */
#ifndef OG_MATCH_FIXTURE_H
#define OG_MATCH_FIXTURE_H

#include "profile_fixture.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "buf.h"
#include "mem.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A client in a table. */
struct client {
    enum identity_transport transport;
    bool has_credentials;
    uid_t uid;
    gid_t gid;
    bool has_groups;
    const gid_t *groups; /* three of them, or NULL */
    const char *label;   /* as the kernel writes it; NULL: unknown */
    enum identity_evidence evidence;
    const char *executable;
    const char *unit;
    bool is_tor;
    const char *address;
};

struct match_row {
    struct client client;
    const char *socket;
    const char *expected; /* names of profiles with a space between */
};

#define UNIX(...)                               \
    {                                           \
        .transport = IDENTITY_UNIX, __VA_ARGS__ \
    }
#define LOCAL(...)                                   \
    {                                                \
        .transport = IDENTITY_TCP_LOCAL, __VA_ARGS__ \
    }
#define REMOTE(text, ...)                                              \
    {                                                                  \
        .transport = IDENTITY_TCP_REMOTE, .address = text, __VA_ARGS__ \
    }
#define KNOWN .has_credentials = true
#define OTHER KNOWN, .uid = 5000, .gid = 5000
#define ALICE KNOWN, .uid = FIXTURE_ALICE, .gid = 5000
#define ROOT KNOWN, .uid = 0, .gid = 0
#define GROUPS(list) .has_groups = true, .groups = list
#define KERNEL(text) .label = text, .evidence = EVIDENCE_KERNEL
#define PROC(text) .label = text, .evidence = EVIDENCE_PROC
#define HOLDERS(text) .label = text, .evidence = EVIDENCE_HOLDERS
#define NO_EVIDENCE(text) .label = text, .evidence = EVIDENCE_NONE
#define EXE(path) .executable = path
#define UNIT(name) .unit = name

static const gid_t with_staff[] = {10, FIXTURE_STAFF, 12};
static const gid_t without_staff[] = {10, 11, 12};

static inline char *copy_or_null(const char *text)
{
    return text ? mem_copy_string(span_from_string(text)) : NULL;
}

static inline void identity_set_address(struct identity *identity, const char *text)
{
    identity->is_ipv6 = inet_pton(AF_INET, text, identity->address) != 1;
    if (identity->is_ipv6)
        cr_assert_eq(inet_pton(AF_INET6, text, identity->address), 1, "no address: %s", text);
}

static inline struct identity client_identity(const struct client *client)
{
    struct identity identity = {
        .transport = client->transport,
        .has_credentials = client->has_credentials,
        .uid = client->uid,
        .gid = client->gid,
        .has_groups = client->has_groups,
        .executable = copy_or_null(client->executable),
        .unit = copy_or_null(client->unit),
        .is_tor = client->is_tor,
        .port = 4711,
    };

    if (client->groups) {
        identity.groups = mem_zalloc(3, sizeof *identity.groups);
        memcpy(identity.groups, client->groups, 3 * sizeof *identity.groups);
        identity.group_count = 3;
    }
    if (client->label)
        identity_set_label(&identity, client->label, strlen(client->label), client->evidence);
    if (client->address)
        identity_set_address(&identity, client->address);
    return identity;
}

static inline void view_names(const struct policy_view *view, struct buf *out)
{
    buf_reset(out);
    for (size_t i = 0; i < view->count; i++)
        buf_printf(out, "%s%s", i ? " " : "", view->profiles[i]->name);
    buf_append_char(out, '\0');
}

static inline bool view_has(const struct policy_view *view, const struct profile *profile)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->profiles[i] == profile)
            return true;
    return false;
}

/* Expects that the changed client gets nothing that the original one does not. */
static inline void expect_no_more(const struct policy *policy, const struct client *changed,
                                  const char *socket, const struct policy_view *before,
                                  const char *what, size_t row)
{
    struct identity identity = client_identity(changed);
    struct policy_view view;

    policy_match(policy, &identity, socket, &view);
    for (size_t i = 0; i < view.count; i++)
        cr_expect(view_has(before, view.profiles[i]), "row %zu: %s adds profile %s", row, what,
                  view.profiles[i]->name);
    policy_view_clear(&view);
    identity_clear(&identity);
}

/* What is not known, or by weaker evidence, never adds a profile. */
static inline void check_forgetting(const struct policy *policy, const struct match_row *row,
                                    const struct policy_view *view, size_t number)
{
    struct client weaker[7];

    for (size_t i = 0; i < COUNT(weaker); i++)
        weaker[i] = row->client;
    weaker[0].has_credentials = false;
    weaker[1].has_groups = false;
    weaker[2].label = NULL;
    weaker[3].executable = NULL;
    weaker[4].unit = NULL;
    weaker[5].evidence = EVIDENCE_NONE;
    weaker[6].evidence = row->client.evidence ? row->client.evidence - 1 : EVIDENCE_NONE;
    static const char *const what[] = {"no user", "no groups",   "no label",       "no executable",
                                       "no unit", "no evidence", "weaker evidence"};
    for (size_t i = 0; i < COUNT(weaker); i++)
        expect_no_more(policy, &weaker[i], row->socket, view, what[i], number);
}

static inline void check_tor(const struct policy *policy, const struct match_row *row,
                             size_t number)
{
    static const struct policy_view nobody;
    struct client tor = row->client;

    tor.is_tor = true;
    expect_no_more(policy, &tor, row->socket, &nobody, "being tor", number);
}

static inline void check_match(const struct policy *policy, const struct match_row *row,
                               const char *table, size_t number, struct buf *names)
{
    struct identity identity = client_identity(&row->client);
    struct policy_view view;

    policy_match(policy, &identity, row->socket, &view);
    view_names(&view, names);
    cr_expect_str_eq(buf_span(names).data, row->expected, "%s, row %zu: '%s' in place of '%s'",
                     table, number, buf_span(names).data, row->expected);
    cr_expect_eq(policy_no_match_reason(policy, &identity, row->socket) == NULL, view.count > 0,
                 "%s, row %zu: a reason, or none", table, number);
    check_forgetting(policy, row, &view, number);
    check_tor(policy, row, number);
    policy_view_clear(&view);
    cr_expect(view.count == 0 && !view.profiles, "row %zu: a cleared view is empty", number);
    identity_clear(&identity);
}

/* Checks a table; the policy is given up. */
static inline void check_matches(struct policy *policy, const char *table,
                                 const struct match_row *rows, size_t count)
{
    struct buf names;

    buf_init(&names, 4096);
    for (size_t i = 0; i < count; i++)
        check_match(policy, &rows[i], table, i, &names);
    buf_clear(&names);
    policy_unref(policy);
}

#endif
