/* What `onions` covers, and its end of life. */
#include "onion_rules.h"

#include <stdlib.h>

#include "profile.h"

static void onion_create_clear(struct onion_create *create)
{
    for (size_t i = 0; i < create->target_count; i++)
        free(create->targets[i].path);
    free(create->targets);
    free(create->virtual_ports);
    template_free(create->target_address);
    if (create->key_rule)
        rule_clear(create->key_rule);
    free(create->key_rule);
}

void onion_rules_clear(struct onion_rules *rules)
{
    for (size_t i = 0; i < rules->create_count; i++)
        onion_create_clear(&rules->creates[i]);
    free(rules->creates);
    *rules = (struct onion_rules){.is_present = false};
}

const struct source *onion_rules_place(const struct onion_rules *rules, enum keyword_id command)
{
    bool is_of_keys = command == KEYWORD_ONION_CLIENT_AUTH_ADD ||
                      command == KEYWORD_ONION_CLIENT_AUTH_REMOVE ||
                      command == KEYWORD_ONION_CLIENT_AUTH_VIEW;

    if (command == KEYWORD_ADD_ONION && rules->create_count > 0)
        return &rules->creates[0].where;
    if (command == KEYWORD_DEL_ONION && rules->delete_own)
        return &rules->delete_where;
    if (command == KEYWORD_HSFETCH && rules->fetch)
        return &rules->fetch_where;
    return is_of_keys && rules->client_auth_keys_own ? &rules->keys_where : NULL;
}
