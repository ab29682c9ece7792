/* What the files of learn share. Not for others. */
#ifndef OG_LEARN_PARTS_H
#define OG_LEARN_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "command.h"
#include "describe_shape.h"
#include "keyword.h"
#include "span.h"

#define LEARN_MAX_RULES 4096
#define LEARN_MAX_VALUES 64
#define LEARN_MAX_CREATES 32
#define LEARN_MAX_CLIENTS 64
#define LEARN_MAX_USERS 64

/* What is written for a rule. */
enum learn_kind {
    LEARN_PATTERN,
    LEARN_ANSWER_OK, /* "250 OK" without tor */
    LEARN_BOOTSTRAP, /* status/bootstrap-phase without the relay that it may name */
};

/* A rule of a command. Rules are kept sorted, by keyword and pattern. */
struct learn_rule {
    const struct keyword *keyword;
    char *pattern;      /* owned */
    char *seen;         /* owned: the shape of the first command that asked for it */
    const char *varied; /* static: what the pattern leaves open; NULL: nothing */
    const char *why;    /* static: why it is written as a comment; NULL: it is not */
    const char *how;    /* static: what leads to that: "it ", "it tells ", "" */
    enum learn_kind kind;
    unsigned long count;
};

/* A value that an option was set to. */
struct learn_value {
    char *pattern; /* owned; NULL: it is not known, or nobody's business */
    bool is_number;
    unsigned long count;
};

struct learn_conf {
    const char *name; /* tor's spelling; static */
    unsigned long reads;
    unsigned long resets;
    struct learn_value *values; /* owned */
    size_t value_count;
    bool has_more; /* values that were not kept */
};

struct learn_event {
    const char *name; /* static */
    unsigned long count;
};

/* How an onion service's target was named. */
enum learn_target {
    LEARN_TARGET_LOOPBACK, /* a port, or 127.0.0.1 */
    LEARN_TARGET_ADDRESS,  /* `address` */
    LEARN_TARGET_CLIENT,   /* an address that the log does not show */
    LEARN_TARGET_UNIX,     /* `address` is "unix:" and the path */
};

/* One virtual port of a service, and the target's ports that were seen with it. */
struct learn_port {
    uint16_t virtual_port;
    enum learn_target target;
    char *address; /* owned or NULL */
    uint16_t first;
    uint16_t last;
};

/* Services that differ in keys, flags and the ports of targets only. */
struct learn_create {
    char *signature;          /* owned */
    char *seen;               /* owned */
    struct learn_port *ports; /* owned; by virtual port */
    size_t port_count;
    bool has_new;
    bool has_stored;
    unsigned flags; /* enum add_onion_flag */
    bool has_client_auth;
    bool has_pow;
    bool has_max_streams;
    unsigned long count;
};

struct learn_onions {
    struct learn_create *creates; /* owned */
    size_t create_count;
    unsigned long deletes;
    unsigned long fetches;
    unsigned long key_commands;
    unsigned long left_out; /* services whose target no profile can allow, or is not shown */
    char *left_out_seen;    /* owned, or NULL */
};

/* One program, as far as the log tells them apart. */
struct learn_client {
    char *profile;    /* owned; empty: not known */
    char *label;      /* owned; empty: not known */
    char *executable; /* owned; empty: not known */
    bool is_unconfined;
    unsigned long users[LEARN_MAX_USERS]; /* sorted */
    size_t user_count;
    struct learn_rule *rules; /* owned */
    size_t rule_count;
    bool has_more_rules;
    struct learn_conf *confs; /* owned; sorted by name */
    size_t conf_count;
    struct learn_event *events; /* owned; sorted by name */
    size_t event_count;
    struct learn_onions onions;
    unsigned long unknown_events;
    unsigned long unknown_options;
    unsigned long commands;
};

struct learn {
    struct learn_client *clients;
    size_t client_count;
    unsigned long ignored;
    unsigned long *blocks; /* connections of a recording within a data block */
    size_t block_count;
};

/* Notes a rule; `seen` is the shape. */
void learn_add_rule(struct learn_client *client, const struct learn_rule *rule, struct span pattern,
                    struct span seen);

/* learn_command.c: takes a command that tor would answer once. */
void learn_command(struct learn_client *client, const struct command *command);

/* learn_confs.c */
void learn_read_option(struct learn_client *client, struct span name);
void learn_set_options(struct learn_client *client, const struct command *command);

/* learn_onions.c: takes one of the commands that `onions` judges; false: it is none of them. */
bool learn_onion_command(struct learn_client *client, const struct command *command);
void learn_onions_clear(struct learn_onions *onions);

/* Appends `text` as a pattern that matches it alone. */
void learn_append_literal(struct buf *out, struct span text);

/* learn_write_onions.c, learn_write_rules.c: parts of a profile. */
void learn_write_onions(const struct learn_client *client, struct buf *out);
void learn_write_commands(const struct learn_client *client, struct buf *out);
void learn_write_confs(const struct learn_client *client, struct buf *out);
void learn_write_events(const struct learn_client *client, struct buf *out);

/* Appends a folded comment, printf-like. */
void learn_write_note(struct buf *out, unsigned indent, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "once", "3 times" */
void learn_append_times(struct buf *out, unsigned long count);

#endif
