/* Fuzzes what tor sends: the reader must give the same lines whatever the cuts, and a GETINFO of
 * two keys must never make a plan write anything but well-formed lines, a whole message once it is
 * done. The first byte of the input chooses the cuts and the rules. */
#include <stdint.h>
#include <stdlib.h>

#include "event_filter.h"
#include "reply_plan.h"

#define FUZZ_MAX (1 << 20)

static struct line_rule line_rules[3];
static struct rule plain_rule;
static struct rule rewriting_rule;
static struct event_rule event_rule;

static void fuzz_require(bool holds)
{
    if (!holds)
        abort();
}

static void make_line_rule(struct line_rule *rule, const char *pattern, const char *replacement)
{
    struct buf error;
    size_t column;

    buf_init(&error, 4096);
    rule->pattern = pattern_compile(pattern, &column, &error);
    fuzz_require(rule->pattern);
    rule->replacement =
        template_compile(replacement, pattern_capture_count(rule->pattern), &column, &error);
    fuzz_require(rule->replacement);
    buf_clear(&error);
}

static void make_rules(void)
{
    static bool made;

    if (made)
        return;
    made = true;
    make_line_rule(&line_rules[0], "(...[ +-])x(.*)", "{0}{1}");
    make_line_rule(&line_rules[1], "d(.*)", "{0}");
    make_line_rule(&line_rules[2], ".*(y).*", "");
    rewriting_rule.response = (struct line_rules){.items = line_rules, .count = 3};
    event_rule = (struct event_rule){.name = "X", .response = rewriting_rule.response};
}

/* One number that stands for a line, chained to those before. */
static uint64_t hash_line(uint64_t hash, const struct reply_line *line)
{
    hash = (hash ^ line->kind ^ ((uint64_t)line->code << 8)) * 0x100000001b3;
    for (size_t i = 0; i < line->wire.len; i++)
        hash = (hash ^ (uint8_t)line->wire.data[i]) * 0x100000001b3;
    fuzz_require(line->wire.len >= line->text.len);
    return hash;
}

/* Reads the bytes in pieces of `step`; what came out, as one number. */
static uint64_t read_lines(struct span bytes, size_t step)
{
    struct reply_reader reader;
    struct reply_line line;
    uint64_t hash = 0xcbf29ce484222325;
    enum reply_result result = REPLY_NONE;

    reply_reader_init(&reader);
    while (bytes.len > 0 && result != REPLY_MALFORMED) {
        struct span piece = span_first(bytes, step);
        bytes = span_from(bytes, piece.len);
        while ((result = reply_reader_next(&reader, &piece, &line)) == REPLY_LINE)
            hash = hash_line(hash, &line);
    }
    reply_reader_clear(&reader);
    return hash ^ (uint64_t)result;
}

/* Reads what was written: every line must be one, and the message whole where `is_whole`. */
static void check_output(struct span bytes, bool is_whole)
{
    struct reply_reader reader;
    struct reply_line line;
    enum reply_result result;
    bool ended = false;

    reply_reader_init(&reader);
    while ((result = reply_reader_next(&reader, &bytes, &line)) == REPLY_LINE) {
        fuzz_require(!ended);
        ended = line.kind == REPLY_END;
    }
    fuzz_require(result == REPLY_NONE);
    fuzz_require(reader.lines.taken || reader.lines.partial.len == 0);
    fuzz_require(!is_whole || ended);
    reply_reader_clear(&reader);
}

static void run_plan(struct span bytes, const struct rule *first, const struct rule *second)
{
    const struct template_variables variables = {SPAN("a"), SPAN("1"), SPAN("b"), SPAN("2")};
    struct reply_plan *plan = reply_plan_new(keyword_find(SPAN("GETINFO"), false));
    enum reply_plan_result result = REPLY_PLAN_MORE;
    struct reply_reader reader;
    struct reply_line line;
    struct buf out;
    bool is_success = false;

    reply_plan_add(plan, SPAN("k"), first);
    reply_plan_add(plan, SPAN("xk=l"), second);
    reply_reader_init(&reader);
    buf_init(&out, FUZZ_MAX);
    while (result == REPLY_PLAN_MORE && reply_reader_next(&reader, &bytes, &line) == REPLY_LINE)
        result = reply_plan_feed(plan, &line, &variables, &out, &is_success);
    check_output(buf_span(&out), result == REPLY_PLAN_DONE);
    fuzz_require(!is_success || result == REPLY_PLAN_DONE);
    buf_clear(&out);
    reply_reader_clear(&reader);
    reply_plan_free(plan);
}

static void run_events(struct span bytes)
{
    const struct template_variables variables = {SPAN("a"), SPAN("1"), SPAN("b"), SPAN("2")};
    struct event_filter filter;
    struct reply_reader reader;
    struct reply_line line;
    struct buf out;
    bool is_last = true;

    event_filter_init(&filter);
    reply_reader_init(&reader);
    buf_init(&out, FUZZ_MAX);
    while (reply_reader_next(&reader, &bytes, &line) == REPLY_LINE) {
        if (line.code != REPLY_EVENT_CODE)
            continue;
        if (is_last)
            event_filter_begin(&filter, &event_rule);
        is_last = event_filter_feed(&filter, &line, &variables, &out);
        if (is_last)
            check_output(buf_span(&out), out.len > 0);
        fuzz_require(is_last || out.len == 0);
        if (is_last)
            buf_reset(&out);
    }
    buf_clear(&out);
    reply_reader_clear(&reader);
    event_filter_clear(&filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    make_rules();
    unsigned choice = data[0];
    struct span bytes = span_make((const char *)data + 1, size - 1);

    uint64_t whole = read_lines(bytes, bytes.len);
    fuzz_require(read_lines(bytes, 1) == whole);
    fuzz_require(read_lines(bytes, 1 + choice % 16) == whole);
    rewriting_rule.response.drop_unmatched = choice & 64;
    event_rule.response.drop_unmatched = choice & 64;
    run_plan(bytes, choice & 128 ? &rewriting_rule : NULL, &rewriting_rule);
    run_plan(bytes, &plain_rule, &plain_rule);
    run_events(bytes);
    return 0;
}
