/* What the admin may choose, from the command line and the configuration file.
 *
 * Both set options by the same names through option_set, so a value is checked in one place. A
 * value that was not given is NULL or 0 until options_complete. */
#ifndef OG_OPTIONS_H
#define OG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "log.h"
#include "session_limits.h"

#define OPTIONS_DEFAULT_CONFIG "/etc/onion-grater/onion-grater.yml"
#define OPTIONS_KERNEL_ONLY "kernel-only" /* for apparmor_evidence; else "any" */
#define OPTIONS_CONTAINMENT_OFF "off"     /* for containment; else "on", or */
#define OPTIONS_CONTAINMENT_REQUIRED "required"

struct option_list {
    char **items; /* owned */
    size_t count;
};

struct options {
    char *config;                /* NULL: the default path, which need not exist */
    struct option_list profiles; /* empty: the default directories */
    char *runtime_dir;
    char *tor_control; /* "unix:PATH" or "tcp:HOST:PORT", checked */
    char *cookie_path;
    char *password_file;
    char *client_address;
    char *apparmor_evidence; /* checked */
    char *containment;       /* checked */
    char *metrics_file;      /* NULL: none */
    char *listen_address;    /* no TCP listener if these three are NULL */
    char *listen_port;       /* a number from 1 to 65535, checked */
    char *listen_interface;
    bool has_log_level;
    enum log_level log_level;
    unsigned max_sessions;
    unsigned max_sessions_per_uid;
    unsigned max_sessions_per_address;
    struct session_limits session_limits;
    unsigned all_buffers;   /* bytes */
    unsigned log_lines;     /* of one client in a minute */
    unsigned reply_timeout; /* seconds */
    unsigned write_timeout; /* seconds */
    bool check;
    bool complain; /* complain mode */
};

void options_init(struct options *options);
void options_clear(struct options *options);

/* Sets the option of that key, a list by one more element. False: there is no such key, or the
 * value is wrong; why is appended to `reason`. */
bool options_set(struct options *options, const char *name, const char *value, struct buf *reason);

/* The same for a key below `limits`. */
bool options_set_limit(struct options *options, const char *name, const char *value,
                       struct buf *reason);

/* Whether a configuration file may have that key, at its top or below `limits`. */
bool options_is_key(const char *name, bool limits);

/* Appends those keys, for messages. */
void options_list_keys(struct buf *out, bool limits);

enum options_result {
    OPTIONS_OK,
    OPTIONS_DONE,  /* --help or --version was given and printed */
    OPTIONS_WRONG, /* reported to the log */
};

/* Reads the command line. */
enum options_result options_parse(struct options *options, int argc, char **argv);

/* Takes over from `lower` what `options` leaves open. `lower` is cleared. */
void options_inherit(struct options *options, struct options *lower);

/* Fills what is still open with the defaults. */
void options_complete(struct options *options);

/* Whether complete options go together. False: why not is appended to `reason`. */
bool options_fit(const struct options *options, struct buf *reason);

#endif
