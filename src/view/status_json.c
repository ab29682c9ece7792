/* The object of status --json: its members are part of what onion-graterctl(8) promises. */
#include "answer_json.h"
#include "status.h"

/* Counters are one object: their names are its members. */
static void write_counters(struct json *json, const struct answer *answer)
{
    struct span record;
    struct buf name;
    size_t at = 0;

    buf_init(&name, 1024);
    json_key(json, "counters");
    json_open_object(json);
    while (answer_next(answer, "counter", &at, &record)) {
        buf_reset(&name);
        if (!record_shown(record, "name", &name) || !buf_append_char(&name, '\0'))
            continue;
        json_member_number(json, buf_span(&name).data, record_count(record, "value"));
    }
    json_close_object(json);
    buf_clear(&name);
}

void status_write_json(const struct answer *answer, const struct user_names *names, struct buf *out)
{
    struct json json;

    json_init(&json, out);
    json_open_object(&json);
    answer_json_one(&json, answer, "daemon", "daemon", names);
    answer_json_one(&json, answer, "tor", "tor", names);
    answer_json_one(&json, answer, "policy", "policy", names);
    answer_json_all(&json, answer, "message", "messages", names);
    answer_json_all(&json, answer, "profile", "profiles", names);
    answer_json_all(&json, answer, "listener", "listeners", names);
    answer_json_all(&json, answer, "limit", "limits", names);
    write_counters(&json, answer);
    answer_json_all(&json, answer, "session", "sessions", names);
    json_member_number(&json, "left-out", record_count(answer_find(answer, "left-out"), "count"));
    json_close_object(&json);
    buf_append_char(out, '\n');
}
