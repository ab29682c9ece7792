/* The other commands about onion services, read strictly and written anew: one text for each
 * meaning (control-protocol 1.6, 6.3).
 *
 * Each reads the arguments and appends their canonical form: NULL, or why they are refused, a
 * static text for a log line; nothing is appended then. The first word of what is appended is the
 * service's address in lower case, which is how tor stores it and the only form in which tor finds
 * it again. */
#ifndef OG_ONION_COMMANDS_H
#define OG_ONION_COMMANDS_H

#include "buf.h"
#include "keyword.h"
#include "span.h"

/* DEL_ONION ADDRESS, in lower case already: tor would not find another. */
const char *onion_delete_canonical(struct span arguments, struct buf *out);

/* HSFETCH ADDRESS [SERVER=FINGERPRINT]... */
const char *onion_fetch_canonical(struct span arguments, struct buf *out);

/* ONION_CLIENT_AUTH_ADD ADDRESS x25519:KEY [ClientName=NAME] [Flags=Permanent] */
const char *onion_key_add_canonical(struct span arguments, struct buf *out);

/* ONION_CLIENT_AUTH_REMOVE ADDRESS */
const char *onion_key_remove_canonical(struct span arguments, struct buf *out);

/* ONION_CLIENT_AUTH_VIEW [ADDRESS]: without one nothing is appended. */
const char *onion_key_view_canonical(struct span arguments, struct buf *out);

#endif
