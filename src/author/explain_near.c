/* What a refused command came near to: rules that agree with the front of it, and profiles that
 * allow it but are for others.
 *
 * A rule is near if a good part of the text could begin a match of its pattern
 * (pattern_prefix_length). What `onions` compared is in the decision already: the element that came
 * farthest, and what it does not allow. */
#include "explain_parts.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "kvline.h"
#include "mem.h"
#include "quoted.h"
#include "words.h"

#define LEAST_AGREED 8 /* bytes that are worth a mention, whatever follows */

struct search {
    const struct policy_view *view;
    const struct command *command;
    const struct template_variables *variables;
    struct explain_budget *budget;
    struct explain_hints *hints;
};

/* --- rules --- */

static bool is_near(struct span subject, size_t agreed)
{
    return agreed > 0 && (agreed >= LEAST_AGREED || agreed * 2 >= subject.len);
}

/* Keeps the best few, best first; of equals the one that stands first. */
static void keep_near(struct explain_hints *hints, const struct explain_near *near)
{
    size_t at = hints->near_count;

    while (at > 0 && hints->near[at - 1].agreed < near->agreed)
        at--;
    if (at == EXPLAIN_MAX_NEAR)
        return;
    if (hints->near_count < EXPLAIN_MAX_NEAR)
        hints->near_count++;
    memmove(&hints->near[at + 1], &hints->near[at],
            (hints->near_count - at - 1) * sizeof hints->near[0]);
    hints->near[at] = *near;
}

/* Whether the patterns are used up; notes it. */
static bool is_spent(const struct search *search)
{
    search->hints->is_cut = search->hints->is_cut || search->budget->patterns.left == 0;
    return search->budget->patterns.left == 0;
}

static void try_pattern(const struct search *search, const struct pattern *pattern,
                        struct span subject, const struct explain_rule *rule)
{
    size_t agreed = pattern_prefix_length(pattern, subject, &search->budget->patterns);
    struct explain_near near = {.rule = *rule, .subject = subject, .agreed = agreed};

    if (!is_near(subject, agreed))
        return;
    near.is_over = pattern_match(pattern, span_first(subject, agreed), NULL) == PATTERN_MATCH;
    /* It matched, and the command was refused for another reason. */
    if (near.is_over && agreed == subject.len)
        return;
    keep_near(search->hints, &near);
}

static void search_rules(const struct search *search, struct span subject)
{
    for (size_t i = 0; i < search->view->count; i++) {
        const struct profile *profile = search->view->profiles[i];
        const struct command_rules *rules =
            profile_find_command(profile, search->command->keyword->id);
        for (size_t j = 0; rules && j < rules->count && !is_spent(search); j++) {
            const struct rule *rule = &rules->rules[j];
            const struct explain_rule found = {.profile = profile->name,
                                               .section = "commands",
                                               .name = keyword_label(rules->keyword),
                                               .where = rule->where,
                                               .text = pattern_text(rule->pattern)};
            try_pattern(search, rule->pattern, subject, &found);
        }
    }
}

/* --- values of options --- */

static void search_values(const struct search *search, const struct profile *profile,
                          const struct conf_rule *conf, struct span value)
{
    for (size_t i = 0; i < conf->count && !is_spent(search); i++) {
        const struct explain_rule found = {.profile = profile->name,
                                           .section = "confs",
                                           .name = conf->name,
                                           .where = conf->places ? conf->places[i] : conf->where,
                                           .text = pattern_text(conf->values[i])};
        try_pattern(search, conf->values[i], value, &found);
    }
}

static void search_option(const struct search *search, const struct kv_pair *pair)
{
    for (size_t i = 0; i < search->view->count; i++) {
        const struct profile *profile = search->view->profiles[i];
        const struct conf_rule *conf = profile_find_conf(profile, pair->key);
        if (conf && pair->has_value && !pair->is_quoted)
            search_values(search, profile, conf, pair->value);
    }
}

static void search_options(const struct search *search)
{
    struct span rest = search->command->arguments;
    struct kv_pair pair;

    while (kv_next(search->command->keyword->grammar, &rest, &pair) == KV_PAIR)
        search_option(search, &pair);
}

/* --- the view's own rules --- */

static void search_keys(const struct search *search)
{
    struct explain_keys keys;

    explain_keys_of(search->view, search->command, search->variables, &keys);
    for (size_t i = 0; i < keys.count; i++)
        if (!keys.items[i].is_allowed)
            search_rules(search, keys.items[i].text);
    if (keys.count == 0)
        search_rules(search, search->command->arguments);
    explain_keys_clear(&keys);
}

static void search_view(const struct search *search)
{
    search_keys(search);
    if (search->command->keyword->grammar == GRAMMAR_QUOTED)
        search_options(search);
}

/* --- other profiles --- */

static bool view_has(const struct policy_view *view, const struct profile *profile)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->profiles[i] == profile)
            return true;
    return false;
}

static void keep_other(const struct search *search, const struct explain_setup *setup,
                       const struct profile *profile, struct source where)
{
    const struct policy_view alone = {.profiles = &profile, .count = 1};
    struct explain_hints *hints = search->hints;
    struct buf lack;

    if (hints->other_count == EXPLAIN_MAX_NEAR) {
        hints->more_others++;
        return;
    }
    struct explain_other *other = &hints->others[hints->other_count++];
    other->profile = profile;
    other->has_rule = explain_find_rule(&alone, where, &other->rule);
    buf_init(&lack, 4096);
    explain_append_lack(&lack, setup, profile);
    other->lacks = mem_copy_string(buf_span(&lack));
    buf_clear(&lack);
}

static void ask_other(const struct search *search, const struct explain_setup *setup,
                      const struct profile *profile)
{
    const struct policy_view alone = {.profiles = &profile, .count = 1};
    struct decision decision;

    search->budget->decisions--;
    policy_decide(&alone, search->command, search->variables, &decision);
    if (decision.verdict != VERDICT_REFUSE)
        keep_other(search, setup, profile, decision.rule);
    decision_clear(&decision);
}

static void search_others(const struct search *search, const struct explain_setup *setup)
{
    const struct policy_index *index = &setup->policy->index;

    for (size_t i = 0; i < index->profile_count; i++) {
        if (view_has(search->view, index->profiles[i]))
            continue;
        if (search->budget->decisions == 0) {
            search->hints->is_cut = true;
            return;
        }
        ask_other(search, setup, index->profiles[i]);
    }
}

/* --- all of it --- */

static bool is_searched(const struct command *command)
{
    return command->keyword && command->defect == COMMAND_SOUND &&
           !(command->keyword->flags & KEYWORD_IS_LOCAL);
}

void explain_hints_of(const struct explain_setup *setup, const struct policy_view *view,
                      const struct command *command, struct explain_budget *budget,
                      struct explain_hints *hints_out)
{
    const struct search search = {view, command, &setup->client->variables, budget, hints_out};

    *hints_out = (struct explain_hints){.near_count = 0};
    buf_init(&hints_out->suggestion, EXPLAIN_MAX_TEXT);
    if (!is_searched(command))
        return;
    search_view(&search);
    if (!setup->client->forced)
        search_others(&search, setup);
    if (view->count > 0)
        explain_suggest(view, command, &setup->client->variables, hints_out);
}

void explain_hints_clear(struct explain_hints *hints)
{
    for (size_t i = 0; i < hints->other_count; i++)
        free(hints->others[i].lacks);
    buf_wipe(&hints->suggestion);
}
