/* One element of `onions: create` before a parsed ADD_ONION.
 *
 * An element allows a request as a whole or not at all: each port, each target, each flag. What is
 * compared are numbers; only the path of a Unix socket is text, and that has passed target_parse,
 * so that it is absolute, in normal form and not below the kernel's folders. */
#include "onion_create.h"

#include <string.h>

/* An element, a request, and what both are about. */
struct fitting {
    const struct onion_create *create;
    const struct onion_request *request;
    bool has_client;
    struct target client; /* the client's own address */
};

static bool range_holds(struct port_range range, uint16_t port)
{
    return range.first <= port && port <= range.last;
}

static bool same_address(const struct target *a, const struct target *b)
{
    return a->kind == b->kind && memcmp(a->address, b->address, sizeof a->address) == 0;
}

static bool is_loopback_v4(const struct target *target)
{
    static const uint8_t loopback[16] = {127, 0, 0, 1};

    return target->kind == TARGET_IPV4 && memcmp(target->address, loopback, sizeof loopback) == 0;
}

/* 0.0.0.0, :: or ::1: how a client names its own machine if not by 127.0.0.1. */
static bool is_own_machine(const struct target *target)
{
    static const uint8_t none[16] = {0};
    static const uint8_t loopback_v6[16] = {[15] = 1};

    return memcmp(target->address, none, sizeof none) == 0 ||
           (target->kind == TARGET_IPV6 &&
            memcmp(target->address, loopback_v6, sizeof loopback_v6) == 0);
}

/* Whether the path is what the pattern says: "*" is any text without "/". The last star takes as
 * little as it can, and one more byte whenever the rest does not fit. */
static bool path_fits(const char *pattern, struct span path)
{
    const char *star = NULL;
    size_t at = 0, star_at = 0;

    while (at < path.len) {
        if (*pattern == '*') {
            star = pattern++;
            star_at = at;
        } else if (*pattern == path.data[at]) {
            pattern++;
            at++;
        } else if (star && path.data[star_at] != '/') {
            pattern = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static bool is_client_address(const struct fitting *fitting, const struct target *target)
{
    return fitting->has_client && same_address(target, &fitting->client);
}

static bool target_fits(const struct fitting *fitting, const struct onion_target *rule,
                        const struct target *target)
{
    if (rule->path || target->kind == TARGET_UNIX)
        return rule->path && target->kind == TARGET_UNIX && path_fits(rule->path, target->path);
    if (!range_holds(rule->ports, target->port))
        return false;
    if (rule->is_client)
        return is_client_address(fitting, target);
    if (!rule->is_port_only)
        return same_address(target, &rule->address);
    if (is_loopback_v4(target))
        return true;
    return fitting->create->target_address &&
           (is_own_machine(target) || is_client_address(fitting, target));
}

static bool allows_virtual_port(const struct onion_create *create, uint16_t port)
{
    for (size_t i = 0; i < create->virtual_port_count; i++)
        if (range_holds(create->virtual_ports[i], port))
            return true;
    return false;
}

static bool allows_target(const struct fitting *fitting, const struct target *target)
{
    for (size_t i = 0; i < fitting->create->target_count; i++)
        if (target_fits(fitting, &fitting->create->targets[i], target))
            return true;
    return false;
}

static const char *refuse_key(const struct fitting *fitting)
{
    if (fitting->request->key == ONION_KEY_STORED)
        return fitting->create->allows_stored ? NULL : "a stored key, which onions does not allow";
    return fitting->create->allows_new ? NULL : "a new key, which onions does not allow";
}

static const char *refuse_virtual_port(const struct fitting *fitting)
{
    for (size_t i = 0; i < fitting->request->port_count; i++)
        if (!allows_virtual_port(fitting->create, fitting->request->ports[i].virtual_port))
            return "a virtual port that onions does not list";
    return NULL;
}

static const char *refuse_target(const struct fitting *fitting)
{
    for (size_t i = 0; i < fitting->request->port_count; i++)
        if (!allows_target(fitting, &fitting->request->ports[i].target))
            return "a target that onions does not list";
    return NULL;
}

static const char *refuse_flags(const struct fitting *fitting)
{
    const struct onion_create *create = fitting->create;
    unsigned allowed = create->flags | create->require_flags | create->drop_flags;

    if (create->client_auth)
        allowed |= ADD_ONION_V3_AUTH;
    return fitting->request->flags & ~allowed ? "a flag that onions does not list" : NULL;
}

static const char *refuse_client_keys(const struct fitting *fitting)
{
    bool is_allowed = fitting->create->client_auth || fitting->request->client_key_count == 0;

    return is_allowed ? NULL : "ClientAuthV3=, which onions does not allow";
}

static const char *refuse_max_streams(const struct fitting *fitting)
{
    const struct onion_create *create = fitting->create;
    unsigned long streams = fitting->request->numbers[ONION_NUMBER_MAX_STREAMS];

    if (!fitting->request->has_number[ONION_NUMBER_MAX_STREAMS])
        return NULL;
    if (!create->has_max_streams)
        return "MaxStreams=, which onions does not allow";
    bool is_within = streams >= 1 && streams <= create->max_streams;
    return create->any_max_streams || is_within ? NULL : "MaxStreams= beyond what onions allows";
}

static const char *refuse_pow(const struct fitting *fitting)
{
    bool is_allowed = fitting->create->proof_of_work != ONION_POW_REFUSE ||
                      !onion_request_has_pow(fitting->request);

    return is_allowed ? NULL : "proof-of-work arguments, which onions does not allow";
}

const char *onion_create_refusal(const struct onion_create *create,
                                 const struct onion_request *request,
                                 const struct template_variables *variables, unsigned *passed_out)
{
    static const char *(*const checks[])(const struct fitting *fitting) = {
        refuse_key,         refuse_virtual_port, refuse_target, refuse_flags,
        refuse_client_keys, refuse_max_streams,  refuse_pow,
    };
    struct fitting fitting = {.create = create, .request = request};
    const char *why = NULL;

    fitting.has_client = target_parse_address(variables->client_address, &fitting.client);
    *passed_out = 0;
    for (size_t i = 0; i < sizeof checks / sizeof *checks && !why; i++) {
        why = checks[i](&fitting);
        *passed_out += !why;
    }
    return why;
}

/* Puts what target-address stands for in place of each address that the client named. */
static const char *replace_addresses(const struct onion_create *create,
                                     const struct template_variables *variables,
                                     struct onion_request *request)
{
    struct target address;
    struct buf text;

    buf_init(&text, 256);
    bool is_address = template_expand(create->target_address, NULL, variables, &text) &&
                      target_parse_address(buf_span(&text), &address);
    buf_clear(&text);
    if (!is_address)
        return "target-address does not stand for an address here";
    for (size_t i = 0; i < request->port_count; i++) {
        struct target *target = &request->ports[i].target;
        if (target->kind == TARGET_UNIX)
            continue;
        target->kind = address.kind;
        memcpy(target->address, address.address, sizeof target->address);
    }
    return NULL;
}

const char *onion_create_apply(const struct onion_create *create,
                               const struct template_variables *variables,
                               struct onion_request *request)
{
    request->flags = (request->flags | create->require_flags) & ~create->drop_flags;
    if (create->proof_of_work == ONION_POW_DROP)
        onion_request_drop_pow(request);
    return create->target_address ? replace_addresses(create, variables, request) : NULL;
}
