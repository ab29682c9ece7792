/* What decide.c and decide_keys.c share; nobody else includes this. */
#ifndef OG_DECIDE_PARTS_H
#define OG_DECIDE_PARTS_H

#include <stdbool.h>

#include "decide.h"
#include "pattern.h"

/* Matches of patterns, literal ones aside, that one command may cost. */
#define JUDGEMENT_MAX_MATCHES 4096

/* One command before the policy. */
struct judgement {
    const struct policy_view *view;
    const struct command *command;
    const struct template_variables *variables;
    struct decision *decision;
    struct pattern_budget *budget;          /* for all rules and all keys of the command together */
    const struct policy_view *complains_of; /* the second judgement of complain mode: the view that
                                               refused in the first one; else NULL */
};

/* A rule that matched, or hit a limit, and what its groups took. */
struct rule_match {
    const struct rule *rule;
    struct captures captures;
};

/* Tries the command's rules on `text`, profile by profile, until one matches or hits a limit. A
 * limit refuses the command. */
enum pattern_result judgement_match(const struct judgement *judgement, struct span text,
                                    struct rule_match *match_out);

/* Appends what the matched rule makes of `text` to the empty `out`. False: refused. */
bool judgement_expand(const struct judgement *judgement, const struct rule_match *match,
                      struct span text, struct buf *out);

/* Refuses the command; the arguments and the plan made so far are dropped. Always false. */
bool judgement_refuse(const struct judgement *judgement, const char *reason, struct source rule);

/* Refuses because a pattern gave up, or because there were too many to try. Always false. */
bool judgement_refuse_limit(const struct judgement *judgement, struct source rule);

/* Refuses because nothing allows these arguments. Always false. */
bool judgement_refuse_unmatched(const struct judgement *judgement);

/* Whether decision->arguments may go to tor as they now are (ADD_ONION: made canonical by this).
 * False: refused. */
bool judgement_check_arguments(const struct judgement *judgement);

/* Whether the rule is that of complain mode. */
bool judgement_is_complaint(const struct judgement *judgement, const struct rule *rule);

/* The command's arguments without spaces at their end, which tor ignores. */
struct span judgement_trimmed(const struct judgement *judgement);

/* Lets the rules decide on the complete text, then on the trimmed one. False: none matches. */
bool judgement_apply_rules(const struct judgement *judgement);

/* Whether some profile judges the command by its `onions`, and that judgement. */
bool judgement_is_of_onions(const struct judgement *judgement);
void judge_onions(const struct judgement *judgement);

/* GETINFO, GETCONF, RESETCONF, SETCONF whose whole text no rule matched: key by key. */
void judge_keys(const struct judgement *judgement);

#endif
