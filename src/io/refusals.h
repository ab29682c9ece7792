/* The last commands that were refused, by their shapes: no value of a client's is kept, and nothing
 * of it is written anywhere (onion-graterctl explain --last). */
#ifndef OG_REFUSALS_H
#define OG_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "identity.h"
#include "policy.h"
#include "session.h"

#define REFUSALS_MAX 16

struct refusal {
    uint64_t time_ms; /* since 1970 */
    unsigned long long session;
    char **profiles; /* owned */
    size_t profile_count;
    bool has_uid;
    uid_t uid;
    char *label;      /* or "unconfined"; NULL: not known; owned, as the rest */
    char *executable; /* NULL: not known */
    const char *reason;
    char *rule_file; /* NULL: no rule */
    unsigned rule_line;
    unsigned rule_column;
    char *command;   /* as in the log */
    char *complaint; /* as the log of complain mode has it; NULL: it is no command that could be
                        allowed */
};

/* The oldest first. */
struct refusals {
    struct refusal items[REFUSALS_MAX];
    size_t count;
};

/* Keeps one more. Where there is no room the oldest goes of the user who has most, so that nobody
 * makes those of others be forgotten. */
void refusals_note(struct refusals *refusals, unsigned long long session,
                   const struct identity *identity, const struct policy_view *view,
                   const struct session_report *report);

void refusals_clear(struct refusals *refusals);

#endif
