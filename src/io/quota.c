/* Accounts by user id in a hash table. An account outlives its sessions for as long as its log
 * bucket is not full, or connecting anew would fill it; after that it goes, so the table does not
 * grow with every id that was ever seen. */
#include "quota.h"

#include <stdlib.h>

#include "mem.h"

void quota_init(struct quota *quota, unsigned max_sessions, unsigned max_sessions_per_uid)
{
    *quota = (struct quota){
        .max_sessions = max_sessions,
        .max_sessions_per_uid = max_sessions_per_uid,
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

static size_t quota_bucket(const struct identity *identity)
{
    return identity->has_credentials ? identity->uid % QUOTA_BUCKETS : 0;
}

static bool quota_user_is(const struct quota_user *user, const struct identity *identity)
{
    return user->is_known == identity->has_credentials &&
           (!user->is_known || user->uid == identity->uid);
}

/* Finds the account, and forgets others of its bucket that are of no more use. */
static struct quota_user *quota_find(struct quota_user **link, const struct identity *identity,
                                     uint64_t now_ms)
{
    struct quota_user *found = NULL;

    while (*link) {
        struct quota_user *user = *link;
        if (quota_user_is(user, identity)) {
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

static struct quota_user *quota_add(struct quota_user **bucket, const struct identity *identity,
                                    uint64_t now_ms)
{
    struct quota_user *user = mem_zalloc(1, sizeof *user);

    user->is_known = identity->has_credentials;
    user->uid = identity->uid;
    log_limit_init(&user->log, now_ms);
    user->next = *bucket;
    *bucket = user;
    return user;
}

enum quota_result quota_take(struct quota *quota, const struct identity *identity, uint64_t now_ms,
                             struct quota_user **user_out)
{
    struct quota_user **bucket = &quota->buckets[quota_bucket(identity)];
    struct quota_user *user = quota_find(bucket, identity, now_ms);

    if (!user)
        user = quota_add(bucket, identity, now_ms);
    *user_out = user;
    if (quota->sessions >= quota->max_sessions)
        return QUOTA_FULL;
    if (user->sessions >= quota->max_sessions_per_uid)
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

bool quota_report_left_out(struct quota *quota,
                           void (*report)(const struct quota_user *user, unsigned long count))
{
    bool found = false;

    for (size_t i = 0; i < QUOTA_BUCKETS; i++) {
        for (struct quota_user *user = quota->buckets[i]; user; user = user->next) {
            unsigned long count = log_limit_take_left_out(&user->log);
            if (count == 0)
                continue;
            found = true;
            report(user, count);
        }
    }
    return found;
}
