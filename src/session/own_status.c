/* tor writes no entry or one in the line, and two or more as a block. How many of a block's entries
 * are the client's own is known at its end only, so the first one is held back, and the block
 * begins with the second. An entry begins with its id, a number; it is passed on as it is, or not
 * at all: others choose parts of it, so one that is not printable, or has no id, is nobody's. */
#include "own_status.h"

#include <limits.h>

#include "line.h"

#define HEADER_MAX 64

struct own_status_key {
    struct span prefix; /* "KEY=" */
    bool (*is_own)(const struct own_streams *own, unsigned long id);
};

static const struct own_status_key keys[] = {
    {{"circuit-status=", 15}, own_streams_has_circuit},
    {{"stream-status=", 14}, own_streams_has_stream},
};

void own_status_init(struct own_status *status)
{
    *status = (struct own_status){0};
    buf_init(&status->first, REPLY_MAX_LINE + HEADER_MAX);
    buf_init(&status->header, HEADER_MAX);
}

void own_status_clear(struct own_status *status)
{
    buf_wipe(&status->first);
    buf_wipe(&status->header);
    own_status_init(status);
}

/* Which of the keys the line begins to answer, or NULL. */
static const struct own_status_key *find_key(const struct reply_line *line)
{
    if (line->kind != REPLY_MID && line->kind != REPLY_DATA)
        return NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (span_starts_with(line->text, keys[i].prefix))
            return &keys[i];
    return NULL;
}

static bool is_own_entry(const struct own_status_key *key, const struct own_streams *own,
                         struct span entry)
{
    unsigned long id;
    size_t len = span_find(entry, ' ');

    return len < entry.len && line_is_printable(entry) &&
           span_to_number(span_first(entry, len), ULONG_MAX, &id) && key->is_own(own, id);
}

/* "250-KEY=" or "250+KEY=" with nothing behind it. */
static struct reply_line make_header(struct own_status *status, const struct own_status_key *key,
                                     enum reply_line_kind kind)
{
    buf_reset(&status->header);
    buf_append_string(&status->header, kind == REPLY_DATA ? "250+" : "250-");
    buf_append(&status->header, key->prefix);
    struct span wire = buf_span(&status->header);
    return (struct reply_line){kind, 250, wire, span_from(wire, 4)};
}

/* The entry that was held back, as the one line that it would be alone. */
static struct reply_line make_inline(const struct own_status *status)
{
    struct span wire = buf_span(&status->first);

    return (struct reply_line){REPLY_MID, 250, wire, span_from(wire, 4)};
}

static void hold_back(struct own_status *status, struct span entry)
{
    buf_reset(&status->first);
    buf_append_string(&status->first, "250-");
    buf_append(&status->first, status->key->prefix);
    buf_append(&status->first, entry);
}

static size_t feed_inline(struct own_status *status, const struct own_status_key *key,
                          const struct own_streams *own, const struct reply_line *line,
                          struct reply_line *lines_out)
{
    struct span entry = span_from(line->text, key->prefix.len);

    lines_out[0] = *line;
    if (entry.len > 0 && !is_own_entry(key, own, entry))
        lines_out[0] = make_header(status, key, REPLY_MID);
    return 1;
}

static size_t feed_entry(struct own_status *status, const struct own_streams *own,
                         const struct reply_line *line, struct reply_line *lines_out)
{
    if (!is_own_entry(status->key, own, line->wire))
        return 0;
    status->count++;
    if (status->count == 1) {
        hold_back(status, line->wire);
        return 0;
    }
    if (status->count > 2) {
        lines_out[0] = *line;
        return 1;
    }
    /* An entry begins with a digit, so there is no dot to double. */
    struct span first = span_from(buf_span(&status->first), 4 + status->key->prefix.len);
    lines_out[0] = make_header(status, status->key, REPLY_DATA);
    lines_out[1] = (struct reply_line){REPLY_DATA_LINE, 250, first, first};
    lines_out[2] = *line;
    return 3;
}

static size_t feed_block_end(struct own_status *status, const struct reply_line *line,
                             struct reply_line *lines_out)
{
    if (status->count == 0)
        lines_out[0] = make_header(status, status->key, REPLY_MID);
    else if (status->count == 1)
        lines_out[0] = make_inline(status);
    else
        lines_out[0] = *line;
    status->key = NULL;
    return 1;
}

size_t own_status_feed(struct own_status *status, const struct own_streams *own,
                       const struct reply_line *line,
                       struct reply_line lines_out[OWN_STATUS_MAX_LINES])
{
    if (status->key && line->kind == REPLY_DATA_LINE)
        return feed_entry(status, own, line, lines_out);
    if (status->key && line->kind == REPLY_DATA_END)
        return feed_block_end(status, line, lines_out);
    status->key = NULL;
    const struct own_status_key *key = find_key(line);
    if (key && line->kind == REPLY_MID)
        return feed_inline(status, key, own, line, lines_out);
    if (key) {
        status->key = key;
        status->count = 0;
        return 0;
    }
    lines_out[0] = *line;
    return 1;
}
