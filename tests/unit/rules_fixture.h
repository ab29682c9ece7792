/* Rules from text, for tests of what becomes of tor's lines. */
#ifndef OG_RULES_FIXTURE_H
#define OG_RULES_FIXTURE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "profile.h"

#define FIXTURE_MAX 8

struct line_rule_text {
    const char *pattern;
    const char *replacement;
};

/* A rule as a profile would write it. Response pairs end at a NULL pattern, reply lines at NULL. */
struct rule_text {
    struct line_rule_text response[FIXTURE_MAX];
    bool drop_unmatched;
    const char *reply[FIXTURE_MAX];
};

static inline void fixture_line_rule(struct line_rule *rule, const struct line_rule_text *text)
{
    struct buf error;
    size_t column;

    buf_init(&error, 4096);
    rule->pattern = pattern_compile(text->pattern, &column, &error);
    cr_assert_not_null(rule->pattern, "%s: %.*s", text->pattern, (int)error.len,
                       buf_span(&error).data);
    rule->replacement = template_compile(
        text->replacement, pattern_capture_count(rule->pattern), &column, &error);
    cr_assert_not_null(rule->replacement, "%s: %.*s", text->replacement, (int)error.len,
                       buf_span(&error).data);
    buf_clear(&error);
}

static inline void fixture_line_rules(struct line_rules *rules, const struct rule_text *text)
{
    *rules = (struct line_rules){.drop_unmatched = text->drop_unmatched};
    while (rules->count < FIXTURE_MAX && text->response[rules->count].pattern)
        rules->count++;
    rules->items = mem_zalloc(FIXTURE_MAX, sizeof(rules->items[0]));
    for (size_t i = 0; i < rules->count; i++)
        fixture_line_rule(&rules->items[i], &text->response[i]);
}

static inline void fixture_rule(struct rule *rule, const struct rule_text *text)
{
    *rule = (struct rule){0};
    fixture_line_rules(&rule->response, text);
    while (rule->reply_count < FIXTURE_MAX && text->reply[rule->reply_count])
        rule->reply_count++;
    if (rule->reply_count)
        rule->reply = mem_zalloc(FIXTURE_MAX, sizeof(rule->reply[0]));
    for (size_t i = 0; i < rule->reply_count; i++)
        rule->reply[i] = mem_copy_string(span_from_string(text->reply[i]));
}

static inline void fixture_line_rules_clear(struct line_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        pattern_free(rules->items[i].pattern);
        template_free(rules->items[i].replacement);
    }
    free(rules->items);
}

static inline void fixture_rule_clear(struct rule *rule)
{
    fixture_line_rules_clear(&rule->response);
    for (size_t i = 0; i < rule->reply_count; i++)
        free(rule->reply[i]);
    free(rule->reply);
}

/* A pattern that gives up at its match limit on long runs of "a" without a "!" behind it. */
#define FIXTURE_RUNAWAY "(?:(?:a|aa)+)+[!?]"

static inline struct template_variables fixture_variables(void)
{
    return (struct template_variables){SPAN("10.0.0.5"), SPAN("1234"), SPAN("10.0.0.1"),
                                       SPAN("9051")};
}

#endif
