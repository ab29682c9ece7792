/* A recorded dialogue between an application and tor, as lines with their sender.
 *
 * Two forms are read, also mixed:
 *   - one JSON object a line, as a tap of the control port writes it: "c" the number of the
 *     connection, "dir" ">" (to tor) or "<" (to the client), "data" the bytes as Latin-1, in any
 *     cuts. Objects without "dir" (a start, an end) mean nothing here.
 *   - plain text: "> COMMAND" or "C: COMMAND", "< REPLY" or "S: REPLY", in front of the mark
 *     optionally a time such as "12.345" and the connection's number ("3> QUIT"). A line without a
 *     mark is tor's if it looks like a reply, or stands in a reply's data, else the client's.
 *     Empty lines and lines that begin with "#" mean nothing, but for those of data.
 * Nothing is judged here: a line may hold any bytes. */
#ifndef OG_RECORDING_H
#define OG_RECORDING_H

#include <stddef.h>

#include "span.h"

#define RECORDING_MAX_LINE \
    (4 * 1024 * 1024)                  /* of the text, and of the dialogue; no line is longer */
#define RECORDING_MAX_CONNECTIONS 1024 /* open at the same time */

enum recording_side {
    RECORDING_CLIENT, /* the application sent it */
    RECORDING_TOR,
};

struct recording_line {
    enum recording_side side;
    unsigned long connection; /* 0 where the text does not say */
    struct span text;         /* without LF or CRLF; borrowed during the call */
    unsigned long at;         /* line of the recorded text in which it ended, counted from 1 */
};

struct recording;

/* `take` gets each line of the dialogue, in the order of the text. */
struct recording *recording_new(void (*take)(void *context, const struct recording_line *line),
                                void *context);
void recording_free(struct recording *recording); /* NULL allowed */

/* Takes the next bytes of the text, in any cuts. */
void recording_feed(struct recording *recording, struct span bytes);

/* The text is over: a last line without its end counts as well. What a connection of a tap had not
 * ended is no line. */
void recording_end(struct recording *recording);

/* Lines of the text that could not be read: JSON that is none, too long, too many connections. */
unsigned long recording_unread(const struct recording *recording);

#endif
