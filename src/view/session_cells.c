/* One idea of how a session is told, for the table of status, for top, watch and refusals. */
#include "session_cells.h"

#include "record.h"

bool session_append_profiles(struct buf *out, struct span session)
{
    struct json_line list = record_items(session, "profiles");
    struct span item;
    const char *separator = "";

    for (; json_list_next(&list, &item) == JSON_MEMBER; separator = ",") {
        buf_append_string(out, separator);
        record_text_shown(item, out);
    }
    return separator[0] != '\0';
}

void session_append_user(struct buf *out, struct span session, const struct user_names *names)
{
    unsigned long uid;

    if (!record_number(session, "uid", &uid))
        return;
    const char *name = names->find(names->context, uid);
    if (name)
        buf_append_escaped(out, span_from_string(name), 0);
    else
        buf_printf(out, "%lu", uid);
}

void session_append_client(struct buf *out, struct span session)
{
    bool is_unconfined = record_equals(session, "label", "unconfined");

    if (!is_unconfined && record_shown(session, "label", out))
        return;
    if (record_shown(session, "executable", out) || record_shown(session, "unit", out) ||
        record_shown(session, "address", out))
        return;
    if (is_unconfined)
        buf_append_string(out, "unconfined");
}

void session_append_evidence(struct buf *out, struct span session)
{
    if (!record_equals(session, "evidence", "no"))
        record_shown(session, "evidence", out);
}

enum page_tone session_tone(struct span session)
{
    if (record_has(session, "no_match"))
        return PAGE_PROBLEM;
    if (record_flag(session, "complain") || record_count(session, "problems") > 0)
        return PAGE_WARNING;
    return PAGE_PLAIN;
}
