/* The lines of complain mode.
 *
 * A command is shown by its shape: no value of the client's is in it, so the log is no worse for
 * having it. An application that polls says the same for hours: what a session has said among its
 * last different complaints is not said again. Names of profiles, labels and paths of programs are
 * chosen by others and may hold what ends a field here; such a name stands in quotes. */
#include "relay_complain.h"

#include <stdint.h>
#include <stdlib.h>

#include "ascii.h"
#include "complain.h"
#include "describe_shape.h"
#include "hash.h"
#include "mem.h"
#include "quoted.h"

#define COMPLAINTS_REMEMBERED 64
#define COMPLAINTS_NAME_MAX 256

struct complaints {
    uint64_t seen[COMPLAINTS_REMEMBERED]; /* hashes, the oldest overwritten first */
    size_t next;
};

struct complaints *complaints_new(void)
{
    return mem_zalloc(1, sizeof(struct complaints));
}

void complaints_free(struct complaints *complaints)
{
    free(complaints);
}

/* Whether the session has said it lately; remembers it. */
static bool complaints_repeat(struct complaints *complaints, struct span text)
{
    /* Shapes are made of tor's own words, so nobody can make two of one hash. */
    uint64_t hash = hash_add(HASH_BEGIN, text);

    for (size_t i = 0; i < COMPLAINTS_REMEMBERED; i++)
        if (complaints->seen[i] == hash)
            return true;
    complaints->seen[complaints->next] = hash;
    complaints->next = (complaints->next + 1) % COMPLAINTS_REMEMBERED;
    return false;
}

static bool is_plain_name(struct span name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!ascii_is_alpha(name.data[i]) && !ascii_is_digit(name.data[i]) &&
            span_find(SPAN("/._-+@&"), name.data[i]) == SPAN("/._-+@&").len)
            return false;
    return name.len > 0 && !span_equals(name, SPAN("none")) &&
           !span_equals(name, SPAN("unconfined"));
}

static void append_name(struct buf *out, const char *name)
{
    struct span text = span_first(span_from_string(name), COMPLAINTS_NAME_MAX);

    if (!name)
        buf_append_string(out, "none");
    else if (is_plain_name(text))
        buf_append(out, text);
    else
        quoted_encode(text, out);
}

static void append_label(struct buf *out, const struct identity *identity)
{
    switch (identity->label_state) {
    case IDENTITY_LABEL_UNKNOWN:
        append_name(out, NULL);
        break;
    case IDENTITY_UNCONFINED:
        buf_append_string(out, "unconfined");
        break;
    case IDENTITY_CONFINED:
        append_name(out, identity->label);
        break;
    }
}

static void append_client(struct buf *out, const struct identity *identity,
                          const struct policy_view *view)
{
    buf_append_string(out, "complain: profile ");
    append_name(out, view->count > 0 ? view->profiles[0]->name : NULL);
    if (identity->has_credentials)
        buf_printf(out, ", uid %ju, label ", (uintmax_t)identity->uid);
    else
        buf_append_string(out, ", uid none, label ");
    append_label(out, identity);
    buf_append_string(out, ", exe ");
    append_name(out, identity->executable);
    buf_append_string(out, ": ");
}

size_t complaint_write(struct buf *out, const struct identity *identity,
                       const struct policy_view *view, const struct command *command)
{
    append_client(out, identity, view);
    size_t begin = out->len;
    describe_shape(out, command);
    return begin;
}

bool complaints_describe(struct complaints *complaints, const struct identity *identity,
                         const struct policy_view *view, const struct session_report *report,
                         struct buf *out)
{
    struct command complained = *report->command;

    complained.arguments = report->complaint;
    size_t begin = complaint_write(out, identity, view, &complained);
    bool is_repeated = complaints_repeat(complaints, span_from(buf_span(out), begin));
    return !is_repeated || complain_is_grave(complained.keyword, complained.arguments);
}
