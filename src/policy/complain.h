/* Complain mode: what the profiles would refuse is forwarded all the same, so that one can see what
 * an application needs (design 5, --complain).
 *
 * A built-in profile stands behind those of the client and is asked only for a command that they
 * refuse; the ordinary code decides by it, so what design 3.3 and 4.2 forbid whatever a profile
 * says stays refused, and so does what complain_refusal lists. */
#ifndef OG_COMPLAIN_H
#define OG_COMPLAIN_H

#include <stdbool.h>

#include "buf.h"
#include "command.h"
#include "policy.h"

/* The built-in profile, in a file of its own, with one reference. */
struct profile_file *complain_file_new(void);

/* The view that complain mode asks: the client's profiles, the built-in one last. Its array is the
 * caller's to free with policy_view_clear. */
struct policy_view complain_view(const struct policy_view *view);

/* Why these arguments, sound ones, are not forwarded even in complain mode: the command would end
 * tor, run programs with its rights, or open its control port to others. Static text; NULL: it is
 * forwarded. */
const char *complain_refusal(const struct keyword *keyword, struct span arguments,
                             struct span data);

/* Whether the command changes tor for everybody, so that the log must never leave it out as seen
 * before. */
bool complain_is_grave(const struct keyword *keyword, struct span arguments);

#endif
