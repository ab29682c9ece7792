/* One line through a response list: order, framing, limits. */
#include "rewrite.h"
#include "rules_fixture.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

#define A10 "aaaaaaaaaa"
#define A100 A10 A10 A10 A10 A10 A10 A10 A10 A10 A10

static const struct {
    enum reply_line_kind kind;
    const char *wire;
    struct rule_text rules;
    enum rewrite_result result;
    const char *line;
} rows[] = {
    /* order, anchoring, captures, variables */
    {REPLY_END, "250 OK", {{{NULL, NULL}}, false, {NULL}}, REWRITE_UNMATCHED, ""},
    {REPLY_MID, "250-a=b", {{{"250-a=(.*)", "250-a=<{}>"}}, false, {NULL}}, REWRITE_LINE,
     "250-a=<b>"},
    {REPLY_MID, "250-a=b", {{{"a=(.*)", "250-a=x{}"}}, false, {NULL}}, REWRITE_UNMATCHED, ""},
    {REPLY_MID, "250-a=bc", {{{"250-a=b", "250-a=x"}}, false, {NULL}}, REWRITE_UNMATCHED, ""},
    {REPLY_MID, "250-a=bc", {{{"250-a|x", "250-a=x"}}, false, {NULL}}, REWRITE_UNMATCHED, ""},
    {REPLY_MID, "250-a=b",
     {{{"250-z", "250-1"}, {"250-a=(.)", "250-2{}"}, {"250-a=b", "250-3"}}, false, {NULL}},
     REWRITE_LINE, "250-2b"},
    {REPLY_MID, "250-a=b",
     {{{"250-(a)=(.)", "250-{1}={0} {client-address}:{client-port}"}}, false, {NULL}},
     REWRITE_LINE, "250-b=a 10.0.0.5:1234"},
    {REPLY_MID, "250-a=b", {{{"250-a=b", "250-a=b"}}, true, {NULL}}, REWRITE_LINE, "250-a=b"},
    {REPLY_MID, "250-a=b", {{{"x", "250-y"}}, true, {NULL}}, REWRITE_UNMATCHED, ""},
    {REPLY_MID, "250-\xc3\xa9", {{{"250-(.*)", "250-x{}"}}, false, {NULL}}, REWRITE_LINE,
     "250-x\xc3\xa9"},
    /* removal */
    {REPLY_MID, "250-a=b", {{{"250-a=.*", ""}}, false, {NULL}}, REWRITE_EMPTY, ""},
    {REPLY_MID, "250-a", {{{"250-a(x?)", "{}"}}, false, {NULL}}, REWRITE_EMPTY, ""},
    {REPLY_MID, "250-a", {{{"250-a", ""}, {"250-a", "250-b"}}, false, {NULL}}, REWRITE_EMPTY, ""},
    /* framing: code and separator stay */
    {REPLY_MID, "250-a", {{{"250-a", "250 a"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_MID, "250-a", {{{"250-a", "250+a"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_END, "250 a", {{{"250 a", "250-a"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_DATA, "250+a=", {{{".*", "250-a="}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_DATA, "250+a=", {{{".*", "250+b="}}, false, {NULL}}, REWRITE_LINE, "250+b="},
    {REPLY_END, "250 a", {{{"250 a", "251 a"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_END, "250 a", {{{"250 a", "650 a"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_END, "250 a", {{{"250 (a)", "{}"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_END, "250 a", {{{"250 a", "250"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_END, "250 a", {{{"250 a", "250 "}}, false, {NULL}}, REWRITE_LINE, "250 "},
    {REPLY_END, "250 a", {{{"250 a", "."}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    /* control characters, here brought in by what was matched */
    {REPLY_END, "650 a\rb", {{{"650 (a[^b]b)", "650 {}"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_END, "650 a\rb", {{{"650 (a)[^b]b", "650 {}"}}, false, {NULL}}, REWRITE_LINE, "650 a"},
    {REPLY_DATA_LINE, "a\rb", {{{"(a[^b]b)", "{}"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    /* data lines */
    {REPLY_DATA_LINE, "250 OK", {{{"250 OK", "x"}}, false, {NULL}}, REWRITE_LINE, "x"},
    {REPLY_DATA_LINE, "a", {{{"a", "."}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_DATA_LINE, "a", {{{"a", ".a"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_DATA_LINE, "a", {{{"a", "..a"}}, false, {NULL}}, REWRITE_LINE, "..a"},
    {REPLY_DATA_LINE, "..a", {{{"\\.(.*)", "{}"}}, false, {NULL}}, REWRITE_WITHHOLD, ""},
    {REPLY_DATA_LINE, "a", {{{"a", ""}}, false, {NULL}}, REWRITE_EMPTY, ""},
    {REPLY_DATA_LINE, "", {{{"(.*)", "{}"}}, false, {NULL}}, REWRITE_LINE, ""},
    {REPLY_DATA_LINE, "", {{{"", ""}}, false, {NULL}}, REWRITE_EMPTY, ""},
    {REPLY_DATA_LINE, "", {{{"", "b"}}, false, {NULL}}, REWRITE_LINE, "b"},
    {REPLY_DATA_END, ".", {{{".*", "x"}}, false, {NULL}}, REWRITE_UNMATCHED, ""},
    {REPLY_DATA_END, ".", {{{"\\.", ""}}, true, {NULL}}, REWRITE_UNMATCHED, ""},
    /* a limit withholds, whatever later rules say */
    {REPLY_MID, "250-" A100,
     {{{"250-" FIXTURE_RUNAWAY, "250-x"}, {"250-.*", "250-y"}}, false, {NULL}}, REWRITE_WITHHOLD,
     ""},
    {REPLY_MID, "250-" A100,
     {{{"250-a.*", "250-y"}, {"250-" FIXTURE_RUNAWAY, "250-x"}}, false, {NULL}}, REWRITE_LINE,
     "250-y"},
};

/* The line as the reader would hand it out. */
static struct reply_line make_line(enum reply_line_kind kind, const char *wire)
{
    struct span span = span_from_string(wire);
    bool is_data = kind == REPLY_DATA_LINE || kind == REPLY_DATA_END;
    unsigned long code = 250;

    if (!is_data)
        cr_assert(span_to_number(span_first(span, 3), 999, &code));
    return (struct reply_line){
        .kind = kind,
        .code = (unsigned)code,
        .wire = span,
        .text = is_data ? span : span_from(span, 4),
    };
}

Test(rewrite, lines)
{
    struct template_variables variables = fixture_variables();

    for (size_t i = 0; i < LENGTH(rows); i++) {
        struct line_rules rules;
        struct buf out;
        struct reply_line line = make_line(rows[i].kind, rows[i].wire);

        fixture_line_rules(&rules, &rows[i].rules);
        buf_init(&out, 4096);
        buf_append_string(&out, "left over");
        enum rewrite_result result = rewrite_line(&rules, &line, &variables, &out);
        cr_expect_eq(result, rows[i].result, "row %zu: result %d", i, (int)result);
        cr_expect(span_equals(buf_span(&out), span_from_string(rows[i].line)), "row %zu: %.*s", i,
                  (int)out.len, buf_span(&out).data);
        buf_clear(&out);
        fixture_line_rules_clear(&rules);
    }
}

Test(rewrite, a_line_that_does_not_fit_is_withheld)
{
    static const struct rule_text text = {{{"250-(.*)", "250-{0}{0}{0}"}}, false, {NULL}};
    struct template_variables variables = fixture_variables();
    struct reply_line line = make_line(REPLY_MID, "250-" A100);
    struct line_rules rules;

    fixture_line_rules(&rules, &text);
    for (size_t max = 300; max < 308; max++) {
        struct buf out;
        buf_init(&out, max);
        enum rewrite_result result = rewrite_line(&rules, &line, &variables, &out);
        cr_expect_eq(result, max >= 304 ? REWRITE_LINE : REWRITE_WITHHOLD, "max %zu", max);
        cr_expect_eq(out.len, max >= 304 ? 304 : 0, "max %zu", max);
        /* the same buffer serves the next line */
        struct reply_line next = make_line(REPLY_MID, "250-b");
        cr_expect_eq(rewrite_line(&rules, &next, &variables, &out), REWRITE_LINE, "max %zu", max);
        buf_clear(&out);
    }
    fixture_line_rules_clear(&rules);
}
