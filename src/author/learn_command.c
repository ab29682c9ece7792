/* What one command asks for: rules, options, events, onion services.
 *
 * Of a value only what is known to vary is left open: fingerprints, addresses, ids, numbers that
 * count something. 0 and 1 and words of tor's own stay as they are. What tells of others or acts on
 * them (lint_facts.h) is noted with why, and becomes a comment. */
#include "learn_parts.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "describe.h"
#include "event.h"
#include "hex.h"
#include "lint_facts.h"
#include "mem.h"
#include "words.h"

#define PATTERN_TEXT_MAX COMMAND_MAX_LINE
#define UNKNOWN_KEY "tor knows no such key"

/* --- rules, sorted --- */

static int compare_rules(const struct learn_rule *rule, const struct keyword *keyword,
                         struct span pattern)
{
    struct span own = span_from_string(rule->pattern);
    size_t common = own.len < pattern.len ? own.len : pattern.len;

    if (rule->keyword != keyword)
        return rule->keyword < keyword ? -1 : 1;
    int order = common ? memcmp(own.data, pattern.data, common) : 0;
    return order ? order : (own.len > pattern.len) - (own.len < pattern.len);
}

/* Where the rule is or belongs. */
static size_t rule_position(const struct learn_client *client, const struct keyword *keyword,
                            struct span pattern)
{
    size_t low = 0, high = client->rule_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_rules(&client->rules[middle], keyword, pattern) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void learn_add_rule(struct learn_client *client, const struct learn_rule *rule, struct span pattern,
                    struct span seen)
{
    size_t at = rule_position(client, rule->keyword, pattern);

    if (at < client->rule_count && compare_rules(&client->rules[at], rule->keyword, pattern) == 0) {
        client->rules[at].count++;
        return;
    }
    if (client->rule_count == LEARN_MAX_RULES) {
        client->has_more_rules = true;
        return;
    }
    client->rules = mem_resize(client->rules, client->rule_count + 1, sizeof *client->rules);
    memmove(&client->rules[at + 1], &client->rules[at],
            (client->rule_count - at) * sizeof *client->rules);
    client->rule_count++;
    client->rules[at] = *rule;
    client->rules[at].pattern = mem_copy_string(pattern);
    client->rules[at].seen = mem_copy_string(seen);
    client->rules[at].count = 1;
}

/* --- patterns --- */

void learn_append_literal(struct buf *out, struct span text)
{
    static const struct span special = {"\\^$.|?*+()[]{}", 14};

    for (size_t i = 0; i < text.len; i++) {
        if (span_find(special, text.data[i]) < special.len)
            buf_append_char(out, '\\');
        buf_append_char(out, text.data[i]);
    }
}

struct open_part {
    const char *pattern;
    const char *what;
};

static const struct open_part open_parts[] = {
    [SHAPE_NAME] = {"[!-~]+", "the name"},
    [SHAPE_BIT] = {"[0-9]+", "the number"},
    [SHAPE_NUMBER] = {"[0-9]+", "the number"},
    [SHAPE_ONION] = {"[a-z2-7]{56}", "the onion service"},
    [SHAPE_FINGERPRINT] = {"\\$?[0-9A-Fa-f]{40}(?:[~=][0-9A-Za-z]{1,19})?", "the relay"},
    [SHAPE_ADDRESS] = {"[0-9A-Fa-f.:]{2,45}", "the address"},
    [SHAPE_KEY] = {"[!-~]+", "the key"},
    [SHAPE_PATH] = {"[!-~]+", "the path"},
    [SHAPE_VALUE] = {"[!-~]+", "the value"},
    [SHAPE_UNKNOWN] = {"[!-~]+", "what tor does not know"},
};

static bool is_bare_address(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (hex_digit(text.data[i]) < 0 && text.data[i] != '.' && text.data[i] != ':')
            return false;
    return true;
}

/* What stands for a text of that look, and for its like. */
static const struct open_part *open_part(struct span text)
{
    enum shape shape = shape_of(text);
    bool is_shown = text.len == 0 || text.data[0] != '(';

    if (shape == SHAPE_ADDRESS && is_shown && !is_bare_address(text))
        shape = SHAPE_NAME;
    if (shape == SHAPE_ONION && is_shown)
        for (size_t i = 0; i < text.len; i++)
            if (text.data[i] != ascii_to_lower(text.data[i]))
                shape = SHAPE_NAME;
    return &open_parts[shape];
}

/* --- GETINFO --- */

static const char *why_not_info(struct span key)
{
    for (size_t i = 0; info_fact_at(i); i++) {
        struct span fact = span_from_string(info_fact_at(i)->key);
        bool is_prefix = fact.data[fact.len - 1] == '/';
        if (is_prefix ? span_starts_with(key, fact) : span_equals(key, fact))
            return info_fact_at(i)->tells;
    }
    return NULL;
}

/* The rule for one key, its pattern in `pattern`. */
static void make_info_rule(struct span key, struct learn_rule *rule, struct buf *pattern)
{
    const char *known = describe_info_key(key);
    struct span prefix = span_from_string(known ? known : "");

    if (!known) {
        rule->why = UNKNOWN_KEY;
        rule->how = "";
        buf_append_string(pattern, "(unknown)");
        return;
    }
    rule->why = why_not_info(key);
    rule->how = "it tells ";
    if (span_equals(key, SPAN("status/bootstrap-phase"))) {
        rule->why = NULL;
        rule->kind = LEARN_BOOTSTRAP;
    }
    struct span tail = span_from(key, prefix.len);
    if (prefix.data[prefix.len - 1] != '/' || shape_is_info_tail(prefix, tail)) {
        buf_append(pattern, key);
        return;
    }
    const struct open_part *part = open_part(tail);
    const char *better = info_better_rule(prefix);
    rule->varied = part->what;
    /* Nicknames have an alphabet of their own. */
    if (part == &open_parts[SHAPE_NAME] && better && strstr(better, "name/")) {
        buf_append_string(pattern, better);
        return;
    }
    buf_append(pattern, prefix);
    buf_append_string(pattern, part->pattern);
}

static void learn_info(struct learn_client *client, const struct command *command)
{
    struct span rest = command->arguments, key;
    struct command single = *command;
    struct buf pattern, seen;

    buf_init(&pattern, PATTERN_TEXT_MAX);
    buf_init(&seen, PATTERN_TEXT_MAX);
    if (words_count(rest) == 0)
        learn_add_rule(client, &(struct learn_rule){.keyword = command->keyword}, SPAN(""),
                       SPAN("GETINFO"));
    while (words_next(&rest, &key)) {
        struct learn_rule rule = {.keyword = command->keyword};
        buf_reset(&pattern);
        buf_reset(&seen);
        single.arguments = key;
        make_info_rule(key, &rule, &pattern);
        describe_shape(&seen, &single);
        learn_add_rule(client, &rule, buf_span(&pattern), buf_span(&seen));
    }
    buf_clear(&pattern);
    buf_clear(&seen);
}

/* --- events --- */

static void note_event(struct learn_client *client, const char *name)
{
    size_t at = 0;

    while (at < client->event_count && strcmp(client->events[at].name, name) < 0)
        at++;
    if (at == client->event_count || strcmp(client->events[at].name, name) != 0) {
        client->events =
            mem_resize(client->events, client->event_count + 1, sizeof *client->events);
        memmove(&client->events[at + 1], &client->events[at],
                (client->event_count - at) * sizeof *client->events);
        client->events[at] = (struct learn_event){.name = name};
        client->event_count++;
    }
    client->events[at].count++;
}

static void learn_events(struct learn_client *client, const struct command *command)
{
    struct span rest = command->arguments, name;

    while (words_next(&rest, &name)) {
        const char *known = event_find(name);
        if (known)
            note_event(client, known);
        else if (!event_is_ignored(name))
            client->unknown_events++;
    }
}

/* --- the others --- */

static void learn_options(struct learn_client *client, const struct command *command)
{
    struct span rest = command->arguments, name;

    while (words_next(&rest, &name))
        learn_read_option(client, name);
}

/* Part of a word of a shape: a kind in parentheses, or a word of tor's own. */
static void append_part(struct buf *pattern, struct span part, const char **varied)
{
    if (part.len == 0 || part.data[0] != '(') {
        learn_append_literal(pattern, part);
        return;
    }
    *varied = open_part(part)->what;
    buf_append_string(pattern, open_part(part)->pattern);
}

static void append_word(struct buf *pattern, struct span word, const char **varied)
{
    size_t equals = span_find(word, '=');

    append_part(pattern, span_first(word, equals), varied);
    if (equals == word.len)
        return;
    buf_append_char(pattern, '=');
    append_part(pattern, span_from(word, equals + 1), varied);
}

static void judge_command(const struct command *command, struct learn_rule *rule)
{
    const struct command_fact *fact = command_fact_find(command->keyword->id);
    struct span rest = command->arguments, word;

    rule->how = "it ";
    rule->why = fact ? fact->does : NULL;
    if (command->keyword->flags & KEYWORD_IS_OBSOLETE) {
        rule->how = "";
        rule->why = "tor only answers that it is gone";
    }
    if (command->keyword->id != KEYWORD_SIGNAL || !words_next(&rest, &word))
        return;
    rule->why = describe_signal(word) ? signal_fact(word) : "is none that tor knows";
}

/* Any other command: the words of its shape in their order. */
static void learn_words(struct learn_client *client, const struct command *command)
{
    struct learn_rule rule = {.keyword = command->keyword};
    struct span rest, word;
    struct buf pattern, seen;

    buf_init(&pattern, 2 * PATTERN_TEXT_MAX);
    buf_init(&seen, PATTERN_TEXT_MAX);
    judge_command(command, &rule);
    describe_shape(&seen, command);
    rest = span_from(buf_span(&seen), strlen(keyword_label(command->keyword)));
    while (words_next(&rest, &word)) {
        buf_append_string(&pattern, pattern.len > 0 ? " " : "");
        append_word(&pattern, word, &rule.varied);
    }
    learn_add_rule(client, &rule, buf_span(&pattern), buf_span(&seen));
    buf_clear(&pattern);
    buf_clear(&seen);
}

static void learn_ownership(struct learn_client *client, const struct command *command)
{
    const struct learn_rule rule = {.keyword = command->keyword, .kind = LEARN_ANSWER_OK};

    if (words_count(command->arguments) == 0)
        learn_add_rule(client, &rule, SPAN(""), SPAN("TAKEOWNERSHIP"));
    else
        learn_words(client, command);
}

static const struct {
    enum keyword_id id;
    void (*learn)(struct learn_client *client, const struct command *command);
} learners[] = {
    {KEYWORD_GETINFO, learn_info},        {KEYWORD_GETCONF, learn_options},
    {KEYWORD_SETCONF, learn_set_options}, {KEYWORD_RESETCONF, learn_set_options},
    {KEYWORD_SETEVENTS, learn_events},    {KEYWORD_TAKEOWNERSHIP, learn_ownership},
};

void learn_command(struct learn_client *client, const struct command *command)
{
    if (learn_onion_command(client, command))
        return;
    for (size_t i = 0; i < sizeof learners / sizeof *learners; i++)
        if (learners[i].id == command->keyword->id) {
            learners[i].learn(client, command);
            return;
        }
    learn_words(client, command);
}
