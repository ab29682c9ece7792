/* A profile as loaded: immutable, every part with its place in the file (design 3.2 to 3.7).
 *
 * Profiles of one file live and die together (struct profile_file); a policy generation holds
 * references to files, a session holds one to its generation. */
#ifndef OG_PROFILE_H
#define OG_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "diag.h"
#include "keyword.h"
#include "onion_rules.h"
#include "pattern.h"
#include "rule_index.h"
#include "template.h"

/* One pattern/replacement pair of a `response` list. */
struct line_rule {
    struct source where;
    struct pattern *pattern;
    struct template *replacement;
};

/* A `response` list with its `unmatched-response`. */
struct line_rules {
    struct line_rule *items;
    size_t count;
    bool drop_unmatched;
};

/* One rule of a command. */
struct rule {
    struct source where;
    struct pattern *pattern;
    struct template *replacement; /* NULL: the arguments go out as they are */
    struct line_rules response;
    char **reply; /* the lines of `reply`, checked reply framing; NULL: tor is asked */
    size_t reply_count;
};

struct command_rules {
    struct source where;
    const struct keyword *keyword;
    struct rule *rules;
    size_t count;
    struct rule_index index; /* of the rules */
};

/* One option of `confs`. */
struct conf_rule {
    struct source where;
    char *name;              /* the profile's spelling, which is what is sent */
    bool may_reset;          /* '' is among the values: "KEY" alone is allowed */
    struct pattern **values; /* what may be set; none: may only be read */
    struct source *places;   /* of the values */
    size_t count;
};

/* One event of `events`. */
struct event_rule {
    struct source where;
    const char *name; /* tor's spelling; static, or owned by the profile if tor does not know it */
    char *own_name;   /* that owned copy, or NULL */
    bool suppress;
    bool own_onions_only; /* HS_DESC, HS_DESC_CONTENT under `onions: events: own` */
    const char *profile;  /* the profile's name; borrowed */
    struct line_rules response;
};

/* A list of names, of which one must match. */
struct qualifier {
    bool is_present; /* the key is in the profile */
    bool is_any;     /* one element is "*" */
    char **names;
    size_t count;
    struct source where;
};

/* users and groups, resolved to numbers when loaded. */
struct id_qualifier {
    bool is_present;
    bool is_any;
    id_t *ids; /* names that do not exist are left out (and warned of): they match nobody */
    size_t count;
    struct source where;
};

/* One element of `hosts`: an address, or a network. */
struct host_network {
    bool is_ipv6;        /* v4-mapped IPv6 is IPv4 */
    uint8_t address[16]; /* network order, host bits zero; IPv4 uses the first 4 */
    unsigned prefix;     /* 0 to 32, or to 128 */
};

struct host_qualifier {
    bool is_present;
    bool is_any;
    struct host_network *networks;
    size_t count;
    struct source where;
};

/* `apparmor-evidence`: what a label must be known by. */
enum profile_evidence {
    PROFILE_EVIDENCE_INHERIT = 0, /* as the configuration says */
    PROFILE_EVIDENCE_ANY,
    PROFILE_EVIDENCE_KERNEL_ONLY,
};

/* `socket`: design 3.4. */
struct profile_socket {
    bool is_wanted;
    struct source where;
    char *path; /* NULL: RUNTIME-DIR/NAME.sock */
    bool has_user;
    uid_t user;
    bool has_group;
    gid_t group;
    bool has_mode;
    mode_t mode; /* default 0666, or 0660 where user or group is given */
};

/* `auth`: what PROTOCOLINFO offers besides NULL and HASHEDPASSWORD. */
struct profile_auth {
    bool cookie;   /* COOKIE and SAFECOOKIE, with a file of the client's own */
    bool password; /* the application wants to be given one; any will do */
    struct source where;
};

struct profile {
    char *name;
    struct source where;
    uint64_t digest; /* of what the file says of it, but comments and spacing */
    struct qualifier apparmor_profiles;
    struct id_qualifier users;
    struct id_qualifier groups;
    struct qualifier units;       /* systemd units; "*" inside a name is any text */
    struct qualifier executables; /* absolute paths, asked in addition to the label */
    struct host_qualifier hosts;
    enum profile_evidence apparmor_evidence;
    bool writer_any; /* another process than the one that connected may write */
    struct profile_socket socket;
    struct command_rules *commands;
    size_t command_count;
    struct conf_rule *confs;
    size_t conf_count;
    struct event_rule *events;
    size_t event_count;
    bool tor_browser_mode;
    struct source tor_browser_mode_where;
    struct profile_auth auth;
    struct onion_rules onions;
};

struct profile_file {
    unsigned references;
    char *path; /* for messages; every struct source points here */
    char *stem; /* file name without ".yml": the default name */
    bool is_kept; /* the last good version of a file that became bad */
    struct profile *profiles;
    size_t count;
};

/* Frees what a rule owns, not the rule. */
void rule_clear(struct rule *rule);

struct profile_file *profile_file_ref(struct profile_file *file);
void profile_file_unref(struct profile_file *file); /* NULL allowed */

/* The rules of a command, or NULL. */
const struct command_rules *profile_find_command(const struct profile *profile,
                                                 enum keyword_id keyword);

/* The option's rule by its whole name in any case, or NULL. */
const struct conf_rule *profile_find_conf(const struct profile *profile, struct span name);

/* The event's rule by its name in any case, or NULL. */
const struct event_rule *profile_find_event(const struct profile *profile, struct span name);

#endif
