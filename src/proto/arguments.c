/* What tor answers exactly once.
 *
 * First the grammar of control-protocol 1.4 with the word counts of the table; what does not parse
 * is refused although tor would answer 512, so that nothing depends on how tor reads it. Then, per
 * command, the arguments without which tor answers never, twice or not at all any more (2.5, 7.6,
 * 7.20). */
#include "arguments.h"

#include "command.h"
#include "kvline.h"
#include "line.h"
#include "words.h"

#define CLIENT_NAME_MAX 16 /* tor stores a longer one and answers twice */

/* The text behind the positional words, which are counted. */
static struct span skip_words(struct span text, unsigned max, size_t *count_out)
{
    struct span word;

    *count_out = 0;
    while (*count_out < max && words_next(&text, &word))
        (*count_out)++;
    return text;
}

static const char *refuse_words(const struct keyword *keyword, struct span arguments)
{
    size_t count = words_count(arguments);

    if (count < keyword->min_words)
        return "too few arguments for this command";
    if (count > keyword->max_words)
        return "too many arguments for this command";
    return count > ARGUMENTS_MAX_WORDS ? "more than 128 arguments" : NULL;
}

static const char *refuse_pairs(const struct keyword *keyword, struct span arguments)
{
    struct kv_pair pair;
    size_t count;
    struct span rest = skip_words(arguments, keyword->max_words, &count);

    if (count < keyword->min_words)
        return "too few arguments for this command";
    enum kv_result result;
    while ((result = kv_next(keyword->grammar, &rest, &pair)) == KV_PAIR)
        if (++count > ARGUMENTS_MAX_WORDS)
            return "more than 128 arguments";
    return result == KV_MALFORMED ? "a keyword argument that tor cannot parse" : NULL;
}

static const char *refuse_grammar(const struct keyword *keyword, struct span arguments)
{
    switch (keyword->grammar) {
    case GRAMMAR_ANY:
        return NULL;
    case GRAMMAR_POSITIONAL:
        return refuse_words(keyword, arguments);
    case GRAMMAR_KV:
    case GRAMMAR_KV_FLAGS:
    case GRAMMAR_QUOTED:
        return refuse_pairs(keyword, arguments);
    case GRAMMAR_CREDENTIAL:
        break;
    }
    return "a credential is never passed on";
}

/* Whether a pair with this key, in any case, and a value of at least `value_len` bytes follows the
 * positional words. */
static bool has_pair(const struct keyword *keyword, struct span arguments, struct span key,
                     size_t value_len)
{
    struct kv_pair pair;
    size_t count;
    struct span rest = skip_words(arguments, keyword->max_words, &count);

    while (kv_next(keyword->grammar, &rest, &pair) == KV_PAIR)
        if (span_equals_nocase(pair.key, key) && pair.value.len >= value_len)
            return true;
    return false;
}

static const char *refuse_add_onion(const struct keyword *keyword, struct span arguments)
{
    if (has_pair(keyword, arguments, SPAN("ClientAuth"), 0))
        return "ClientAuth=, which tor never answers";
    if (!has_pair(keyword, arguments, SPAN("Port"), 0))
        return "an onion service without Port=";
    return NULL;
}

static const char *refuse_client_auth_add(const struct keyword *keyword, struct span arguments)
{
    if (has_pair(keyword, arguments, SPAN("ClientName"), CLIENT_NAME_MAX + 1))
        return "ClientName= with more than 16 characters, which tor answers twice";
    return NULL;
}

static const char *refuse_hspost(const struct keyword *keyword, struct span arguments)
{
    if (!has_pair(keyword, arguments, SPAN("HSADDRESS"), 0))
        return "+HSPOST without HSADDRESS=, which tor never answers";
    return NULL;
}

static const char *refuse_circuit_purpose(const struct keyword *keyword, struct span arguments)
{
    if (!has_pair(keyword, arguments, SPAN("purpose"), 0))
        return "SETCIRCUITPURPOSE without purpose=";
    return NULL;
}

static const char *refuse_mapaddress(const struct keyword *keyword, struct span arguments)
{
    (void)keyword;
    return words_count(arguments) == 0 ? "too few arguments for this command" : NULL;
}

/* The commands that need more than their grammar. */
static const struct hazard {
    enum keyword_id id;
    const char *(*refuse)(const struct keyword *keyword, struct span arguments);
} hazards[] = {
    {KEYWORD_ADD_ONION, refuse_add_onion},
    {KEYWORD_HSPOST, refuse_hspost},
    {KEYWORD_MAPADDRESS, refuse_mapaddress},
    {KEYWORD_ONION_CLIENT_AUTH_ADD, refuse_client_auth_add},
    {KEYWORD_SETCIRCUITPURPOSE, refuse_circuit_purpose},
};

static const char *refuse_hazard(const struct keyword *keyword, struct span arguments)
{
    for (size_t i = 0; i < sizeof hazards / sizeof *hazards; i++)
        if (hazards[i].id == keyword->id)
            return hazards[i].refuse(keyword, arguments);
    return NULL;
}

static const char *refuse_bytes(const struct keyword *keyword, struct span arguments,
                                struct span data)
{
    if (arguments.len > COMMAND_MAX_LINE || data.len > COMMAND_MAX_DATA)
        return "longer than a command may be";
    if (!line_is_printable(arguments))
        return "a byte that is not printable ASCII";
    if (data.len && !(keyword->flags & KEYWORD_IS_BLOCK))
        return "data for a command that has none";
    return command_data_is_sound(data) ? NULL : "data that is not whole lines of printable ASCII";
}

const char *arguments_refusal(const struct keyword *keyword, struct span arguments,
                              struct span data)
{
    if (!keyword)
        return "no command of tor's";
    if (keyword->flags & KEYWORD_IS_LOCAL)
        return "answered here, never passed on";
    const char *why = refuse_bytes(keyword, arguments, data);
    if (!why)
        why = refuse_grammar(keyword, arguments);
    return why ? why : refuse_hazard(keyword, arguments);
}
