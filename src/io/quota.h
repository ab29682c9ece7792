/* How much each user may have at once, and how much he may write into the log (design 4.4). */
#ifndef OG_QUOTA_H
#define OG_QUOTA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "identity.h"
#include "log.h"

/* One user id. Peers whose id is not known share one. */
struct quota_user {
    struct quota_user *next;
    bool is_known;
    uid_t uid;
    unsigned sessions;
    struct log_limit log;
};

#define QUOTA_BUCKETS 256

struct quota {
    unsigned max_sessions;
    unsigned max_sessions_per_uid;
    unsigned sessions;
    struct quota_user *buckets[QUOTA_BUCKETS];
};

enum quota_result {
    QUOTA_GRANTED,
    QUOTA_FULL,      /* no session for anybody */
    QUOTA_USER_FULL, /* none for this user */
};

void quota_init(struct quota *quota, unsigned max_sessions, unsigned max_sessions_per_uid);
void quota_clear(struct quota *quota);

/* Takes one session. *user_out is set whatever the result and lives as long as it has sessions, but
 * at least until the next call of quota_take. */
enum quota_result quota_take(struct quota *quota, const struct identity *identity, uint64_t now_ms,
                             struct quota_user **user_out);
void quota_give_back(struct quota *quota, struct quota_user *user);

/* Takes the count of log lines left out of every user that has one. True if there was one. */
bool quota_report_left_out(struct quota *quota,
                           void (*report)(const struct quota_user *user, unsigned long count));

#endif
