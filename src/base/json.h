/* JSON text, written piece by piece to a buffer; commas and quotes are put where they belong.
 *
 * Strings are bytes: printable ASCII stays as it is, each other byte becomes \u00XX, so a reader
 * gets one character a byte (Latin-1) back. Nothing that is written can end a string early. */
#ifndef OG_JSON_H
#define OG_JSON_H

#include <stdbool.h>

#include "buf.h"
#include "span.h"

struct json {
    struct buf *out;  /* borrowed; its overflow says whether everything went in */
    bool needs_comma; /* a value stands before the next one in the same container */
};

void json_init(struct json *json, struct buf *out);

void json_open_object(struct json *json);
void json_close_object(struct json *json);
void json_open_array(struct json *json);
void json_close_array(struct json *json);

/* The key of a member; exactly one value, object or array follows. */
void json_key(struct json *json, const char *name);

void json_string(struct json *json, struct span text);
void json_text(struct json *json, const char *text); /* NULL: null */
void json_number(struct json *json, unsigned long number);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);

/* A key and its value in one. */
void json_member_string(struct json *json, const char *name, struct span text);
void json_member_text(struct json *json, const char *name, const char *text); /* NULL: null */
void json_member_number(struct json *json, const char *name, unsigned long number);
void json_member_bool(struct json *json, const char *name, bool value);

#endif
