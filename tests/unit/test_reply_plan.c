/* Replies to commands: does the reply fit, and what does the client get of it. */
#include "reply_plan.h"
#include "rules_fixture.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

#define MAX_PARTS 4

enum rule_name {
    NO_RULE = 0,
    PLAIN,        /* no response list */
    HIDE_A,       /* a's value replaced */
    HIDE_B,       /* b's value taken out */
    DROP,         /* what is not "250-keep=" is dropped */
    DROP_DATA,    /* block line kept, data lines only if they begin with k */
    NO_BLOCK,     /* the "250+" line taken out */
    HIDE_ERROR,   /* 551 texts replaced */
    HIDE_END,     /* 250 and 552 end lines taken out */
    FINE,         /* rewrites the last line */
    BREAK_OK,     /* turns the end into a mid line */
    LOCAL,        /* reply: 250-local=1, 250 OK */
    LOCAL_BLOCK,  /* reply: a block and an inline part */
    LOCAL_BRIDGE, /* reply: 250 Bridge */
    LOCAL_LIST,   /* reply: 250-X=1, 250 X=2 */
    LOCAL_OK,     /* reply: 250 OK */
    LOCAL_ERROR,  /* reply: 512 Unrecognized option */
    LOCAL_CONF_BLOCK, /* reply: a block, 250 OK */
    LIMIT,        /* gives up on a run of "a" */
    INLINE_ANY,   /* a's inline value replaced, any value */
    INLINE_COPY,  /* a's inline value cut at its first letter */
    INLINE_FULL,  /* the same, if there is a value */
    INLINE_OUT,   /* a's inline line taken out */
    INLINE_BAD,   /* a's inline line would become another line */
    INLINE_ONE,   /* a's inline value replaced if it has three digits, or is ".x" */
    DATA_ONLY,    /* data lines that begin with r are shortened */
    BOTH_FORMS,   /* one for the block, one for the line */
    RULE_NAMES,
};

static const struct rule_text rule_texts[RULE_NAMES] = {
    [HIDE_A] = {{{"250-a=.*", "250-a=x"}}, false, {NULL}},
    [HIDE_B] = {{{"250[- ]b=.*", ""}}, false, {NULL}},
    [DROP] = {{{"(250[- ]keep=.*)", "{}"}}, true, {NULL}},
    [DROP_DATA] = {{{"250\\+(.*)", "250+{}"}, {"(k.*)", "{}"}}, true, {NULL}},
    [NO_BLOCK] = {{{"250\\+.*", ""}}, false, {NULL}},
    [HIDE_ERROR] = {{{"551 .*", "551 no"}, {"552-.*", ""}}, false, {NULL}},
    [HIDE_END] = {{{"250 .*", ""}, {"552 .*", ""}}, false, {NULL}},
    [FINE] = {{{"250 OK", "250 Fine"}}, false, {NULL}},
    [BREAK_OK] = {{{"250 OK", "250-OK"}}, false, {NULL}},
    [LOCAL] = {{{NULL, NULL}}, false, {"250-local=1", "250 OK"}},
    [LOCAL_BLOCK] = {{{NULL, NULL}}, false,
                     {"250+block=", "250 OK", "x", ".", "250-in=2", "250 OK"}},
    [LOCAL_BRIDGE] = {{{NULL, NULL}}, false, {"250 Bridge"}},
    [LOCAL_LIST] = {{{NULL, NULL}}, false, {"250-X=1", "250 X=2"}},
    [LOCAL_OK] = {{{NULL, NULL}}, false, {"250 OK"}},
    [LOCAL_ERROR] = {{{NULL, NULL}}, false, {"512-More", "512 Unrecognized option"}},
    [LOCAL_CONF_BLOCK] = {{{NULL, NULL}}, false, {"250+Y=", "y", ".", "250 OK"}},
    [LIMIT] = {{{"250-(?:a=)?" FIXTURE_RUNAWAY, "250-a=x"}, {"(250-.*)", "{}"}}, false, {NULL}},
    [INLINE_ANY] = {{{"250-a=.*", "250-a=hidden"}}, false, {NULL}},
    [INLINE_COPY] = {{{"250-a=(.?).*", "250-a={}"}}, false, {NULL}},
    [INLINE_FULL] = {{{"250-a=.+", "250-a=hidden"}}, false, {NULL}},
    [INLINE_OUT] = {{{"250-a=.*", ""}}, false, {NULL}},
    [INLINE_BAD] = {{{"250-a=.*", "250 a=hidden"}}, false, {NULL}},
    [INLINE_ONE] = {{{"250-a=(?:[0-9]{3}|\\.x)", "250-a=hidden"}}, false, {NULL}},
    [DATA_ONLY] = {{{"r .*", "r"}, {"s .*", ""}}, false, {NULL}},
    [BOTH_FORMS] = {{{"250\\+a=", "250+a="}, {"250-a=.*", "250-a=hidden"}, {"r .*", "r"}}, false,
                    {NULL}},
};

struct part_text {
    const char *key;
    enum rule_name rule;
};

struct row {
    const char *command;
    struct part_text parts[MAX_PARTS]; /* up to a NULL key */
    struct span reply;
    char end; /* 'S' done with success, 'E' done with an error, 'M' misfit, '.' more to come */
    const char *out;
};

static struct rule rules[RULE_NAMES];

static void make_rules(void)
{
    for (size_t i = 0; i < RULE_NAMES; i++)
        fixture_rule(&rules[i], &rule_texts[i]);
}

static void free_rules(void)
{
    for (size_t i = 0; i < RULE_NAMES; i++)
        fixture_rule_clear(&rules[i]);
}

TestSuite(reply_plan, .init = make_rules, .fini = free_rules);

static struct reply_plan *make_plan(const char *command, const struct part_text *parts)
{
    bool is_block = command[0] == '+';
    const struct keyword *keyword = keyword_find(span_from_string(command + is_block), is_block);

    cr_assert_not_null(keyword, "%s", command);
    struct reply_plan *plan = reply_plan_new(keyword);
    for (size_t i = 0; i < MAX_PARTS && parts[i].key; i++)
        reply_plan_add(plan, span_from_string(parts[i].key),
                       parts[i].rule ? &rules[parts[i].rule] : NULL);
    return plan;
}

/* Feeds the bytes as tor's reply; what came of it, as in struct row. */
static char feed(struct reply_plan *plan, struct span bytes, struct buf *out)
{
    struct template_variables variables = fixture_variables();
    struct reply_reader reader;
    struct reply_line line;
    char end = '.';

    reply_reader_init(&reader);
    while (reply_reader_next(&reader, &bytes, &line) == REPLY_LINE) {
        bool is_success = false;
        size_t before = out->len;
        enum reply_plan_result result =
            reply_plan_feed(plan, &line, &variables, out, &is_success);
        if (result == REPLY_PLAN_MISFIT) {
            cr_expect_eq(out->len, before, "nothing of a line that does not fit is written");
            end = 'M';
        } else if (end != '.') {
            cr_expect_fail("a plan that is over takes no further line");
        } else if (result == REPLY_PLAN_DONE) {
            end = is_success ? 'S' : 'E';
        }
    }
    reply_reader_clear(&reader);
    return end;
}

static void expect_rows(const struct row *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf out;

        buf_init(&out, 65536);
        struct reply_plan *plan = make_plan(table[i].command, table[i].parts);
        cr_expect_not(reply_plan_is_local(plan), "row %zu", i);
        char end = feed(plan, table[i].reply, &out);
        cr_expect_eq(end, table[i].end, "row %zu: %c", i, end);
        cr_expect(span_equals(buf_span(&out), span_from_string(table[i].out)), "row %zu: %.*s", i,
                  (int)out.len, buf_span(&out).data);
        reply_plan_free(plan);
        buf_clear(&out);
    }
}

Test(reply_plan, status)
{
    static const struct row table[] = {
        {"SIGNAL", {{"", PLAIN}}, SPAN("250 OK\r\n"), 'S', "250 OK\r\n"},
        {"SIGNAL", {{NULL, NO_RULE}}, SPAN("250 OK\r\n"), 'S', "250 OK\r\n"},
        {"+POSTDESCRIPTOR", {{"", PLAIN}}, SPAN("251 Stored\r\n"), 'S', "251 Stored\r\n"},
        {"SIGNAL", {{"", PLAIN}}, SPAN("552 No\r\n"), 'E', "552 No\r\n"},
        {"SETCONF", {{"", PLAIN}}, SPAN("552-No\r\n513-x\r\n553 y\r\n"), 'E',
         "552-No\r\n513-x\r\n553 y\r\n"},
        {"SIGNAL", {{"", PLAIN}}, SPAN(""), '.', ""},
        /* what is no reply to such a command */
        {"SIGNAL", {{"", PLAIN}}, SPAN("250-version=1\r\n"), 'M', ""},
        {"SIGNAL", {{"", PLAIN}}, SPAN("250+ns/all=\r\n"), 'M', ""},
        {"SIGNAL", {{"", PLAIN}}, SPAN("552+x=\r\n"), 'M', ""},
        {"SIGNAL", {{"", PLAIN}}, SPAN("552-x\r\n250 OK\r\n"), 'M', "552-x\r\n"},
        {"SIGNAL", {{"", PLAIN}}, SPAN("650 BW 1 2\r\n"), 'M', ""},
        {"SIGNAL", {{"", PLAIN}}, SPAN("150 x\r\n"), 'M', ""},
        {"SIGNAL", {{"", PLAIN}}, SPAN("350 x\r\n"), 'M', ""},
        {"SIGNAL", {{"", PLAIN}}, SPAN("000 x\r\n"), 'M', ""},
        {"SIGNAL", {{"", PLAIN}}, SPAN("999 x\r\n"), 'M', ""},
        {"SIGNAL", {{"", PLAIN}}, SPAN("250 OK\r\n250 OK\r\n"), 'M', "250 OK\r\n"},
        /* rules */
        {"SETCONF", {{"", HIDE_ERROR}}, SPAN("552-a\r\n551 b\r\n"), 'E', "551 no\r\n"},
        {"EXTENDCIRCUIT", {{"", HIDE_END}}, SPAN("250 EXTENDED 5\r\n"), 'S', "250 OK\r\n"},
        {"EXTENDCIRCUIT", {{"", DROP}}, SPAN("250 EXTENDED 5\r\n"), 'S', "250 OK\r\n"},
        {"EXTENDCIRCUIT", {{"", DROP}}, SPAN("250 OK\r\n"), 'S', "250 OK\r\n"},
        {"EXTENDCIRCUIT", {{"", DROP}}, SPAN("552 secret\r\n"), 'E', "552 Filtered\r\n"},
        {"EXTENDCIRCUIT", {{"", HIDE_END}}, SPAN("552 secret\r\n"), 'E', "552 Filtered\r\n"},
        {"EXTENDCIRCUIT", {{"", BREAK_OK}}, SPAN("250 OK\r\n"), 'S', "250 OK\r\n"},
        {"EXTENDCIRCUIT", {{"", DROP}}, SPAN("552-secret\r\n512-keep=\r\n552 x\r\n"), 'E',
         "552 Filtered\r\n"},
    };

    expect_rows(table, LENGTH(table));
}

Test(reply_plan, lines)
{
    static const struct row table[] = {
        {"ADD_ONION", {{"", PLAIN}}, SPAN("250-ServiceID=a\r\n250-PrivateKey=b\r\n250 OK\r\n"),
         'S', "250-ServiceID=a\r\n250-PrivateKey=b\r\n250 OK\r\n"},
        {"ADD_ONION", {{"", HIDE_B}}, SPAN("250-a=1\r\n250-b=2\r\n250 OK\r\n"), 'S',
         "250-a=1\r\n250 OK\r\n"},
        {"ADD_ONION", {{"", DROP}}, SPAN("250-a=1\r\n250-keep=2\r\n250 OK\r\n"), 'S',
         "250-keep=2\r\n250 OK\r\n"},
        {"MAPADDRESS", {{"", PLAIN}}, SPAN("250-a=b\r\n512-x\r\n451-y\r\n250 c=d\r\n"), 'S',
         "250-a=b\r\n512-x\r\n451-y\r\n250 c=d\r\n"},
        {"MAPADDRESS", {{"", PLAIN}}, SPAN("250-a=b\r\n512 x\r\n"), 'E', "250-a=b\r\n512 x\r\n"},
        {"MAPADDRESS", {{"", PLAIN}}, SPAN("512-x\r\n250 a=b\r\n"), 'S', "512-x\r\n250 a=b\r\n"},
        {"MAPADDRESS", {{"", PLAIN}}, SPAN("250-a=b\r\n250+c=\r\n"), 'M', "250-a=b\r\n"},
        {"MAPADDRESS", {{"", PLAIN}}, SPAN("250-a=b\r\n512+c=\r\n"), 'M', "250-a=b\r\n"},
        {"MAPADDRESS", {{"", PLAIN}}, SPAN("250-a=b\r\n350 c\r\n"), 'M', "250-a=b\r\n"},
        {"ADD_ONION", {{"", LIMIT}},
         SPAN("250-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n250 OK\r\n"), 'S',
         "250 OK\r\n"},
    };

    expect_rows(table, LENGTH(table));
}

Test(reply_plan, getinfo_keys_come_back_in_order)
{
    static const struct row table[] = {
        {"GETINFO", {{NULL, NO_RULE}}, SPAN("250 OK\r\n"), 'S', "250 OK\r\n"},
        {"GETINFO", {{NULL, NO_RULE}}, SPAN("250-a=1\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-a=1\r\n250 OK\r\n"), 'S', "250-a=1\r\n250 OK\r\n"},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-a=\r\n250 OK\r\n"), 'S', "250-a=\r\n250 OK\r\n"},
        {"GETINFO", {{"a", PLAIN}, {"a", PLAIN}}, SPAN("250-a=1\r\n250-a=1\r\n250 OK\r\n"), 'S',
         "250-a=1\r\n250-a=1\r\n250 OK\r\n"},
        {"GETINFO", {{"a", PLAIN}, {"b", PLAIN}},
         SPAN("250+a=\r\n250-b=2\r\n250 OK\r\n.\r\n250-b=2\r\n250 OK\r\n"), 'S',
         "250+a=\r\n250-b=2\r\n250 OK\r\n.\r\n250-b=2\r\n250 OK\r\n"},
        {"GETINFO", {{"a=b", PLAIN}}, SPAN("250-(null)\r\n250 OK\r\n"), 'S',
         "250-(null)\r\n250 OK\r\n"},
        {"GETINFO", {{"a=b", PLAIN}}, SPAN("250+a=b=\r\n.\r\n250 OK\r\n"), 'S',
         "250+a=b=\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"a=b", PLAIN}}, SPAN("250-a=b=c=d\r\n250 OK\r\n"), 'S',
         "250-a=b=c=d\r\n250 OK\r\n"},
        /* missing, extra, other, out of order */
        {"GETINFO", {{"a", PLAIN}}, SPAN("250 OK\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}, {"b", PLAIN}}, SPAN("250-a=1\r\n250 OK\r\n"), 'M',
         "250-a=1\r\n"},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-a=1\r\n250-a=1\r\n"), 'M', "250-a=1\r\n"},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-b=1\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-A=1\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-ab=1\r\n"), 'M', ""},
        {"GETINFO", {{"ab", PLAIN}}, SPAN("250-a=1\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-a\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-(null)x\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250+(null)\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250+a=1\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250 a=1\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("251-a=1\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-a=1\r\n251 OK\r\n"), 'M', "250-a=1\r\n"},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250-a=1\r\n250 closing\r\n"), 'M', "250-a=1\r\n"},
        {"GETINFO", {{"a", PLAIN}, {"b", PLAIN}}, SPAN("250-b=1\r\n250-a=1\r\n"), 'M', ""},
        /* errors: only error lines, and no values */
        {"GETINFO", {{"a", PLAIN}}, SPAN("551 no address\r\n"), 'E', "551 no address\r\n"},
        {"GETINFO", {{"a", PLAIN}, {"b", PLAIN}}, SPAN("552-x\r\n552 y\r\n"), 'E',
         "552-x\r\n552 y\r\n"},
        {"GETINFO", {{"a", PLAIN}, {"b", PLAIN}}, SPAN("250-a=1\r\n551 x\r\n"), 'M',
         "250-a=1\r\n"},
        {"GETINFO", {{"a", PLAIN}}, SPAN("552-x\r\n250 OK\r\n"), 'M', "552-x\r\n"},
        {"GETINFO", {{"a", PLAIN}}, SPAN("552+=\r\nx\r\n.\r\n250-a=1\r\n"), 'M', ""},
        {"GETINFO", {{"a", PLAIN}}, SPAN("650 BW 1 2\r\n"), 'M', ""},
    };

    expect_rows(table, LENGTH(table));
}

Test(reply_plan, getinfo_judged_as_a_whole)
{
    static const struct row table[] = {
        {"GETINFO", {{"", HIDE_B}}, SPAN("250-a=1\r\n250-b=2\r\n250 OK\r\n"), 'S',
         "250-a=1\r\n250 OK\r\n"},
        {"GETINFO", {{"", PLAIN}}, SPAN("250-(null)\r\n250 OK\r\n"), 'S',
         "250-(null)\r\n250 OK\r\n"},
        {"GETINFO", {{"", PLAIN}}, SPAN("250+a=b=\r\nx\r\n.\r\n250 OK\r\n"), 'S',
         "250+a=b=\r\nx\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"", PLAIN}}, SPAN("250 OK\r\n"), 'S', "250 OK\r\n"},
        {"GETINFO", {{"", DROP}}, SPAN("250-a=1\r\n250-keep=2\r\n250 OK\r\n"), 'S',
         "250-keep=2\r\n250 OK\r\n"},
        {"GETINFO", {{"", PLAIN}}, SPAN("250-a\r\n"), 'M', ""},
        {"GETINFO", {{"", PLAIN}}, SPAN("250+a\r\n"), 'M', ""},
        {"GETINFO", {{"", PLAIN}}, SPAN("250+\r\n"), 'M', ""},
        {"GETINFO", {{"", PLAIN}}, SPAN("250+a=b\r\n"), 'M', ""},
        {"GETINFO", {{"", PLAIN}}, SPAN("250 EXTENDED 1\r\n"), 'M', ""},
    };

    expect_rows(table, LENGTH(table));
}

Test(reply_plan, getinfo_rules_apply_to_their_own_key)
{
    static const struct row table[] = {
        {"GETINFO", {{"a", HIDE_A}, {"b", HIDE_B}}, SPAN("250-a=1\r\n250-b=2\r\n250 OK\r\n"), 'S',
         "250-a=x\r\n250 OK\r\n"},
        {"GETINFO", {{"a", HIDE_B}, {"b", HIDE_A}}, SPAN("250-a=1\r\n250-b=2\r\n250 OK\r\n"), 'S',
         "250-a=1\r\n250-b=2\r\n250 OK\r\n"},
        {"GETINFO", {{"a", NO_RULE}, {"keep", DROP}, {"b", DROP}},
         SPAN("250-a=1\r\n250-keep=2\r\n250-b=3\r\n250 OK\r\n"), 'S',
         "250-a=1\r\n250-keep=2\r\n250 OK\r\n"},
        /* a pattern for the block's values does not reach what only looks like them */
        {"GETINFO", {{"z", PLAIN}, {"a", HIDE_A}},
         SPAN("250+z=\r\n250-a=1\r\n.\r\n250-a=1\r\n250 OK\r\n"), 'S',
         "250+z=\r\n250-a=1\r\n.\r\n250-a=x\r\n250 OK\r\n"},
        /* blocks */
        {"GETINFO", {{"a", DROP_DATA}},
         SPAN("250+a=\r\nk1\r\nx\r\n250 OK\r\nk2\r\n.\r\n250 OK\r\n"), 'S',
         "250+a=\r\nk1\r\nk2\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"a", DROP}}, SPAN("250+a=\r\nsecret\r\n.\r\n250 OK\r\n"), 'S',
         "250 OK\r\n"},
        {"GETINFO", {{"a", NO_BLOCK}, {"b", NO_BLOCK}},
         SPAN("250+a=\r\nsecret\r\n..\r\n.\r\n250-b=1\r\n250 OK\r\n"), 'S',
         "250-b=1\r\n250 OK\r\n"},
        {"GETINFO", {{"a", NO_BLOCK}, {"b", PLAIN}},
         SPAN("250+a=\r\nsecret\r\n.\r\n250+b=\r\nx\r\n.\r\n250 OK\r\n"), 'S',
         "250+b=\r\nx\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"a", LIMIT}},
         SPAN("250-a=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n250 OK\r\n"), 'S',
         "250 OK\r\n"},
        /* the last line and errors belong to all */
        {"GETINFO", {{"a", PLAIN}, {"b", HIDE_ERROR}}, SPAN("551 secret\r\n"), 'E', "551 no\r\n"},
        {"GETINFO", {{"a", FINE}, {"b", DROP}}, SPAN("250-a=1\r\n250-b=2\r\n250 OK\r\n"), 'S',
         "250-a=1\r\n250 Fine\r\n"},
        {"GETINFO", {{"a", HIDE_A}, {"b", DROP}}, SPAN("552-x\r\n552 y\r\n"), 'E',
         "552 Filtered\r\n"},
        {"GETINFO", {{"a", PLAIN}, {"b", BREAK_OK}}, SPAN("250-a=1\r\n250-b=2\r\n250 OK\r\n"), 'S',
         "250-a=1\r\n250-b=2\r\n250 OK\r\n"},
    };

    expect_rows(table, LENGTH(table));
}

/* A rule for the inline form must not be passed by when tor answers with a block. */
Test(reply_plan, getinfo_rules_for_one_line_cover_blocks)
{
    static const struct row table[] = {
        {"GETINFO", {{"a", INLINE_ANY}}, SPAN("250+a=\r\nr x\r\n..\r\n.\r\n250 OK\r\n"), 'S',
         "250-a=hidden\r\n250 OK\r\n"},
        {"GETINFO", {{"", INLINE_ANY}}, SPAN("250+a=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250-a=hidden\r\n250 OK\r\n"},
        {"GETINFO", {{"a", INLINE_COPY}}, SPAN("250+a=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250-a=\r\n250 OK\r\n"},
        {"GETINFO", {{"a", INLINE_FULL}}, SPAN("250+a=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250-a=hidden\r\n250 OK\r\n"},
        {"GETINFO", {{"a", INLINE_OUT}}, SPAN("250+a=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250 OK\r\n"},
        {"GETINFO", {{"a", INLINE_BAD}}, SPAN("250+a=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250 OK\r\n"},
        {"GETINFO", {{"a", INLINE_ANY}, {"b", PLAIN}},
         SPAN("250+a=\r\nr x\r\n.\r\n250+b=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250-a=hidden\r\n250+b=\r\nr x\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"b", INLINE_ANY}}, SPAN("250+b=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250+b=\r\nr x\r\n.\r\n250 OK\r\n"},
        /* a pattern for certain values takes out the lines that have them */
        {"GETINFO", {{"a", INLINE_ONE}}, SPAN("250+a=\r\n12\r\n123\r\nr\r\n.\r\n250 OK\r\n"),
         'S', "250+a=\r\n12\r\nr\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"a", INLINE_ONE}},
         SPAN("250+a=\r\n1\t2\r\n\x01\r\n..x\r\n\r\n..\r\n.\r\n250 OK\r\n"), 'S',
         "250+a=\r\n1\t2\r\n\x01\r\n\r\n..\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"", INLINE_ONE}, {"", DATA_ONLY}},
         SPAN("250+b=\r\n123\r\n.\r\n250+a=\r\n123\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250+b=\r\n123\r\n.\r\n250+a=\r\nr\r\n.\r\n250 OK\r\n"},
        /* rules for the lines of a block go on working */
        {"GETINFO", {{"a", DATA_ONLY}}, SPAN("250+a=\r\nr x\r\ns x\r\nw\r\n.\r\n250 OK\r\n"),
         'S', "250+a=\r\nr\r\nw\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"a", BOTH_FORMS}}, SPAN("250+a=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250+a=\r\nr\r\n.\r\n250 OK\r\n"},
        {"GETINFO", {{"a", BOTH_FORMS}}, SPAN("250-a=r x\r\n250 OK\r\n"), 'S',
         "250-a=hidden\r\n250 OK\r\n"},
        {"GETINFO", {{"a", PLAIN}}, SPAN("250+a=\r\nr x\r\n.\r\n250 OK\r\n"), 'S',
         "250+a=\r\nr x\r\n.\r\n250 OK\r\n"},
    };

    expect_rows(table, LENGTH(table));
}

Test(reply_plan, getinfo_parts_of_the_profile_stand_in_their_place)
{
    static const struct row table[] = {
        {"GETINFO", {{"x", LOCAL}, {"a", PLAIN}, {"y", LOCAL_BLOCK}, {"b", PLAIN}},
         SPAN("250-a=1\r\n250-b=2\r\n250 OK\r\n"), 'S',
         "250-local=1\r\n250-a=1\r\n250+block=\r\n250 OK\r\nx\r\n.\r\n250-in=2\r\n250-b=2\r\n"
         "250 OK\r\n"},
        {"GETINFO", {{"a", PLAIN}, {"x", LOCAL}, {"y", LOCAL_OK}, {"z", LOCAL}},
         SPAN("250+a=\r\n1\r\n.\r\n250 OK\r\n"), 'S',
         "250+a=\r\n1\r\n.\r\n250-local=1\r\n250-local=1\r\n250 OK\r\n"},
        {"GETINFO", {{"x", LOCAL}, {"a", DROP}}, SPAN("250-a=1\r\n250 OK\r\n"), 'S',
         "250-local=1\r\n250 OK\r\n"},
        {"GETINFO", {{"x", LOCAL}, {"a", PLAIN}, {"y", LOCAL}}, SPAN("551 x\r\n"), 'E',
         "551 x\r\n"},
        {"GETINFO", {{"x", LOCAL}, {"a", PLAIN}}, SPAN("250-x=1\r\n"), 'M', ""},
        {"GETINFO", {{"x", LOCAL}, {"a", PLAIN}}, SPAN("250 OK\r\n"), 'M', ""},
    };

    expect_rows(table, LENGTH(table));
}

Test(reply_plan, getconf)
{
    static const struct row table[] = {
        {"GETCONF", {{"A", NO_RULE}, {"B", NO_RULE}}, SPAN("250-A=1\r\n250 B\r\n"), 'S',
         "250-A=1\r\n250 B\r\n"},
        {"GETCONF", {{"A", NO_RULE}}, SPAN("250 OK\r\n"), 'S', "250 OK\r\n"},
        {"GETCONF", {{"", PLAIN}}, SPAN("250-A\r\n250-A=2\r\n250 C=1\r\n"), 'S',
         "250-A\r\n250-A=2\r\n250 C=1\r\n"},
        {"GETCONF", {{"A", NO_RULE}}, SPAN("552-x\r\n552 y\r\n"), 'E', "552-x\r\n552 y\r\n"},
        {"GETCONF", {{"A", NO_RULE}}, SPAN("250-A=1\r\n552 y\r\n"), 'M', "250-A=1\r\n"},
        {"GETCONF", {{"A", NO_RULE}}, SPAN("552-x\r\n250 OK\r\n"), 'M', "552-x\r\n"},
        {"GETCONF", {{"A", NO_RULE}}, SPAN("250+A=\r\n"), 'M', ""},
        {"GETCONF", {{"A", NO_RULE}}, SPAN("552+=\r\n"), 'M', ""},
        /* rules: every one on each line; the value on the last line can be hidden too */
        {"GETCONF", {{"b", HIDE_B}}, SPAN("250 b=secret\r\n"), 'S', "250 OK\r\n"},
        {"GETCONF", {{"x", NO_RULE}, {"b", HIDE_B}}, SPAN("250-b=secret\r\n250 x=1\r\n"), 'S',
         "250 x=1\r\n"},
        {"GETCONF", {{"a", HIDE_A}, {"b", HIDE_B}}, SPAN("250-a=1\r\n250 b=2\r\n"), 'S',
         "250-a=x\r\n250 OK\r\n"},
        {"GETCONF", {{"", DROP}}, SPAN("250-b=1\r\n250-keep=1\r\n250 c=2\r\n"), 'S',
         "250-keep=1\r\n250 OK\r\n"},
        /* each line belongs to the option that it names, in any case */
        {"GETCONF", {{"a", HIDE_A}, {"b", DROP}}, SPAN("250-b=2\r\n250-a=1\r\n250 keep=1\r\n"),
         'S', "250-a=x\r\n250 keep=1\r\n"},
        {"GETCONF", {{"x", DROP}, {"A", NO_RULE}}, SPAN("250-a=1\r\n250 X\r\n"), 'S',
         "250-a=1\r\n250 OK\r\n"},
        {"GETCONF", {{"x", DROP}, {"a", PLAIN}}, SPAN("250-A\r\n250 x=1\r\n"), 'S',
         "250-A\r\n250 OK\r\n"},
        {"GETCONF", {{"x", NO_RULE}, {"B", HIDE_B}}, SPAN("250-b=1\r\n250 x=b=1\r\n"), 'S',
         "250 x=b=1\r\n"},
        /* one asked for twice meets the rules of both, others those of all */
        {"GETCONF", {{"b", PLAIN}, {"B", HIDE_B}}, SPAN("250-b=1\r\n250 b=2\r\n"), 'S',
         "250 OK\r\n"},
        {"GETCONF", {{"x", PLAIN}, {"alias", HIDE_B}}, SPAN("250-x=1\r\n250 b=2\r\n"), 'S',
         "250-x=1\r\n250 OK\r\n"},
        {"GETCONF", {{"x", LOCAL_LIST}, {"b", HIDE_B}, {"c", DROP}},
         SPAN("250-x=1\r\n250 b=2\r\n"), 'S', "250-X=1\r\n250-X=2\r\n250 OK\r\n"},
        /* the profile's own parts come first, as mid lines */
        {"GETCONF", {{"A", NO_RULE}, {"Bridge", LOCAL_BRIDGE}}, SPAN("250-A=1\r\n250 A=2\r\n"),
         'S', "250-Bridge\r\n250-A=1\r\n250 A=2\r\n"},
        {"GETCONF", {{"X", LOCAL_LIST}, {"A", NO_RULE}, {"Y", LOCAL_OK}}, SPAN("250 A=1\r\n"), 'S',
         "250-X=1\r\n250-X=2\r\n250 A=1\r\n"},
        {"GETCONF", {{"Bridge", LOCAL_BRIDGE}, {"A", NO_RULE}}, SPAN("552 x\r\n"), 'E',
         "552 x\r\n"},
        /* RESETCONF: tor's answer stands for all */
        {"RESETCONF", {{"X", LOCAL_OK}, {"A", NO_RULE}}, SPAN("250 OK\r\n"), 'S', "250 OK\r\n"},
    };

    expect_rows(table, LENGTH(table));
}

Test(reply_plan, local_plans)
{
    static const struct {
        const char *command;
        struct part_text parts[MAX_PARTS];
        bool is_local;
        const char *answer;
    } table[] = {
        {"GETINFO", {{NULL, NO_RULE}}, false, ""},
        {"GETINFO", {{"a", PLAIN}}, false, ""},
        {"GETINFO", {{"a", NO_RULE}}, false, ""},
        {"GETINFO", {{"x", LOCAL}, {"a", PLAIN}}, false, ""},
        {"TAKEOWNERSHIP", {{"", LOCAL_OK}}, true, "250 OK\r\n"},
        {"GETINFO", {{"x", LOCAL}}, true, "250-local=1\r\n250 OK\r\n"},
        {"GETINFO", {{"x", LOCAL_BLOCK}}, true,
         "250+block=\r\n250 OK\r\nx\r\n.\r\n250-in=2\r\n250 OK\r\n"},
        {"GETINFO", {{"x", LOCAL_BLOCK}, {"y", LOCAL}}, true,
         "250+block=\r\n250 OK\r\nx\r\n.\r\n250-in=2\r\n250-local=1\r\n250 OK\r\n"},
        {"GETINFO", {{"x", LOCAL_OK}, {"y", LOCAL_OK}}, true, "250 OK\r\n"},
        {"GETCONF", {{"x", LOCAL_BRIDGE}}, true, "250 Bridge\r\n"},
        {"GETCONF", {{"x", LOCAL_BRIDGE}, {"y", LOCAL_LIST}}, true,
         "250-Bridge\r\n250-X=1\r\n250 X=2\r\n"},
        {"GETCONF", {{"y", LOCAL_LIST}, {"x", LOCAL_BRIDGE}, {"z", LOCAL_OK}}, true,
         "250-X=1\r\n250-X=2\r\n250 Bridge\r\n"},
        {"GETCONF", {{"x", LOCAL_OK}, {"y", LOCAL_OK}}, true, "250 OK\r\n"},
        {"GETCONF", {{"x", LOCAL_BRIDGE}, {"y", LOCAL_CONF_BLOCK}}, true,
         "250-Bridge\r\n250+Y=\r\ny\r\n.\r\n250 OK\r\n"},
        {"RESETCONF", {{"x", LOCAL_OK}, {"y", LOCAL_OK}}, true, "250 OK\r\n"},
        /* one error answers all, also what tor would be asked for */
        {"GETINFO", {{"x", LOCAL_ERROR}}, true, "512-More\r\n512 Unrecognized option\r\n"},
        {"GETINFO", {{"x", LOCAL}, {"y", LOCAL_ERROR}}, true,
         "512-More\r\n512 Unrecognized option\r\n"},
        {"GETINFO", {{"a", PLAIN}, {"y", LOCAL_ERROR}, {"b", NO_RULE}}, true,
         "512-More\r\n512 Unrecognized option\r\n"},
        {"GETCONF", {{"a", NO_RULE}, {"y", LOCAL_ERROR}}, true,
         "512-More\r\n512 Unrecognized option\r\n"},
    };

    for (size_t i = 0; i < LENGTH(table); i++) {
        struct buf out;
        buf_init(&out, 65536);
        struct reply_plan *plan = make_plan(table[i].command, table[i].parts);
        cr_expect_eq(reply_plan_is_local(plan), table[i].is_local, "row %zu", i);
        reply_plan_answer(plan, &out);
        cr_expect(span_equals(buf_span(&out), span_from_string(table[i].answer)), "row %zu: %.*s",
                  i, (int)out.len, buf_span(&out).data);
        reply_plan_free(plan);
        buf_clear(&out);
    }
    reply_plan_free(NULL);
}

/* Lines that come where their kind cannot stand, as a reader that lost step would give them. */
Test(reply_plan, kinds_out_of_place_do_not_fit)
{
    static const enum reply_line_kind data_kinds[] = {REPLY_DATA_LINE, REPLY_DATA_END};
    static const struct part_text parts[MAX_PARTS] = {{"a", PLAIN}};
    struct template_variables variables = fixture_variables();
    struct reply_line line;
    struct buf out;

    buf_init(&out, 4096);
    for (size_t i = 0; i < LENGTH(data_kinds); i++) {
        struct reply_plan *plan = make_plan("GETINFO", parts);
        line = (struct reply_line){data_kinds[i], 250, SPAN("."), SPAN(".")};
        cr_expect_eq(reply_plan_feed(plan, &line, &variables, &out, NULL), REPLY_PLAN_MISFIT);
        reply_plan_free(plan);
    }
    struct reply_plan *plan = make_plan("GETINFO", parts);
    reply_parse_line(SPAN("250+a="), &line);
    cr_expect_eq(reply_plan_feed(plan, &line, &variables, &out, NULL), REPLY_PLAN_MORE);
    reply_parse_line(SPAN("250 OK"), &line);
    cr_expect_eq(reply_plan_feed(plan, &line, &variables, &out, NULL), REPLY_PLAN_MISFIT);
    line = (struct reply_line){REPLY_DATA_LINE, 250, SPAN("x"), SPAN("x")};
    cr_expect_eq(reply_plan_feed(plan, &line, &variables, &out, NULL), REPLY_PLAN_MISFIT,
                 "a misfit is final");
    reply_plan_free(plan);
    buf_clear(&out);
}

Test(reply_plan, is_success_may_be_null)
{
    static const struct part_text parts[MAX_PARTS] = {{"", PLAIN}};
    struct template_variables variables = fixture_variables();
    struct reply_plan *plan = make_plan("SIGNAL", parts);
    struct reply_line line;
    struct buf out;

    buf_init(&out, 4096);
    reply_parse_line(SPAN("250 OK"), &line);
    cr_expect_eq(reply_plan_feed(plan, &line, &variables, &out, NULL), REPLY_PLAN_DONE);
    buf_clear(&out);
    reply_plan_free(plan);
}
