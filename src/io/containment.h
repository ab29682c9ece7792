/* Containment as a whole: which layers of contain.h stand in this process, what had to be left out
 * of them for the policy's sake, and what a later policy can therefore not have. */
#ifndef OG_CONTAINMENT_H
#define OG_CONTAINMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "containment_needs.h"
#include "containment_places.h"
#include "diag.h"
#include "options.h"
#include "policy.h"
#include "profile_dir.h"
#include "upstream.h"

#define CONTAINMENT_SUMMARY_MAX 64

struct containment {
    char summary[CONTAINMENT_SUMMARY_MAX]; /* the layers that stand: "no_new_privs, seccomp" */
    bool hides_clients;                    /* a later profile cannot look into processes any more */
    struct containment_scene scene;
    struct containment_places places;
};

/* All is borrowed for the call. */
struct containment_setup {
    const struct options *options;
    const struct policy *policy;
    const struct profile_dirs *profile_dirs;
    const struct upstream_address *tor;
    uint16_t bind_port; /* of a TCP listener that may be opened anew; 0: none */
    bool has_apparmor;
    bool serves_tcp;
};

/* Puts the layers in force, for good; says in the log which, and why one is missing. To be called
 * once all is open that a daemon opens once, and before anybody is served. False: the daemon must
 * not go on. `containment` is zeroed before. */
bool containment_enter(struct containment *containment, const struct containment_setup *setup);

/* Adds an error for each profile that asks for what containment has made invisible. */
void containment_judge(const struct containment *containment, const struct policy *policy,
                       struct diag_list *diags);

void containment_clear(struct containment *containment);

#endif
