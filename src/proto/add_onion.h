/* ADD_ONION's arguments, as tor reads them (control-protocol 6.1, 6.2). */
#ifndef OG_ADD_ONION_H
#define OG_ADD_ONION_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "span.h"

/* Where an onion service, or a listener, is to be found. */
enum target_kind {
    TARGET_IPV4,
    TARGET_IPV6,
    TARGET_UNIX,
};

struct target {
    enum target_kind kind;
    uint8_t address[16]; /* network order; IPv4 uses the first 4. v4-mapped IPv6 becomes IPv4 */
    uint16_t port;       /* not for Unix sockets */
    struct span path;    /* Unix sockets: absolute path; borrowed */
};

enum target_result {
    TARGET_OK,
    TARGET_NOT_LITERAL, /* a name, or a number form that only a resolver understands */
    TARGET_BAD_PORT,
    TARGET_BAD_PATH,    /* unix: with a path that is not absolute and plain ("//", ".", "..") */
    TARGET_KERNEL_PATH, /* unix: below /proc, /sys or /dev, where one socket has many names */
};

/* Reads "ADDRESS:PORT", "[ADDRESS]:PORT", a bare ADDRESS, a bare PORT (127.0.0.1) or "unix:PATH".
 * `default_port`: for an address without port. */
enum target_result target_parse(struct span text, uint16_t default_port, struct target *target_out);

/* Reads a literal address without a port, IPv6 with or without brackets. Sets kind and address. */
bool target_parse_address(struct span text, struct target *target_out);

/* Appends "127.0.0.1:80", "[::1]:80" or "unix:/path". */
bool target_write(struct buf *out, const struct target *target);

struct onion_port {
    uint16_t virtual_port;
    struct target target; /* always explicit: "Port=80" is 127.0.0.1:80 */
};

/* Reads the value of one Port=: VIRTUAL or VIRTUAL,TARGET. Empty parts are refused though tor
 * ignores them, numbers are plain digits 1 to 65535. */
enum target_result onion_port_parse(struct span value, struct onion_port *port_out);

/* Flags= of ADD_ONION (control-protocol 6.1). */
enum add_onion_flag {
    ADD_ONION_DISCARD_PK = 1 << 0,
    ADD_ONION_DETACH = 1 << 1,
    ADD_ONION_V3_AUTH = 1 << 2,
    ADD_ONION_MAX_STREAMS_CLOSE_CIRCUIT = 1 << 3,
    ADD_ONION_NON_ANONYMOUS = 1 << 4,
};

/* What the session has to remember of an ADD_ONION that was sent. */
struct add_onion_facts {
    bool is_detached; /* one of its Flags= holds Detach */
};

/* Rewrites `arguments` so that every Port= names its target in full ("Port=80" becomes
 * "Port=80,127.0.0.1:80"); everything else is kept as it is. TARGET_OK and the text appended to
 * `out`, or why not. The arguments must have passed arguments_refusal. */
enum target_result add_onion_canonical(struct span arguments, struct buf *out,
                                       struct add_onion_facts *facts_out);

/* Calls `visit` for each target of canonical arguments until it returns false; returns false then,
 * and if a target does not parse. */
bool add_onion_each_target(struct span arguments,
                           bool (*visit)(const struct target *target, void *context),
                           void *context);

/* Why a target was refused, for a log line; static text. */
const char *target_result_text(enum target_result result);

#endif
