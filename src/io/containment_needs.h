/* What the policy and the configuration ask of a daemon that would rather have nothing. */
#ifndef OG_CONTAINMENT_NEEDS_H
#define OG_CONTAINMENT_NEEDS_H

#include <stdbool.h>

#include "buf.h"
#include "options.h"
#include "policy.h"
#include "upstream.h"

/* What this machine and this start are like. */
struct containment_scene {
    bool has_apparmor;
    bool serves_tcp;      /* clients may come over TCP */
    bool hides_processes; /* /proc is mounted with hidepid */
};

/* Whether /proc shows each process to its own user only. */
bool containment_proc_hides(void);

/* Why the profile needs a look into clients' processes that Landlock, or the lack of
 * CAP_SYS_PTRACE, would forbid: "asks for executables"; static. NULL: it needs none. */
const char *containment_look_reason(const struct containment_scene *scene,
                                    const struct profile *profile);

/* The first profile that does, or NULL; *reason_out is also given for complain mode, which is no
 * profile's. */
const struct profile *containment_find_looker(const struct containment_scene *scene,
                                              const struct policy *policy, const char **reason_out);

/* The first profile whose socket or cookie goes to a user or group that we cannot give files to
 * without CAP_CHOWN, or NULL. */
const struct profile *containment_find_giver(const struct policy *policy);

#define CONTAINMENT_KEEP_MAX 8

/* Capabilities that are to be kept, where we have them. */
struct containment_keep {
    int numbers[CONTAINMENT_KEEP_MAX];
    size_t count;
    struct buf text; /* their names, each with its reason */
};

void containment_keep_init(struct containment_keep *keep);
void containment_keep_clear(struct containment_keep *keep);

/* Lists them. */
void containment_keep_fill(struct containment_keep *keep, const struct containment_scene *scene,
                           const struct policy *policy, const struct options *options,
                           const struct upstream_address *tor);

#endif
