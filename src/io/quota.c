/* Accounts by user id or address in a hash table. An account outlives its sessions for as long as
 * its log bucket is not full, or connecting anew would fill it; after that it goes, so the table
 * does not grow with every id that was ever seen. */
#include "quota.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

void quota_init(struct quota *quota, unsigned max_sessions, unsigned max_sessions_per_uid,
                unsigned max_sessions_per_address, unsigned log_lines)
{
    *quota = (struct quota){
        .max_sessions = max_sessions,
        .max_sessions_per_uid = max_sessions_per_uid,
        .max_sessions_per_address = max_sessions_per_address,
        .log_lines = log_lines,
    };
}

void quota_clear(struct quota *quota)
{
    for (size_t i = 0; i < QUOTA_BUCKETS; i++) {
        while (quota->buckets[i]) {
            struct quota_user *user = quota->buckets[i];
            quota->buckets[i] = user->next;
            free(user);
        }
    }
}

static enum quota_kind quota_kind_of(const struct identity *identity)
{
    if (identity->transport == IDENTITY_TCP_REMOTE)
        return QUOTA_ADDRESS;
    return identity->has_credentials ? QUOTA_UID : QUOTA_NOBODY;
}

/* A new account of this peer. */
static struct quota_user quota_user_of(const struct identity *identity)
{
    struct quota_user user = {.kind = quota_kind_of(identity)};

    if (user.kind == QUOTA_UID)
        user.uid = identity->uid;
    if (user.kind == QUOTA_ADDRESS) {
        user.is_ipv6 = identity->is_ipv6;
        memcpy(user.address, identity->address, identity->is_ipv6 ? QUOTA_ADDRESS_SIZE : 4);
    }
    return user;
}

static size_t quota_bucket(const struct quota_user *user)
{
    size_t bucket = user->uid;

    for (size_t i = 0; i < QUOTA_ADDRESS_SIZE; i++)
        bucket = bucket * 31 + user->address[i];
    return bucket % QUOTA_BUCKETS;
}

static bool quota_user_equals(const struct quota_user *a, const struct quota_user *b)
{
    return a->kind == b->kind && a->uid == b->uid && a->is_ipv6 == b->is_ipv6 &&
           memcmp(a->address, b->address, QUOTA_ADDRESS_SIZE) == 0;
}

/* Finds the account, and forgets others of its bucket that are of no more use. */
static struct quota_user *quota_find(struct quota_user **link, const struct quota_user *wanted,
                                     uint64_t now_ms)
{
    struct quota_user *found = NULL;

    while (*link) {
        struct quota_user *user = *link;
        if (quota_user_equals(user, wanted)) {
            found = user;
        } else if (user->sessions == 0 && log_limit_is_idle(&user->log, now_ms)) {
            *link = user->next;
            free(user);
            continue;
        }
        link = &user->next;
    }
    return found;
}

static struct quota_user *quota_add(struct quota *quota, struct quota_user **bucket,
                                    const struct quota_user *wanted, uint64_t now_ms)
{
    struct quota_user *user = mem_zalloc(1, sizeof *user);

    *user = *wanted;
    log_limit_init(&user->log, quota->log_lines, now_ms);
    user->next = *bucket;
    *bucket = user;
    return user;
}

enum quota_result quota_take(struct quota *quota, const struct identity *identity, uint64_t now_ms,
                             struct quota_user **user_out)
{
    struct quota_user wanted = quota_user_of(identity);
    struct quota_user **bucket = &quota->buckets[quota_bucket(&wanted)];
    struct quota_user *user = quota_find(bucket, &wanted, now_ms);
    unsigned max = wanted.kind == QUOTA_ADDRESS ? quota->max_sessions_per_address
                                                : quota->max_sessions_per_uid;

    if (!user)
        user = quota_add(quota, bucket, &wanted, now_ms);
    *user_out = user;
    if (quota->sessions >= quota->max_sessions)
        return QUOTA_FULL;
    if (user->sessions >= max)
        return QUOTA_USER_FULL;
    quota->sessions++;
    user->sessions++;
    return QUOTA_GRANTED;
}

void quota_give_back(struct quota *quota, struct quota_user *user)
{
    quota->sessions--;
    user->sessions--;
}

void quota_user_describe(const struct quota_user *user, char *text, size_t size)
{
    switch (user->kind) {
    case QUOTA_NOBODY:
        snprintf(text, size, "unknown uid");
        break;
    case QUOTA_UID:
        snprintf(text, size, "uid %ju", (uintmax_t)user->uid);
        break;
    case QUOTA_ADDRESS:
        snprintf(text, size, "another machine");
        break;
    }
}

bool quota_report_left_out(struct quota *quota,
                           void (*report)(void *context, const struct quota_user *user,
                                          unsigned long count),
                           void *context)
{
    bool found = false;

    for (size_t i = 0; i < QUOTA_BUCKETS; i++) {
        for (struct quota_user *user = quota->buckets[i]; user; user = user->next) {
            unsigned long count = log_limit_take_left_out(&user->log);
            if (count == 0)
                continue;
            found = true;
            report(context, user, count);
        }
    }
    return found;
}
