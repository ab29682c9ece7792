/* Patterns and templates: whatever the text, an answer within the limits; what comes of a template
 * is printable if all that goes into it is.
 *
 * Input: the pattern, a line break, the template, a line break, the subject. */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "buf.h"
#include "fuzz_check.h"
#include "mem.h"
#include "pattern.h"
#include "template.h"

#define MAX_EXPANSION 10000

static const struct template_variables variables = {
    .client_address = SPAN("127.0.0.1"),
    .client_port = SPAN("0"),
    .server_address = SPAN("127.0.0.1"),
    .server_port = SPAN("9051"),
};

static bool is_without_controls(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return true;
}

static bool is_inside(struct span part, struct span whole)
{
    return part.len == 0 ||
           (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

/* A message: there is one exactly if there is no result, and its place is in the text. */
static void check_message(bool is_good, const char *text, size_t column, const struct buf *error)
{
    require(is_good == (error->len == 0));
    require(is_without_controls(buf_span(error)));
    require(is_good || column <= strlen(text));
}

static struct pattern *compile_pattern(const char *text)
{
    struct buf error;
    size_t column = 0;

    buf_init(&error, 1 << 20);
    struct pattern *pattern = pattern_compile(text, &column, &error);
    check_message(pattern != NULL, text, column, &error);
    buf_clear(&error);
    return pattern;
}

/* A pattern means the same inside a group, where none of its text is taken for literal. */
static void check_in_group(const char *text, struct span subject, enum pattern_result result)
{
    struct buf error;
    size_t column = 0;
    char *grouped_text = mem_printf("(?:%s)", text);

    buf_init(&error, 1 << 20);
    struct pattern *grouped = pattern_compile(grouped_text, &column, &error);
    if (grouped) {
        enum pattern_result expected = pattern_match(grouped, subject, NULL);
        require(result == expected || expected == PATTERN_LIMIT || result == PATTERN_LIMIT);
    }
    pattern_free(grouped);
    free(grouped_text);
    buf_clear(&error);
}

static struct template *compile_template(const char *text, size_t captures)
{
    struct buf error;
    size_t column = 0;

    buf_init(&error, 1 << 20);
    struct template *template = template_compile(text, captures, &column, &error);
    check_message(template != NULL, text, column, &error);
    require(!template || is_without_controls(span_from_string(text)));
    buf_clear(&error);
    return template;
}

static void check_captures(const struct pattern *pattern, struct span subject,
                           const struct captures *captures)
{
    require(captures->count == pattern_capture_count(pattern));
    require(captures->count <= PATTERN_MAX_CAPTURES);
    for (size_t i = 0; i < captures->count; i++)
        require(is_inside(captures->groups[i], subject));
}

static void check_expansion(const struct template *template, struct span subject,
                            const struct captures *captures)
{
    struct buf out;

    buf_init(&out, MAX_EXPANSION);
    bool is_whole = template_expand(template, captures, &variables, &out);
    require(is_whole == !out.overflow);
    if (is_without_controls(subject))
        require(is_without_controls(buf_span(&out)));
    if (template_is_empty(template))
        require(out.len == 0);
    buf_clear(&out);
}

static void check(const struct pattern *pattern, const char *text, struct span subject)
{
    struct captures captures;
    struct template *template = compile_template(text, pattern_capture_count(pattern));
    enum pattern_result result = pattern_match(pattern, subject, &captures);

    require(pattern_match(pattern, subject, NULL) == result);
    if (pattern_is_literal(pattern))
        require((result == PATTERN_MATCH) ==
                span_equals(subject, span_from_string(pattern_text(pattern))));
    check_in_group(pattern_text(pattern), subject, result);
    if (result == PATTERN_MATCH) {
        check_captures(pattern, subject, &captures);
        if (template)
            check_expansion(template, subject, &captures);
    }
    template_free(template);
}

/* Takes a line off *rest, without its line break. */
static struct span take_line(struct span *rest)
{
    size_t end = span_find(*rest, '\n');
    struct span line = span_first(*rest, end);

    *rest = span_from(*rest, end + 1);
    return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = span_make((const char *)data, size);
    char *pattern_line = mem_copy_string(take_line(&rest));
    char *template_line = mem_copy_string(take_line(&rest));
    struct pattern *pattern = compile_pattern(pattern_line);

    if (pattern)
        check(pattern, template_line, rest);
    pattern_free(pattern);
    free(pattern_line);
    free(template_line);
    return 0;
}
