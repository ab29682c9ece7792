/* Approvals by `onions` that depend on what is the client's own (design 3.9).
 *
 * Whose a service or a key is changes with tor's replies, also with those to commands of the same
 * segment. So such a command is judged when it is its turn to be sent; where a reply that is still
 * owed could change the answer, it waits for that, and all behind it wait with it. The observer
 * hears of it then, once. What it holds of the client's request is what tor would get. */
#include "session_parts.h"

#include "command.h"

/* --- what is kept of the decision --- */

static bool is_place(struct source a, struct source b)
{
    return a.file == b.file && a.line == b.line && a.column == b.column;
}

/* The profile of a rule of `commands`. */
static const struct profile *find_rule_owner(const struct session *session,
                                             const struct keyword *keyword, struct source rule)
{
    for (size_t i = 0; i < session->view.count; i++) {
        const struct command_rules *rules =
            profile_find_command(session->view.profiles[i], keyword->id);
        for (size_t j = 0; rules && j < rules->count; j++)
            if (is_place(rules->rules[j].where, rule))
                return session->view.profiles[i];
    }
    return NULL;
}

void session_claim_begin(struct session *session, struct pending *pending,
                         const struct decision *decision)
{
    pending->claim = (struct pending_claim){
        .kind = decision->claim,
        .claimant = decision->claimant,
        .create = decision->create,
        .rule = decision->rule,
        .is_rewritten = decision->is_rewritten,
        .is_unreported = decision->claim != ONION_CLAIM_NONE,
    };
    session_note_command(pending);
    if (!pending->claim.claimant &&
        (pending->is_detached || pending->keyword->id == KEYWORD_ONION_CLIENT_AUTH_ADD))
        pending->claim.claimant = find_rule_owner(session, pending->keyword, decision->rule);
}

/* --- the report --- */

void session_claim_report(struct session *session, struct pending *pending, const char *refusal)
{
    struct pending_claim *claim = &pending->claim;

    if (!claim->is_unreported)
        return;
    claim->is_unreported = false;
    const struct command command = {
        .keyword = pending->keyword,
        .name = span_from_string(pending->keyword->name),
        .arguments = buf_span(&pending->text),
    };
    const struct session_report report = {
        .command = &command,
        .verdict = refusal ? VERDICT_REFUSE : VERDICT_FORWARD,
        .is_rewritten = !refusal && claim->is_rewritten,
        .rule = claim->rule,
        .reason = refusal,
        .sent = refusal ? span_make(NULL, 0) : buf_span(&pending->text),
        .is_complaint = !refusal && claim->is_complaint,
        .complaint = buf_span(&pending->text),
    };
    session->observer->command(session->observer->context, &report);
}

/* --- replies that are still owed --- */

static bool changes_services(const struct pending *pending)
{
    return pending->keyword->id == KEYWORD_ADD_ONION || pending->keyword->id == KEYWORD_DEL_ONION;
}

static bool changes_keys(const struct pending *pending)
{
    return pending->keyword->id == KEYWORD_ONION_CLIENT_AUTH_ADD ||
           pending->keyword->id == KEYWORD_ONION_CLIENT_AUTH_REMOVE;
}

/* Whether one of those sent before could change what is true of the address, or, where the commands
 * do not say which address they are about, of any. */
static bool is_owed(const struct session *session, const struct pending *pending,
                    bool (*changes)(const struct pending *pending),
                    const struct onion_address *address)
{
    for (const struct pending *p = session->pending.head; p && p != pending; p = p->next) {
        if (p->kind != PENDING_SENT || !changes(p))
            continue;
        if (!address || !p->address.text[0] || onion_address_compare(&p->address, address) == 0)
            return true;
    }
    return false;
}

/* Services that end with the connection, and that tor has been asked for. */
static size_t count_on_way(const struct session *session)
{
    size_t count = 0;

    for (const struct pending *p = session->pending.head; p; p = p->next)
        count += p->kind == PENDING_SENT && p->keyword->id == KEYWORD_ADD_ONION && !p->is_detached;
    return count;
}

/* --- the judgement --- */

static enum session_claim refuse_or_wait(bool waits, const char *reason, const char **reason_out)
{
    if (waits)
        return SESSION_CLAIM_WAITS;
    *reason_out = reason;
    return SESSION_CLAIM_FAILS;
}

static enum session_claim judge_create(const struct session *session, const struct pending *pending,
                                       const char **reason_out)
{
    const char *profile = pending->claim.claimant->name;
    unsigned limit = pending->claim.create ? pending->claim.create->max_services : 0;
    size_t count = session_count_services(session) + count_on_way(session) +
                   onion_registry_count(session->registry, profile);
    bool waits = is_owed(session, pending, changes_services, NULL);

    if (count >= (limit > 0 ? limit : SESSION_MAX_SERVICES))
        return refuse_or_wait(waits, "the client has as many onion services as max-services allows",
                              reason_out);
    if (pending->is_detached && !onion_registry_has_room(session->registry, profile))
        return refuse_or_wait(
            waits, "there are as many detached onion services as are kept track of", reason_out);
    return SESSION_CLAIM_STANDS;
}

static bool may_delete(const struct onion_rules *rules)
{
    return rules->delete_own;
}

static enum session_claim judge_service(const struct session *session,
                                        const struct pending *pending, const char **reason_out)
{
    if (is_owed(session, pending, changes_services, &pending->address))
        return SESSION_CLAIM_WAITS;
    if (pending->address.text[0] && session_owns_service(session, &pending->address, may_delete))
        return SESSION_CLAIM_STANDS;
    *reason_out = "the onion service is not the client's own";
    return SESSION_CLAIM_FAILS;
}

static enum session_claim judge_key(const struct session *session, const struct pending *pending,
                                    const char **reason_out)
{
    if (is_owed(session, pending, changes_keys, &pending->address))
        return SESSION_CLAIM_WAITS;
    if (pending->address.text[0] && session_owns_key(session, &pending->address))
        return SESSION_CLAIM_STANDS;
    *reason_out = "the key for that onion service was not added by the client's profile";
    return SESSION_CLAIM_FAILS;
}

/* A claim that stands takes its place with this. */
static enum session_claim judge_key_add(struct session *session, struct pending *pending,
                                        const char **reason_out)
{
    if (!pending->address.text[0])
        return refuse_or_wait(false, "the first argument is no onion address", reason_out);
    if (is_owed(session, pending, changes_keys, &pending->address))
        return SESSION_CLAIM_WAITS;
    switch (onion_registry_key_begin(session->registry, pending->claim.claimant->name,
                                     &pending->address)) {
    case ONION_KEY_GRANTED:
        pending->claim.is_reserved = true;
        return SESSION_CLAIM_STANDS;
    case ONION_KEY_TAKEN:
        return refuse_or_wait(false, "another profile has a key for that onion service",
                              reason_out);
    case ONION_KEY_NO_ROOM:
        break;
    }
    return refuse_or_wait(false, "there are as many keys for onion services as are kept track of",
                          reason_out);
}

static enum session_claim judge(struct session *session, struct pending *pending,
                                const char **reason_out)
{
    if (pending->claim.kind != ONION_CLAIM_NONE && !pending->claim.claimant)
        return refuse_or_wait(false, "no profile stands for the command", reason_out);
    switch (pending->claim.kind) {
    case ONION_CLAIM_NONE:
    case ONION_CLAIM_FETCH:
    case ONION_CLAIM_KEY_LISTING:
        return SESSION_CLAIM_STANDS;
    case ONION_CLAIM_CREATE:
        return judge_create(session, pending, reason_out);
    case ONION_CLAIM_SERVICE:
        return judge_service(session, pending, reason_out);
    case ONION_CLAIM_KEY_ADD:
        return judge_key_add(session, pending, reason_out);
    case ONION_CLAIM_KEY:
        return judge_key(session, pending, reason_out);
    }
    *reason_out = "a claim that is none";
    return SESSION_CLAIM_FAILS;
}

enum session_claim session_claim_judge(struct session *session, struct pending *pending,
                                       const char **reason_out)
{
    enum session_claim result = judge(session, pending, reason_out);

    if (result != SESSION_CLAIM_FAILS || !session->view.complain)
        return result;
    pending->claim.is_complaint = true;
    return SESSION_CLAIM_STANDS;
}

/* --- places in the registry --- */

void session_claim_reserve(struct session *session, struct pending *pending)
{
    struct pending_claim *claim = &pending->claim;

    if (claim->is_reserved || !claim->claimant)
        return;
    if (pending->is_detached)
        claim->is_reserved = onion_registry_reserve(session->registry, claim->claimant->name);
    else if (pending->keyword->id == KEYWORD_ONION_CLIENT_AUTH_ADD && pending->address.text[0])
        claim->is_reserved = onion_registry_key_begin(session->registry, claim->claimant->name,
                                                      &pending->address) == ONION_KEY_GRANTED;
}

void session_claim_end(struct session *session, struct pending *pending, bool is_success)
{
    struct pending_claim *claim = &pending->claim;
    const char *profile = claim->claimant ? claim->claimant->name : NULL;

    if (claim->is_reserved && pending->is_detached)
        onion_registry_release(session->registry, profile);
    else if (claim->is_reserved)
        onion_registry_key_end(session->registry, &pending->address, is_success);
    else if (is_success && pending->keyword->id == KEYWORD_ONION_CLIENT_AUTH_ADD &&
             pending->address.text[0])
        onion_registry_key_replace(session->registry, profile, &pending->address);
    claim->is_reserved = false;
}

void session_claim_lose(struct session *session, struct pending *pending)
{
    struct pending_claim *claim = &pending->claim;

    if (claim->is_reserved && pending->kind == PENDING_SENT && pending->is_detached) {
        onion_registry_lose(session->registry, claim->claimant->name);
        claim->is_reserved = false;
    }
    /* A key that tor may have is kept from others. */
    if (claim->is_reserved)
        session_claim_end(session, pending, pending->kind == PENDING_SENT);
}
