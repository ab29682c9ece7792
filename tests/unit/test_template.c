/* Templates: what they expand to, and what is refused when they are loaded. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "template.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct captures three = {
    .groups = {SPAN("one"), SPAN(""), SPAN("{0}")},
    .count = 3,
};

static const struct template_variables variables = {
    .client_address = SPAN("10.0.0.2"),
    .client_port = SPAN("4711"),
    .server_address = SPAN("10.0.0.1"),
    .server_port = SPAN("9051"),
};

static const struct {
    const char *text;
    const char *expansion;
} good_rows[] = {
    {"", ""},
    {"plain", "plain"},
    {"{}", "one"},
    {"{}{}{}", "one{0}"},
    {"{0}-{0}", "one-one"},
    {"{2}{0}", "{0}one"},
    {"a{1}b", "ab"},
    {"{{}}", "{}"},
    {"{{0}}", "{0}"},
    {"{{{0}}}", "{one}"},
    {"Port=80,{client-address}:{client-port}", "Port=80,10.0.0.2:4711"},
    {"{server-address}:{server-port} {}", "10.0.0.1:9051 one"},
    {"{client-address} {0}", "10.0.0.2 one"},
    {"{00}", "one"},
    {"\xc3\xa4", "\xc3\xa4"},
};

Test(template, expands)
{
    for (size_t i = 0; i < COUNT(good_rows); i++) {
        struct buf out, error;
        size_t column = 0;
        buf_init(&out, 1000);
        buf_init(&error, 1000);
        struct template *template = template_compile(good_rows[i].text, 3, &column, &error);
        cr_assert(template, "row %zu: %s", i, good_rows[i].text);
        cr_expect(template_expand(template, &three, &variables, &out), "row %zu", i);
        cr_expect(span_equals(buf_span(&out), span_from_string(good_rows[i].expansion)),
                  "row %zu: %s became %.*s", i, good_rows[i].text, (int)out.len,
                  buf_span(&out).data);
        cr_expect_eq(error.len, 0, "row %zu", i);
        cr_expect_eq(template_is_empty(template), good_rows[i].text[0] == '\0', "row %zu", i);
        template_free(template);
        buf_clear(&out);
        buf_clear(&error);
    }
}

static const struct {
    const char *text;
    size_t captures;
    size_t column;
    const char *reason; /* a part of it */
} bad_rows[] = {
    {"{", 1, 0, "without its }"},
    {"ab{0", 1, 2, "without its }"},
    {"}", 1, 0, "without its {"},
    {"{0}}", 1, 3, "without its {"},
    {"{{}", 1, 2, "without its {"},
    {"{}{0}", 1, 2, "cannot be mixed"},
    {"{0}{}", 1, 3, "cannot be mixed"},
    {"{}", 0, 0, "the pattern has no group"},
    {"{0}", 0, 0, "the pattern has no group"},
    {"{0}{1}", 1, 3, "the pattern has 1, {0} to {0}"},
    {"{}{}{}", 2, 4, "the pattern has 2, {0} to {1}"},
    {"{32}", 32, 0, "{0} to {31}"},
    {"{99999999999999999999}", 1, 0, "too large"},
    {"{4294967296}", 1, 0, "too large"},
    {"{-1}", 1, 0, "stands for nothing"},
    {"{ 0}", 1, 0, "stands for nothing"},
    {"{0:>8}", 1, 0, "stands for nothing"},
    {"{0!r}", 1, 0, "stands for nothing"},
    {"{0.__class__}", 1, 0, "stands for nothing"},
    {"{0[1]}", 1, 0, "stands for nothing"},
    {"{client_address}", 1, 0, "{client-address}"},
    {"{Client-Address}", 1, 0, "stands for nothing"},
    {"{client-address!s}", 1, 0, "stands for nothing"},
    {"{name}", 1, 0, "stands for nothing"},
    {"a\nb", 1, 1, "control character"},
    {"a\r\nQUIT", 1, 1, "control character"},
    {"\t", 1, 0, "control character"},
    {"\x7f", 1, 0, "control character"},
    {"{\n}", 1, 0, "{\\x0A}"},
};

Test(template, refuses_with_place_and_reason)
{
    for (size_t i = 0; i < COUNT(bad_rows); i++) {
        struct buf error;
        size_t column = 999;
        buf_init(&error, 1000);
        struct template *template =
            template_compile(bad_rows[i].text, bad_rows[i].captures, &column, &error);
        buf_append_char(&error, '\0');
        cr_expect_null(template, "row %zu: %s", i, bad_rows[i].text);
        cr_expect_eq(column, bad_rows[i].column, "row %zu: column %zu", i, column);
        cr_expect(strstr(buf_span(&error).data, bad_rows[i].reason), "row %zu: %s", i,
                  buf_span(&error).data);
        template_free(template);
        buf_clear(&error);
    }
}

Test(template, expansion_respects_the_maximum)
{
    struct buf error;
    size_t column = 0;

    buf_init(&error, 1000);
    struct template *template = template_compile("ab{0}cd", 1, &column, &error);
    cr_assert(template);
    for (size_t max = 0; max < 9; max++) {
        struct buf out;
        buf_init(&out, max);
        cr_expect_eq(template_expand(template, &three, &variables, &out), max >= 7, "max %zu", max);
        cr_expect_leq(out.len, max);
        buf_clear(&out);
    }
    template_free(template);
    buf_clear(&error);
}

Test(template, appends_behind_what_is_there)
{
    struct buf out, error;
    size_t column = 0;

    buf_init(&out, 100);
    buf_init(&error, 100);
    buf_append_string(&out, "before ");
    struct template *template = template_compile("{}", 1, &column, &error);
    cr_assert(template);
    cr_expect(template_expand(template, &three, &variables, &out));
    cr_expect(span_equals(buf_span(&out), SPAN("before one")));
    template_free(template);
    buf_clear(&out);
    buf_clear(&error);
}

Test(template, outlives_the_text_it_was_made_of)
{
    char *text = mem_copy_string(SPAN("a{0}b"));
    struct buf out, error;
    size_t column = 0;

    buf_init(&out, 100);
    buf_init(&error, 100);
    struct template *template = template_compile(text, 1, &column, &error);
    memset(text, 'x', 5);
    free(text);
    cr_assert(template);
    cr_expect(template_expand(template, &three, &variables, &out));
    cr_expect(span_equals(buf_span(&out), SPAN("aoneb")));
    template_free(template);
    buf_clear(&out);
    buf_clear(&error);
}

Test(template, free_takes_null)
{
    template_free(NULL);
}
