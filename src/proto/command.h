/* Client bytes to commands, and approved commands back to bytes.
 *
 * Framing is tor's own (control-protocol 1.1 to 1.3): lines end at LF; only a "+" as first byte
 * starts a block, which runs to a line that is exactly "." with LF or CRLF, whatever its keyword.
 * What tor would read in a way that needs care (control characters, NUL, bytes >= 0x7f) is taken
 * off the stream whole and marked, so that it can be refused without losing step. */
#ifndef OG_COMMAND_H
#define OG_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "keyword.h"
#include "line.h"
#include "span.h"

#define COMMAND_MAX_LINE (16 * 1024)  /* design 4.2; bytes with the line's end */
#define COMMAND_MAX_DATA (128 * 1024) /* design 4.2; all lines of a data block */

enum command_defect {
    COMMAND_SOUND = 0,
    COMMAND_BAD_BYTES,  /* a byte that is not printable ASCII, in the line or its data */
    COMMAND_NO_KEYWORD, /* empty line, or one that begins with white space */
    COMMAND_UNKNOWN,    /* no command of tor's, or not in this form (with or without "+") */
};

struct command {
    enum command_defect defect;
    const struct keyword *keyword; /* NULL unless the keyword is known */
    bool is_block;                 /* the line began with "+" */
    struct span name;              /* keyword as the client wrote it, without "+" */
    struct span arguments;         /* behind the keyword and its spaces; trailing spaces kept */
    struct span data;              /* block: the data lines as sent, each ended by CRLF, without the
                                      final "." line */
};

enum command_result {
    COMMAND_NONE,     /* all input taken, nothing complete */
    COMMAND_READY,    /* one command in *command_out, borrowed until the next call */
    COMMAND_TOO_LONG, /* line or data over the limit; stays so: the session must end */
};

struct command_reader {
    struct line_reader lines;
    bool in_block;
    bool bad_bytes;    /* seen in the block so far */
    struct buf header; /* the "+" line of the block that is being read */
    struct buf data;
};

void command_reader_init(struct command_reader *reader);
void command_reader_clear(struct command_reader *reader);

/* Lowers the limits of a reader that has read nothing yet; neither may be above its maximum. */
void command_reader_set_limits(struct command_reader *reader, size_t line, size_t data);

/* Takes bytes from the front of *input until one command is complete. */
enum command_result command_reader_next(struct command_reader *reader, struct span *input,
                                        struct command *command_out);

/* Splits one line (without LF, one CR at its end allowed) that is no block into a command; a line
 * that begins with "+" comes out as COMMAND_UNKNOWN. Everything in *command_out is borrowed from
 * `line`. */
void command_parse_line(struct span line, struct command *command_out);

/* Whether a block's data is what struct command promises: lines ended by CRLF, printable ASCII,
 * none of them a lone ".". Empty data is sound. */
bool command_data_is_sound(struct span data);

/* Writes a command for tor: our spelling of the keyword, one space and the arguments if there are
 * any, CRLF; for a block command "+", the data lines and ".". The arguments must be printable ASCII
 * and the data as struct command has it: false, and nothing written, otherwise (or if full). */
bool command_write(struct buf *out, const struct keyword *keyword, struct span arguments,
                   struct span data);

#endif
