/* `onions` in the reference: what may reach tor is looked at, not what the client wrote. */
#include "session_reference_parts.h"

#include "add_onion.h"
#include "onion_commands.h"
#include "onion_request.h"
#include "session_harness.h"

static bool in_ranges(const struct port_range *ranges, size_t count, unsigned port)
{
    for (size_t i = 0; i < count; i++)
        if (ranges[i].first <= port && port <= ranges[i].last)
            return true;
    return false;
}

/* A star is any text without a slash. */
static bool path_fits(const char *pattern, struct span path)
{
    if (*pattern == '\0')
        return path.len == 0;
    if (*pattern != '*')
        return path.len > 0 && path.data[0] == *pattern &&
               path_fits(pattern + 1, span_from(path, 1));
    for (size_t i = 0; i <= path.len; i++) {
        if (path_fits(pattern + 1, span_from(path, i)))
            return true;
        if (i < path.len && path.data[i] == '/')
            return false;
    }
    return false;
}

static bool is_ipv4(const struct target *target, const char *address)
{
    struct target wanted;

    return target_parse_address(span_from_string(address), &wanted) &&
           target->kind == wanted.kind &&
           memcmp(target->address, wanted.address, sizeof wanted.address) == 0;
}

/* What reaches tor: after target-address took the place of the address, any listed port will do. */
static bool target_fits(const struct onion_create *create, const struct target *target)
{
    for (size_t i = 0; i < create->target_count; i++) {
        const struct onion_target *rule = &create->targets[i];
        if (target->kind == TARGET_UNIX) {
            if (rule->path && path_fits(rule->path, target->path))
                return true;
        } else if (!rule->path && in_ranges(&rule->ports, 1, target->port)) {
            bool is_named = rule->is_port_only || rule->is_client
                                ? is_ipv4(target, "127.0.0.1")
                                : target->kind == rule->address.kind &&
                                      memcmp(target->address, rule->address.address, 16) == 0;
            if (is_named || create->target_address)
                return true;
        }
    }
    return false;
}

static bool has_right_address(const struct onion_create *create, const struct target *target)
{
    struct buf text;

    if (!create->target_address || target->kind == TARGET_UNIX)
        return true;
    buf_init(&text, 256);
    template_expand(create->target_address, NULL, &harness_variables, &text);
    buf_append_char(&text, '\0');
    bool is_right = is_ipv4(target, text.data);
    buf_clear(&text);
    return is_right;
}

/* Whether the element may have let that go to tor. */
static bool create_fits(const struct onion_create *create, const struct onion_request *sent)
{
    unsigned flags = create->flags | create->require_flags;
    bool has_streams = sent->has_number[ONION_NUMBER_MAX_STREAMS];

    if (create->client_auth)
        flags |= ADD_ONION_V3_AUTH;
    if ((sent->flags & ~flags) || (create->require_flags & ~sent->flags))
        return false;
    if (sent->key == ONION_KEY_STORED ? !create->allows_stored : !create->allows_new)
        return false;
    if (sent->client_key_count > 0 && !create->client_auth)
        return false;
    if (onion_request_has_pow(sent) && create->proof_of_work != ONION_POW_ALLOW)
        return false;
    if (has_streams && !create->any_max_streams &&
        (!create->has_max_streams || sent->numbers[ONION_NUMBER_MAX_STREAMS] < 1 ||
         sent->numbers[ONION_NUMBER_MAX_STREAMS] > create->max_streams))
        return false;
    for (size_t i = 0; i < sent->port_count; i++) {
        const struct onion_port *port = &sent->ports[i];
        if (!in_ranges(create->virtual_ports, create->virtual_port_count, port->virtual_port) ||
            !target_fits(create, &port->target) || !has_right_address(create, &port->target))
            return false;
    }
    return true;
}

static bool judge_create(const struct judge *judge, const struct profile *profile)
{
    struct onion_request sent;
    const struct onion_create *found = NULL;
    size_t fitting = 0;

    if (onion_request_parse(judge->sent, &sent))
        return false;
    for (size_t i = 0; i < profile->onions.create_count; i++) {
        if (!create_fits(&profile->onions.creates[i], &sent))
            continue;
        found = found ? found : &profile->onions.creates[i];
        fitting++;
    }
    if (!found)
        return false;
    reference_clear(judge->reference);
    judge->reference->is_known = judge->reference->is_whole = true;
    /* Where several fit what was sent, it is not certain which of them it was. */
    judge->reference->hides_key = fitting == 1 && found->redact_key;
    judge->reference->max_services = fitting == 1 ? found->max_services : 0;
    reference_note_rule(judge->reference, NULL);
    return true;
}

/* Whether `onions` has a key for the command, and that is set. */
bool reference_has_key_for(const struct onion_rules *onions, enum keyword_id id)
{
    if (id == KEYWORD_ADD_ONION)
        return onions->create_count > 0;
    if (id == KEYWORD_DEL_ONION)
        return onions->delete_own;
    if (id == KEYWORD_HSFETCH)
        return onions->fetch;
    return onions->client_auth_keys_own &&
           (id == KEYWORD_ONION_CLIENT_AUTH_ADD || id == KEYWORD_ONION_CLIENT_AUTH_REMOVE ||
            id == KEYWORD_ONION_CLIENT_AUTH_VIEW);
}

static bool judge_own(const struct judge *judge)
{
    enum keyword_id id = judge->command->keyword->id;
    struct buf text;
    const char *why = "not such a command";

    buf_init(&text, COMMAND_MAX_LINE);
    if (id == KEYWORD_DEL_ONION)
        why = onion_delete_canonical(judge->command->arguments, &text);
    else if (id == KEYWORD_HSFETCH)
        why = onion_fetch_canonical(judge->command->arguments, &text);
    else if (id == KEYWORD_ONION_CLIENT_AUTH_ADD)
        why = onion_key_add_canonical(judge->command->arguments, &text);
    else if (id == KEYWORD_ONION_CLIENT_AUTH_REMOVE)
        why = onion_key_remove_canonical(judge->command->arguments, &text);
    else if (id == KEYWORD_ONION_CLIENT_AUTH_VIEW)
        why = onion_key_view_canonical(judge->command->arguments, &text);
    bool is_allowed = !why && span_equals(buf_span(&text), judge->sent);
    buf_clear(&text);
    if (!is_allowed)
        return false;
    reference_clear(judge->reference);
    judge->reference->is_known = judge->reference->is_whole = true;
    judge->reference->must_own = true;
    judge->reference->hides_key = id == KEYWORD_ONION_CLIENT_AUTH_VIEW;
    reference_note_rule(judge->reference, NULL);
    return true;
}

/* Profile by profile; a pattern of any of them lifts what another one says of the client's own. */
bool reference_judge_onions(const struct judge *judge)
{
    enum keyword_id id = judge->command->keyword->id;
    bool is_own = false, is_allowed = false;

    for (size_t i = 0; i < judge->view->count; i++) {
        const struct profile *profile = judge->view->profiles[i];
        if (!reference_has_key_for(&profile->onions, id)) {
            if (reference_judge_whole(judge, profile, &is_allowed) && is_allowed)
                return true;
        } else if (id == KEYWORD_ADD_ONION) {
            if (judge_create(judge, profile))
                return true;
        } else {
            is_own = true;
        }
    }
    return is_own && judge_own(judge);
}
