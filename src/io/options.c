/* One table of options: its rows are the long options of the command line and the keys of the
 * configuration file, and hold the default and the line of --help. */
#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "span.h"
#include "upstream.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#define SESSIONS_MAX 1000000
#define TIMEOUT_MAX 86400 /* seconds: a day */

enum option_kind {
    OPTION_ADD_TEXT,  /* one more element of struct option_list */
    OPTION_TEXT,      /* char * */
    OPTION_LOG_LEVEL, /* in the configuration file only */
    OPTION_SWITCH,    /* bool: given or not; a YAML boolean in the configuration file */
    OPTION_COMMAND,   /* on the command line only */
};

struct option_row {
    const char *name;
    const char *argument; /* NULL: takes none */
    enum option_kind kind;
    size_t offset;
    /* NULL: any text. Appends why not. */
    bool (*check)(const char *value, struct buf *reason);
    const char *standard; /* the default, or NULL */
    const char *help;
};

struct limit_row {
    const char *name;
    size_t offset;
    unsigned standard;
    unsigned min;
    unsigned max;
};

static bool check_absolute(const char *value, struct buf *reason)
{
    if (value[0] == '/')
        return true;
    buf_append_string(reason, "this is no absolute path; write it from / on");
    return false;
}

static bool check_present(const char *value, struct buf *reason)
{
    if (value[0])
        return true;
    buf_append_string(reason, "this is empty; a path belongs here");
    return false;
}

static bool check_upstream(const char *value, struct buf *reason)
{
    struct upstream_address address;

    return upstream_parse(value, &address, reason);
}

static bool check_evidence(const char *value, struct buf *reason)
{
    if (strcmp(value, "any") == 0 || strcmp(value, OPTIONS_KERNEL_ONLY) == 0)
        return true;
    buf_append_string(reason, "found \"");
    buf_append_escaped(reason, span_from_string(value), 40);
    buf_append_string(reason, "\"; any or " OPTIONS_KERNEL_ONLY " belongs here");
    return false;
}

static bool check_containment(const char *value, struct buf *reason)
{
    if (strcmp(value, "on") == 0 || strcmp(value, OPTIONS_CONTAINMENT_OFF) == 0 ||
        strcmp(value, OPTIONS_CONTAINMENT_REQUIRED) == 0)
        return true;
    buf_append_string(reason, "found \"");
    buf_append_escaped(reason, span_from_string(value), 40);
    buf_append_string(reason, "\"; on, " OPTIONS_CONTAINMENT_OFF " or " OPTIONS_CONTAINMENT_REQUIRED
                              " belongs here");
    return false;
}

static bool check_address(const char *value, struct buf *reason)
{
    unsigned char address[16];

    if (inet_pton(AF_INET, value, address) == 1 || inet_pton(AF_INET6, value, address) == 1)
        return true;
    buf_append_string(reason, "this is no IPv4 or IPv6 address, such as 127.0.0.1");
    return false;
}

static bool check_port(const char *value, struct buf *reason)
{
    unsigned long port;

    if (span_to_number(span_from_string(value), 65535, &port) && port > 0)
        return true;
    buf_append_string(reason, "this is no port; a number from 1 to 65535 belongs here");
    return false;
}

/* The words that the profiles' loader takes. */
static bool switch_value(const char *value, bool *value_out)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    const size_t count = sizeof words / sizeof *words;

    for (size_t i = 0; i < count; i++) {
        if (!span_equals_nocase(span_from_string(value), span_from_string(words[i])))
            continue;
        *value_out = i >= count / 2;
        return true;
    }
    return false;
}

static bool check_switch(const char *value, struct buf *reason)
{
    bool unused;

    if (!value || switch_value(value, &unused))
        return true;
    buf_append_string(reason, "found \"");
    buf_append_escaped(reason, span_from_string(value), 40);
    buf_append_string(reason, "\"; true or false belongs here");
    return false;
}

static bool check_interface(const char *value, struct buf *reason)
{
    size_t len = strlen(value);

    if (len > 0 && len < IFNAMSIZ && !strpbrk(value, "/ \t\n"))
        return true;
    buf_printf(reason,
               "this is no name of an interface, which has up to %d characters, such as "
               "eth0",
               IFNAMSIZ - 1);
    return false;
}

#define AT(member) offsetof(struct options, member)
#define KIB 1024u
#define MIB (1024u * KIB)

static const struct option_row option_rows[] = {
    {"config", "FILE", OPTION_COMMAND, AT(config), check_present, OPTIONS_DEFAULT_CONFIG,
     "the configuration file; the default one need not exist"},
    {"profiles", "DIR", OPTION_ADD_TEXT, AT(profiles), check_present,
     "/etc/onion-grater.d, /run/onion-grater.d, /usr/share/onion-grater/profiles.d",
     "a directory of profiles, highest precedence first; may be repeated"},
    {"runtime-dir", "DIR", OPTION_TEXT, AT(runtime_dir), check_absolute, "/run/onion-grater",
     "the directory of our sockets"},
    {"tor-control", "ADDRESS", OPTION_TEXT, AT(tor_control), check_upstream,
     "unix:/run/tor/control", "tor's control port: unix:PATH or tcp:HOST:PORT"},
    {"control-cookie-path", "PATH", OPTION_TEXT, AT(cookie_path), check_absolute, NULL,
     "tor's authentication cookie, if not where tor says it is"},
    {"control-password-file", "PATH", OPTION_TEXT, AT(password_file), check_absolute, NULL,
     "a file that holds the password of tor's control port"},
    {"client-address", "ADDRESS", OPTION_TEXT, AT(client_address), check_address, "127.0.0.1",
     "what {client-address} stands for on Unix sockets"},
    {"apparmor-evidence", "WHAT", OPTION_TEXT, AT(apparmor_evidence), check_evidence, "any",
     "how a client's AppArmor label may be known: any, or kernel-only (Linux 6.17 and later)"},
    {"containment", "WHAT", OPTION_TEXT, AT(containment), check_containment, "on",
     "give up what the daemon never needs: on, off, or required (it does not start without)"},
    {"metrics-file", "PATH", OPTION_TEXT, AT(metrics_file), check_absolute, NULL,
     "a file of metrics, for the textfile collector of Prometheus' node exporter"},
    {"listen-address", "ADDRESS", OPTION_TEXT, AT(listen_address), check_address, NULL,
     "listen for TCP, too, at this address; 127.0.0.1 if only the port is given"},
    {"listen-port", "PORT", OPTION_TEXT, AT(listen_port), check_port, NULL,
     "listen for TCP, too, at this port; 9051 if only the address or interface is given"},
    {"listen-interface", "NAME", OPTION_TEXT, AT(listen_interface), check_interface, NULL,
     "listen for TCP, too, on this interface; it may appear later"},
    {"log-level", NULL, OPTION_LOG_LEVEL, 0, NULL, NULL, NULL},
    {"complain", NULL, OPTION_SWITCH, AT(complain), check_switch, NULL,
     "forward what the profiles refuse, and log it, to learn what an application needs"},
    {"debug", NULL, OPTION_COMMAND, 0, NULL, NULL, "log every decision, too"},
    {"check", NULL, OPTION_COMMAND, 0, NULL, NULL,
     "read configuration and profiles, say what is wrong with them, and exit"},
    {"help", NULL, OPTION_COMMAND, 0, NULL, NULL, "print this and exit"},
    {"version", NULL, OPTION_COMMAND, 0, NULL, NULL, "print the version and exit"},
};

static const struct limit_row limit_rows[] = {
    {"sessions", AT(max_sessions), 1024, 1, SESSIONS_MAX},
    {"sessions-per-uid", AT(max_sessions_per_uid), 64, 1, SESSIONS_MAX},
    {"sessions-per-address", AT(max_sessions_per_address), 256, 1, SESSIONS_MAX},
    {"reply-timeout", AT(reply_timeout), 60, 1, TIMEOUT_MAX},
    {"write-timeout", AT(write_timeout), 60, 1, TIMEOUT_MAX},
    {"reply-buffer", AT(session_limits.reply_buffer), SESSION_REPLY_BUFFER, 128 * KIB, 8 * MIB},
    {"command-buffer", AT(session_limits.command_buffer), SESSION_COMMAND_BUFFER, 16 * KIB,
     8 * MIB},
    {"all-buffers", AT(all_buffers), 64 * MIB, 2 * MIB, 2048 * MIB},
    {"commands-in-flight", AT(session_limits.commands), SESSION_MAX_PENDING, 1, 256},
    {"line-length", AT(session_limits.line), COMMAND_MAX_LINE, 512, COMMAND_MAX_LINE},
    {"block-length", AT(session_limits.block), COMMAND_MAX_DATA, 1024, COMMAND_MAX_DATA},
    {"keys-per-command", AT(session_limits.keys), ARGUMENTS_MAX_WORDS, 1, ARGUMENTS_MAX_WORDS},
    {"log-lines-per-minute", AT(log_lines), LOG_LIMIT_PER_MINUTE, 1, 60000},
};

#define OPTION_COUNT (sizeof option_rows / sizeof option_rows[0])
#define LIMIT_COUNT (sizeof limit_rows / sizeof limit_rows[0])

static char **option_text(struct options *options, const struct option_row *row)
{
    return (char **)(void *)((char *)options + row->offset);
}

static unsigned *option_limit(struct options *options, const struct limit_row *row)
{
    return (unsigned *)(void *)((char *)options + row->offset);
}

void options_init(struct options *options)
{
    *options = (struct options){0};
}

static void option_list_clear(struct option_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct option_list){0};
}

void options_clear(struct options *options)
{
    free(options->config);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (option_rows[i].kind == OPTION_TEXT)
            free(*option_text(options, &option_rows[i]));
    option_list_clear(&options->profiles);
    options_init(options);
}

/* --- setting one --- */

static void option_replace_text(char **text, const char *value)
{
    free(*text);
    *text = mem_copy_string(span_from_string(value));
}

static void option_list_add(struct option_list *list, const char *value)
{
    list->items = mem_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = mem_copy_string(span_from_string(value));
}

static bool option_set_log_level(struct options *options, const char *value, struct buf *reason)
{
    if (!log_level_find(value, &options->log_level)) {
        buf_append_string(reason, "found \"");
        buf_append_escaped(reason, span_from_string(value), 40);
        buf_append_string(reason, "\"; error, warning, notice, info or debug belongs here");
        return false;
    }
    options->has_log_level = true;
    return true;
}

/* `value` NULL: the option stands on the command line. */
static void option_set_switch(struct options *options, const struct option_row *row,
                              const char *value)
{
    bool *flag = (bool *)(void *)((char *)options + row->offset);

    *flag = true;
    if (value)
        switch_value(value, flag);
}

static bool option_set_row(struct options *options, const struct option_row *row, const char *value,
                           struct buf *reason)
{
    if (row->check && !row->check(value, reason))
        return false;
    switch (row->kind) {
    case OPTION_ADD_TEXT:
        option_list_add(&options->profiles, value);
        break;
    case OPTION_TEXT:
        option_replace_text(option_text(options, row), value);
        break;
    case OPTION_LOG_LEVEL:
        return option_set_log_level(options, value, reason);
    case OPTION_SWITCH:
        option_set_switch(options, row, value);
        break;
    case OPTION_COMMAND:
        break;
    }
    return true;
}

static const struct option_row *option_find_key(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (option_rows[i].kind != OPTION_COMMAND && strcmp(option_rows[i].name, name) == 0)
            return &option_rows[i];
    return NULL;
}

static const struct limit_row *option_find_limit(const char *name)
{
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        if (strcmp(limit_rows[i].name, name) == 0)
            return &limit_rows[i];
    return NULL;
}

bool options_is_key(const char *name, bool limits)
{
    return limits ? option_find_limit(name) != NULL : option_find_key(name) != NULL;
}

bool options_set(struct options *options, const char *name, const char *value, struct buf *reason)
{
    const struct option_row *row = option_find_key(name);

    if (row)
        return option_set_row(options, row, value, reason);
    buf_append_string(reason, "there is no such key");
    return false;
}

bool options_set_limit(struct options *options, const char *name, const char *value,
                       struct buf *reason)
{
    const struct limit_row *row = option_find_limit(name);
    unsigned long number;

    if (!row) {
        buf_append_string(reason, "there is no such limit");
        return false;
    }
    if (!span_to_number(span_from_string(value), row->max, &number) || number < row->min) {
        buf_append_string(reason, "found \"");
        buf_append_escaped(reason, span_from_string(value), 40);
        buf_printf(reason, "\"; a number from %u to %u belongs here", row->min, row->max);
        return false;
    }
    *option_limit(options, row) = (unsigned)number;
    return true;
}

void options_list_keys(struct buf *out, bool limits)
{
    const char *separator = "";

    for (size_t i = 0; limits && i < LIMIT_COUNT; i++, separator = ", ")
        buf_printf(out, "%s%s", separator, limit_rows[i].name);
    for (size_t i = 0; !limits && i < OPTION_COUNT; i++) {
        if (option_rows[i].kind == OPTION_COMMAND)
            continue;
        buf_printf(out, "%s%s", separator, option_rows[i].name);
        separator = ", ";
    }
    if (!limits)
        buf_append_string(out, ", limits");
}

/* --- the command line --- */

static void options_print_help(void)
{
    puts("Usage: onion-grater [OPTION]...\n"
         "A filtering proxy for tor's control port.\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        if (!row->help)
            continue;
        printf("  --%s%s%s\n        %s", row->name, row->argument ? " " : "",
               row->argument ? row->argument : "", row->help);
        if (row->argument)
            printf("\n        (default: %s)", row->standard ? row->standard : "none");
        putchar('\n');
    }
    puts("\nExit status: 0, 1 for a failure, 2 for wrong usage or configuration.\n"
         "See onion-grater(8) and onion-grater-profile(5).");
}

/* Carries out an option that only the command line has. */
static enum options_result option_command(struct options *options, const char *name,
                                          const char *value)
{
    if (strcmp(name, "help") == 0) {
        options_print_help();
        return OPTIONS_DONE;
    }
    if (strcmp(name, "version") == 0) {
        puts("onion-grater " PACKAGE_VERSION);
        return OPTIONS_DONE;
    }
    if (strcmp(name, "config") == 0) {
        option_replace_text(&options->config, value);
    } else if (strcmp(name, "check") == 0) {
        options->check = true;
    } else {
        options->has_log_level = true;
        options->log_level = LOG_LEVEL_DEBUG;
    }
    return OPTIONS_OK;
}

static enum options_result option_take(struct options *options, const struct option_row *row,
                                       const char *value)
{
    struct buf reason;

    buf_init(&reason, 1024);
    enum options_result result =
        option_set_row(options, row, value, &reason) ? OPTIONS_OK : OPTIONS_WRONG;
    if (result == OPTIONS_WRONG) {
        buf_append_char(&reason, '\0');
        log_at(LOG_LEVEL_ERROR, "--%s: %s", row->name, buf_span(&reason).data);
    } else if (row->kind == OPTION_COMMAND) {
        result = option_command(options, row->name, value);
    }
    buf_clear(&reason);
    return result;
}

/* The table for getopt_long: its `val` is a row's number, counted from 1. */
static void options_fill_table(struct option table[OPTION_COUNT + 1])
{
    size_t count = 0;

    memset(table, 0, (OPTION_COUNT + 1) * sizeof table[0]);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (option_rows[i].kind == OPTION_LOG_LEVEL)
            continue;
        table[count].name = option_rows[i].name;
        table[count].has_arg = option_rows[i].argument ? required_argument : no_argument;
        table[count++].val = (int)i + 1;
    }
}

enum options_result options_parse(struct options *options, int argc, char **argv)
{
    struct option table[OPTION_COUNT + 1];
    enum options_result result = OPTIONS_OK;

    options_fill_table(table);
    opterr = 0;
    while (result == OPTIONS_OK && optind < argc) {
        const char *word = argv[optind];
        int found = getopt_long(argc, argv, "+:", table, NULL);
        if (found == -1)
            break;
        if (found == ':') {
            log_at(LOG_LEVEL_ERROR, "%s needs a value; see --help", word);
            return OPTIONS_WRONG;
        }
        if (found < 1 || (size_t)found > OPTION_COUNT) {
            /* What follows the "=" could be a password in the wrong place. */
            log_at(LOG_LEVEL_ERROR,
                   "%.*s is not an option of this program, or takes no value; "
                   "see --help",
                   (int)strcspn(word, "="), word);
            return OPTIONS_WRONG;
        }
        result = option_take(options, &option_rows[found - 1], optarg);
    }
    if (result == OPTIONS_OK && optind < argc) {
        log_at(LOG_LEVEL_ERROR, "\"%s\" is one word too many: there are only options; see --help",
               argv[optind]);
        return OPTIONS_WRONG;
    }
    return result;
}

/* --- joining --- */

void options_inherit(struct options *options, struct options *lower)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (option_rows[i].kind != OPTION_TEXT)
            continue;
        char **own = option_text(options, &option_rows[i]);
        char **other = option_text(lower, &option_rows[i]);
        if (*own)
            continue;
        *own = *other;
        *other = NULL;
    }
    if (options->profiles.count == 0) {
        options->profiles = lower->profiles;
        lower->profiles = (struct option_list){0};
    }
    options->complain |= lower->complain;
    if (!options->has_log_level && lower->has_log_level) {
        options->has_log_level = true;
        options->log_level = lower->log_level;
    }
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        if (*option_limit(options, &limit_rows[i]) == 0)
            *option_limit(options, &limit_rows[i]) = *option_limit(lower, &limit_rows[i]);
    options_clear(lower);
}

void options_complete(struct options *options)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];
        if (row->kind == OPTION_TEXT && row->standard && !*option_text(options, row))
            option_replace_text(option_text(options, row), row->standard);
    }
    for (size_t i = 0; i < LIMIT_COUNT; i++)
        if (*option_limit(options, &limit_rows[i]) == 0)
            *option_limit(options, &limit_rows[i]) = limit_rows[i].standard;
    if (!options->has_log_level)
        options->log_level = LOG_LEVEL_INFO;
}

bool options_fit(const struct options *options, struct buf *reason)
{
    const struct session_limits *limits = &options->session_limits;

    if (options->all_buffers / 2 >= limits->reply_buffer &&
        options->all_buffers / 2 >= limits->command_buffer)
        return true;
    buf_printf(reason,
               "limits: all-buffers is %u, which is less than twice reply-buffer (%u) or "
               "command-buffer (%u): one session could hold all; raise it or lower them",
               options->all_buffers, limits->reply_buffer, limits->command_buffer);
    return false;
}
