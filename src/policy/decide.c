/* One command, one verdict.
 *
 * SETEVENTS is a matter of `events`, commands about onion services are one of `onions` where a
 * profile has it (decide_onions.c). For all others the complete argument text meets the rules in
 * order and the first match decides; what no rule matches is, for commands of several keys, judged
 * key by key (decide_keys.c). Whatever a rule or template let through is then read once more as tor
 * would read it: no reply, two replies, an onion service that points at a name (control-protocol
 * 6.2, 7.6, 7.20) are beyond what a profile can allow.
 * The verdict starts as refusal, and every way out of here that is not a clear yes leaves it so. */
#include "decide.h"

#include "add_onion.h"
#include "arguments.h"
#include "complain.h"
#include "decide_parts.h"
#include "event.h"
#include "line.h"
#include "mem.h"
#include "words.h"

static const struct source no_source = {0};

void decision_clear(struct decision *decision)
{
    reply_plan_free(decision->plan);
    decision->plan = NULL;
    buf_wipe(&decision->arguments);
    buf_wipe(&decision->complaint);
    decision->is_complaint = false;
    decision->verdict = VERDICT_REFUSE;
}

bool judgement_refuse(const struct judgement *judgement, const char *reason, struct source rule)
{
    struct decision *decision = judgement->decision;

    decision_clear(decision);
    decision->is_rewritten = false;
    decision->reason = reason;
    decision->rule = rule;
    return false;
}

bool judgement_refuse_unmatched(const struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->view->count; i++) {
        const struct command_rules *rules =
            profile_find_command(judgement->view->profiles[i], judgement->command->keyword->id);
        if (rules && rules->count > 0)
            return judgement_refuse(judgement, "no rule allows these arguments", no_source);
    }
    return judgement_refuse(judgement, "no rule for this command", no_source);
}

bool judgement_refuse_limit(const struct judgement *judgement, struct source rule)
{
    return judgement_refuse(judgement,
                            judgement->budget->is_spent ? "too many patterns to try for one command"
                                                        : "a pattern hit its match limit",
                            rule);
}

enum pattern_result judgement_match(const struct judgement *judgement, struct span text,
                                    struct rule_match *match_out)
{
    enum pattern_result result = PATTERN_NO_MATCH;

    for (size_t i = 0; i < judgement->view->count && result == PATTERN_NO_MATCH; i++) {
        const struct command_rules *rules =
            profile_find_command(judgement->view->profiles[i], judgement->command->keyword->id);
        if (rules)
            result = rule_index_match(&rules->index, text, judgement->budget, &match_out->rule,
                                      &match_out->captures);
    }
    if (result == PATTERN_LIMIT)
        judgement_refuse_limit(judgement, match_out->rule->where);
    return result;
}

bool judgement_expand(const struct judgement *judgement, const struct rule_match *match,
                      struct span text, struct buf *out)
{
    const struct rule *rule = match->rule;
    bool fits = rule->replacement ? template_expand(rule->replacement, &match->captures,
                                                    judgement->variables, out)
                                  : buf_append(out, text);

    if (!fits || !line_is_printable(buf_span(out)))
        return judgement_refuse(judgement, "the replacement is no legal argument text",
                                rule->where);
    if (!span_equals(buf_span(out), text))
        judgement->decision->is_rewritten = true;
    return true;
}

/* Replaces the arguments of ADD_ONION by their canonical form; NULL, or why that is refused. */
static const char *make_onion_canonical(struct decision *decision)
{
    struct buf *arguments = &decision->arguments;
    struct buf canonical;
    struct add_onion_facts facts;

    buf_init(&canonical, COMMAND_MAX_LINE);
    enum target_result result = add_onion_canonical(buf_span(arguments), &canonical, &facts);
    bool overflow = canonical.overflow;
    if (!span_equals(buf_span(arguments), buf_span(&canonical)))
        decision->is_rewritten = true;
    buf_wipe(arguments);
    *arguments = canonical;
    if (result != TARGET_OK)
        return target_result_text(result);
    return overflow ? "the arguments are too long with every target named in full" : NULL;
}

/* NULL if the decision's arguments may go to tor, else why not. */
static const char *arguments_problem(const struct judgement *judgement)
{
    const struct keyword *keyword = judgement->command->keyword;
    struct buf *arguments = &judgement->decision->arguments;
    struct span data = judgement->command->data;

    if (!line_is_printable(buf_span(arguments)))
        return "the arguments are not printable ASCII";
    const char *reason = arguments_refusal(keyword, buf_span(arguments), data);
    if (reason)
        return reason;
    if (keyword->id != KEYWORD_ADD_ONION)
        return NULL;
    reason = make_onion_canonical(judgement->decision);
    return reason ? reason : arguments_refusal(keyword, buf_span(arguments), data);
}

bool judgement_check_arguments(const struct judgement *judgement)
{
    const char *reason = arguments_problem(judgement);

    return !reason || judgement_refuse(judgement, reason, judgement->decision->rule);
}

/* The reply parts of a command that one rule allowed as a whole. */
static struct reply_plan *plan_whole(const struct keyword *keyword, const struct rule *rule,
                                     struct span sent)
{
    struct reply_plan *plan = reply_plan_new(keyword);
    bool has_part_per_key =
        keyword->reply == REPLY_SHAPE_GETINFO || keyword->reply == REPLY_SHAPE_GETCONF;
    struct span word;

    if (!has_part_per_key || rule->reply) {
        reply_plan_add(plan, span_make(NULL, 0), rule);
        return plan;
    }
    while (words_next(&sent, &word))
        reply_plan_add(plan, word, rule);
    return plan;
}

/* Spaces between keyword and arguments belong to neither, here as in what a client sends. */
static void drop_leading_spaces(struct buf *arguments)
{
    struct span text = buf_span(arguments);
    size_t spaces = 0;

    while (spaces < text.len && text.data[spaces] == ' ')
        spaces++;
    buf_consume(arguments, spaces);
}

/* Lets a rule that matched the complete text decide. */
static void apply_rule(const struct judgement *judgement, const struct rule_match *match,
                       struct span text)
{
    const struct keyword *keyword = judgement->command->keyword;
    struct decision *decision = judgement->decision;

    decision->rule = match->rule->where;
    if (match->rule->reply) {
        decision->plan = plan_whole(keyword, match->rule, text);
        decision->verdict = VERDICT_ANSWER;
        return;
    }
    if (!judgement_expand(judgement, match, text, &decision->arguments))
        return;
    drop_leading_spaces(&decision->arguments);
    if (!judgement_check_arguments(judgement))
        return;
    decision->plan = plan_whole(keyword, match->rule, buf_span(&decision->arguments));
    decision->verdict = VERDICT_FORWARD;
}

/* Judges the complete text by the rules. False: none matches. */
static bool judge_whole(const struct judgement *judgement, struct span text)
{
    struct rule_match match = {0};
    enum pattern_result result = judgement_match(judgement, text, &match);

    if (result == PATTERN_MATCH)
        apply_rule(judgement, &match, text);
    return result != PATTERN_NO_MATCH;
}

struct span judgement_trimmed(const struct judgement *judgement)
{
    struct span text = judgement->command->arguments;

    while (text.len > 0 && text.data[text.len - 1] == ' ')
        text.len--;
    return text;
}

bool judgement_apply_rules(const struct judgement *judgement)
{
    struct span text = judgement->command->arguments;
    struct span trimmed = judgement_trimmed(judgement);

    return judge_whole(judgement, text) ||
           (trimmed.len < text.len && judge_whole(judgement, trimmed));
}

static void judge_by_rules(const struct judgement *judgement)
{
    const struct keyword *keyword = judgement->command->keyword;

    if (judgement_apply_rules(judgement))
        return;
    if ((keyword->flags & KEYWORD_HAS_KEYS) || keyword->id == KEYWORD_SETCONF)
        judge_keys(judgement);
    else
        judgement_refuse_unmatched(judgement);
}

static void judge_setevents(const struct judgement *judgement)
{
    struct decision *decision = judgement->decision;
    struct span rest = judgement->command->arguments, name;
    size_t count = 0;

    while (words_next(&rest, &name)) {
        if (++count > ARGUMENTS_MAX_WORDS) {
            judgement_refuse(judgement, "too many events in one command", no_source);
            return;
        }
        const struct event_rule *rule = policy_find_event(judgement->view, name);
        if (!rule && !event_is_ignored(name)) {
            judgement_refuse(judgement, "event not listed in events", no_source);
            return;
        }
        if (rule && !decision->rule.file)
            decision->rule = rule->where;
    }
    if (!buf_append(&decision->arguments, judgement->command->arguments)) {
        judgement_refuse(judgement, "the arguments are too long", no_source);
        return;
    }
    decision->verdict = VERDICT_SUBSCRIBE;
}

static void judge(const struct judgement *judgement)
{
    const struct command *command = judgement->command;

    if (judgement->view->count == 0)
        judgement_refuse(judgement, "no profile matches this client", no_source);
    else if (command->defect != COMMAND_SOUND || !command->keyword)
        judgement_refuse(judgement, "not a command of tor's", no_source);
    else if (command->keyword->flags & KEYWORD_IS_LOCAL)
        judgement_refuse(judgement, "never forwarded to tor", no_source);
    else if (command->keyword->id == KEYWORD_SETEVENTS)
        judge_setevents(judgement);
    else if (judgement_is_of_onions(judgement))
        judge_onions(judgement);
    else
        judge_by_rules(judgement);
}

/* --- complain mode --- */

bool judgement_is_complaint(const struct judgement *judgement, const struct rule *rule)
{
    return judgement->complains_of &&
           rule->where.file == judgement->complains_of->complain->where.file;
}

/* The events that no profile lists. */
static void note_events(const struct judgement *judgement)
{
    struct buf *complaint = &judgement->decision->complaint;
    struct span rest = judgement->command->arguments, name;

    while (words_next(&rest, &name)) {
        if (event_is_ignored(name) || policy_find_event(judgement->complains_of, name))
            continue;
        buf_append_string(complaint, complaint->len > 0 ? " " : "");
        buf_append(complaint, name);
    }
}

static void note_complaint(const struct judgement *judgement)
{
    const struct command *command = judgement->command;
    struct decision *decision = judgement->decision;

    decision->is_complaint = true;
    if (command->keyword->id == KEYWORD_SETEVENTS)
        note_events(judgement);
    if (decision->complaint.len == 0)
        buf_append(&decision->complaint, command->arguments);
}

/* Judges once more what the profiles refused. */
static void judge_again(const struct judgement *first)
{
    const struct command *command = first->command;
    struct policy_view wider = complain_view(first->view);
    struct judgement judgement = *first;

    judgement.view = &wider;
    judgement.complains_of = first->view;
    decision_clear(first->decision);
    first->decision->reason = NULL;
    first->decision->rule = no_source;
    judge(&judgement);
    if (first->decision->verdict != VERDICT_REFUSE) {
        const char *reason = complain_refusal(command->keyword,
                                              buf_span(&first->decision->arguments), command->data);
        if (reason && first->decision->verdict == VERDICT_FORWARD)
            judgement_refuse(&judgement, reason, no_source);
        else
            note_complaint(&judgement);
    }
    policy_view_clear(&wider);
}

void policy_decide(const struct policy_view *view, const struct command *command,
                   const struct template_variables *variables, struct decision *decision)
{
    struct pattern_budget budget = {.left = JUDGEMENT_MAX_MATCHES};
    const struct judgement judgement = {view, command, variables, decision, &budget, NULL};

    *decision = (struct decision){.verdict = VERDICT_REFUSE};
    buf_init(&decision->arguments, COMMAND_MAX_LINE);
    buf_init(&decision->complaint, COMMAND_MAX_LINE);
    judge(&judgement);
    if (decision->verdict == VERDICT_REFUSE && view->complain)
        judge_again(&judgement);
}

const struct event_rule *policy_find_event(const struct policy_view *view, struct span name)
{
    const struct event_rule *rule = NULL;

    for (size_t i = 0; i < view->count && !rule; i++)
        rule = profile_find_event(view->profiles[i], name);
    return rule;
}

bool policy_withholds_event(const struct policy_view *view, struct span name)
{
    return policy_is_tor_browser_mode(view) && (span_equals_nocase(name, SPAN("CIRC_MINOR")) ||
                                                span_equals_nocase(name, SPAN("CIRC_BW")));
}

bool policy_is_tor_browser_mode(const struct policy_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (view->profiles[i]->tor_browser_mode)
            return true;
    return false;
}
