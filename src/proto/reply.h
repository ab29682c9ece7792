/* tor's bytes to reply and event lines (control-protocol 2.1, 2.2).
 *
 * A message is any number of "NNN-text" and "NNN+text" parts, the latter followed by data lines and
 * ".", then one "NNN text". Code 650 makes it an event. The reader checks the framing line by line,
 * so that a reply of many MiB needs no memory, and knows whether it stands inside a message. */
#ifndef OG_REPLY_H
#define OG_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "line.h"
#include "span.h"

#define REPLY_MAX_LINE (1024 * 1024) /* bytes with the line's end; tor's own lines are shorter */
#define REPLY_EVENT_CODE 650

enum reply_line_kind {
    REPLY_MID,       /* "NNN-text": more follows */
    REPLY_DATA,      /* "NNN+text": a data block follows, then more */
    REPLY_DATA_LINE, /* one line of it, dots still doubled */
    REPLY_DATA_END,  /* the lone "." */
    REPLY_END,       /* "NNN text": the last line */
};

struct reply_line {
    enum reply_line_kind kind;
    unsigned code;    /* three digits; for data lines that of the "+" line */
    struct span wire; /* the whole line as received, without CRLF */
    struct span text; /* what follows code and separator; for data lines the wire text */
};

enum reply_result {
    REPLY_NONE,      /* all input taken */
    REPLY_LINE,      /* one line in *line_out, borrowed until the next call */
    REPLY_MALFORMED, /* not the control protocol; stays so */
};

struct reply_reader {
    struct line_reader lines;
    bool in_message;
    bool in_data;
    bool is_event; /* the message that we stand in has code 650 */
    unsigned code; /* of the last line outside data */
    bool malformed;
};

void reply_reader_init(struct reply_reader *reader);
void reply_reader_clear(struct reply_reader *reader);

/* Takes bytes from the front of *input until one line is complete. Malformed is: no three digits,
 * another separator, a control character outside a data block in a reply, event lines mixed with
 * reply lines in one message, a line over REPLY_MAX_LINE. An event line with control characters
 * (tor's log events may hold CR) is well-formed; see reply_line_is_clean. */
enum reply_result reply_reader_next(struct reply_reader *reader, struct span *input,
                                    struct reply_line *line_out);

/* Whether the line holds no control character (bytes >= 0x80 are fine). Data lines may hold any and
 * are always clean. */
bool reply_line_is_clean(const struct reply_line *line);

/* Reads one line that stands outside a data block, such as a rewritten one or one of a profile's
 * `reply`: false if it has no code and separator, or holds a control character. */
bool reply_parse_line(struct span wire, struct reply_line *line_out);

/* Appends the line and CRLF: the one way in which a line of tor's gets to a client. */
bool reply_write(struct buf *out, struct span wire);

#endif
