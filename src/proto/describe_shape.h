/* The shape of a command: all that a profile's author has to know of it, and nothing that is
 * anybody's business.
 *
 * Names of commands, GETINFO keys, options, signals, events, keywords and flags, the port numbers
 * of onion services, and the values 0 and 1 stand as they are, if tor knows them. Everything else
 * is the name of its kind in parentheses: "ED25519-V3:(key)", "ns/id/(fingerprint)", "(onion)". No
 * byte of a client's is copied but digits of ports and the case of a signal's letters. The result
 * is a command again, as far as its grammar goes: what reads commands reads shapes, too. */
#ifndef OG_DESCRIBE_SHAPE_H
#define OG_DESCRIBE_SHAPE_H

#include <stdbool.h>

#include "buf.h"
#include "command.h"
#include "span.h"

#define DESCRIBE_SHAPE_MAX 2000 /* bytes; what does not fit is "(more)" */
#define DESCRIBE_SHAPE_MORE "(more)"

enum shape {
    SHAPE_NAME = 0, /* anything that is none of the others */
    SHAPE_BIT,      /* 0 or 1, which stand as they are */
    SHAPE_NUMBER,
    SHAPE_ONION,       /* 56 characters of an onion service's address */
    SHAPE_FINGERPRINT, /* of a relay: 40 digits, perhaps with $ and a nickname */
    SHAPE_ADDRESS,     /* IPv4 or IPv6, perhaps with a port */
    SHAPE_KEY,
    SHAPE_PATH,
    SHAPE_VALUE, /* of an option */
    SHAPE_UNKNOWN,
};

/* "(fingerprint)"; static. */
const char *shape_text(enum shape shape);

/* What the word is by its look, or, if it is such a name in parentheses, by its name. */
enum shape shape_of(struct span word);

/* Appends the shape of a command that arguments_refusal lets through, or might. What it is not sure
 * of is masked. Never more than about DESCRIBE_SHAPE_MAX bytes. */
void describe_shape(struct buf *out, const struct command *command);

/* Prefix keys of GETINFO whose further names are tor's own: whether `tail` is one of them. */
bool shape_is_info_tail(struct span prefix, struct span tail);

#endif
