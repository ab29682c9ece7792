/* A dialogue whose bytes are written out, as the tests of this project have them: lines "C: BYTES"
 * that a client sends and "T> BYTES" that tor sends, in which \r \n \t \\ \xHH and \{COUNT}c stand
 * for bytes. "T< BYTES" and "S: BYTES" say what is expected. */
#ifndef OG_CONVERSATION_H
#define OG_CONVERSATION_H

#include <stdbool.h>

#include "recording.h"
#include "span.h"

/* Whether some line of the text has the mark of tor's in this form. */
bool conversation_is_one(struct span text);

/* Calls `take` for each line of the dialogue. Lines join until a \n; in a text without any, each is
 * a line. Everything up to a line "dialogue:" is skipped, expectations are too. Returns how many
 * lines of the text could not be read, are not complete, or stand for what cannot be shown
 * ("T! lost"). */
unsigned long conversation_read(struct span text,
                                void (*take)(void *context, const struct recording_line *line),
                                void *context);

#endif
