/* One generation of the policy: the profiles of all files, in order (design 3.1, 3.2).
 *
 * Built whole, then only read; a reload builds the next one beside it. */
#ifndef OG_POLICY_H
#define OG_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "complaining.h"
#include "identity.h"
#include "policy_index.h"
#include "profile.h"

struct policy {
    unsigned references;
    struct profile_file **files; /* sorted by file name; each holds a reference */
    size_t count;
    struct policy_index index;     /* of their profiles */
    bool kernel_evidence_only;     /* of labels, for profiles that do not say (the configuration's
                                      apparmor-evidence) */
    struct profile_file *complain; /* complain mode of all: what stands behind all profiles; NULL:
                                      off */
    struct complaining complaining; /* or of some */
};

struct policy *policy_new(void);
struct policy *policy_ref(struct policy *policy);
void policy_unref(struct policy *policy); /* NULL allowed */

/* Turns complain mode on; takes over the caller's reference of complain_file_new. */
void policy_set_complain(struct policy *policy, struct profile_file *file);

/* Adds a file behind the others; takes over the caller's reference. */
void policy_add_file(struct policy *policy, struct profile_file *file);

/* The profile of that name, or NULL. */
const struct profile *policy_find_profile(const struct policy *policy, const char *name);

/* Whether the profile is for clients of this machine without a socket of its own: those of the
 * shared one, and those over TCP. */
bool policy_profile_is_shared(const struct profile *profile);

/* The profiles that serve one client, in the order in which their rules are tried. */
struct policy_view {
    const struct profile **profiles; /* owned array of borrowed profiles */
    size_t count;
    const struct profile *complain; /* complain mode: asked where the others refuse; NULL: off */
};

/* Whether nobody serves the client: no profile, and no complain mode either. */
bool policy_view_is_empty(const struct policy_view *view);

void policy_view_clear(struct policy_view *view);

/* Which profiles serve this client. `socket_profile`: the client came in by the socket of the
 * profile of that name, NULL: by the shared one, or by TCP. Only profiles of that socket are
 * considered, and their qualifiers are checked (design 3.2, 3.4). An empty view: nobody. Complain
 * mode is for clients of this machine, and for those from elsewhere that a profile serves; never
 * for tor. */
void policy_match(const struct policy *policy, const struct identity *identity,
                  const char *socket_profile, struct policy_view *view_out);

/* How far a profile came with a client, in the order in which its qualifiers are asked: the one
 * that was not met. */
enum policy_outcome {
    POLICY_NO_PROFILE = 0, /* it is not offered where the client came in */
    POLICY_HOST,
    POLICY_USER,
    POLICY_GROUP,
    POLICY_LABEL,
    POLICY_EVIDENCE, /* the right label, by evidence that is too weak */
    POLICY_EXECUTABLE,
    POLICY_UNIT,
    POLICY_MATCH, /* all were met: it serves the client */
};

/* Asks one profile of the policy. */
enum policy_outcome policy_ask_profile(const struct policy *policy, const struct profile *profile,
                                       const struct identity *identity, const char *socket_profile);

/* For a client that no profile serves: what the profile that came nearest lacked, as static text
 * for a log line ("no profile for this user lists the client's AppArmor label"). NULL if a profile
 * does serve it. */
const char *policy_no_match_reason(const struct policy *policy, const struct identity *identity,
                                   const char *socket_profile);

#endif
