/* One JSON object on one line, member by member: the recordings of a tap, and what the daemon
 * answers over its admin socket. */
#ifndef OG_JSON_LINE_H
#define OG_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

/* Takes the members of an object, or the items of a list, one by one. */
struct json_line {
    struct span rest;
    bool is_begun;
};

enum json_result {
    JSON_END,       /* the object is complete, and nothing but space follows */
    JSON_MEMBER,    /* one member */
    JSON_MALFORMED, /* this is no JSON object */
};

struct json_member {
    struct span key;   /* as written between its quotes, escapes untouched */
    struct span value; /* as written: a string with its quotes, a number, an object, ... */
};

void json_line_init(struct json_line *json, struct span text);

/* The next member of an object, whose text begins at its "{". */
enum json_result json_line_next(struct json_line *json, struct json_member *member_out);

/* The same for a list, whose text begins at its "[": JSON_MEMBER is one item, as written. */
enum json_result json_list_next(struct json_line *list, struct span *item_out);

/* Appends the bytes that a string stands for, each character one byte (Latin-1). False if the value
 * is no string, or holds a character beyond U+00FF. */
bool json_string_bytes(struct span value, struct buf *out);

#endif
