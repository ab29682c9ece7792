/* Members that several types of lines have, each written in one place, so that programs find them
 * the same everywhere. */
#include "admin_json.h"

void admin_json_begin(struct json *json, struct buf *out, const char *type)
{
    json_init(json, out);
    json_open_object(json);
    json_member_text(json, "type", type);
}

void admin_json_end(struct json *json)
{
    json_close_object(json);
    buf_append_char(json->out, '\n');
}

void admin_json_view(struct json *json, const struct policy_view *view)
{
    json_key(json, "profiles");
    json_open_array(json);
    for (size_t i = 0; i < view->count; i++)
        json_text(json, view->profiles[i]->name);
    json_close_array(json);
}

void admin_json_who(struct json *json, const struct identity *identity)
{
    json_key(json, "uid");
    if (identity->has_credentials)
        json_number(json, identity->uid);
    else
        json_null(json);
    json_key(json, "pid");
    if (identity->pid > 0)
        json_number(json, (unsigned long)identity->pid);
    else
        json_null(json);
    json_member_text(json, "label", identity_label_name(identity));
    json_member_text(json, "evidence", identity_evidence_text(identity->label_evidence));
    json_member_text(json, "executable", identity->executable);
    json_member_text(json, "unit", identity->unit);
}

void admin_json_rule(struct json *json, struct source rule)
{
    json_key(json, "rule");
    if (!rule.file) {
        json_null(json);
        return;
    }
    json_open_object(json);
    json_member_text(json, "file", rule.file);
    json_member_number(json, "line", rule.line);
    json_member_number(json, "column", rule.column);
    json_close_object(json);
}
