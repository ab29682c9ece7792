/* ADD_ONION's arguments.
 *
 * tor reads a target in many ways, one of them a look-up by the system resolver in the clear
 * (control-protocol 6.2). Only the forms that can mean one thing are taken here, as numbers, and
 * what goes to tor is written anew from the numbers (design 3.3). */
#include "add_onion.h"

#include <arpa/inet.h>
#include <string.h>

#include "ascii.h"
#include "kvline.h"
#include "line.h"
#include "path.h"
#include "words.h"

#define UNIX_PREFIX "unix:"
#define PATH_SIZE 108 /* sun_path of Linux, its NUL included */

/* 1 to 65535 in plain digits: strtol's "+80", "0080" and " 80" mean 80 to tor, not to us. */
static bool parse_port(struct span text, uint16_t *port_out)
{
    unsigned long number;

    if (text.len == 0 || text.data[0] == '0' || !span_to_number(text, 65535, &number))
        return false;
    *port_out = (uint16_t)number;
    return true;
}

static bool parse_address(int family, struct span text, uint8_t *address_out)
{
    char string[INET6_ADDRSTRLEN];

    if (text.len >= sizeof string || !line_is_printable(text))
        return false;
    memset(string, 0, sizeof string);
    if (text.len)
        memcpy(string, text.data, text.len);
    return inet_pton(family, string, address_out) == 1;
}

/* v4-mapped IPv6 reaches the IPv4 address, so it must be judged as that. */
static void unmap(struct target *target)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (memcmp(target->address, mapped, sizeof mapped) != 0)
        return;
    target->kind = TARGET_IPV4;
    memmove(target->address, target->address + 12, 4);
    memset(target->address + 4, 0, 12);
}

static bool parse_ipv6(struct span text, struct target *target)
{
    target->kind = TARGET_IPV6;
    if (!parse_address(AF_INET6, text, target->address))
        return false;
    unmap(target);
    return true;
}

static bool parse_ipv4(struct span text, struct target *target)
{
    target->kind = TARGET_IPV4;
    return parse_address(AF_INET, text, target->address);
}

/* Sets the port from what follows the address: nothing, or ":PORT". */
static enum target_result parse_port_tail(struct span tail, uint16_t default_port,
                                          struct target *target)
{
    target->port = default_port;
    if (tail.len == 0)
        return default_port ? TARGET_OK : TARGET_BAD_PORT;
    if (tail.data[0] != ':')
        return TARGET_NOT_LITERAL;
    return parse_port(span_from(tail, 1), &target->port) ? TARGET_OK : TARGET_BAD_PORT;
}

/* "[ADDRESS]" or "[ADDRESS]:PORT". */
static enum target_result parse_bracketed(struct span text, uint16_t default_port,
                                          struct target *target)
{
    size_t end = span_find(text, ']');

    if (end == text.len || !parse_ipv6(span_make(text.data + 1, end - 1), target))
        return TARGET_NOT_LITERAL;
    return parse_port_tail(span_from(text, end + 1), default_port, target);
}

static enum target_result parse_ip_target(struct span text, uint16_t default_port,
                                          struct target *target)
{
    size_t colon = span_find(text, ':');
    struct span behind = span_from(text, colon + 1);

    if (text.data[0] == '[')
        return parse_bracketed(text, default_port, target);
    if (span_find(behind, ':') < behind.len) {
        /* Two colons: IPv6 without brackets, which cannot have a port. */
        bool is_literal = parse_ipv6(text, target);
        return is_literal ? parse_port_tail(span_make("", 0), default_port, target)
                          : TARGET_NOT_LITERAL;
    }
    if (!parse_ipv4(span_first(text, colon), target))
        return TARGET_NOT_LITERAL;
    return parse_port_tail(span_from(text, colon), default_port, target);
}

static bool path_is_plain(struct span path)
{
    if (path.len >= PATH_SIZE)
        return false;
    for (size_t i = 0; i < path.len; i++)
        if (path.data[i] == ' ' || path.data[i] == '"' || path.data[i] == '\'')
            return false;
    return path_is_normal(path);
}

/* Whether the plain path is below a folder of the kernel's. /proc/PID/root and /proc/PID/fd lead to
 * any other file, tor's control socket among them, and no comparison of paths would see it. */
static bool path_is_of_kernel(struct span path)
{
    return span_starts_with(path, SPAN("/proc/")) || span_starts_with(path, SPAN("/sys/")) ||
           span_starts_with(path, SPAN("/dev/"));
}

static enum target_result parse_path(struct span text, struct target *target)
{
    target->kind = TARGET_UNIX;
    target->path = span_from(text, sizeof UNIX_PREFIX - 1);
    if (!line_is_printable(text) || !path_is_plain(target->path))
        return TARGET_BAD_PATH;
    return path_is_of_kernel(target->path) ? TARGET_KERNEL_PATH : TARGET_OK;
}

/* A bare port is one on tor's own machine. */
static enum target_result parse_bare_port(struct span text, struct target *target)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    char first = text.len ? text.data[0] : '\0';

    target->kind = TARGET_IPV4;
    memcpy(target->address, loopback, sizeof loopback);
    if (parse_port(text, &target->port))
        return TARGET_OK;
    bool looks_like_number = ascii_is_digit(first) || first == '+' || first == '-';
    return looks_like_number ? TARGET_BAD_PORT : TARGET_NOT_LITERAL;
}

enum target_result target_parse(struct span text, uint16_t default_port, struct target *target_out)
{
    *target_out = (struct target){.kind = TARGET_IPV4, .path = SPAN("")};
    if (span_starts_with(text, SPAN(UNIX_PREFIX)))
        return parse_path(text, target_out);
    if (span_find(text, '.') == text.len && span_find(text, ':') == text.len)
        return parse_bare_port(text, target_out);
    return parse_ip_target(text, default_port, target_out);
}

bool target_parse_address(struct span text, struct target *target_out)
{
    bool is_bracketed = text.len > 2 && text.data[0] == '[' && text.data[text.len - 1] == ']';

    *target_out = (struct target){.path = SPAN("")};
    if (is_bracketed)
        return parse_ipv6(span_make(text.data + 1, text.len - 2), target_out);
    return parse_ipv4(text, target_out) || parse_ipv6(text, target_out);
}

bool target_write(struct buf *out, const struct target *target)
{
    char address[INET6_ADDRSTRLEN];
    size_t before = out->len;

    if (target->kind == TARGET_UNIX) {
        bool done = buf_append_string(out, UNIX_PREFIX) && buf_append(out, target->path);
        if (!done)
            buf_truncate(out, before);
        return done;
    }
    bool is_ipv6 = target->kind == TARGET_IPV6;
    if (!inet_ntop(is_ipv6 ? AF_INET6 : AF_INET, target->address, address, sizeof address))
        return false;
    return buf_printf(out, is_ipv6 ? "[%s]:%u" : "%s:%u", address, (unsigned)target->port);
}

enum target_result onion_port_parse(struct span value, struct onion_port *port_out)
{
    size_t comma = span_find(value, ',');

    *port_out = (struct onion_port){.virtual_port = 0};
    if (!parse_port(span_first(value, comma), &port_out->virtual_port))
        return TARGET_BAD_PORT;
    struct span target = comma < value.len ? span_from(value, comma + 1) : value;
    return target_parse(target, port_out->virtual_port, &port_out->target);
}

static bool flags_hold(struct span flags, struct span flag)
{
    while (flags.len > 0) {
        struct span one = span_first(flags, span_find(flags, ','));
        if (span_equals_nocase(one, flag))
            return true;
        flags = span_from(flags, one.len + 1);
    }
    return false;
}

static bool is_port(const struct kv_pair *pair)
{
    return span_equals_nocase(pair->key, SPAN("Port"));
}

/* Appends " KEY=VIRTUAL,TARGET" with the client's spelling of the key. */
static enum target_result write_port(const struct kv_pair *pair, struct buf *out)
{
    struct onion_port port;
    enum target_result result = onion_port_parse(pair->value, &port);

    if (result != TARGET_OK)
        return result;
    buf_append(out, pair->key);
    buf_printf(out, "=%u,", (unsigned)port.virtual_port);
    target_write(out, &port.target);
    return TARGET_OK;
}

static enum target_result write_pairs(struct span rest, struct buf *out,
                                      struct add_onion_facts *facts)
{
    struct kv_pair pair;
    enum kv_result result;

    while ((result = kv_next(GRAMMAR_KV, &rest, &pair)) == KV_PAIR) {
        enum target_result target = TARGET_OK;
        buf_append_char(out, ' ');
        if (is_port(&pair))
            target = write_port(&pair, out);
        else
            buf_append(out, pair.text);
        if (target != TARGET_OK)
            return target;
        if (span_equals_nocase(pair.key, SPAN("Flags")) && flags_hold(pair.value, SPAN("Detach")))
            facts->is_detached = true;
    }
    return result == KV_END && !out->overflow ? TARGET_OK : TARGET_NOT_LITERAL;
}

enum target_result add_onion_canonical(struct span arguments, struct buf *out,
                                       struct add_onion_facts *facts_out)
{
    struct span key;
    size_t before = out->len;

    *facts_out = (struct add_onion_facts){.is_detached = false};
    if (!words_next(&arguments, &key))
        return TARGET_NOT_LITERAL;
    buf_append(out, key);
    enum target_result result = write_pairs(arguments, out, facts_out);
    if (result != TARGET_OK) {
        buf_truncate(out, before);
        facts_out->is_detached = false;
    }
    return result;
}

bool add_onion_each_target(struct span arguments,
                           bool (*visit)(const struct target *target, void *context), void *context)
{
    struct span key;
    struct kv_pair pair;
    enum kv_result result;

    words_next(&arguments, &key);
    while ((result = kv_next(GRAMMAR_KV, &arguments, &pair)) == KV_PAIR) {
        struct onion_port port;
        if (!is_port(&pair))
            continue;
        if (onion_port_parse(pair.value, &port) != TARGET_OK || !visit(&port.target, context))
            return false;
    }
    return result == KV_END;
}

const char *target_result_text(enum target_result result)
{
    switch (result) {
    case TARGET_OK:
        return "a literal target";
    case TARGET_NOT_LITERAL:
        return "a target that is no literal address";
    case TARGET_BAD_PORT:
        return "a port that is not 1 to 65535 in plain digits";
    case TARGET_BAD_PATH:
        return "a socket path that is not absolute and plain";
    case TARGET_KERNEL_PATH:
        break;
    }
    return "a socket path below /proc, /sys or /dev";
}
