/* Whether a profile could be given to everybody: the first thing in it that could not.
 *
 * Public data, the version, a new identity, and onion services on ports that are named are nobody's
 * loss. What a rule answers itself, or rewrites, is its author's care. */
#include "keyword.h"
#include "language.h"
#include "lint_facts.h"
#include "lint_parts.h"

/* Where the search stands. */
struct finder {
    const struct profile *profile;
    struct source where;
    const char *what;
};

static bool found(struct finder *finder, struct source where, const char *what)
{
    finder->where = where;
    finder->what = what;
    return true;
}

/* Whether the rule lets the key through, or one of its family. */
static bool lets_key_through(const struct language *asked, const char *key)
{
    struct buf probe;
    size_t len = strlen(key);

    buf_init(&probe, 256);
    buf_printf(&probe, "(?:.* )?%s%s(?: .*)?", key, key[len - 1] == '/' ? "[!-~]*" : "");
    buf_append_char(&probe, '\0');
    bool is_met = language_meets(asked, buf_span(&probe).data, NULL);
    buf_clear(&probe);
    return is_met;
}

static bool find_in_info(struct finder *finder, const struct rule *rule,
                         const struct language *asked)
{
    const struct info_fact *fact;

    if (rule->response.count > 0)
        return false;
    for (size_t i = 0; (fact = info_fact_at(i)); i++) {
        bool is_cut = fact->is_of_streams && finder->profile->tor_browser_mode;
        if (!is_cut && lets_key_through(asked, fact->key))
            return found(finder, rule->where, fact->tells);
    }
    return false;
}

static bool find_in_signals(struct finder *finder, const struct rule *rule,
                            const struct language *asked)
{
    static const char *const signals[] = {"HALT", "SHUTDOWN", "RELOAD", "DEBUG", "DUMP", "DORMANT",
                                          "TERM", "INT",      "HUP",    "USR1",  "USR2"};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (language_matches(asked, span_from_string(signals[i])))
            return found(finder, rule->where, signal_fact(span_from_string(signals[i])));
    return false;
}

static bool find_in_getconf(struct finder *finder, const struct rule *rule,
                            const struct language *asked)
{
    if (rule->response.count == 0 &&
        (language_meets(asked, "(?:.* )?[Bb][Rr][Ii][Dd][Gg][Ee](?: .*)?", NULL) ||
         language_meets(asked, "(?:.* )?[Hh][Aa][Ss][Hh][Ee][Dd].*", NULL)))
        return found(finder, rule->where, "options with bridges or passwords");
    return false;
}

static bool find_in_rule(struct finder *finder, const struct keyword *keyword,
                         const struct rule *rule)
{
    struct language *asked;
    bool is_found = false;

    if (rule->reply || keyword->id == KEYWORD_USEFEATURE)
        return false;
    asked = language_new(pattern_text(rule->pattern), AUTOMATON_COMMAND);
    if (!asked)
        is_found = found(finder, rule->where, keyword_label(keyword));
    else if (keyword->id == KEYWORD_GETINFO)
        is_found = find_in_info(finder, rule, asked);
    else if (keyword->id == KEYWORD_SIGNAL)
        is_found = find_in_signals(finder, rule, asked);
    else if (keyword->id == KEYWORD_GETCONF)
        is_found = find_in_getconf(finder, rule, asked);
    else
        is_found = found(finder, rule->where, keyword_label(keyword));
    language_free(asked);
    return is_found;
}

static bool find_in_commands(struct finder *finder)
{
    for (size_t i = 0; i < finder->profile->command_count; i++) {
        const struct command_rules *command = &finder->profile->commands[i];
        bool is_unused = command->keyword->flags & (KEYWORD_IS_LOCAL | KEYWORD_IS_OBSOLETE) ||
                         command->keyword->id == KEYWORD_SETEVENTS;
        for (size_t j = 0; !is_unused && j < command->count; j++)
            if (find_in_rule(finder, command->keyword, &command->rules[j]))
                return true;
    }
    return false;
}

static bool find_in_confs(struct finder *finder)
{
    for (size_t i = 0; i < finder->profile->conf_count; i++) {
        const struct conf_rule *conf = &finder->profile->confs[i];
        const struct option_fact *fact = option_fact_find(conf->name);
        if (conf->count > 0)
            return found(finder, conf->where, "SETCONF");
        if (fact && fact->tells)
            return found(finder, conf->where, fact->tells);
    }
    return false;
}

static bool find_in_events(struct finder *finder)
{
    for (size_t i = 0; i < finder->profile->event_count; i++) {
        const struct event_rule *event = &finder->profile->events[i];
        const struct event_fact *fact = event_fact_find(event->name);
        if (!fact || event->suppress || event->own_onions_only || event->response.count > 0 ||
            (fact->is_of_streams && finder->profile->tor_browser_mode))
            continue;
        return found(finder, event->where, fact->tells);
    }
    return false;
}

static bool find_in_onions(struct finder *finder)
{
    const struct onion_rules *onions = &finder->profile->onions;

    for (size_t i = 0; i < onions->create_count; i++)
        if (lint_onion_is_free(&onions->creates[i]))
            return found(finder, onions->creates[i].where, "onion services on any port");
    if (onions->client_auth_keys_own)
        return found(finder, onions->keys_where, "keys for onion sites, which all of them share");
    return false;
}

bool lint_find_power(const struct profile *profile, struct source *where_out, const char **what_out)
{
    struct finder finder = {.profile = profile};
    bool is_found = find_in_commands(&finder) || find_in_confs(&finder) ||
                    find_in_events(&finder) || find_in_onions(&finder);

    *where_out = finder.where;
    *what_out = finder.what;
    return is_found;
}
