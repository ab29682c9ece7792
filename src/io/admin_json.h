/* What the lines of the admin socket have in common (onion-graterctl(8), "Admin socket"): each is
 * one JSON object with a "type". */
#ifndef OG_ADMIN_JSON_H
#define OG_ADMIN_JSON_H

#include "identity.h"
#include "json.h"
#include "policy.h"

/* Begins a line in `out`, which is appended to. */
void admin_json_begin(struct json *json, struct buf *out, const char *type);

/* Ends it, with its line break. */
void admin_json_end(struct json *json);

/* "profiles": the names of those that serve the client. */
void admin_json_view(struct json *json, const struct policy_view *view);

/* "uid", "pid", "label", "evidence", "executable", "unit"; null where it is not known. */
void admin_json_who(struct json *json, const struct identity *identity);

/* "rule": {"file", "line", "column"}, or null. */
void admin_json_rule(struct json *json, struct source rule);

#endif
