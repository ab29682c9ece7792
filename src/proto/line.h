/* Bytes to lines, in either direction (control-protocol 1.1, 2.1).
 *
 * A line ends at LF and nothing else. The reader keeps an unfinished line across calls, refuses one
 * that is longer than its maximum as soon as that is known (an unfinished line must not grow), and
 * never scans a byte twice. */
#ifndef OG_LINE_H
#define OG_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

enum line_result {
    LINE_NONE,     /* all input taken, no complete line */
    LINE_READY,    /* one line in *line_out */
    LINE_TOO_LONG, /* the maximum was passed; the reader stays in this state */
};

struct line_reader {
    struct buf partial; /* the unfinished line */
    size_t max;         /* longest line in bytes, its end included */
    bool taken;         /* partial was handed out, drop it at the next call */
    bool too_long;
};

void line_reader_init(struct line_reader *reader, size_t max);
void line_reader_clear(struct line_reader *reader);

/* Takes bytes from the front of *input (advancing it) up to the first LF. On LINE_READY *line_out
 * is the line without its LF; it is borrowed from the input or the reader until the next call. */
enum line_result line_reader_next(struct line_reader *reader, struct span *input,
                                  struct span *line_out);

/* Removes one CR at the end, if there. */
struct span line_without_cr(struct span line);

/* Whether every byte is printable ASCII: no control characters, no NUL, no byte >= 0x7f. */
bool line_is_printable(struct span line);

#endif
