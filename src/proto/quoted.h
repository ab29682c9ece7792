/* Quoted strings of the control protocol (control-protocol 1.4 Q; control-spec 2.1.1 QuotedString
 * and CString). */
#ifndef OG_QUOTED_H
#define OG_QUOTED_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

/* Length of the quoted string at the front of `text`, both quotes included; 0 if `text` does not
 * begin with a quote, the string does not end, or an escape is not one that tor knows
 * (\n \r \t \\ \" \' \xHH and octal up to \377; no NUL). */
size_t quoted_length(struct span text);

/* Appends what the quoted string `text` (with its quotes, nothing after them) stands for. False if
 * it is not exactly one quoted string as quoted_length reads it, or the buffer is full. */
bool quoted_decode(struct span text, struct buf *out);

/* Appends `text` as a quoted string: backslash and quote escaped, other bytes outside printable
 * ASCII as octal \NNN. False, and nothing appended, if it holds a NUL, which tor would refuse, or
 * the buffer is full. */
bool quoted_encode(struct span text, struct buf *out);

#endif
