/* What options an application reads and sets.
 *
 * A recording has the values; what looks like a word or a number is kept as it is, all else
 * (bridges, paths, addresses, names) is nobody's business and not what a profile should be made of.
 * The log has 0 and 1 only. RESETCONF of the owning process is what an application does to a tor of
 * its own: on a shared one it gets its 250 without tor. */
#include "learn_parts.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "kvline.h"
#include "mem.h"
#include "option.h"
#include "quoted.h"

#define WORD_MAX 32
#define NUMBER_PATTERN "[0-9]{1,9}"

static struct learn_conf *find_conf(struct learn_client *client, const char *name)
{
    size_t at = 0;

    while (at < client->conf_count && strcmp(client->confs[at].name, name) < 0)
        at++;
    if (at == client->conf_count || strcmp(client->confs[at].name, name) != 0) {
        client->confs = mem_resize(client->confs, client->conf_count + 1, sizeof *client->confs);
        memmove(&client->confs[at + 1], &client->confs[at],
                (client->conf_count - at) * sizeof *client->confs);
        client->confs[at] = (struct learn_conf){.name = name};
        client->conf_count++;
    }
    return &client->confs[at];
}

void learn_read_option(struct learn_client *client, struct span name)
{
    const char *known = option_find(name);

    if (known)
        find_conf(client, known)->reads++;
    else
        client->unknown_options++;
}

/* --- values --- */

static bool is_word(struct span value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!ascii_is_alpha(value.data[i]) && !ascii_is_digit(value.data[i]) &&
            value.data[i] != '_' && value.data[i] != '-')
            return false;
    return value.len > 0 && value.len <= WORD_MAX;
}

/* Appends the pattern that stands for the value alone; false: it is not shown. */
static bool append_value(struct buf *out, struct span value, bool *is_number_out)
{
    enum shape shape = shape_of(value);

    *is_number_out = shape == SHAPE_NUMBER;
    if (shape == SHAPE_NUMBER && value.data[0] == '(')
        return buf_append_string(out, NUMBER_PATTERN);
    if (shape != SHAPE_NUMBER && shape != SHAPE_BIT && (shape != SHAPE_NAME || !is_word(value)))
        return false;
    learn_append_literal(out, value);
    return true;
}

static bool same_pattern(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Several numbers become any number. */
static void merge_numbers(struct learn_value *value, const char *pattern)
{
    if (same_pattern(value->pattern, pattern))
        return;
    free(value->pattern);
    value->pattern = mem_copy_string(SPAN(NUMBER_PATTERN));
}

static void note_value(struct learn_conf *conf, const char *pattern, bool is_number)
{
    size_t at = 0;

    while (at < conf->value_count && !(is_number ? conf->values[at].is_number
                                                 : same_pattern(conf->values[at].pattern, pattern)))
        at++;
    if (at == LEARN_MAX_VALUES) {
        conf->has_more = true;
        return;
    }
    if (at == conf->value_count) {
        conf->values = mem_resize(conf->values, at + 1, sizeof *conf->values);
        conf->values[at] = (struct learn_value){
            .pattern = pattern ? mem_copy_string(span_from_string(pattern)) : NULL,
            .is_number = is_number,
        };
        conf->value_count++;
    } else if (is_number) {
        merge_numbers(&conf->values[at], pattern);
    }
    conf->values[at].count++;
}

static void set_value(struct learn_conf *conf, struct span value)
{
    struct buf pattern;
    bool is_number;

    buf_init(&pattern, 4 * WORD_MAX);
    bool is_shown = append_value(&pattern, value, &is_number) && buf_append_char(&pattern, '\0');
    note_value(conf, is_shown ? buf_span(&pattern).data : NULL, is_shown && is_number);
    buf_clear(&pattern);
}

static void set_option(struct learn_conf *conf, const struct kv_pair *pair)
{
    struct buf text;

    buf_init(&text, COMMAND_MAX_LINE);
    if (pair->is_quoted)
        quoted_decode(pair->value, &text);
    else
        buf_append(&text, pair->value);
    if (text.len == 0)
        conf->resets++;
    else
        set_value(conf, buf_span(&text));
    buf_wipe(&text);
}

static bool is_owner(const struct command *command, const struct kv_pair *pair)
{
    return command->keyword->id == KEYWORD_RESETCONF && !pair->has_value &&
           span_equals_nocase(pair->key, SPAN("__OwningControllerProcess"));
}

void learn_set_options(struct learn_client *client, const struct command *command)
{
    const struct learn_rule owner = {.keyword = command->keyword, .kind = LEARN_ANSWER_OK};
    struct span rest = command->arguments;
    struct kv_pair pair;

    while (kv_next(GRAMMAR_QUOTED, &rest, &pair) == KV_PAIR) {
        const char *known = option_find(pair.key);
        if (is_owner(command, &pair))
            learn_add_rule(client, &owner, pair.key, SPAN("RESETCONF __OwningControllerProcess"));
        else if (known)
            set_option(find_conf(client, known), &pair);
        else
            client->unknown_options++;
    }
}
