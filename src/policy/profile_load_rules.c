/* `commands` and what stands in their rules (design 3.3).
 *
 * A command that tor does not know cannot be allowed, so it is an error here; one that never
 * reaches tor (design 4.1) is legal in existing profiles, but its rules decide nothing. */
#include <stdint.h>
#include <string.h>

#include "mem.h"
#include "option.h"
#include "profile_load_parts.h"
#include "reply.h"
#include "words.h"

/* The values of a rule's or a line rule's keys, collected before any is used: what one means
 * depends on the others. */
struct rule_nodes {
    const struct yaml_node *pattern;
    const struct yaml_node *replacement;
    const struct yaml_node *reply;
    const struct yaml_node *reply_key;
    struct response_keys response;
};

static void take_pattern(struct load *load, void *target, const struct yaml_node *key,
                         const struct yaml_node *value)
{
    struct rule_nodes *nodes = target;

    if (load_expect(load, value, YAML_SCALAR, key->text, "write a pattern, '' for the empty text"))
        nodes->pattern = value;
}

static void take_replacement(struct load *load, void *target, const struct yaml_node *key,
                             const struct yaml_node *value)
{
    struct rule_nodes *nodes = target;

    if (load_expect(load, value, YAML_SCALAR, key->text,
                    "write the text to send instead, '' for the empty text"))
        nodes->replacement = value;
}

static void take_response(struct load *load, void *target, const struct yaml_node *key,
                          const struct yaml_node *value)
{
    struct rule_nodes *nodes = target;

    if (load_expect(load, value, YAML_LIST, key->text,
                    "write a list of mappings with pattern and replacement"))
        nodes->response.response = value;
}

static void take_unmatched(struct load *load, void *target, const struct yaml_node *key,
                           const struct yaml_node *value)
{
    struct rule_nodes *nodes = target;

    (void)load;
    nodes->response.unmatched_key = key;
    nodes->response.unmatched = value;
}

static void take_reply(struct load *load, void *target, const struct yaml_node *key,
                       const struct yaml_node *value)
{
    struct rule_nodes *nodes = target;

    nodes->reply_key = key;
    if (load_expect(load, value, YAML_LIST, key->text, "write the lines as a list: - '250 OK'"))
        nodes->reply = value;
}

static const struct load_key rule_rows[] = {
    {"pattern", take_pattern},   {"replacement", take_replacement},
    {"response", take_response}, {"unmatched-response", take_unmatched},
    {"reply", take_reply},
};

static const struct load_keys rule_keys = {"a rule", rule_rows,
                                           sizeof rule_rows / sizeof *rule_rows};

static const struct load_key line_rule_rows[] = {
    {"pattern", take_pattern},
    {"replacement", take_replacement},
};

static const struct load_keys line_rule_keys = {"an entry of 'response'", line_rule_rows,
                                                sizeof line_rule_rows / sizeof *line_rule_rows};

static struct template *load_template(struct load *load, const struct yaml_node *node,
                                      const struct pattern *pattern)
{
    struct buf error;
    size_t column = 0;

    buf_init(&error, SIZE_MAX / 2);
    struct template *template =
        template_compile(node->text, pattern_capture_count(pattern), &column, &error);
    buf_append_char(&error, '\0');
    if (!template)
        load_error(load, node, "bad replacement, at its character %zu: %s", column + 1,
                   buf_span(&error).data);
    buf_clear(&error);
    return template;
}

/* One entry of `response`. An entry with an error stays in the list, empty: the file is lost. */
static void load_line_rule(struct load *load, const struct yaml_node *node, struct line_rule *rule)
{
    struct rule_nodes nodes = {0};

    rule->where = node->where;
    if (!load_expect(load, node, YAML_MAPPING, "response",
                     "write each entry as a mapping with pattern and replacement"))
        return;
    size_t errors = load->diags->errors;
    load_mapping(load, &line_rule_keys, node, &nodes);
    if (!nodes.pattern || !nodes.replacement) {
        if (load->diags->errors == errors)
            load_error(load, node,
                       "an entry of 'response' needs both 'pattern' and 'replacement'; "
                       "'%s' is missing",
                       nodes.pattern ? "replacement" : "pattern");
        return;
    }
    rule->pattern = load_pattern(load, nodes.pattern);
    if (rule->pattern)
        rule->replacement = load_template(load, nodes.replacement, rule->pattern);
}

static void load_unmatched(struct load *load, const struct response_keys *keys,
                           struct line_rules *rules)
{
    const struct yaml_node *value = keys->unmatched;

    if (!keys->response)
        load_error(load, keys->unmatched_key,
                   "'unmatched-response' means nothing without 'response'; add that or take this "
                   "out");
    if (value->kind == YAML_SCALAR && strcmp(value->text, "drop") == 0)
        rules->drop_unmatched = true;
    else if (value->kind != YAML_SCALAR)
        load_error(load, value, "'unmatched-response' is %s; write drop or keep",
                   yaml_kind_text(value->kind));
    else if (strcmp(value->text, "keep") != 0)
        load_error(load, value, "'unmatched-response' is '%s'; write drop or keep",
                   load_quote(load, value->text));
}

void load_response(struct load *load, const struct response_keys *keys, struct line_rules *rules)
{
    if (keys->unmatched)
        load_unmatched(load, keys, rules);
    if (!keys->response)
        return;
    rules->count = keys->response->count;
    rules->items = mem_zalloc(rules->count, sizeof *rules->items);
    for (size_t i = 0; i < rules->count; i++)
        load_line_rule(load, &keys->response->items[i], &rules->items[i]);
    if (rules->count == 0)
        load_error(load, keys->response,
                   "'response' is an empty list; add an entry or take it out");
}

static bool has_control_character(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* Where a `reply` stands between its lines. */
struct reply_state {
    bool in_data;
    bool is_ended;
    unsigned first_code;
};

static const char *const reply_hint =
    "write it as tor would: '250-key=value' or '250+key=' with data lines and '.', and last "
    "'250 OK'";

static void check_data_line(struct load *load, const struct yaml_node *node,
                            struct reply_state *state)
{
    if (strcmp(node->text, ".") == 0)
        state->in_data = false;
    else if (node->text[0] == '.' && node->text[1] != '.')
        load_error(load, node, "a data line that begins with one dot; write the dot twice");
}

static void check_reply_code(struct load *load, const struct yaml_node *node,
                             struct reply_state *state, unsigned code)
{
    unsigned kind = code / 100;

    if (kind != 2 && kind != 4 && kind != 5)
        load_error(load, node,
                   "code %u is none of a reply to a command; use 2xx for success, 4xx or 5xx for "
                   "an error",
                   code);
    else if (state->first_code && state->first_code / 100 != kind)
        load_error(load, node,
                   "code %u in a reply that began with %u; a reply is either a success or an error",
                   code, state->first_code);
    if (!state->first_code)
        state->first_code = code;
}

static void check_status_line(struct load *load, const struct yaml_node *node,
                              struct reply_state *state)
{
    struct reply_line line;

    if (!reply_parse_line(span_from_string(node->text), &line)) {
        load_error(load, node, "'%s' is no line of a reply; %s", load_quote(load, node->text),
                   reply_hint);
        return;
    }
    check_reply_code(load, node, state, line.code);
    state->in_data = line.kind == REPLY_DATA;
    state->is_ended = line.kind == REPLY_END;
}

static void check_reply_line(struct load *load, const struct yaml_node *node,
                             struct reply_state *state)
{
    if (state->is_ended)
        load_error(load, node,
                   "a line behind the end of the reply; only the last line has a space "
                   "behind its code, the others have -");
    else if (has_control_character(node->text))
        load_error(load, node, "a control character in a line of a reply; take it out");
    else if (state->in_data)
        check_data_line(load, node, state);
    else
        check_status_line(load, node, state);
}

/* `reply`: the lines, if together they are one complete reply. */
static void load_reply(struct load *load, const struct yaml_node *list, struct rule *rule)
{
    struct reply_state state = {0};
    size_t errors = load->diags->errors;

    rule->reply = mem_zalloc(list->count, sizeof *rule->reply);
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *node = &list->items[i];
        if (!load_expect(load, node, YAML_SCALAR, "reply", reply_hint))
            continue;
        check_reply_line(load, node, &state);
        rule->reply[rule->reply_count++] = mem_copy_string(span_from_string(node->text));
    }
    if (load->diags->errors == errors && !state.is_ended)
        load_error(load, list, "'reply' has no last line; %s", reply_hint);
}

/* Control characters are the template's matter; what a reply may hold, a command may not. */
static void check_replacement_is_ascii(struct load *load, const struct yaml_node *node)
{
    for (const char *c = node->text; *c; c++) {
        if ((unsigned char)*c < 0x80)
            continue;
        load_error(load, node,
                   "bad replacement, at its character %zu: a command to tor is printable ASCII",
                   (size_t)(c - node->text) + 1);
        return;
    }
}

static void check_reply_alone(struct load *load, const struct rule_nodes *nodes)
{
    if (nodes->replacement)
        load_error(load, nodes->reply_key,
                   "'reply' excludes 'replacement': tor is not asked at all; take one of them out");
    if (nodes->response.response)
        load_error(load, nodes->reply_key,
                   "'reply' excludes 'response': tor is not asked at all; take one of them out");
}

static void load_rule_mapping(struct load *load, const struct yaml_node *node, struct rule *rule)
{
    struct rule_nodes nodes = {0};
    size_t errors = load->diags->errors;

    load_mapping(load, &rule_keys, node, &nodes);
    if (!nodes.pattern && load->diags->errors == errors)
        load_error(load, node,
                   "a rule needs a 'pattern'; write '.*' for any arguments, '' for none");
    if (nodes.pattern)
        rule->pattern = load_pattern(load, nodes.pattern);
    if (nodes.replacement && rule->pattern) {
        check_replacement_is_ascii(load, nodes.replacement);
        rule->replacement = load_template(load, nodes.replacement, rule->pattern);
    }
    load_response(load, &nodes.response, &rule->response);
    if (nodes.reply_key)
        check_reply_alone(load, &nodes);
    if (nodes.reply)
        load_reply(load, nodes.reply, rule);
}

static void load_rule(struct load *load, const struct yaml_node *node, struct rule *rule)
{
    rule->where = node->where;
    if (node->kind == YAML_SCALAR)
        rule->pattern = load_pattern(load, node);
    else if (node->kind == YAML_MAPPING)
        load_rule_mapping(load, node, rule);
    else
        load_error(load, node,
                   "%s stands where a rule belongs; write a pattern ('' for no "
                   "arguments) or a mapping with 'pattern'",
                   yaml_kind_text(node->kind));
}

static const char *next_command(const void *context, size_t index)
{
    const struct keyword *keyword = keyword_at(index);

    (void)context;
    return keyword ? keyword_label(keyword) : NULL;
}

static void report_unknown_command(struct load *load, const struct yaml_node *key,
                                   const struct keyword *other_form)
{
    const char *nearest = load_nearest(key->text, next_command, NULL);
    const char *shown = load_quote(load, key->text);

    if (other_form && (other_form->flags & KEYWORD_IS_BLOCK))
        load_error(load, key, "tor knows '%s' only with a data block; write \"%s\"", shown,
                   keyword_label(other_form));
    else if (other_form)
        load_error(load, key, "tor knows no '%s' with a data block; write \"%s\"", shown,
                   keyword_label(other_form));
    else if (nearest)
        load_error(load, key, "tor knows no command '%s'; did you mean '%s'?", shown, nearest);
    else
        load_error(load, key, "tor knows no command '%s'", shown);
}

static const struct keyword *load_command_name(struct load *load, const struct yaml_node *key)
{
    struct span name = span_from_string(key->text);
    bool is_block = span_starts_with(name, SPAN("+"));

    if (is_block)
        name = span_from(name, 1);
    const struct keyword *keyword = keyword_find(name, is_block);
    if (!keyword)
        report_unknown_command(load, key, keyword_find(name, !is_block));
    return keyword;
}

/* Commands whose rules are never asked. */
static void warn_of_command(struct load *load, const struct yaml_node *key,
                            const struct keyword *keyword)
{
    const char *name = keyword_label(keyword);

    if (keyword->flags & KEYWORD_IS_LOCAL)
        load_warning(load, key,
                     "%s is answered by onion-grater itself, to every client alike, so its rules "
                     "decide nothing; take it out",
                     name);
    if (keyword->id == KEYWORD_SETEVENTS)
        load_warning(load, key,
                     "SETEVENTS is judged by 'events', so its rules decide nothing; list the "
                     "events there");
    if (keyword->flags & KEYWORD_IS_OBSOLETE)
        load_warning(load, key, "%s is obsolete: tor only answers that it is gone", name);
}

/* The options that a rule of GETCONF names outright, if they are what tor is asked. */
static void check_options(struct load *load, const struct command_rules *command)
{
    for (size_t i = 0; i < command->count; i++) {
        const struct rule *rule = &command->rules[i];
        struct span rest, name;
        if (!rule->pattern || !pattern_is_literal(rule->pattern) || rule->replacement ||
            rule->reply)
            continue;
        rest = span_from_string(pattern_text(rule->pattern));
        while (words_next(&rest, &name))
            load_check_option(load, rule->where, name);
    }
}

static void load_command(struct load *load, struct command_rules *command,
                         const struct yaml_node *key, const struct yaml_node *value)
{
    command->where = key->where;
    warn_of_command(load, key, command->keyword);
    if (value->kind == YAML_NULL)
        return;
    if (!load_expect(load, value, YAML_LIST, key->text, "write the rules as a list: - 'PATTERN'") ||
        !load_expect_count(load, key, value, LOAD_MAX_RULES))
        return;
    command->count = value->count;
    command->rules = mem_zalloc(command->count, sizeof *command->rules);
    for (size_t i = 0; i < command->count; i++)
        load_rule(load, &value->items[i], &command->rules[i]);
    rule_index_build(&command->index, command->rules, command->count);
    if (command->keyword->id == KEYWORD_GETCONF)
        check_options(load, command);
}

void load_commands(struct load *load, void *target, const struct yaml_node *key,
                   const struct yaml_node *value)
{
    struct profile *profile = target;

    if (!load_expect(load, value, YAML_MAPPING, key->text,
                     "write NAME: and below it the list of its rules"))
        return;
    load_check_case(load, value, "command");
    profile->commands = mem_zalloc(value->count, sizeof *profile->commands);
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *name = &value->items[2 * i];
        struct command_rules *command = &profile->commands[profile->command_count];
        if (!load_expect_name(load, name, "the name of a command"))
            continue;
        command->keyword = load_command_name(load, name);
        if (!command->keyword)
            continue;
        profile->command_count++;
        load_command(load, command, name, name + 1);
    }
}
