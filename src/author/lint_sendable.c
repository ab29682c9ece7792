/* Rules whose texts are refused whatever the rule says: session and policy read them once more as
 * tor would (design 3.3, 4.2), and a host name as a target, say, never passes that. */
#include "add_onion.h"
#include "arguments.h"
#include "command.h"
#include "lint_parts.h"

/* All arguments of ADD_ONION whose targets could pass, and some more. */
/* clang-format off */
#define ONION_TARGET                       \
    "(?:[0-9]+"                            \
    "|[0-9.]+(?::[0-9]+)?"                 \
    "|\\[[0-9A-Fa-f:.]+\\](?::[0-9]+)?"    \
    "|[0-9A-Fa-f]*(?::[0-9A-Fa-f.]*){2,8}" \
    "|unix:/[!-~]*)"
#define ONION_WORD                                     \
    "(?:[Pp][Oo][Rr][Tt]=[0-9]+(?:," ONION_TARGET ")?" \
    "|[!-OQ-oq-~][!-~]*"                               \
    "|[Pp][Oo][Ww][!-~]*)"
/* clang-format on */
#define ONION_ARGUMENTS "[!-~]+(?: +" ONION_WORD ")* *"

static const char *refuse_onion(struct span text)
{
    struct add_onion_facts facts;
    struct buf canonical;

    buf_init(&canonical, COMMAND_MAX_LINE);
    enum target_result result = add_onion_canonical(text, &canonical, &facts);
    buf_clear(&canonical);
    return result == TARGET_OK ? NULL : target_result_text(result);
}

/* Why this text is never sent, or NULL. */
static const char *refusal(const struct keyword *keyword, struct span text)
{
    bool is_block = keyword->flags & KEYWORD_IS_BLOCK;
    const char *reason = arguments_refusal(keyword, text, is_block ? SPAN("x\r\n") : SPAN(""));

    if (!reason && keyword->id == KEYWORD_ADD_ONION)
        reason = refuse_onion(text);
    return reason;
}

/* Why none of the texts is ever sent, or NULL. */
static const char *refusal_of_all(const struct keyword *keyword, const struct text_list *texts)
{
    const char *first = NULL;

    for (size_t i = 0; i < texts->count; i++) {
        const char *reason = refusal(keyword, span_from_string(texts->items[i]));
        if (!reason)
            return NULL;
        first = first ? first : reason;
    }
    return first;
}

void lint_sendable(struct lint *lint, const struct lint_rule *rule)
{
    const struct keyword *keyword = rule->command->keyword;
    const char *reason = NULL;
    struct text_list texts;

    if (language_enumerate(rule->sent, LINT_MAX_TEXTS, &texts)) {
        reason = refusal_of_all(keyword, &texts);
        text_list_clear(&texts);
    } else if (keyword->id == KEYWORD_ADD_ONION) {
        if (language_avoids(rule->sent, ".* [Pp][Oo][Rr][Tt]=.*"))
            reason = "an onion service without Port=";
        else if (language_avoids(rule->sent, ONION_ARGUMENTS))
            reason = "a target that is no literal address and port";
    }
    if (reason)
        lint_warning(lint, rule->rule->where, "never-sent", "what '%s' %s is always refused: %s",
                     lint_quote(lint, span_from_string(language_text(rule->asked))),
                     rule->made ? "is replaced by" : "allows", reason);
}
