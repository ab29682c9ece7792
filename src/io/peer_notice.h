/* What the daemon says about its knowledge of peers when it starts or reloads. */
#ifndef OG_PEER_NOTICE_H
#define OG_PEER_NOTICE_H

#include "diag.h"
#include "peer.h"
#include "policy.h"

/* Logs by which evidence labels are known on this system. */
void peer_notice_system(const struct peer_system *system);

/* Adds a warning for each profile whose label this system never learns, so that it matches
 * nobody. */
void peer_notice_profiles(const struct peer_system *system, const struct policy *policy,
                          struct diag_list *diags);

#endif
