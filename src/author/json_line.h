/* One flat JSON object on one line, as far as the recordings of a tap need it. */
#ifndef OG_JSON_LINE_H
#define OG_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "span.h"

/* Takes the members of the object one by one. `text` begins at its "{". */
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
enum json_result json_line_next(struct json_line *json, struct json_member *member_out);

/* Appends the bytes that a string stands for, each character one byte (Latin-1). False if the value
 * is no string, or holds a character beyond U+00FF. */
bool json_string_bytes(struct span value, struct buf *out);

#endif
