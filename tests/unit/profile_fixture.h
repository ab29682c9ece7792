/* Profiles for tests, from their text: loaded by the real loader, with a fixed set of names. */
#ifndef OG_PROFILE_FIXTURE_H
#define OG_PROFILE_FIXTURE_H

#include <criterion/criterion.h>
#include <string.h>

#include "policy.h"
#include "profile_load.h"

#define FIXTURE_ALICE 1000
#define FIXTURE_BOB 1001
#define FIXTURE_STAFF 2000

/* (a+)+b takes for ever to find out that this does not match. */
#define TEDIOUS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabc"

static inline bool fixture_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context;
    if (strcmp(name, "alice") == 0)
        *uid_out = FIXTURE_ALICE;
    else if (strcmp(name, "bob") == 0)
        *uid_out = FIXTURE_BOB;
    else
        return false;
    return true;
}

static inline bool fixture_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context;
    *gid_out = FIXTURE_STAFF;
    return strcmp(name, "staff") == 0;
}

/* Loads one file's text; the test fails with the loader's messages if it has an error. */
static inline struct profile_file *fixture_file(const char *path, const char *yaml)
{
    const struct name_resolver resolver = {fixture_user, fixture_group, NULL};
    struct diag_list diags;
    struct buf messages;

    diag_list_init(&diags);
    buf_init(&messages, 64 * 1024);
    struct profile_file *file = profile_load(path, span_from_string(yaml), &resolver, &diags);
    for (size_t i = 0; i < diags.count; i++) {
        diag_format(&messages, &diags.items[i]);
        buf_append_char(&messages, '\n');
    }
    cr_assert(file, "profile does not load:\n%.*s", (int)messages.len, buf_span(&messages).data);
    buf_clear(&messages);
    diag_list_clear(&diags);
    return file;
}

/* A policy of one file. */
static inline struct policy *fixture_policy(const char *yaml)
{
    struct policy *policy = policy_new();

    policy_add_file(policy, fixture_file("/profiles/test.yml", yaml));
    return policy;
}

/* The view of a client that every profile without a socket matches by "*". */
static inline struct policy_view fixture_view(const struct policy *policy)
{
    const struct identity identity = {.transport = IDENTITY_UNIX,
                                      .has_credentials = true,
                                      .uid = FIXTURE_ALICE,
                                      .gid = FIXTURE_ALICE};
    struct policy_view view;

    policy_match(policy, &identity, NULL, &view);
    return view;
}

#endif
