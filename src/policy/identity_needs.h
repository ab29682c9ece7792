/* Which facts about a client a decision turns on: nothing else is looked up, or compared. */
#ifndef OG_IDENTITY_NEEDS_H
#define OG_IDENTITY_NEEDS_H

#include <stdbool.h>

#include "identity.h"
#include "policy.h"

struct identity_needs {
    bool label;           /* a profile lists labels */
    bool kernel_label;    /* and takes the kernel's evidence only */
    bool unconfined_path; /* or lists paths, by which an unconfined client goes */
    bool executable;      /* a profile lists executables */
    bool unit;            /* a profile lists units */
    bool writer;          /* who writes is checked: a profile does not say `writer: any` */
};

/* Whether anything is needed that has to be looked up in /proc. */
bool identity_needs_process(const struct identity_needs *needs);

/* What the profiles offered at a socket ask of a client whose user is known; `socket_profile` as in
 * policy_match. */
struct identity_needs identity_needs_of_client(const struct policy *policy,
                                               const struct identity *identity,
                                               const char *socket_profile);

/* What the profiles that serve a client ask. */
struct identity_needs identity_needs_of_view(const struct policy *policy,
                                             const struct policy_view *view);

#endif
