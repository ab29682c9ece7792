/* `onions`: which onion services the client may run (design 3.9).
 *
 * An element of `create` says all that a request may have, so what an author leaves out is refused;
 * only ports and targets, without which there is no service, have to be there. What contradicts
 * itself, or can never be asked for, is an error. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "mem.h"
#include "onion_request.h"
#include "onion_text.h"
#include "profile_load_parts.h"

#define MAX_CREATES 64

/* --- values that are words --- */

static const char *next_word(const void *context, size_t index)
{
    const char *const *words = context;

    return words[index];
}

/* The index of the word, in any case, in a list that ends with NULL; reports another, and returns
 * -1. */
static int load_word(struct load *load, const struct yaml_node *key, const struct yaml_node *value,
                     const char *const *words, const char *known)
{
    if (!load_expect(load, value, YAML_SCALAR, key->text, "write one of its words"))
        return -1;
    for (int i = 0; words[i]; i++)
        if (span_equals_nocase(span_from_string(value->text), span_from_string(words[i])))
            return i;
    const char *nearest = load_nearest(value->text, next_word, words);
    const char *shown = load_quote(load, value->text);
    if (nearest)
        load_error(load, value, "'%s' is '%s'; did you mean %s? The words are %s", key->text, shown,
                   nearest, known);
    else
        load_error(load, value, "'%s' is '%s'; the words are %s", key->text, shown, known);
    return -1;
}

/* --- the keys of an element of `create` --- */

static void load_keys_allowed(struct load *load, void *target, const struct yaml_node *key,
                              const struct yaml_node *value)
{
    static const char *const words[] = {"new", "stored", NULL};
    static const char *const hint = "write [new], [stored] or [new, stored]";
    struct onion_create *create = target;

    create->allows_new = false;
    create->allows_stored = false;
    if (!load_expect(load, value, YAML_LIST, key->text, hint))
        return;
    if (value->count == 0)
        load_error(load, key, "'%s' is an empty list, so nothing can be created; %s", key->text,
                   hint);
    for (size_t i = 0; i < value->count; i++) {
        int word = load_word(load, key, &value->items[i], words, "new and stored");
        create->allows_new = create->allows_new || word == 0;
        create->allows_stored = create->allows_stored || word == 1;
    }
}

static const char *next_flag(const void *context, size_t index)
{
    (void)context;
    return onion_flag_at(index);
}

static unsigned load_flag(struct load *load, const struct yaml_node *key,
                          const struct yaml_node *item)
{
    static const char *const hint = "known are DiscardPK, Detach, V3Auth, MaxStreamsCloseCircuit, "
                                    "NonAnonymous";

    if (!load_expect(load, item, YAML_SCALAR, key->text, hint))
        return 0;
    unsigned flag = onion_flag_find(span_from_string(item->text));
    if (flag)
        return flag;
    const char *nearest = load_nearest(item->text, next_flag, NULL);
    const char *shown = load_quote(load, item->text);
    if (nearest)
        load_error(load, item, "ADD_ONION has no flag '%s'; did you mean %s?", shown, nearest);
    else
        load_error(load, item, "ADD_ONION has no flag '%s'; %s", shown, hint);
    return 0;
}

static unsigned load_flag_list(struct load *load, const struct yaml_node *key,
                               const struct yaml_node *value)
{
    unsigned flags = 0;

    if (!load_expect(load, value, YAML_LIST, key->text, "write the flags as a list: [Detach]"))
        return 0;
    for (size_t i = 0; i < value->count; i++)
        flags |= load_flag(load, key, &value->items[i]);
    return flags;
}

static void load_flags(struct load *load, void *target, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    ((struct onion_create *)target)->flags = load_flag_list(load, key, value);
}

static void load_require_flags(struct load *load, void *target, const struct yaml_node *key,
                               const struct yaml_node *value)
{
    ((struct onion_create *)target)->require_flags = load_flag_list(load, key, value);
}

static void load_drop_flags(struct load *load, void *target, const struct yaml_node *key,
                            const struct yaml_node *value)
{
    ((struct onion_create *)target)->drop_flags = load_flag_list(load, key, value);
}

static void load_client_auth(struct load *load, void *target, const struct yaml_node *key,
                             const struct yaml_node *value)
{
    load_boolean(load, key, value, &((struct onion_create *)target)->client_auth);
}

static void load_proof_of_work(struct load *load, void *target, const struct yaml_node *key,
                               const struct yaml_node *value)
{
    static const char *const words[] = {"false", "true", "no",         "yes", "off",
                                        "on",    "drop", "refuse-512", NULL};
    static const enum onion_pow meanings[] = {
        ONION_POW_REFUSE, ONION_POW_ALLOW, ONION_POW_REFUSE, ONION_POW_ALLOW,
        ONION_POW_REFUSE, ONION_POW_ALLOW, ONION_POW_DROP,   ONION_POW_REFUSE_512};
    int word = load_word(load, key, value, words, "true, false, drop and refuse-512");

    if (word >= 0)
        ((struct onion_create *)target)->proof_of_work = meanings[word];
}

/* A number of at least 1; reports what is none. `hint` says what else the key may have. */
static bool load_count(struct load *load, const struct yaml_node *key,
                       const struct yaml_node *value, const char *hint, unsigned *count_out)
{
    unsigned long number;

    if (!load_expect(load, value, YAML_SCALAR, key->text, hint))
        return false;
    if (onion_text_to_number(span_from_string(value->text), UINT16_MAX, &number) && number > 0) {
        *count_out = (unsigned)number;
        return true;
    }
    load_error(load, value, "'%s' is '%s'; %s", key->text, load_quote(load, value->text), hint);
    return false;
}

static void load_max_streams(struct load *load, void *target, const struct yaml_node *key,
                             const struct yaml_node *value)
{
    static const char *const hint = "write any, or a number from 1 to 65535";
    struct onion_create *create = target;

    create->any_max_streams = value->kind == YAML_SCALAR && strcmp(value->text, "any") == 0;
    create->has_max_streams =
        create->any_max_streams || load_count(load, key, value, hint, &create->max_streams);
}

static void load_max_services(struct load *load, void *target, const struct yaml_node *key,
                              const struct yaml_node *value)
{
    load_count(load, key, value, "write a number from 1 to 65535",
               &((struct onion_create *)target)->max_services);
}

static void load_private_key(struct load *load, void *target, const struct yaml_node *key,
                             const struct yaml_node *value)
{
    static const char *const words[] = {"pass", "redact", NULL};

    ((struct onion_create *)target)->redact_key =
        load_word(load, key, value, words, "pass and redact") == 1;
}

static const struct load_key create_rows[] = {
    {"virtual-ports", load_virtual_ports},
    {"targets", load_targets},
    {"target-address", load_target_address},
    {"keys", load_keys_allowed},
    {"flags", load_flags},
    {"require-flags", load_require_flags},
    {"drop-flags", load_drop_flags},
    {"client-auth", load_client_auth},
    {"proof-of-work", load_proof_of_work},
    {"max-streams", load_max_streams},
    {"max-services", load_max_services},
    {"private-key", load_private_key},
};

static const struct load_keys create_keys = {"an entry of 'create'", create_rows,
                                             sizeof create_rows / sizeof *create_rows};

/* --- what an element says as a whole --- */

/* The first flag of a set, for a message. */
static const char *flag_name(unsigned flags)
{
    size_t index = 0;

    while (!(flags & (1u << index)))
        index++;
    return onion_flag_at(index);
}

static void check_dropped(struct load *load, const struct yaml_node *node,
                          const struct onion_create *create)
{
    const struct yaml_node *dropped = yaml_mapping_get(node, "drop-flags");
    unsigned kept = create->drop_flags & create->flags;
    unsigned added = create->drop_flags & create->require_flags;

    if (!dropped)
        return;
    if (added)
        load_error(load, dropped,
                   "%s is in 'require-flags' and in 'drop-flags', but it cannot be added and taken "
                   "out; keep one of them",
                   flag_name(added));
    if (kept)
        load_error(load, dropped,
                   "%s is in 'flags' and in 'drop-flags'; 'flags' passes it on, 'drop-flags' takes "
                   "it out; keep one of them",
                   flag_name(kept));
    if (create->drop_flags & ADD_ONION_V3_AUTH)
        load_error(load, dropped,
                   "V3Auth cannot be taken out: a service that is meant for a few would be open to "
                   "all; leave it out of 'flags' and 'client-auth', and it is refused");
}

static void check_auth(struct load *load, const struct yaml_node *node,
                       const struct onion_create *create)
{
    const struct yaml_node *required = yaml_mapping_get(node, "require-flags");
    const struct yaml_node *flags = yaml_mapping_get(node, "flags");

    if (create->client_auth)
        return;
    if (required && (create->require_flags & ADD_ONION_V3_AUTH))
        load_error(load, required,
                   "V3Auth is required, but tor takes it only together with ClientAuthV3=; add "
                   "'client-auth: true', or take the flag out");
    if (flags && (create->flags & ADD_ONION_V3_AUTH))
        load_warning(load, flags,
                     "V3Auth is allowed, but tor takes it only together with ClientAuthV3=; add "
                     "'client-auth: true', which allows both");
}

static void check_target_address(struct load *load, const struct onion_create *create)
{
    for (size_t i = 0; create->target_address && i < create->target_count; i++)
        if (create->targets[i].path)
            diag_add(load->diags, DIAG_WARNING, create->targets[i].where,
                     "'target-address' does not change a unix: target, which is a socket of the "
                     "machine on which tor runs");
}

static void check_private_key(struct load *load, const struct yaml_node *node,
                              const struct onion_create *create)
{
    const struct yaml_node *redact = yaml_mapping_get(node, "private-key");
    bool is_never_sent = !create->allows_new || (create->require_flags & ADD_ONION_DISCARD_PK) != 0;

    if (redact && create->redact_key && is_never_sent)
        load_warning(load, redact,
                     "'private-key: redact' decides nothing: tor sends a key only for a new one, "
                     "and not with DiscardPK");
}

static struct line_rule make_line_rule(const char *pattern, const char *replacement,
                                       struct source where)
{
    struct buf error;
    size_t column;

    buf_init(&error, SIZE_MAX / 2);
    struct line_rule rule = {.where = where, .pattern = pattern_compile(pattern, &column, &error)};
    rule.replacement =
        template_compile(replacement, pattern_capture_count(rule.pattern), &column, &error);
    buf_clear(&error);
    return rule;
}

/* `private-key: redact`: only lines that are known to hold no key stay as they are. */
static struct rule *make_key_rule(struct source where)
{
    struct rule *rule = mem_zalloc(1, sizeof *rule);

    rule->where = where;
    rule->response.count = 3;
    rule->response.drop_unmatched = true;
    rule->response.items = mem_zalloc(rule->response.count, sizeof *rule->response.items);
    rule->response.items[0] =
        make_line_rule("250([- ])PrivateKey=.*", "250{}PrivateKey=ED25519-V3:redacted", where);
    rule->response.items[1] = make_line_rule("(250[- ](?:ServiceID|ClientAuthV3)=.*)", "{}", where);
    rule->response.items[2] = make_line_rule("([45].*)", "{}", where);
    return rule;
}

static void load_create_entry(struct load *load, const struct yaml_node *node,
                              struct onion_create *create)
{
    create->where = node->where;
    create->allows_new = true;
    create->allows_stored = true;
    if (!load_expect(load, node, YAML_MAPPING, "create",
                     "write each entry as a mapping with virtual-ports and targets"))
        return;
    load_mapping(load, &create_keys, node, create);
    if (!yaml_mapping_get(node, "virtual-ports"))
        load_error(load, node,
                   "an entry of 'create' needs 'virtual-ports', the ports under which the service "
                   "may be reached; write a list such as [80]");
    if (!yaml_mapping_get(node, "targets"))
        load_error(load, node,
                   "an entry of 'create' needs 'targets', where the service may lead; write a list "
                   "such as [127.0.0.1:8080]");
    check_dropped(load, node, create);
    check_auth(load, node, create);
    check_target_address(load, create);
    check_private_key(load, node, create);
    if (create->redact_key)
        create->key_rule = make_key_rule(create->where);
}

static void load_create_list(struct load *load, const struct yaml_node *key,
                             const struct yaml_node *value, struct onion_rules *rules)
{
    if (!load_expect(load, value, YAML_LIST, key->text,
                     "write a list of mappings, or one mapping, with virtual-ports and targets") ||
        !load_expect_count(load, key, value, MAX_CREATES))
        return;
    if (value->count == 0)
        load_error(load, key, "'create' is an empty list; add an entry or take it out");
    rules->creates = mem_zalloc(value->count, sizeof *rules->creates);
    rules->create_count = value->count;
    for (size_t i = 0; i < value->count; i++)
        load_create_entry(load, &value->items[i], &rules->creates[i]);
}

/* --- the keys of `onions` --- */

static void load_create(struct load *load, void *target, const struct yaml_node *key,
                        const struct yaml_node *value)
{
    struct onion_rules *rules = target;

    if (value->kind != YAML_MAPPING) {
        load_create_list(load, key, value, rules);
        return;
    }
    rules->creates = mem_zalloc(1, sizeof *rules->creates);
    rules->create_count = 1;
    load_create_entry(load, value, &rules->creates[0]);
}

/* A key whose only value is `own`. */
static bool load_own(struct load *load, const struct yaml_node *key, const struct yaml_node *value,
                     struct source *where)
{
    static const char *const hint = "write own, or take the key out: what belongs to others is "
                                    "never granted here";

    *where = key->where;
    if (!load_expect(load, value, YAML_SCALAR, key->text, hint))
        return false;
    if (strcmp(value->text, "own") == 0)
        return true;
    load_error(load, value, "'%s' is '%s', but only own exists; %s", key->text,
               load_quote(load, value->text), hint);
    return false;
}

static void load_delete(struct load *load, void *target, const struct yaml_node *key,
                        const struct yaml_node *value)
{
    struct onion_rules *rules = target;

    rules->delete_own = load_own(load, key, value, &rules->delete_where);
}

static void load_own_events(struct load *load, void *target, const struct yaml_node *key,
                            const struct yaml_node *value)
{
    struct onion_rules *rules = target;

    rules->events_own = load_own(load, key, value, &rules->events_where);
}

static void load_fetch(struct load *load, void *target, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    struct onion_rules *rules = target;

    rules->fetch_where = key->where;
    load_boolean(load, key, value, &rules->fetch);
}

static void load_client_auth_keys(struct load *load, void *target, const struct yaml_node *key,
                                  const struct yaml_node *value)
{
    struct onion_rules *rules = target;

    rules->client_auth_keys_own = load_own(load, key, value, &rules->keys_where);
}

static const struct load_key onions_rows[] = {
    {"create", load_create},
    {"delete", load_delete},
    {"events", load_own_events},
    {"fetch", load_fetch},
    {"client-auth-keys", load_client_auth_keys},
};

static const struct load_keys onions_keys = {"'onions'", onions_rows,
                                             sizeof onions_rows / sizeof *onions_rows};

void load_onions(struct load *load, void *target, const struct yaml_node *key,
                 const struct yaml_node *value)
{
    struct onion_rules *rules = &((struct profile *)target)->onions;

    rules->is_present = true;
    rules->where = key->where;
    if (!load_expect(load, value, YAML_MAPPING, key->text,
                     "write create: and below it what services the client may add"))
        return;
    if (value->count == 0)
        load_warning(load, key, "'onions' is empty, so it allows nothing; take it out");
    load_mapping(load, &onions_keys, value, rules);
}

/* --- what needs the whole profile --- */

static void check_commands(struct load *load, const struct profile *profile)
{
    for (size_t i = 0; i < profile->command_count; i++) {
        const struct command_rules *command = &profile->commands[i];
        const struct source *place = onion_rules_place(&profile->onions, command->keyword->id);
        if (place)
            diag_add(load->diags, DIAG_ERROR, command->where,
                     "%s has rules here and is judged by 'onions' in line %u, too; keep one of "
                     "them",
                     keyword_label(command->keyword), place->line);
    }
}

static struct event_rule *find_event(struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->event_count; i++)
        if (strcmp(profile->events[i].name, name) == 0)
            return &profile->events[i];
    return NULL;
}

/* Limits the event to own services; one that `events` does not list is allowed by this. */
static void own_event(struct profile *profile, const char *name)
{
    struct event_rule *rule = find_event(profile, name);

    if (!rule) {
        profile->events =
            mem_resize(profile->events, profile->event_count + 1, sizeof *profile->events);
        rule = &profile->events[profile->event_count++];
        *rule = (struct event_rule){.where = profile->onions.events_where, .name = name};
    }
    rule->own_onions_only = true;
}

void load_finish_onions(struct load *load, struct profile *profile)
{
    check_commands(load, profile);
    if (profile->onions.events_own) {
        own_event(profile, event_find(SPAN("HS_DESC")));
        own_event(profile, event_find(SPAN("HS_DESC_CONTENT")));
    }
    for (size_t i = 0; i < profile->event_count; i++)
        profile->events[i].profile = profile->name;
}
