/* Reading the lines of complain mode.
 *
 * Names of profiles, labels and programs are chosen by others: one that is no plain word stands in
 * quotes, escaped as a quoted string of the control protocol. */
#include "complaint.h"

#include "quoted.h"

static const struct span complaint_mark = {"complain: profile ", 18};

/* Where the part behind the mark begins; the line's length if there is no mark. */
static size_t find_mark(struct span line)
{
    for (size_t i = 0; i + complaint_mark.len <= line.len; i++)
        if (line.data[i] == complaint_mark.data[0] &&
            span_starts_with(span_from(line, i), complaint_mark))
            return i + complaint_mark.len;
    return line.len;
}

bool complaint_is_in(struct span line)
{
    return find_mark(line) < line.len;
}

static bool take_text(struct span *rest, struct span text)
{
    if (!span_starts_with(*rest, text))
        return false;
    *rest = span_from(*rest, text.len);
    return true;
}

/* A plain name up to a comma or a colon, or a quoted one. "none" is an empty one. */
static bool take_name(struct span *rest, struct buf *storage, struct span *name_out,
                      bool *is_quoted_out)
{
    size_t before = storage->len, quoted = quoted_length(*rest), len = 0;

    *is_quoted_out = quoted > 0;
    if (quoted > 0) {
        if (!quoted_decode(span_first(*rest, quoted), storage))
            return false;
        *rest = span_from(*rest, quoted);
    } else {
        while (len < rest->len && span_find(SPAN(",:\""), rest->data[len]) == 3)
            len++;
        buf_append(storage, span_first(*rest, len));
        *rest = span_from(*rest, len);
    }
    *name_out = span_from(buf_span(storage), before);
    if (!*is_quoted_out && span_equals(*name_out, SPAN("none")))
        *name_out = span_make(NULL, 0);
    return quoted > 0 || len > 0;
}

static bool take_uid(struct span *rest, struct complaint *complaint)
{
    size_t len = span_find(*rest, ',');

    complaint->has_uid = span_to_number(span_first(*rest, len), (unsigned long)-1, &complaint->uid);
    bool is_none = span_equals(span_first(*rest, len), SPAN("none"));
    *rest = span_from(*rest, len);
    return complaint->has_uid || is_none;
}

bool complaint_parse(struct span line, struct buf *storage, struct complaint *complaint_out)
{
    struct complaint *complaint = complaint_out;
    struct span rest = span_from(line, find_mark(line));
    bool is_quoted;

    *complaint = (struct complaint){.has_uid = false};
    buf_reset(storage);
    /* The names point into the storage, which must not move. */
    if (rest.len == 0 || rest.len > storage->max || !buf_append(storage, rest))
        return false;
    buf_truncate(storage, 0);
    if (!take_name(&rest, storage, &complaint->profile, &is_quoted) ||
        !take_text(&rest, SPAN(", uid ")) || !take_uid(&rest, complaint) ||
        !take_text(&rest, SPAN(", label ")) ||
        !take_name(&rest, storage, &complaint->label, &is_quoted))
        return false;
    complaint->is_unconfined = !is_quoted && span_equals(complaint->label, SPAN("unconfined"));
    if (!take_text(&rest, SPAN(", exe ")) ||
        !take_name(&rest, storage, &complaint->executable, &is_quoted) ||
        !take_text(&rest, SPAN(": ")))
        return false;
    complaint->command = rest;
    return rest.len > 0;
}
