/* What tables say of one session, a cell each. */
#ifndef OG_SESSION_CELLS_H
#define OG_SESSION_CELLS_H

#include <stdbool.h>

#include "buf.h"
#include "page.h"
#include "span.h"
#include "user_names.h"

/* Appends the names of the profiles that serve it; false: there is none. */
bool session_append_profiles(struct buf *out, struct span session);

/* Appends its user's name, or the number. */
void session_append_user(struct buf *out, struct span session, const struct user_names *names);

/* Appends what it is known by: its label, its executable or its unit, or its address where it is in
 * another machine. */
void session_append_client(struct buf *out, struct span session);

/* Appends by which evidence: "kernel", "proc", "holders", "-". */
void session_append_evidence(struct buf *out, struct span session);

/* How the row of a session is to look: something about it wants to be looked at, or nothing. */
enum page_tone session_tone(struct span session);

#endif
