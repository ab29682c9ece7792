/* Commands of several keys or options, judged one by one (design 3.5, 3.6).
 *
 * The arguments are split as tor splits them (control-protocol 1.4 P and Q), each key must be
 * allowed by a rule or an option of its own, and the request is written anew from what was allowed:
 * one space between keys, the profile's spelling for options. One refused key refuses the
 * command. */
#include "decide_parts.h"

#include "arguments.h"
#include "conf.h"
#include "kvline.h"
#include "words.h"

static const struct source no_source = {0};

static bool has_pairs(const struct judgement *judgement)
{
    return judgement->command->keyword->grammar == GRAMMAR_QUOTED;
}

/* Takes the next key off *rest: a word, or for RESETCONF and SETCONF a pair. */
static enum kv_result next_key(const struct judgement *judgement, struct span *rest,
                               struct kv_pair *key_out)
{
    struct span word;

    if (has_pairs(judgement))
        return kv_next(GRAMMAR_QUOTED, rest, key_out);
    if (!words_next(rest, &word))
        return KV_END;
    *key_out = (struct kv_pair){.text = word, .key = word};
    return KV_PAIR;
}

/* Whether `text` is one key and nothing else, so that it cannot bring a second one along. */
static bool is_one_key(const struct judgement *judgement, struct span text)
{
    struct span rest = text;
    struct kv_pair key;

    return span_find(text, ' ') == text.len && next_key(judgement, &rest, &key) == KV_PAIR &&
           key.text.len == text.len;
}

/* Appends one approved key to what goes to tor and to the reply's plan. */
static bool send_key(const struct judgement *judgement, struct span text, const struct rule *rule)
{
    struct buf *arguments = &judgement->decision->arguments;

    if (arguments->len > 0)
        buf_append_char(arguments, ' ');
    buf_append(arguments, text);
    if (arguments->overflow)
        return judgement_refuse(judgement, "the arguments are too long", no_source);
    reply_plan_add(judgement->decision->plan, text, rule);
    return true;
}

static void note_rule(const struct judgement *judgement, struct source where)
{
    if (!judgement->decision->rule.file)
        judgement->decision->rule = where;
}

/* Notes a key that complain mode alone allows. A rule of its own comes before `confs`, which may
 * allow the key as well. */
static void note_complaint(const struct judgement *judgement, const struct kv_pair *key,
                           const struct rule *rule)
{
    const struct policy_view *view = judgement->complains_of;
    struct buf *complaint = &judgement->decision->complaint;
    enum keyword_id id = judgement->command->keyword->id;
    const struct conf_rule *unused;

    if (!judgement_is_complaint(judgement, rule))
        return;
    if (id == KEYWORD_GETCONF && conf_may_get(view, key->key, &unused) == CONF_ALLOWED)
        return;
    if (id == KEYWORD_RESETCONF &&
        conf_may_set(view, key, judgement->budget, &unused) == CONF_ALLOWED)
        return;
    buf_append_string(complaint, complaint->len > 0 ? " " : "");
    buf_append(complaint, key->text);
}

static bool send_key_by_rule(const struct judgement *judgement, const struct kv_pair *key,
                             const struct rule_match *match)
{
    struct buf text;
    bool is_sent = false;

    note_rule(judgement, match->rule->where);
    note_complaint(judgement, key, match->rule);
    if (match->rule->reply) {
        reply_plan_add(judgement->decision->plan, key->text, match->rule);
        return true;
    }
    buf_init(&text, COMMAND_MAX_LINE);
    if (judgement_expand(judgement, match, key->text, &text)) {
        if (match->rule->replacement && !is_one_key(judgement, buf_span(&text)))
            judgement_refuse(judgement, "the replacement for one of several keys is not one key",
                             match->rule->where);
        else
            is_sent = send_key(judgement, buf_span(&text), match->rule);
    }
    buf_wipe(&text);
    return is_sent;
}

/* Sends an option in the profile's spelling, with its value as the client wrote it. */
static bool send_option(const struct judgement *judgement, const struct kv_pair *option,
                        const struct conf_rule *rule)
{
    struct buf text;

    note_rule(judgement, rule->where);
    buf_init(&text, COMMAND_MAX_LINE);
    buf_append_string(&text, rule->name);
    if (option->has_value) {
        buf_append_char(&text, '=');
        buf_append(&text, option->value);
    }
    bool is_sent = text.overflow
                       ? judgement_refuse(judgement, "the arguments are too long", rule->where)
                       : send_key(judgement, buf_span(&text), NULL);
    buf_wipe(&text);
    return is_sent;
}

/* Lets `confs` decide on one option. */
static bool judge_option(const struct judgement *judgement, const struct kv_pair *option)
{
    const struct conf_rule *rule;
    enum conf_result result = has_pairs(judgement)
                                  ? conf_may_set(judgement->view, option, judgement->budget, &rule)
                                  : conf_may_get(judgement->view, option->key, &rule);
    struct source where = rule ? rule->where : no_source;

    switch (result) {
    case CONF_ALLOWED:
        return send_option(judgement, option, rule);
    case CONF_LIMIT:
        return judgement_refuse_limit(judgement, where);
    case CONF_REFUSED:
        break;
    }
    return judgement_refuse(judgement, "an option or value is not allowed by confs", where);
}

/* Refuses a GETINFO for a key that no rule matches. */
static bool refuse_key(const struct judgement *judgement)
{
    if (words_count(judgement->command->arguments) > 1)
        return judgement_refuse(judgement, "one of several keys is not allowed", no_source);
    return judgement_refuse_unmatched(judgement);
}

static bool judge_key(const struct judgement *judgement, const struct kv_pair *key)
{
    enum keyword_id id = judgement->command->keyword->id;
    struct rule_match match = {0};

    /* Rules of SETCONF are for its whole text. */
    if (id == KEYWORD_SETCONF)
        return judge_option(judgement, key);
    switch (judgement_match(judgement, key->text, &match)) {
    case PATTERN_MATCH:
        return send_key_by_rule(judgement, key, &match);
    case PATTERN_LIMIT:
        return false;
    case PATTERN_NO_MATCH:
        break;
    }
    return id == KEYWORD_GETINFO ? refuse_key(judgement) : judge_option(judgement, key);
}

/* Judges all keys. False: refused. */
static bool judge_each_key(const struct judgement *judgement)
{
    struct span rest = judgement->command->arguments;
    struct kv_pair key;
    enum kv_result result;
    size_t count = 0;

    while ((result = next_key(judgement, &rest, &key)) == KV_PAIR) {
        if (++count > ARGUMENTS_MAX_WORDS)
            return judgement_refuse(judgement, "too many keys in one command", no_source);
        if (!judge_key(judgement, &key))
            return false;
    }
    if (result == KV_MALFORMED)
        return judgement_refuse(judgement, "the arguments do not parse as tor reads them",
                                no_source);
    return count > 0 || judgement_refuse_unmatched(judgement);
}

void judge_keys(const struct judgement *judgement)
{
    struct decision *decision = judgement->decision;

    decision->plan = reply_plan_new(judgement->command->keyword);
    if (!judge_each_key(judgement))
        return;
    if (reply_plan_is_local(decision->plan)) {
        buf_wipe(&decision->arguments);
        decision->is_rewritten = false;
        decision->verdict = VERDICT_ANSWER;
    } else if (judgement_check_arguments(judgement)) {
        decision->verdict = VERDICT_FORWARD;
    }
}
