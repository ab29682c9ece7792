/* An onion service that points at tor's control port, or at us, would hand the control port to the
 * world, and the connection would arrive as tor itself (control-protocol 6.2). So the comparison is
 * generous: one port on any address of this machine that could be the same listener is refused. */
#include "tor_facts.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "line.h"
#include "mem.h"
#include "quoted.h"

static void targets_free(struct target *targets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((char *)targets[i].path.data);
    free(targets);
}

/* Appends a copy that owns its path. */
static void targets_add(struct target **targets, size_t *count, const struct target *target)
{
    struct target copy = *target;

    copy.path = span_make(NULL, 0);
    if (target->kind == TARGET_UNIX)
        copy.path = span_make(mem_copy_string(target->path), target->path.len);
    *targets = mem_resize(*targets, *count + 1, sizeof **targets);
    (*targets)[(*count)++] = copy;
}

void tor_facts_init(struct tor_facts *facts)
{
    memset(facts, 0, sizeof *facts);
}

void tor_facts_clear(struct tor_facts *facts)
{
    targets_free(facts->control, facts->control_count);
    targets_free(facts->own, facts->own_count);
    tor_facts_init(facts);
}

void tor_facts_set_version(struct tor_facts *facts, struct span version)
{
    if (version.len == 0 || version.len > TOR_VERSION_MAX || !line_is_printable(version) ||
        span_find(version, '"') < version.len || span_find(version, '\\') < version.len)
        return;
    memcpy(facts->version, version.data, version.len);
    facts->version[version.len] = '\0';
}

/* One listener as tor names it. A path that target_parse finds odd is still a listener: it is kept
 * as it is, so that exactly this text is refused. */
static bool listener_parse(struct span text, struct target *target_out)
{
    if (target_parse(text, 0, target_out) == TARGET_OK)
        return true;
    if (!span_starts_with(text, SPAN("unix:")))
        return false;
    *target_out = (struct target){.kind = TARGET_UNIX, .path = span_from(text, 5)};
    return true;
}

bool tor_facts_set_control(struct tor_facts *facts, struct span listeners)
{
    struct target *control = NULL;
    size_t count = 0;

    while (listeners.len > 0) {
        if (listeners.data[0] == ' ') {
            listeners = span_from(listeners, 1);
            continue;
        }
        size_t len = quoted_length(listeners);
        struct buf text;
        struct target target;
        buf_init(&text, 4096);
        bool good = len > 0 && quoted_decode(span_first(listeners, len), &text) &&
                    listener_parse(buf_span(&text), &target);
        if (good)
            targets_add(&control, &count, &target);
        buf_clear(&text);
        if (!good) {
            targets_free(control, count);
            return false;
        }
        listeners = span_from(listeners, len);
    }
    targets_free(facts->control, facts->control_count);
    facts->control = control;
    facts->control_count = count;
    return true;
}

void tor_facts_set_own(struct tor_facts *facts, const struct target *targets, size_t count)
{
    targets_free(facts->own, facts->own_count);
    facts->own = NULL;
    facts->own_count = 0;
    for (size_t i = 0; i < count; i++)
        targets_add(&facts->own, &facts->own_count, &targets[i]);
}

static size_t address_size(const struct target *target)
{
    return target->kind == TARGET_IPV4 ? 4 : 16;
}

static bool is_wildcard(const struct target *target)
{
    static const uint8_t zero[16];

    return memcmp(target->address, zero, address_size(target)) == 0;
}

static bool is_loopback(const struct target *target)
{
    static const uint8_t loopback6[16] = {[15] = 1};

    if (target->kind == TARGET_IPV4)
        return target->address[0] == 127;
    return memcmp(target->address, loopback6, sizeof loopback6) == 0;
}

static bool tcp_is_same(const struct target *listener, const struct target *target)
{
    if (listener->port != target->port)
        return false;
    if (is_wildcard(listener))
        return true;
    /* Linux connects 0.0.0.0 and :: to the loopback, and "localhost" has two families. */
    if (is_loopback(listener) && (is_loopback(target) || is_wildcard(target)))
        return true;
    return listener->kind == target->kind &&
           memcmp(listener->address, target->address, address_size(listener)) == 0;
}

/* /var/run is a link to /run on Debian. */
static struct span without_var(struct span path)
{
    return span_starts_with(path, SPAN("/var/run/")) ? span_from(path, 4) : path;
}

static bool target_is_same(const struct target *listener, const struct target *target)
{
    if ((listener->kind == TARGET_UNIX) != (target->kind == TARGET_UNIX))
        return false;
    if (target->kind == TARGET_UNIX)
        return span_equals(without_var(listener->path), without_var(target->path));
    return tcp_is_same(listener, target);
}

bool tor_facts_forbid(const struct tor_facts *facts, const struct target *target)
{
    for (size_t i = 0; i < facts->control_count; i++)
        if (target_is_same(&facts->control[i], target))
            return true;
    for (size_t i = 0; i < facts->own_count; i++)
        if (target_is_same(&facts->own[i], target))
            return true;
    return false;
}
