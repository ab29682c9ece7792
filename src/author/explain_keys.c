/* A command of several keys, options or events: what of it is allowed by itself. */
#include "explain_parts.h"

#include <stdlib.h>

#include "arguments.h"
#include "kvline.h"
#include "mem.h"
#include "words.h"

/* Takes the next key off *rest. */
static bool next_key(const struct keyword *keyword, struct span *rest, struct span *key)
{
    struct kv_pair pair;

    if (keyword->id == KEYWORD_SETCONF || keyword->id == KEYWORD_RESETCONF) {
        if (kv_next(keyword->grammar, rest, &pair) != KV_PAIR)
            return false;
        *key = pair.text;
        return true;
    }
    return words_next(rest, key);
}

static bool has_keys(const struct command *command)
{
    return command->keyword && command->defect == COMMAND_SOUND &&
           ((command->keyword->flags & KEYWORD_HAS_KEYS) ||
            command->keyword->id == KEYWORD_SETCONF || command->keyword->id == KEYWORD_SETEVENTS);
}

static size_t count_keys(const struct command *command)
{
    struct span rest = command->arguments, key;
    size_t count = 0;

    while (count <= ARGUMENTS_MAX_WORDS && next_key(command->keyword, &rest, &key))
        count++;
    return count > ARGUMENTS_MAX_WORDS ? 0 : count;
}

static void judge_key(const struct policy_view *view, const struct command *command,
                      const struct template_variables *variables, struct explain_key *key)
{
    struct command alone = *command;
    struct decision decision;

    alone.arguments = key->text;
    policy_decide(view, &alone, variables, &decision);
    key->is_allowed = decision.verdict != VERDICT_REFUSE;
    key->has_rule = explain_find_rule(view, decision.rule, &key->rule);
    decision_clear(&decision);
}

void explain_keys_of(const struct policy_view *view, const struct command *command,
                     const struct template_variables *variables, struct explain_keys *keys_out)
{
    struct span rest = command->arguments;
    size_t count = has_keys(command) ? count_keys(command) : 0;

    *keys_out = (struct explain_keys){.items = NULL};
    if (count < 2)
        return;
    keys_out->items = mem_zalloc(count, sizeof *keys_out->items);
    while (keys_out->count < count) {
        struct explain_key *key = &keys_out->items[keys_out->count++];
        next_key(command->keyword, &rest, &key->text);
        judge_key(view, command, variables, key);
    }
}

void explain_keys_clear(struct explain_keys *keys)
{
    free(keys->items);
    *keys = (struct explain_keys){.items = NULL};
}
