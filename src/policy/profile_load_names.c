/* `confs` and `events`: mappings by a name of tor's (design 3.6, 3.7).
 *
 * Names that tor does not know are warned of: which ones exist depends on the tor installed. Of an
 * option, tor takes the beginning of its name for the name (control-protocol 7.7); of an
 * event, it refuses the whole SETEVENTS. */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "event.h"
#include "mem.h"
#include "option.h"
#include "profile_load_parts.h"

/* Letters, digits and underscores: what names of options and events are made of. */
static bool is_tor_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (!ascii_is_alpha(*c) && !ascii_is_digit(*c) && *c != '_')
            return false;
    return *name != '\0';
}

static const char *next_option(const void *context, size_t index)
{
    (void)context;
    return option_at(index);
}

void load_check_option(struct load *load, struct source where, struct span name)
{
    if (option_find(name))
        return;
    char *text = mem_copy_string(name);
    const char *nearest = load_nearest(text, next_option, NULL);
    const char *shown = load_quote(load, text);
    if (option_is_abbreviation(name))
        diag_add(load->diags, DIAG_WARNING, where,
                 "tor 0.4.9 has no option '%s' and would take it as an abbreviation of another",
                 shown);
    else if (nearest)
        diag_add(load->diags, DIAG_WARNING, where, "tor 0.4.9 has no option '%s'; did you mean %s?",
                 shown, nearest);
    else
        diag_add(load->diags, DIAG_WARNING, where, "tor 0.4.9 has no option '%s'", shown);
    free(text);
}

static void load_conf_value(struct load *load, const struct yaml_node *node, struct conf_rule *conf)
{
    if (!load_expect(load, node, YAML_SCALAR, conf->name,
                     "each value is a pattern; write '' to allow the reset of the option"))
        return;
    if (node->text[0] == '\0')
        conf->may_reset = true;
    conf->places[conf->count] = node->where;
    conf->values[conf->count] = load_pattern(load, node);
    if (conf->values[conf->count])
        conf->count++;
}

static void load_conf(struct load *load, struct conf_rule *conf, const struct yaml_node *key,
                      const struct yaml_node *value)
{
    conf->where = key->where;
    conf->name = mem_copy_string(span_from_string(key->text));
    if (!is_tor_name(key->text))
        load_error(load, key, "'%s' is no name of an option; it has letters, digits and _ only",
                   load_quote(load, key->text));
    else
        load_check_option(load, key->where, span_from_string(key->text));
    if (value->kind == YAML_NULL)
        return;
    if (!load_expect(load, value, YAML_LIST, key->text,
                     "write the values as a list, - 'PATTERN', or nothing if it may only be read"))
        return;
    conf->values = mem_zalloc(value->count, sizeof *conf->values);
    conf->places = mem_zalloc(value->count, sizeof *conf->places);
    for (size_t i = 0; i < value->count; i++)
        load_conf_value(load, &value->items[i], conf);
}

void load_confs(struct load *load, void *target, const struct yaml_node *key,
                const struct yaml_node *value)
{
    struct profile *profile = target;

    if (!load_expect(load, value, YAML_MAPPING, key->text,
                     "write NAME: for each option, and below it its values"))
        return;
    load_check_case(load, value, "option");
    profile->confs = mem_zalloc(value->count, sizeof *profile->confs);
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *name = &value->items[2 * i];
        if (!load_expect_name(load, name, "the name of an option"))
            continue;
        load_conf(load, &profile->confs[profile->conf_count++], name, name + 1);
    }
}

/* The options of one event, collected before they are used. */
struct event_nodes {
    struct event_rule *event;
    struct response_keys response;
};

static void take_suppress(struct load *load, void *target, const struct yaml_node *key,
                          const struct yaml_node *value)
{
    struct event_nodes *nodes = target;

    load_boolean(load, key, value, &nodes->event->suppress);
}

static void take_response(struct load *load, void *target, const struct yaml_node *key,
                          const struct yaml_node *value)
{
    struct event_nodes *nodes = target;

    if (load_expect(load, value, YAML_LIST, key->text,
                    "write a list of mappings with pattern and replacement"))
        nodes->response.response = value;
}

static void take_unmatched(struct load *load, void *target, const struct yaml_node *key,
                           const struct yaml_node *value)
{
    struct event_nodes *nodes = target;

    (void)load;
    nodes->response.unmatched_key = key;
    nodes->response.unmatched = value;
}

static const struct load_key event_rows[] = {
    {"suppress", take_suppress},
    {"response", take_response},
    {"unmatched-response", take_unmatched},
};

static const struct load_keys event_keys = {"an event", event_rows,
                                            sizeof event_rows / sizeof *event_rows};

static const char *next_event(const void *context, size_t index)
{
    (void)context;
    return event_at(index);
}

static void warn_of_event(struct load *load, const struct yaml_node *key, const char *name)
{
    const char *nearest = load_nearest(name, next_event, NULL);

    if (nearest)
        load_warning(load, key, "tor 0.4.9 has no event %s; did you mean %s?",
                     load_quote(load, name), nearest);
    else
        load_warning(load, key, "tor 0.4.9 has no event %s", load_quote(load, name));
}

static void load_event_name(struct load *load, struct event_rule *event,
                            const struct yaml_node *key)
{
    struct span name = span_from_string(key->text);

    event->name = event_find(name);
    if (event->name)
        return;
    event->own_name = mem_copy_string(name);
    for (char *c = event->own_name; *c; c++)
        *c = ascii_to_upper(*c);
    event->name = event->own_name;
    if (!is_tor_name(key->text))
        load_error(load, key, "'%s' is no name of an event; it has letters, digits and _ only",
                   load_quote(load, key->text));
    else if (!event_is_ignored(name))
        warn_of_event(load, key, event->own_name);
}

static void load_event(struct load *load, struct event_rule *event, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    struct event_nodes nodes = {.event = event};

    event->where = key->where;
    load_event_name(load, event, key);
    if (value->kind == YAML_NULL)
        return;
    if (!load_expect(load, value, YAML_MAPPING, key->text,
                     "write nothing, or below it options such as suppress: true"))
        return;
    load_mapping(load, &event_keys, value, &nodes);
    load_response(load, &nodes.response, &event->response);
    if (event->suppress && nodes.response.response)
        load_warning(load, key,
                     "'response' of %s decides nothing, as 'suppress' lets none of these events "
                     "through; take one of them out",
                     load_quote(load, event->name));
}

void load_events(struct load *load, void *target, const struct yaml_node *key,
                 const struct yaml_node *value)
{
    struct profile *profile = target;

    if (!load_expect(load, value, YAML_MAPPING, key->text,
                     "write NAME: for each event, and below it its options"))
        return;
    load_check_case(load, value, "event");
    profile->events = mem_zalloc(value->count, sizeof *profile->events);
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *name = &value->items[2 * i];
        if (!load_expect_name(load, name, "the name of an event"))
            continue;
        load_event(load, &profile->events[profile->event_count++], name, name + 1);
    }
}
