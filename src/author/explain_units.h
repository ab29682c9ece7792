/* The text of a dialogue as units: whole commands, whole replies, whole events.
 *
 * Three forms are told apart by the text itself:
 *   - a recording (recording.h: objects of a tap, or plain lines),
 *   - a conversation: lines "C: BYTES" that a client sends and "T> BYTES" that tor sends, in which
 *     \r \n \t \\ \xHH and \{COUNT}c stand for bytes, and the lines join; if no line has a \n, each
 *     is a line. "T<" and "S:" say there what is expected and are skipped, and so is everything up
 *     to a line "dialogue:".
 *
 * Which reply belongs to which command: in a tap's recording the n-th to the n-th; in plain text
 * the one right before it (of several commands in a row, the last replies belong to the last ones);
 * in a conversation tor answers what it was asked, so nothing is assigned here. */
#ifndef OG_EXPLAIN_UNITS_H
#define OG_EXPLAIN_UNITS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

#define EXPLAIN_MAX_TEXT (16 * 1024 * 1024)
#define EXPLAIN_MAX_UNITS 200000
#define EXPLAIN_MAX_CONNECTIONS 1024
#define EXPLAIN_NO_UNIT ((size_t)-1)

enum explain_unit_kind {
    EXPLAIN_UNIT_COMMAND,
    EXPLAIN_UNIT_REPLY,
    EXPLAIN_UNIT_EVENT,
};

struct explain_unit {
    enum explain_unit_kind kind;
    size_t connection;  /* index of units->connections */
    unsigned long at;   /* line of the text where it begins, from 1 */
    struct buf lines;   /* each ended by CRLF */
    bool is_whole;      /* its last line was there */
    size_t counterpart; /* a command's reply, a reply's command, or EXPLAIN_NO_UNIT */
};

struct explain_units {
    struct explain_unit *items; /* owned */
    size_t count;
    size_t room;
    unsigned long *connections; /* the numbers that the text gives them; owned */
    size_t connection_count;
    bool is_conversation; /* replies are not assigned */
    unsigned long unread; /* lines that could not be read, or are not looked at */
    bool is_too_much;     /* more units or connections than may be: what follows is left out */
};

/* Cuts the text. */
void explain_units_read(struct explain_units *units, struct span text);

/* Cuts the bytes of a client alone. */
void explain_units_of_client(struct explain_units *units, struct span bytes);

void explain_units_clear(struct explain_units *units);

#endif
