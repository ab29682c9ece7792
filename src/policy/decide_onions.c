/* The commands that `onions` judges (design 3.9).
 *
 * The arguments are read as a set, and what tor gets is written from the set. Profiles are asked in
 * their order, each by its `onions` where that has something for the command, else by its patterns;
 * the first that has an answer decides. Whose service or key it is, the session knows when the
 * command's turn comes: the decision carries the question along (enum onion_claim). */
#include "decide_parts.h"

#include "onion_commands.h"
#include "onion_create.h"
#include "onion_request.h"

static const struct source no_source = {0};

/* What a tor that knows no proof of work answers; clients try again without. */
static char *const old_tor_lines[] = {
    (char *)"512 Bad arguments to ADD_ONION: Unrecognized keyword argument"};
static const struct rule old_tor = {.reply = (char **)old_tor_lines, .reply_count = 1};

/* Why nothing allowed the command: what came nearest. */
struct near_miss {
    const char *why;
    struct source where;
    unsigned passed;
};

static void note_miss(struct near_miss *miss, const char *why, struct source where, unsigned passed)
{
    if (!miss->why || passed > miss->passed)
        *miss = (struct near_miss){why, where, passed};
}

/* Sends decision->arguments, unless they are none that may ever be sent. */
static void approve(const struct judgement *judgement, const struct rule *rule)
{
    struct decision *decision = judgement->decision;

    if (!judgement_check_arguments(judgement))
        return;
    decision->is_rewritten =
        !span_equals(judgement_trimmed(judgement), buf_span(&decision->arguments));
    decision->plan = reply_plan_new(judgement->command->keyword);
    reply_plan_add(decision->plan, span_make(NULL, 0), rule);
    decision->verdict = VERDICT_FORWARD;
}

static void answer_as_old_tor(const struct judgement *judgement)
{
    struct decision *decision = judgement->decision;

    decision->plan = reply_plan_new(judgement->command->keyword);
    reply_plan_add(decision->plan, span_make(NULL, 0), &old_tor);
    decision->verdict = VERDICT_ANSWER;
}

/* The element allows the request: makes of it what tor gets. */
static void create_service(const struct judgement *judgement, const struct profile *profile,
                           const struct onion_create *create, struct onion_request *request)
{
    struct decision *decision = judgement->decision;

    decision->rule = create->where;
    if (create->proof_of_work == ONION_POW_REFUSE_512 && onion_request_has_pow(request)) {
        answer_as_old_tor(judgement);
        return;
    }
    const char *why = onion_create_apply(create, judgement->variables, request);
    if (!why && !onion_request_write(request, &decision->arguments))
        why = "the arguments are too long";
    if (why) {
        judgement_refuse(judgement, why, create->where);
        return;
    }
    approve(judgement, create->key_rule);
    if (decision->verdict != VERDICT_FORWARD)
        return;
    decision->claim = ONION_CLAIM_CREATE;
    decision->claimant = profile;
    decision->create = create;
}

/* ADD_ONION by the profile's `create`. False: no element allows it. */
static bool judge_create(const struct judgement *judgement, const struct profile *profile,
                         struct near_miss *miss)
{
    const struct onion_rules *rules = &profile->onions;
    struct onion_request request;
    unsigned passed = 0;
    const char *why = onion_request_parse(judgement->command->arguments, &request);

    if (why) {
        note_miss(miss, why, rules->creates[0].where, 0);
        return false;
    }
    for (size_t i = 0; i < rules->create_count; i++) {
        const struct onion_create *create = &rules->creates[i];
        why = onion_create_refusal(create, &request, judgement->variables, &passed);
        if (!why) {
            create_service(judgement, profile, create, &request);
            return true;
        }
        note_miss(miss, why, create->where, passed);
    }
    return false;
}

/* The commands that are one key of `onions` each. */
static const struct own_command {
    enum keyword_id id;
    const char *(*canonical)(struct span arguments, struct buf *out);
    enum onion_claim claim;
} own_commands[] = {
    {KEYWORD_DEL_ONION, onion_delete_canonical, ONION_CLAIM_SERVICE},
    {KEYWORD_HSFETCH, onion_fetch_canonical, ONION_CLAIM_FETCH},
    {KEYWORD_ONION_CLIENT_AUTH_ADD, onion_key_add_canonical, ONION_CLAIM_KEY_ADD},
    {KEYWORD_ONION_CLIENT_AUTH_REMOVE, onion_key_remove_canonical, ONION_CLAIM_KEY},
    {KEYWORD_ONION_CLIENT_AUTH_VIEW, onion_key_view_canonical, ONION_CLAIM_KEY},
};

static const struct own_command *find_own_command(enum keyword_id id)
{
    for (size_t i = 0; i < sizeof own_commands / sizeof *own_commands; i++)
        if (own_commands[i].id == id)
            return &own_commands[i];
    return NULL;
}

/* Another command by the profile's `onions`. False: its arguments are none that it allows. */
static bool judge_own(const struct judgement *judgement, const struct profile *profile,
                      struct source where, struct near_miss *miss)
{
    const struct own_command *own = find_own_command(judgement->command->keyword->id);
    struct decision *decision = judgement->decision;
    const char *why =
        own ? own->canonical(judgement->command->arguments, &decision->arguments) : "no such key";

    if (why) {
        note_miss(miss, why, where, 0);
        return false;
    }
    decision->rule = where;
    approve(judgement, NULL);
    if (decision->verdict != VERDICT_FORWARD)
        return true;
    /* ONION_CLIENT_AUTH_VIEW alone may come without an address. */
    decision->claim = decision->arguments.len > 0 ? own->claim : ONION_CLAIM_KEY_LISTING;
    decision->claimant = profile;
    return true;
}

/* The patterns of one profile. False: none matches. */
static bool judge_by_patterns(const struct judgement *judgement, const struct profile *profile)
{
    const struct policy_view alone = {.profiles = &profile, .count = 1};
    struct judgement of_profile = *judgement;

    of_profile.view = &alone;
    return judgement_apply_rules(&of_profile);
}

/* Whether it was allowed for what the client already has. */
static bool claims_ownership(const struct decision *decision)
{
    return decision->verdict == VERDICT_FORWARD &&
           (decision->claim == ONION_CLAIM_SERVICE || decision->claim == ONION_CLAIM_KEY ||
            decision->claim == ONION_CLAIM_KEY_LISTING);
}

/* Where a later profile allows by its patterns what this one allows for the client's own only, the
 * patterns decide: a client may do what any of its profiles allows. */
static void prefer_patterns(const struct judgement *judgement, size_t later)
{
    struct decision *decision = judgement->decision, own = *decision;
    const struct policy_view *view = judgement->view;
    enum keyword_id id = judgement->command->keyword->id;

    *decision = (struct decision){.verdict = VERDICT_REFUSE};
    buf_init(&decision->arguments, COMMAND_MAX_LINE);
    buf_init(&decision->complaint, COMMAND_MAX_LINE);
    for (size_t i = later; i < view->count && decision->verdict == VERDICT_REFUSE; i++)
        if (!onion_rules_place(&view->profiles[i]->onions, id) &&
            judge_by_patterns(judgement, view->profiles[i]))
            break;
    if (decision->verdict == VERDICT_FORWARD) {
        decision_clear(&own);
    } else {
        decision_clear(decision);
        *decision = own;
    }
}

bool judgement_is_of_onions(const struct judgement *judgement)
{
    for (size_t i = 0; i < judgement->view->count; i++)
        if (onion_rules_place(&judgement->view->profiles[i]->onions,
                              judgement->command->keyword->id))
            return true;
    return false;
}

void judge_onions(const struct judgement *judgement)
{
    enum keyword_id id = judgement->command->keyword->id;
    struct near_miss miss = {.where = no_source};
    bool is_decided = false;

    for (size_t i = 0; i < judgement->view->count && !is_decided; i++) {
        const struct profile *profile = judgement->view->profiles[i];
        const struct source *place = onion_rules_place(&profile->onions, id);
        if (!place)
            is_decided = judge_by_patterns(judgement, profile);
        else if (id == KEYWORD_ADD_ONION)
            is_decided = judge_create(judgement, profile, &miss);
        else
            is_decided = judge_own(judgement, profile, *place, &miss);
        if (is_decided && claims_ownership(judgement->decision))
            prefer_patterns(judgement, i + 1);
    }
    if (!is_decided)
        judgement_refuse(judgement, miss.why, miss.where);
}
