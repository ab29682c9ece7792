/* Whether tor can take these arguments and answer them with exactly one reply.
 *
 * Checked on the very bytes that would be sent, after rules and templates and whatever they said:
 * commands that make tor answer twice, never, without an end, or crash are never forwarded
 * (design 4.2; control-protocol 2.5, 7.6, 7.20), and neither is one whose arguments do not parse by
 * tor's own grammar for it. */
#ifndef OG_ARGUMENTS_H
#define OG_ARGUMENTS_H

#include "keyword.h"
#include "span.h"

#define ARGUMENTS_MAX_WORDS 128 /* keys or pairs in one command (control-protocol 7.12) */

/* NULL if the command may be forwarded, else why not: a static text for a log line. */
const char *arguments_refusal(const struct keyword *keyword, struct span arguments,
                              struct span data);

#endif
