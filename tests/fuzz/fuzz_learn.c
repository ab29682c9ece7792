/* A recording, or a log of complain mode, becomes a draft: the same whatever the cuts, a profile
 * that loads, in text that can be shown, and none that lets tor be ended or opened.
 *
 * Input: one byte of seed for the cuts, then the recording. */
#include <string.h>

#include "decide.h"
#include "fuzz_check.h"
#include "learn.h"
#include "mem.h"
#include "profile_load.h"
#include "recording.h"

/* --- the recording --- */

static void note_line(void *context, const struct recording_line *line)
{
    struct buf *out = context;

    buf_printf(out, "%lu %d %lu %zu ", line->connection, (int)line->side, line->at, line->text.len);
    buf_append(out, line->text);
}

static void read_recording(struct span text, uint32_t seed, struct buf *out)
{
    struct recording *recording = recording_new(note_line, out);

    while (text.len > 0)
        recording_feed(recording, take_piece(&text, &seed));
    recording_end(recording);
    buf_printf(out, "unread %lu", recording_unread(recording));
    recording_free(recording);
}

static void check_cuts(struct span text, uint32_t seed)
{
    struct buf whole, cut;

    buf_init(&whole, 64 * text.len + 1024);
    buf_init(&cut, 64 * text.len + 1024);
    read_recording(text, 0, &whole);
    read_recording(text, seed, &cut);
    require(!whole.overflow && span_equals(buf_span(&whole), buf_span(&cut)));
    buf_clear(&whole);
    buf_clear(&cut);
}

/* --- the draft --- */

static bool find_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context;
    (void)name;
    *uid_out = 1000;
    return true;
}

static bool find_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context;
    (void)name;
    *gid_out = 1000;
    return true;
}

static bool may_send(const struct policy_view *view, const char *line)
{
    static const struct template_variables variables = {
        {"127.0.0.1", 9}, {"0", 1}, {"127.0.0.1", 9}, {"0", 1}};
    struct decision decision;
    struct command command;

    command_parse_line(span_from_string(line), &command);
    policy_decide(view, &command, &variables, &decision);
    bool is_sent = decision.verdict == VERDICT_FORWARD;
    decision_clear(&decision);
    return is_sent;
}

/* Nobody gets by mistake what would end tor, or open it to everybody. */
static void check_harmless(const struct profile *profile)
{
    static const char *const lines[] = {
        "SIGNAL HALT",
        "SIGNAL TERM",
        "SIGNAL SHUTDOWN",
        "SIGNAL INT",
        "SETCONF ControlPort=9051",
        "SETCONF ClientTransportPlugin=\"x exec /bin/sh\"",
        "ADD_ONION NEW:BEST Port=9051,127.0.0.1:9051 Port=22,127.0.0.1:22"};
    const struct policy_view view = {.profiles = &profile, .count = 1};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (may_send(&view, lines[i]))
            abort();
}

static void check_draft(struct span draft, bool is_harmless)
{
    static const struct name_resolver resolver = {find_user, find_group, NULL};
    struct diag_list diags;

    for (size_t i = 0; i < draft.len; i++)
        require(draft.data[i] == '\n' || (draft.data[i] >= 0x20 && draft.data[i] < 0x7f));
    diag_list_init(&diags);
    struct profile_file *file = profile_load("draft.yml", draft, &resolver, &diags);
    require(file != NULL || draft.len > 1024 * 1024);
    for (size_t i = 0; file && is_harmless && i < file->count; i++)
        check_harmless(&file->profiles[i]);
    profile_file_unref(file);
    diag_list_clear(&diags);
}

static void write_draft(struct span text, struct buf *out)
{
    struct learn *learn = learn_new();

    learn_take(learn, text);
    bool is_written = learn_write(learn, NULL, out);
    require(is_written == (learn_counts(learn).commands > 0) || out->overflow);
    if (!is_written)
        buf_reset(out);
    learn_free(learn);
}

static bool mentions(struct span text, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= text.len; i++)
        if (span_equals_nocase(span_first(span_from(text, i), strlen(word)),
                               span_from_string(word)))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf draft, again;

    if (size < 1 || size > 64 * 1024)
        return 0;
    struct span text = span_make((const char *)data + 1, size - 1);
    check_cuts(text, 2u + data[0]);
    buf_init(&draft, LEARN_MAX_DRAFT);
    buf_init(&again, LEARN_MAX_DRAFT);
    write_draft(text, &draft);
    write_draft(text, &again);
    require(span_equals(buf_span(&draft), buf_span(&again)));
    if (draft.len > 0)
        check_draft(buf_span(&draft), !mentions(text, "9051") && !mentions(text, "exec"));
    buf_clear(&draft);
    buf_clear(&again);
    return 0;
}
