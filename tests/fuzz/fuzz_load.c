/* Profile files: any bytes give profiles or messages, and messages that can be shown.
 *
 * Input: the file. alice is a user, staff a group. */
#include <string.h>

#include "buf.h"
#include "fuzz_check.h"
#include "profile_load.h"

static bool find_user(void *context, const char *name, uid_t *uid_out)
{
    (void)context;
    *uid_out = 1000;
    return strcmp(name, "alice") == 0;
}

static bool find_group(void *context, const char *name, gid_t *gid_out)
{
    (void)context;
    *gid_out = 2000;
    return strcmp(name, "staff") == 0;
}

static void check_message(const struct diag *diag, size_t size)
{
    require(diag->text[0] != '\0' && strcmp(diag->file, "x.yml") == 0);
    /* An end of the file is a place too, behind the last line. */
    require(diag->line <= size + 2 && diag->column <= size + 2);
    require((diag->line == 0) == (diag->column == 0));
    for (const char *c = diag->text; *c; c++)
        require((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void check_rule(const struct rule *rule)
{
    require(rule->pattern && rule->where.line > 0);
    require(!rule->reply || (!rule->replacement && rule->response.count == 0));
    require((rule->reply == NULL) == (rule->reply_count == 0));
    for (size_t i = 0; i < rule->response.count; i++)
        require(rule->response.items[i].pattern && rule->response.items[i].replacement);
}

static void check_commands(const struct profile *profile)
{
    for (size_t i = 0; i < profile->command_count; i++) {
        const struct command_rules *command = &profile->commands[i];
        require(profile_find_command(profile, command->keyword->id) == command);
        for (size_t j = 0; j < command->count; j++)
            check_rule(&command->rules[j]);
    }
}

static void check_names(const struct profile *profile)
{
    for (size_t i = 0; i < profile->conf_count; i++) {
        const struct conf_rule *conf = &profile->confs[i];
        require(profile_find_conf(profile, span_from_string(conf->name)) == conf);
    }
    for (size_t i = 0; i < profile->event_count; i++) {
        const struct event_rule *event = &profile->events[i];
        require(profile_find_event(profile, span_from_string(event->name)) == event);
    }
}

static bool is_range(struct port_range range)
{
    return range.first >= 1 && range.first <= range.last;
}

static void check_create(const struct onion_create *create)
{
    require(create->virtual_port_count > 0 && create->target_count > 0);
    require(create->allows_new || create->allows_stored);
    require((create->drop_flags & (create->flags | create->require_flags)) == 0);
    require((create->key_rule != NULL) == create->redact_key);
    for (size_t i = 0; i < create->virtual_port_count; i++)
        require(is_range(create->virtual_ports[i]));
    for (size_t i = 0; i < create->target_count; i++) {
        const struct onion_target *target = &create->targets[i];
        require(target->path ? target->path[0] == '/' : is_range(target->ports));
        require(!target->path || !(target->is_port_only || target->is_client));
    }
}

/* One command has one judge. */
static void check_onions(const struct profile *profile)
{
    const struct onion_rules *rules = &profile->onions;

    for (size_t i = 0; i < rules->create_count; i++)
        check_create(&rules->creates[i]);
    for (size_t i = 0; i < profile->command_count; i++)
        require(!onion_rules_place(rules, profile->commands[i].keyword->id));
    for (size_t i = 0; i < profile->event_count; i++)
        require(profile->events[i].profile == profile->name);
}

/* A socket of its own is never for everybody by silence. */
static void check_socket(const struct profile *profile)
{
    const struct profile_socket *socket = &profile->socket;

    require(!socket->is_wanted || socket->has_user || socket->has_group ||
            profile->users.is_present || profile->groups.is_present ||
            profile->apparmor_profiles.is_present);
    require(socket->mode <= 0777);
    require(!socket->path || (socket->path[0] == '/' && strlen(socket->path) <= 107));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct name_resolver resolver = {find_user, find_group, NULL};
    struct span text = span_make((const char *)data, size);
    struct diag_list diags;

    diag_list_init(&diags);
    struct profile_file *file = profile_load("x.yml", text, &resolver, &diags);
    require((file == NULL) == (diags.errors > 0));
    for (size_t i = 0; i < diags.count; i++)
        check_message(&diags.items[i], size);
    for (size_t i = 0; file && i < file->count; i++) {
        require(file->profiles[i].name && file->profiles[i].where.file == file->path);
        check_commands(&file->profiles[i]);
        check_names(&file->profiles[i]);
        check_onions(&file->profiles[i]);
        check_socket(&file->profiles[i]);
    }
    profile_file_unref(file);
    diag_list_clear(&diags);
    return 0;
}
