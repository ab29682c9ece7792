/* A message of the loader in an answer of the daemon. */
#ifndef OG_MESSAGE_H
#define OG_MESSAGE_H

#include "buf.h"
#include "span.h"

/* Appends "file:line:column: error: text", as check writes it. */
void message_append(struct buf *out, struct span record);

/* Appends "file:line:column" of an object with these members, without the numbers where line is 0.
 */
void message_append_place(struct buf *out, struct span record);

#endif
