/* The index of a command's rules against trying all of them in order. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "profile.h"
#include "rule_index.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Gives up at its match limit on long runs of "a" without a "!" behind them. */
#define RUNAWAY "(?:(?:a|aa)+)+[!?]"

static struct pattern *compile(const char *text)
{
    struct buf error;
    size_t column;

    buf_init(&error, 4096);
    struct pattern *pattern = pattern_compile(text, &column, &error);
    cr_assert_not_null(pattern, "%s: %.*s", text, (int)error.len, buf_span(&error).data);
    buf_clear(&error);
    return pattern;
}

/* NULL makes a rule without pattern. */
static struct rule *make_rules(const char *const *texts, size_t count)
{
    struct rule *rules = mem_zalloc(count, sizeof *rules);

    for (size_t i = 0; i < count; i++)
        rules[i].pattern = texts[i] ? compile(texts[i]) : NULL;
    return rules;
}

static void free_rules(struct rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pattern_free(rules[i].pattern);
    free(rules);
}

static enum pattern_result match_in_order(const struct rule *rules, size_t count, struct span text,
                                          const struct rule **rule_out, struct captures *captures)
{
    for (size_t i = 0; i < count; i++) {
        enum pattern_result result =
            rules[i].pattern ? pattern_match(rules[i].pattern, text, captures) : PATTERN_NO_MATCH;
        if (result == PATTERN_NO_MATCH)
            continue;
        *rule_out = &rules[i];
        return result;
    }
    return PATTERN_NO_MATCH;
}

#define MAX_RULES 6

static const struct {
    const char *rules[MAX_RULES];
    size_t count;
    const char *text;
    enum pattern_result result;
    size_t rule;
} rows[] = {
    {{NULL}, 0, "a", PATTERN_NO_MATCH, 0},
    {{NULL}, 1, "", PATTERN_NO_MATCH, 0},
    {{"a"}, 1, "a", PATTERN_MATCH, 0},
    {{"a"}, 1, "b", PATTERN_NO_MATCH, 0},
    {{"a"}, 1, "", PATTERN_NO_MATCH, 0},
    {{""}, 1, "", PATTERN_MATCH, 0},
    {{"b", ""}, 2, "", PATTERN_MATCH, 1},
    /* Of equal literals the first. */
    {{"b", "a", "b", "a"}, 4, "a", PATTERN_MATCH, 1},
    {{"b", "a", "b", "a"}, 4, "b", PATTERN_MATCH, 0},
    {{"a", "a", "a", "a", "a", "a"}, 6, "a", PATTERN_MATCH, 0},
    /* Others before the literal have the first say, those behind it none. */
    {{".", "a", "[a]"}, 3, "a", PATTERN_MATCH, 0},
    {{"a", ".", "[a]"}, 3, "a", PATTERN_MATCH, 0},
    {{"b", "[c]", "a", "."}, 4, "a", PATTERN_MATCH, 2},
    {{"b", "[c]", "a", "."}, 4, "c", PATTERN_MATCH, 1},
    {{"b", "[c]", "a", "."}, 4, "d", PATTERN_MATCH, 3},
    {{"b", ".", "a"}, 3, "ab", PATTERN_NO_MATCH, 0},
    /* One text begins with the other. */
    {{"abc", "ab", "a", "abcd"}, 4, "ab", PATTERN_MATCH, 1},
    {{"abc", "ab", "a", "abcd"}, 4, "abcd", PATTERN_MATCH, 3},
    {{"abc", "ab", "a", "abcd"}, 4, "abcde", PATTERN_NO_MATCH, 0},
    {{"version"}, 1, "Version", PATTERN_NO_MATCH, 0},
    {{"b", NULL, "a"}, 3, "a", PATTERN_MATCH, 2},
    /* A limit decides where it stands. */
    {{RUNAWAY, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, 2,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", PATTERN_LIMIT, 0},
    {{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", RUNAWAY}, 2,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", PATTERN_MATCH, 0},
};

Test(rule_index, table)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rule *rules = make_rules(rows[i].rules, rows[i].count);
        const struct rule *rule = NULL;
        struct captures captures;
        struct rule_index index;
        rule_index_build(&index, rules, rows[i].count);
        cr_expect_eq(rule_index_match(&index, span_from_string(rows[i].text), NULL, &rule,
                                      &captures),
                     rows[i].result, "row %zu: result", i);
        cr_expect_eq(rule, rows[i].result == PATTERN_NO_MATCH ? NULL : &rules[rows[i].rule],
                     "row %zu: rule", i);
        rule_index_clear(&index);
        free_rules(rules, rows[i].count);
    }
}

Test(rule_index, of_nothing_matches_nothing)
{
    struct rule_index index = {0};
    const struct rule *rule = NULL;
    struct captures captures;

    cr_expect_eq(rule_index_match(&index, SPAN(""), NULL, &rule, &captures), PATTERN_NO_MATCH);
    rule_index_clear(&index);
    rule_index_build(&index, NULL, 0);
    cr_expect_eq(rule_index_match(&index, span_make(NULL, 0), NULL, &rule, &captures),
                 PATTERN_NO_MATCH);
    cr_expect_null(rule);
    rule_index_clear(&index);
}

Test(rule_index, bytes_of_the_text_are_compared_all)
{
    static const char *const texts[] = {"a", "ab", "b"};
    struct rule *rules = make_rules(texts, COUNT(texts));
    const struct rule *rule = NULL;
    struct captures captures;
    struct rule_index index;

    rule_index_build(&index, rules, COUNT(texts));
    cr_expect_eq(rule_index_match(&index, span_make("a\0", 2), NULL, &rule, &captures),
                 PATTERN_NO_MATCH);
    cr_expect_eq(rule_index_match(&index, span_make("a\0b", 3), NULL, &rule, &captures),
                 PATTERN_NO_MATCH);
    cr_expect_eq(rule_index_match(&index, span_make("\xff", 1), NULL, &rule, &captures),
                 PATTERN_NO_MATCH);
    rule_index_clear(&index);
    free_rules(rules, COUNT(texts));
}

static unsigned below(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % limit;
}

static void check_text(const struct rule_index *index, const struct rule *rules, size_t count,
                       struct span text, size_t *found)
{
    const struct rule *rule = NULL, *expected = NULL;
    struct captures captures = {.count = 0}, expected_captures = {.count = 0};
    enum pattern_result result = match_in_order(rules, count, text, &expected, &expected_captures);

    cr_assert_eq(rule_index_match(index, text, NULL, &rule, &captures), result,
                 "'%.*s' of %zu rules", (int)text.len, text.data, count);
    cr_assert_eq(rule, expected, "'%.*s' of %zu rules", (int)text.len, text.data, count);
    if (result != PATTERN_MATCH)
        return;
    ++*found;
    cr_assert_eq(captures.count, expected_captures.count);
    for (size_t i = 0; i < captures.count; i++)
        cr_assert(span_equals(captures.groups[i], expected_captures.groups[i]));
}

/* Few letters, so that texts meet rules, and rules of both kinds meet each other. */
Test(rule_index, agrees_with_trying_all_in_order)
{
    static const char *const pieces[] = {"a", "b", "c", "a", "b", "c", ".", "(.*)", "[ab]", "b?"};
    static const char *const letters[] = {"a", "b", "c"};
    size_t literals = 0, others = 0, found = 0;
    unsigned seed = 1;
    struct buf text;

    buf_init(&text, 1000);
    for (size_t round = 0; round < 400; round++) {
        size_t count = below(&seed, 60);
        unsigned kinds = below(&seed, 3) ? (unsigned)COUNT(pieces) : 3;
        struct rule *rules = mem_zalloc(count, sizeof *rules);
        struct rule_index index;
        for (size_t i = 0; i < count; i++) {
            buf_reset(&text);
            for (unsigned left = below(&seed, 5); left > 0; left--)
                buf_append_string(&text, pieces[below(&seed, kinds)]);
            buf_append_char(&text, '\0');
            rules[i].pattern = compile(buf_span(&text).data);
            literals += pattern_is_literal(rules[i].pattern);
            others += !pattern_is_literal(rules[i].pattern);
        }
        rule_index_build(&index, rules, count);
        for (size_t i = 0; i < 100; i++) {
            buf_reset(&text);
            for (unsigned left = below(&seed, 6); left > 0; left--)
                buf_append_string(&text, letters[below(&seed, COUNT(letters))]);
            check_text(&index, rules, count, buf_span(&text), &found);
        }
        rule_index_clear(&index);
        free_rules(rules, count);
    }
    cr_expect(literals > 1000 && others > 1000, "%zu literals, %zu others", literals, others);
    cr_expect(found > 1000 && found < 39000, "%zu found", found);
    buf_clear(&text);
}
