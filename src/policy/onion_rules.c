/* The end of life of `onions`. */
#include "onion_rules.h"

#include <stdlib.h>

static void onion_create_clear(struct onion_create *create)
{
    for (size_t i = 0; i < create->target_count; i++)
        free(create->targets[i].path);
    free(create->targets);
    free(create->virtual_ports);
    template_free(create->target_address);
}

void onion_rules_clear(struct onion_rules *rules)
{
    for (size_t i = 0; i < rules->create_count; i++)
        onion_create_clear(&rules->creates[i]);
    free(rules->creates);
    *rules = (struct onion_rules){.is_present = false};
}
