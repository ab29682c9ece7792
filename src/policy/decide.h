/* The decision on one command: what tor gets, if anything (design 3.3, 3.5 to 3.7, 3.9).
 *
 * Pure: policy and command in, verdict out. The zero value refuses. */
#ifndef OG_DECIDE_H
#define OG_DECIDE_H

#include <stdbool.h>

#include "buf.h"
#include "command.h"
#include "policy.h"
#include "reply_plan.h"
#include "template.h"

enum verdict {
    VERDICT_REFUSE = 0, /* 510 Command filtered */
    VERDICT_FORWARD,    /* send `arguments` to tor, treat the reply by `plan` */
    VERDICT_ANSWER,     /* answer by `plan`; tor is not asked */
    VERDICT_SUBSCRIBE,  /* SETEVENTS whose events are all allowed: session/subscription goes on */
};

/* What an approval by `onions` still depends on, which the session knows: it asks when the
 * command's turn at tor comes, as replies to commands before it may decide. */
enum onion_claim {
    ONION_CLAIM_NONE = 0,
    ONION_CLAIM_CREATE,      /* ADD_ONION: max_services of `create` */
    ONION_CLAIM_SERVICE,     /* DEL_ONION: the address is the client's own */
    ONION_CLAIM_FETCH,       /* HSFETCH: nothing, but its events become the client's */
    ONION_CLAIM_KEY_ADD,     /* ONION_CLIENT_AUTH_ADD: no other profile has a key there */
    ONION_CLAIM_KEY,         /* ONION_CLIENT_AUTH_REMOVE, _VIEW ADDRESS: this profile added it */
    ONION_CLAIM_KEY_LISTING, /* ONION_CLIENT_AUTH_VIEW: the reply shows those only */
};

struct decision {
    enum verdict verdict;
    const char *reason;      /* REFUSE: why, for the log; static text without peer bytes */
    struct source rule;      /* what decided: a rule, an option, or for near misses the rule whose
                                limit or template failed; file NULL: nothing */
    bool is_complaint;       /* no profile allows it, complain mode does */
    struct buf complaint;    /* of that: the arguments, or those of several that none allows */
    bool is_rewritten;       /* the arguments are others than the client's: a replacement
                                changed them, or ADD_ONION's targets were written in full */
    struct buf arguments;    /* FORWARD: printable, parsed again, canonical; max COMMAND_MAX_LINE */
    struct reply_plan *plan; /* FORWARD, ANSWER: owned */

    enum onion_claim claim;            /* FORWARD by `onions` */
    const struct profile *claimant;    /* of that claim: the profile whose `onions` it is */
    const struct onion_create *create; /* ONION_CLAIM_CREATE: the entry that allowed it */
};

void decision_clear(struct decision *decision);

/* Judges a sound command that is not local (KEYWORD_IS_LOCAL). An empty view refuses all. The
 * command's data is judged by its size and bytes only (the reader did) and is not part of the
 * decision's arguments. `decision` is initialised by this. In complain mode what would be refused
 * is decided once more, with the profile of complain mode behind the others. */
void policy_decide(const struct policy_view *view, const struct command *command,
                   const struct template_variables *variables, struct decision *decision);

/* The event's rule in the first profile that lists it, or NULL: the client may not have it. Whose
 * streams it tells of is another matter (session/own_streams). */
const struct event_rule *policy_find_event(const struct policy_view *view, struct span name);

/* Whether events of that name (in any case) may be asked for but are never delivered under
 * tor-browser-mode, where that is on: CIRC_MINOR and CIRC_BW. */
bool policy_withholds_event(const struct policy_view *view, struct span name);

/* Whether any of the profiles restricts streams and circuits to the client's own; the session does
 * that, and only where the client's address tells them from others'. */
bool policy_is_tor_browser_mode(const struct policy_view *view);

#endif
