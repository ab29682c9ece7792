/* A profile in memory: its end of life and its look-ups.
 *
 * Look-ups are plain loops: a profile lists a handful of commands, options and events, and names
 * are compared whole, never by a prefix (control-protocol 7.7). Rules, which may be thousands, have
 * rule_index. */
#include "profile.h"

#include <stdlib.h>

static void line_rules_clear(struct line_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        pattern_free(rules->items[i].pattern);
        template_free(rules->items[i].replacement);
    }
    free(rules->items);
}

static void strings_free(char **strings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(strings[i]);
    free(strings);
}

void rule_clear(struct rule *rule)
{
    pattern_free(rule->pattern);
    template_free(rule->replacement);
    line_rules_clear(&rule->response);
    strings_free(rule->reply, rule->reply_count);
}

static void command_rules_clear(struct command_rules *command)
{
    for (size_t i = 0; i < command->count; i++)
        rule_clear(&command->rules[i]);
    free(command->rules);
    rule_index_clear(&command->index);
}

static void conf_rule_clear(struct conf_rule *conf)
{
    free(conf->name);
    for (size_t i = 0; i < conf->count; i++)
        pattern_free(conf->values[i]);
    free(conf->values);
    free(conf->places);
}

static void event_rule_clear(struct event_rule *event)
{
    free(event->own_name);
    line_rules_clear(&event->response);
}

static void qualifiers_clear(struct profile *profile)
{
    strings_free(profile->apparmor_profiles.names, profile->apparmor_profiles.count);
    strings_free(profile->units.names, profile->units.count);
    strings_free(profile->executables.names, profile->executables.count);
    free(profile->hosts.networks);
    free(profile->users.ids);
    free(profile->groups.ids);
}

static void profile_clear(struct profile *profile)
{
    for (size_t i = 0; i < profile->command_count; i++)
        command_rules_clear(&profile->commands[i]);
    for (size_t i = 0; i < profile->conf_count; i++)
        conf_rule_clear(&profile->confs[i]);
    for (size_t i = 0; i < profile->event_count; i++)
        event_rule_clear(&profile->events[i]);
    free(profile->commands);
    free(profile->confs);
    free(profile->events);
    qualifiers_clear(profile);
    onion_rules_clear(&profile->onions);
    free(profile->socket.path);
    free(profile->name);
}

struct profile_file *profile_file_ref(struct profile_file *file)
{
    file->references++;
    return file;
}

void profile_file_unref(struct profile_file *file)
{
    if (!file || --file->references > 0)
        return;
    for (size_t i = 0; i < file->count; i++)
        profile_clear(&file->profiles[i]);
    free(file->profiles);
    free(file->path);
    free(file->stem);
    free(file);
}

const struct command_rules *profile_find_command(const struct profile *profile,
                                                 enum keyword_id keyword)
{
    for (size_t i = 0; i < profile->command_count; i++)
        if (profile->commands[i].keyword->id == keyword)
            return &profile->commands[i];
    return NULL;
}

const struct conf_rule *profile_find_conf(const struct profile *profile, struct span name)
{
    for (size_t i = 0; i < profile->conf_count; i++)
        if (span_equals_nocase(span_from_string(profile->confs[i].name), name))
            return &profile->confs[i];
    return NULL;
}

const struct event_rule *profile_find_event(const struct profile *profile, struct span name)
{
    for (size_t i = 0; i < profile->event_count; i++)
        if (span_equals_nocase(span_from_string(profile->events[i].name), name))
            return &profile->events[i];
    return NULL;
}
