/* GETINFO: which keys a rule lets through. */
#include <string.h>

#include "describe.h"
#include "lint_facts.h"
#include "lint_parts.h"
#include "words.h"

#define SHOWN_KEYS 3

static bool is_family(const struct info_fact *fact)
{
    return fact->key[strlen(fact->key) - 1] == '/';
}

/* Whether the rule lets the key through, or one of the family. */
static bool lets_through(const struct language *sent, const struct info_fact *fact)
{
    struct buf probe;

    if (language_rules_out(sent, span_from_string(fact->key)))
        return false;
    if (!is_family(fact))
        return language_matches(sent, span_from_string(fact->key));
    buf_init(&probe, 256);
    buf_append_string(&probe, fact->key);
    buf_append_string(&probe, "[!-~]+");
    buf_append_char(&probe, '\0');
    bool is_met = language_meets(sent, buf_span(&probe).data, NULL);
    buf_clear(&probe);
    return is_met;
}

/* What tor-browser-mode cuts down, and what a `response` is for, is no plain grant. */
static bool is_restricted(const struct lint *lint, const struct lint_rule *rule,
                          const struct info_fact *fact)
{
    return rule->rule->response.count > 0 ||
           (fact->is_of_streams && lint->profile->tor_browser_mode);
}

/* Whether the pattern itself begins with the key's name: its author had it in mind. */
static bool is_named(const struct language *sent, const struct info_fact *fact)
{
    struct buf prefix;

    buf_init(&prefix, 256);
    language_append_prefix(sent, &prefix);
    bool is_prefix = is_family(fact)
                         ? span_starts_with(buf_span(&prefix), span_from_string(fact->key))
                         : span_equals(buf_span(&prefix), span_from_string(fact->key));
    buf_clear(&prefix);
    return is_prefix;
}

static void append_key(struct buf *out, const struct info_fact *fact, size_t shown)
{
    buf_printf(out, "%s'%s' (%s)", shown ? ", " : "", fact->key, fact->tells);
}

/* A pattern with more matches than one can list. */
static void lint_open_pattern(struct lint *lint, const struct lint_rule *rule)
{
    const struct info_fact *fact;
    struct buf keys;
    size_t shown = 0;

    buf_init(&keys, 1024);
    for (size_t i = 0; (fact = info_fact_at(i)) && shown < SHOWN_KEYS; i++) {
        if (is_restricted(lint, rule, fact) || !lets_through(rule->sent, fact))
            continue;
        if (is_named(rule->sent, fact))
            lint_note(lint, rule->rule->where, "grants-key", "GETINFO %s tells %s", fact->key,
                      fact->tells);
        else
            append_key(&keys, fact, shown++);
    }
    buf_append_char(&keys, '\0');
    if (shown > 0)
        lint_warning(lint, rule->rule->where, "hidden-grant",
                     "'%s' also lets through %s; name the keys that are needed",
                     lint_quote(lint, span_from_string(language_text(rule->asked))),
                     buf_span(&keys).data);
    buf_clear(&keys);
}

static const struct info_fact *find_fact(struct span key)
{
    const struct info_fact *fact;

    for (size_t i = 0; (fact = info_fact_at(i)); i++) {
        struct span known = span_from_string(fact->key);
        if (is_family(fact) ? span_starts_with(key, known) : span_equals(key, known))
            return fact;
    }
    return NULL;
}

/* One text that the rule lets through: one key, or several. */
static void lint_keys(struct lint *lint, const struct lint_rule *rule, struct span text)
{
    struct span key;

    while (words_next(&text, &key)) {
        const struct info_fact *fact = find_fact(key);
        if (!describe_info_key(key))
            lint_warning(lint, rule->rule->where, "unknown-name",
                         "tor 0.4.9 knows no GETINFO key '%s'", lint_quote(lint, key));
        else if (fact && !is_restricted(lint, rule, fact))
            lint_note(lint, rule->rule->where, "grants-key", "GETINFO %s tells %s",
                      lint_quote(lint, key), fact->tells);
    }
}

/* Whether tor knows a key that begins so, or takes this for the beginning of one. */
static bool begins_key(struct span prefix)
{
    const char *known;

    for (size_t i = 0; (known = describe_info_key_at(i)); i++) {
        struct span key = span_from_string(known);
        bool is_prefix_key = key.data[key.len - 1] == '/';
        if (span_starts_with(key, prefix) || (is_prefix_key && span_starts_with(prefix, key)))
            return true;
    }
    return false;
}

static void lint_unknown_prefix(struct lint *lint, const struct lint_rule *rule)
{
    struct buf prefix;

    buf_init(&prefix, 256);
    language_append_prefix(rule->sent, &prefix);
    if (!prefix.overflow && !begins_key(buf_span(&prefix)))
        lint_warning(lint, rule->rule->where, "unknown-name",
                     "tor 0.4.9 knows no GETINFO key that begins with '%s'",
                     lint_quote(lint, buf_span(&prefix)));
    buf_clear(&prefix);
}

void lint_info(struct lint *lint, const struct lint_rule *rule, bool is_wide)
{
    struct text_list texts;

    if (language_enumerate(rule->sent, LINT_MAX_TEXTS, &texts)) {
        for (size_t i = 0; i < texts.count; i++)
            lint_keys(lint, rule, span_from_string(texts.items[i]));
        text_list_clear(&texts);
        return;
    }
    lint_unknown_prefix(lint, rule);
    if (!is_wide)
        lint_open_pattern(lint, rule);
}
