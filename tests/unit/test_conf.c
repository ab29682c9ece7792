/* Options and values against `confs`, pair by pair. */
#include "profile_fixture.h"

#include <stdlib.h>

#include "ascii.h"
#include "conf.h"
#include "mem.h"

static const char profile[] =
    "- apparmor-profiles: ['*']\n"
    "  users: ['*']\n"
    "  confs:\n"
    "    UseBridges: ['', '.*']\n"
    "    Readable:\n"
    "    Empty: []\n"
    "    resetonly: ['']\n"
    "    DisableNetwork: ['\"0\"', '\"1\"']\n"
    "    Level: ['0|1', '[2-4]']\n"
    "    Path: ['[^/]*']\n"
    "    Words: ['[a-z ]+']\n"
    "    Slow: ['(a+)+b']\n"
    "    SlowFirst: ['(a+)+b', '.*']\n"
    "    __Owner: ['\\d+']\n"
    "- apparmor-profiles: ['*']\n"
    "  users: ['*']\n"
    "  confs:\n"
    "    LEVEL: ['9']\n"
    "    readable: ['x']\n"
    "    Slow: ['.*']\n"
    "    SecondOnly:\n";

Test(conf, get)
{
    const struct {
        const char *name;
        const char *sent; /* NULL: refused */
    } rows[] = {
        {"UseBridges", "UseBridges"},
        {"usebridges", "UseBridges"},
        {"USEBRIDGES", "UseBridges"},
        {"Readable", "Readable"},
        {"Empty", "Empty"},
        {"Resetonly", "resetonly"},
        {"secondonly", "SecondOnly"},
        {"LEVEL", "Level"},
        {"__owner", "__Owner"},
        /* tor would take these for the option; we do not (control-protocol 7.7) */
        {"UseBridge", NULL},
        {"Use", NULL},
        {"U", NULL},
        {"", NULL},
        {"UseBridgess", NULL},
        {"Owner", NULL},
        {"+UseBridges", NULL},
        {"/UseBridges", NULL},
        {"UseBridges=", NULL},
        {"UseBridges=1", NULL},
        {"DataDirectory", NULL},
        {".*", NULL},
    };
    struct policy *policy = fixture_policy(profile);
    struct policy_view view = fixture_view(policy);

    cr_assert_eq(view.count, 2);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct conf_rule *rule = &view.profiles[0]->confs[0];
        enum conf_result result = conf_may_get(&view, span_from_string(rows[i].name), &rule);
        cr_expect_eq(result, rows[i].sent ? CONF_ALLOWED : CONF_REFUSED, "row %zu: %s", i,
                     rows[i].name);
        if (rows[i].sent && rule)
            cr_expect_str_eq(rule->name, rows[i].sent, "row %zu", i);
        cr_expect_eq(rule != NULL, rows[i].sent != NULL, "row %zu: the rule says the same", i);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* Bytes with their length, NUL included. */
#define B(literal) {literal, sizeof(literal) - 1}

#define YES CONF_ALLOWED
#define NO CONF_REFUSED

static const struct {
    const char *pair;
    enum conf_result result;
    unsigned line; /* of the option that decided; 0: none */
} set_rows[] = {
    /* the option alone */
    {"UseBridges", YES, 4},
    {"resetonly", YES, 7},
    {"RESETONLY", YES, 7},
    {"Readable", NO, 5},
    {"Empty", NO, 6},
    {"DisableNetwork", NO, 8},
    {"Unlisted", NO, 0},
    {"SecondOnly", NO, 21},
    /* an empty value is the option alone to tor */
    {"resetonly=", YES, 7},
    {"resetonly=\"\"", YES, 7},
    {"resetonly=0", NO, 7},
    {"resetonly=\" \"", NO, 7},
    {"UseBridges=", YES, 4},
    {"DisableNetwork=", NO, 8},
    {"Level=", NO, 9},
    {"Readable=", NO, 5},
    /* read only */
    {"Empty=1", NO, 6},
    {"Unlisted=1", NO, 0},
    {"SecondOnly=1", NO, 21},
    /* values as written */
    {"UseBridges=1", YES, 4},
    {"usebridges=anything-at-all", YES, 4},
    {"DisableNetwork=\"0\"", YES, 8},
    {"DisableNetwork=\"1\"", YES, 8},
    {"DisableNetwork=0", NO, 8},
    {"DisableNetwork=\"2\"", NO, 8},
    {"DisableNetwork=\"0\\x30\"", NO, 8},
    /* values as unquoted */
    {"Level=\"1\"", YES, 9},
    {"Level=\"3\"", YES, 9},
    {"Words=\"two words\"", YES, 11},
    {"Words=\"TWO\"", NO, 11},
    /* a pattern is anchored as a group */
    {"Level=0", YES, 9},
    {"Level=1", YES, 9},
    {"Level=4", YES, 9},
    {"Level=5", NO, 9},
    {"Level=01", NO, 9},
    {"Level=0x", NO, 9},
    {"Level=x1", NO, 9},
    {"Level=\"\"", NO, 9},
    /* the second profile adds to the first */
    {"Level=9", YES, 18},
    {"level=\"9\"", YES, 18},
    {"Readable=x", YES, 19},
    {"Readable=y", NO, 5},
    /* escapes do not hide what a pattern looks for */
    {"Path=plain", YES, 10},
    {"Path=/etc", NO, 10},
    {"Path=\"/etc\"", NO, 10},
    {"Path=\"\\x2fetc\"", NO, 10},
    {"Path=\"\\57etc\"", NO, 10},
    {"Path=\"\\057etc\"", NO, 10},
    {"Path=\"a\\\\\\x2fetc\"", NO, 10},
    {"Path=\"a\\\\x2fetc\"", YES, 10},
    {"Level=\"\\x31\"", YES, 9},
    {"Level=\"\\61\"", YES, 9},
    /* control characters and bytes above ASCII in what tor would read */
    {"UseBridges=\"a\\nB=1\"", NO, 0},
    {"UseBridges=\"a\\rB=1\"", NO, 0},
    {"UseBridges=\"a\\tB\"", NO, 0},
    {"UseBridges=\"\\x01\"", NO, 0},
    {"UseBridges=\"\\177\"", NO, 0},
    {"UseBridges=\"\\xff\"", NO, 0},
    {"UseBridges=\"\\\"quoted\\\" \\\\ \\'\"", YES, 4},
    /* quotes elsewhere belong to the value */
    {"UseBridges=a\"b", YES, 4},
    {"Level=1\"", NO, 9},
    {"DisableNetwork='0'", NO, 8},
    /* abbreviations and prefixes */
    {"UseBridge=1", NO, 0},
    {"D=1", NO, 0},
    {"+UseBridges=1", NO, 0},
    /* limits: no other rule is asked any more */
    {"Slow=" TEDIOUS, CONF_LIMIT, 12},
    {"SlowFirst=" TEDIOUS, CONF_LIMIT, 13},
    {"Slow=\"" TEDIOUS "\"", CONF_LIMIT, 12},
    {"Slow=aab", YES, 12},
    {"Slow=c", YES, 20},
    {"__owner=4711", YES, 14},
    {"__owner=4711x", NO, 14},
};

Test(conf, set)
{
    struct policy *policy = fixture_policy(profile);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < sizeof set_rows / sizeof *set_rows; i++) {
        struct span rest = span_from_string(set_rows[i].pair);
        const struct conf_rule *rule = &view.profiles[0]->confs[0];
        struct kv_pair pair;
        cr_assert_eq(kv_next(GRAMMAR_QUOTED, &rest, &pair), KV_PAIR, "row %zu: %s", i,
                     set_rows[i].pair);
        cr_assert_eq(rest.len, 0, "row %zu: one pair", i);
        cr_expect_eq(conf_may_set(&view, &pair, NULL, &rule), set_rows[i].result, "row %zu: %s", i,
                     set_rows[i].pair);
        unsigned line = rule ? rule->where.line : 0;
        cr_expect_eq(line, set_rows[i].line, "row %zu: %s decided by line %u", i,
                     set_rows[i].pair, line);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* A pattern that has a quote looks at the value as written, and so must see all that it means: of
 * all escapes only those that stand for themselves are let through. */
Test(conf, every_byte_behind_a_backslash)
{
    static const char yaml[] = "- apparmor-profiles: ['*']\n"
                               "  users: ['*']\n"
                               "  confs:\n"
                               "    Path: ['\"[^/]*\"']\n";
    struct policy *policy = fixture_policy(yaml);
    struct policy_view view = fixture_view(policy);

    for (unsigned byte = 0; byte < 256; byte++) {
        char value[] = "\"a\\?2fetc\"";
        const struct kv_pair pair = {.key = SPAN("Path"),
                                     .value = span_make(value, sizeof value - 1),
                                     .has_value = true,
                                     .is_quoted = true};
        const struct conf_rule *rule;
        value[3] = (char)byte;
        bool stands_for_itself = byte == '\\' || byte == '"' || byte == '\'';
        cr_expect_eq(conf_may_set(&view, &pair, NULL, &rule),
                     stands_for_itself ? CONF_ALLOWED : CONF_REFUSED, "row %u: \\%c", byte,
                     ascii_is_printable((char)byte) ? (int)byte : '?');
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* What a pattern forbids must not come back in as quotes around it. */
Test(conf, only_patterns_with_a_quote_see_the_value_as_written)
{
    static const struct {
        const char *pattern;
        const char *value;
        enum conf_result result;
    } rows[] = {
        {"(?!evil).*", "\"evil\"", CONF_REFUSED},
        {"(?!evil).*", "\"good\"", CONF_ALLOWED},
        {"[^/].*", "\"/etc/passwd\"", CONF_REFUSED},
        {"[^/].*", "\"etc/passwd\"", CONF_ALLOWED},
        {"(?:(?!/).)*", "\"/etc\"", CONF_REFUSED},
        {"[^a-z]+", "\"abc\"", CONF_REFUSED},
        {".{5}", "\"abc\"", CONF_REFUSED},
        {"\\W.*", "\"abc\"", CONF_REFUSED},
        {"\\x22abc\\x22", "\"abc\"", CONF_REFUSED},
        {"\"0\"", "\"0\"", CONF_ALLOWED},
        {"\"0\"", "0", CONF_REFUSED},
        {"0|\"1\"", "\"0\"", CONF_ALLOWED},
        {"0|\"1\"", "\"1\"", CONF_ALLOWED},
        {"[\"]?a[\"]?", "\"a\"", CONF_ALLOWED},
        {"\"[a-z ]+\"", "\"a b\"", CONF_ALLOWED},
        {"\"[a-z ]+\"", "\"A\"", CONF_REFUSED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *yaml = mem_printf("- apparmor-profiles: ['*']\n  users: ['*']\n  confs:\n"
                                "    Path: ['%s']\n",
                                rows[i].pattern);
        struct policy *policy = fixture_policy(yaml);
        struct policy_view view = fixture_view(policy);
        const struct conf_rule *rule;
        const struct kv_pair pair = {.key = SPAN("Path"),
                                     .value = span_from_string(rows[i].value),
                                     .has_value = true,
                                     .is_quoted = rows[i].value[0] == '"'};
        cr_expect_eq(conf_may_set(&view, &pair, NULL, &rule), rows[i].result, "row %zu: %s on %s",
                     i, rows[i].pattern, rows[i].value);
        policy_view_clear(&view);
        policy_unref(policy);
        free(yaml);
    }
}

Test(conf, bytes_that_the_reader_should_have_stopped_are_refused_here_too)
{
    static const struct {
        struct span value;
        bool is_quoted;
    } rows[] = {
        {B("a\rB=1"), false}, {B("a\0b"), false},     {B("a\x80"), false},
        {B("\x7f"), false},   {B("\"a\tb\""), true}, {B("\"open"), true},
        {B("\"a\"b"), true},  {B("\"a\\qb\""), true}, {B("\"\\0\""), true},
    };
    struct policy *policy = fixture_policy(profile);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct kv_pair pair = {.key = SPAN("UseBridges"),
                                     .value = rows[i].value,
                                     .has_value = true,
                                     .is_quoted = rows[i].is_quoted};
        const struct conf_rule *rule;
        cr_expect_eq(conf_may_set(&view, &pair, NULL, &rule), CONF_REFUSED, "row %zu", i);
        cr_expect_null(rule, "row %zu", i);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

Test(conf, empty_view_allows_nothing)
{
    const struct policy_view view = {0};
    const struct kv_pair pair = {.key = SPAN("UseBridges")};
    const struct conf_rule *rule;

    cr_expect_eq(conf_may_get(&view, pair.key, &rule), CONF_REFUSED);
    cr_expect_null(rule);
    cr_expect_eq(conf_may_set(&view, &pair, NULL, &rule), CONF_REFUSED);
    cr_expect_null(rule);
}
