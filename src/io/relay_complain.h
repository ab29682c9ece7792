/* What the log hears of a session in complain mode: one line for each command that no profile
 * allows, made to be read by onion-graterctl learn. */
#ifndef OG_RELAY_COMPLAIN_H
#define OG_RELAY_COMPLAIN_H

#include <stdbool.h>

#include "buf.h"
#include "identity.h"
#include "policy.h"
#include "session.h"

/* The complaints of a session that were logged lately. */
struct complaints;

struct complaints *complaints_new(void);
void complaints_free(struct complaints *complaints); /* NULL allowed */

/* Appends "complain: profile NAME, uid N, label L, exe E: COMMAND", with "none" for what is not
 * known and names quoted that are no plain words, and the shape of the command. Returns where in
 * `out` that shape begins. */
size_t complaint_write(struct buf *out, const struct identity *identity,
                       const struct policy_view *view, const struct command *command);

/* Appends that line for a command that was let pass. True: it has to be logged, since the session
 * has not said the same lately, or since it changes tor for everybody. */
bool complaints_describe(struct complaints *complaints, const struct identity *identity,
                         const struct policy_view *view, const struct session_report *report,
                         struct buf *out);

#endif
