/* How much each user, or each other machine, may have at once, and how much he may write into the
 * log (design 4.4). */
#ifndef OG_QUOTA_H
#define OG_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "identity.h"
#include "log.h"

struct relay;

enum quota_kind {
    QUOTA_NOBODY, /* peers of this machine whose user is not known */
    QUOTA_UID,
    QUOTA_ADDRESS, /* of another machine; of IPv6 the network part, as the rest is its choice */
};

#define QUOTA_ADDRESS_SIZE 8

/* One account. */
struct quota_user {
    struct quota_user *next;
    enum quota_kind kind;
    uid_t uid;
    bool is_ipv6;
    uint8_t address[QUOTA_ADDRESS_SIZE];
    unsigned sessions;
    size_t held;                /* bytes of memory in their buffers */
    uint64_t rest_until_us;     /* no input is looked at before: earlier input cost too much time */
    struct relay *first_queued; /* sessions that have input meanwhile (relay_turn.c) */
    struct relay *last_queued;
    struct log_limit log;
};

#define QUOTA_BUCKETS 256

struct quota {
    unsigned max_sessions;
    unsigned max_sessions_per_uid;
    unsigned max_sessions_per_address;
    unsigned log_lines; /* of one user in a minute */
    unsigned sessions;
    struct quota_user *buckets[QUOTA_BUCKETS];
};

enum quota_result {
    QUOTA_GRANTED,
    QUOTA_FULL,      /* no session for anybody */
    QUOTA_USER_FULL, /* none for this user */
};

void quota_init(struct quota *quota, unsigned max_sessions, unsigned max_sessions_per_uid,
                unsigned max_sessions_per_address, unsigned log_lines);
void quota_clear(struct quota *quota);

/* Takes one session. *user_out is set whatever the result and lives as long as it has sessions, but
 * at least until the next call of quota_take. */
enum quota_result quota_take(struct quota *quota, const struct identity *identity, uint64_t now_ms,
                             struct quota_user **user_out);
void quota_give_back(struct quota *quota, struct quota_user *user);

/* Whose account it is, for the log: "uid 1000"; no addresses. */
void quota_user_describe(const struct quota_user *user, char *text, size_t size);

/* Takes the count of log lines left out of every user that has one. True if there was one. */
bool quota_report_left_out(struct quota *quota,
                           void (*report)(void *context, const struct quota_user *user,
                                          unsigned long count),
                           void *context);

#endif
