/* What the files of the profile loader share. Not for others. */
#ifndef OG_PROFILE_LOAD_PARTS_H
#define OG_PROFILE_LOAD_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "profile_load.h"
#include "yaml_tree.h"

#define LOAD_QUOTES 4
#define LOAD_MAX_NAMES 1024  /* in one list of a qualifier */
#define LOAD_MAX_RULES 65536 /* of one command */

/* One file on its way in. */
struct load {
    struct profile_file *file;
    const struct name_resolver *resolver;
    struct diag_list *diags;
    struct buf quotes[LOAD_QUOTES];
    size_t next_quote;
    void *known_ids; /* of profile_load_ids.c */
};

/* One key that a mapping may have. `read` takes its value into `target`; NULL: a key of the
 * contract that this version does not have. */
struct load_key {
    const char *name;
    void (*read)(struct load *load, void *target, const struct yaml_node *key,
                 const struct yaml_node *value);
};

/* The checks of one mapping: what it is ("a rule"), and its keys. */
struct load_keys {
    const char *what;
    const struct load_key *keys;
    size_t count;
};

/* profile_load_common.c: what every part needs. */

/* Adds a message at the node's place. */
#define load_error(load, node, ...) diag_add((load)->diags, DIAG_ERROR, (node)->where, __VA_ARGS__)
#define load_warning(load, node, ...) \
    diag_add((load)->diags, DIAG_WARNING, (node)->where, __VA_ARGS__)

/* The text made fit for a message; borrowed, good for the next LOAD_QUOTES - 1 calls. */
const char *load_quote(struct load *load, const char *text);

/* Calls the readers of a mapping's keys in the order of the file; reports keys that are not text,
 * not known or not built. `mapping` is a YAML_MAPPING. */
void load_mapping(struct load *load, const struct load_keys *keys, const struct yaml_node *mapping,
                  void *target);

/* Whether the node is of the kind; reports it otherwise. `key` names it, `hint` says what to write.
 */
bool load_expect(struct load *load, const struct yaml_node *node, enum yaml_kind kind,
                 const char *key, const char *hint);

/* Whether the key of a mapping of names is text; reports it otherwise. */
bool load_expect_name(struct load *load, const struct yaml_node *key, const char *what);

/* Begins a list of names whose key may have other names too: whether it is the first of its
 * meaning, and a list of not too many. Marks it as present. */
bool load_begin_list(struct load *load, const struct yaml_node *key, const struct yaml_node *value,
                     bool *is_present, struct source *where);

/* Whether the entry of such a list is text, and not empty; reports it otherwise. */
bool load_expect_item(struct load *load, const struct yaml_node *key, const struct yaml_node *item);

/* Reports keys that differ from another one by case only. */
void load_check_case(struct load *load, const struct yaml_node *mapping, const char *what);

/* Of the names that next() lists, the one within two typing errors, or NULL. */
const char *load_nearest(const char *name, const char *(*next)(const void *context, size_t index),
                         const void *context);

/* A YAML 1.1 boolean. */
void load_boolean(struct load *load, const struct yaml_node *key, const struct yaml_node *value,
                  bool *value_out);

/* NULL and a message if the pattern is none. */
struct pattern *load_pattern(struct load *load, const struct yaml_node *node);

/* Whether the list has no more entries than it may; reports it otherwise. `key` names it. */
bool load_expect_count(struct load *load, const struct yaml_node *key, const struct yaml_node *list,
                       size_t most);

/* profile_load_ids.c: names to numbers. */

struct id_kind {
    const char *what;
    bool (*find)(const struct name_resolver *resolver, const char *name, id_t *id_out);
};

extern const struct id_kind load_user_kind;
extern const struct id_kind load_group_kind;

/* The number of a name, or of a number. The resolver is asked once for each name. */
bool load_find_id(struct load *load, const struct id_kind *kind, const char *name, id_t *id_out);
void load_forget_ids(struct load *load);

/* profile_load_rules.c: `response`, `reply` and the rules of commands. */

/* `response` and `unmatched-response` as they stand in a mapping. */
struct response_keys {
    const struct yaml_node *response;
    const struct yaml_node *unmatched_key;
    const struct yaml_node *unmatched;
};

void load_response(struct load *load, const struct response_keys *keys, struct line_rules *rules);
void load_commands(struct load *load, void *profile, const struct yaml_node *key,
                   const struct yaml_node *value);

/* profile_load_names.c: `confs` and `events`. */
void load_confs(struct load *load, void *profile, const struct yaml_node *key,
                const struct yaml_node *value);
/* Warns of a name that is none of tor's options. */
void load_check_option(struct load *load, struct source where, struct span name);
void load_events(struct load *load, void *profile, const struct yaml_node *key,
                 const struct yaml_node *value);

/* profile_load_onions.c: `onions`, and what it means for the profile's commands and events. */
void load_onions(struct load *load, void *profile, const struct yaml_node *key,
                 const struct yaml_node *value);
void load_finish_onions(struct load *load, struct profile *profile);

/* profile_load_targets.c: ports and targets of an entry of `create`. */
void load_virtual_ports(struct load *load, void *create, const struct yaml_node *key,
                        const struct yaml_node *value);
void load_targets(struct load *load, void *create, const struct yaml_node *key,
                  const struct yaml_node *value);
void load_target_address(struct load *load, void *create, const struct yaml_node *key,
                         const struct yaml_node *value);

/* profile_load_clients.c: for whom a profile is. */
void load_users(struct load *load, void *profile, const struct yaml_node *key,
                const struct yaml_node *value);
void load_groups(struct load *load, void *profile, const struct yaml_node *key,
                 const struct yaml_node *value);
void load_socket(struct load *load, void *profile, const struct yaml_node *key,
                 const struct yaml_node *value);

void load_auth(struct load *load, void *profile, const struct yaml_node *key,
               const struct yaml_node *value);

/* Whether the file of a cookie can be named after the profile. */
void load_check_auth(struct load *load, const struct profile *profile);

/* Checks that need the whole profile: who can reach it, and by which socket. */
void load_check_clients(struct load *load, struct profile *profile);

/* profile_load_hosts.c */
void load_hosts(struct load *load, void *profile, const struct yaml_node *key,
                const struct yaml_node *value);

/* profile_load_programs.c: what the client is, and how sure one has to be. */
void load_apparmor_profiles(struct load *load, void *profile, const struct yaml_node *key,
                            const struct yaml_node *value);
void load_executables(struct load *load, void *profile, const struct yaml_node *key,
                      const struct yaml_node *value);
void load_units(struct load *load, void *profile, const struct yaml_node *key,
                const struct yaml_node *value);
void load_writer(struct load *load, void *profile, const struct yaml_node *key,
                 const struct yaml_node *value);
void load_apparmor_evidence(struct load *load, void *profile, const struct yaml_node *key,
                            const struct yaml_node *value);

#endif
