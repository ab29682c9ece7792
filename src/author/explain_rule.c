/* From a place in a file to the rule that stands there. */
#include "explain_parts.h"

static bool is_at(struct source where, struct source place)
{
    return where.file == place.file && where.line == place.line && where.column == place.column;
}

static const char *action_of(const struct rule *rule)
{
    if (rule->reply)
        return "answered by its reply";
    if (rule->replacement)
        return "the arguments are rewritten";
    return rule->response.count > 0 || rule->response.drop_unmatched ? "the reply is rewritten"
                                                                     : NULL;
}

static bool find_in_commands(const struct profile *profile, struct source where,
                             struct explain_rule *out)
{
    for (size_t i = 0; i < profile->command_count; i++) {
        const struct command_rules *rules = &profile->commands[i];
        for (size_t j = 0; j < rules->count; j++) {
            if (!is_at(rules->rules[j].where, where))
                continue;
            *out = (struct explain_rule){.section = "commands",
                                         .name = keyword_label(rules->keyword),
                                         .text = pattern_text(rules->rules[j].pattern),
                                         .action = action_of(&rules->rules[j])};
            return true;
        }
    }
    return false;
}

static bool find_in_confs(const struct profile *profile, struct source where,
                          struct explain_rule *out)
{
    for (size_t i = 0; i < profile->conf_count; i++) {
        if (!is_at(profile->confs[i].where, where))
            continue;
        *out = (struct explain_rule){
            .section = "confs", .name = profile->confs[i].name, .text = profile->confs[i].name};
        return true;
    }
    return false;
}

static bool find_in_events(const struct profile *profile, struct source where,
                           struct explain_rule *out)
{
    for (size_t i = 0; i < profile->event_count; i++) {
        const struct event_rule *rule = &profile->events[i];
        if (!is_at(rule->where, where))
            continue;
        *out = (struct explain_rule){.section = "events", .name = rule->name, .text = rule->name};
        if (rule->suppress)
            out->action = "suppressed: the client never gets any";
        else if (rule->response.count > 0 || rule->response.drop_unmatched)
            out->action = "events are rewritten";
        return true;
    }
    return false;
}

static bool find_in_onions(const struct profile *profile, struct source where,
                           struct explain_rule *out)
{
    const struct onion_rules *onions = &profile->onions;
    const struct {
        struct source where;
        const char *text;
    } rows[] = {
        {onions->delete_where, "delete"}, {onions->events_where, "events"},
        {onions->fetch_where, "fetch"},   {onions->keys_where, "client-auth-keys"},
        {onions->where, "onions"},
    };

    *out = (struct explain_rule){.section = "onions", .name = "create", .text = "create"};
    for (size_t i = 0; i < onions->create_count; i++)
        if (is_at(onions->creates[i].where, where))
            return true;
    for (size_t i = 0; onions->is_present && i < sizeof rows / sizeof *rows; i++) {
        out->name = out->text = rows[i].text;
        if (is_at(rows[i].where, where))
            return true;
    }
    return false;
}

bool explain_find_rule(const struct policy_view *view, struct source where,
                       struct explain_rule *rule_out)
{
    if (!where.file || where.line == 0)
        return false;
    for (size_t i = 0; i < view->count; i++) {
        const struct profile *profile = view->profiles[i];
        if (profile->where.file != where.file)
            continue;
        if (find_in_commands(profile, where, rule_out) || find_in_confs(profile, where, rule_out) ||
            find_in_events(profile, where, rule_out) || find_in_onions(profile, where, rule_out)) {
            rule_out->profile = profile->name;
            rule_out->where = where;
            return true;
        }
    }
    return false;
}
