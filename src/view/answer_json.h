/* Records of an answer, put together to JSON for programs. */
#ifndef OG_ANSWER_JSON_H
#define OG_ANSWER_JSON_H

#include "answer.h"
#include "json.h"
#include "user_names.h"

/* Writes the record as an object, without its "type", and with a "user" behind its "uid". */
void answer_json_record(struct json *json, struct span record, const struct user_names *names);

/* Writes a member `name`: the first record of the type, or null. */
void answer_json_one(struct json *json, const struct answer *answer, const char *type,
                     const char *name, const struct user_names *names);

/* Writes a member `name`: a list of all records of the type. */
void answer_json_all(struct json *json, const struct answer *answer, const char *type,
                     const char *name, const struct user_names *names);

#endif
