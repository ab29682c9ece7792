/* What a log may say of commands and replies.
 *
 * The rule is an allow-list (design 5: name and keywords, never values): a word is printed only if
 * it is one of tor's own words, and as tor spells it; all else becomes "...". So a password, a
 * bridge line or an onion address has no way in, also when a client puts it where a command or a
 * keyword belongs, or puts a byte where tor would see no end of the word. The tables are what tor
 * 0.4.9.11 lists itself, and the relay-only keys of control-protocol 5. */
#include "describe.h"

#include "ascii.h"
#include "event.h"
#include "keyword.h"
#include "kvline.h"
#include "option.h"
#include "reply.h"
#include "words.h"

#define DESCRIBE_ENOUGH 120 /* no further item is begun behind so many bytes */
#define DESCRIBE_MAX_WORD 20

/* Keys that end in "/" stand for all that begin with them. */
static const char *const info_keys[] = {
    "accounting/bytes",
    "accounting/bytes-left",
    "accounting/enabled",
    "accounting/hibernating",
    "accounting/interval-end",
    "accounting/interval-start",
    "accounting/interval-wake",
    "address",
    "address-mappings/all",
    "address-mappings/cache",
    "address-mappings/config",
    "address-mappings/control",
    "address/v4",
    "address/v6",
    "bw-event-cache",
    "circuit-status",
    "config-can-saveconf",
    "config-defaults-file",
    "config-file",
    "config-text",
    "config/",
    "config/defaults",
    "config/names",
    "consensus/",
    "current-time/",
    "current-time/local",
    "current-time/utc",
    "desc-annotations/id/",
    "desc/all-recent",
    "desc/download-enabled",
    "desc/id/",
    "desc/name/",
    "dir/server/",
    "dir/server/authority",
    "dir/status-vote/current/",
    "dir/status-vote/current/consensus",
    "dir/status-vote/current/consensus-microdesc",
    "dir/status/",
    "dormant",
    "downloads/",
    "downloads/bridge/",
    "downloads/bridge/bridges",
    "downloads/cert/",
    "downloads/cert/fp/",
    "downloads/cert/fps",
    "downloads/desc/",
    "downloads/desc/descs",
    "downloads/networkstatus/",
    "downloads/networkstatus/microdesc",
    "downloads/networkstatus/microdesc/bootstrap",
    "downloads/networkstatus/microdesc/running",
    "downloads/networkstatus/ns",
    "downloads/networkstatus/ns/bootstrap",
    "downloads/networkstatus/ns/running",
    "entry-guards",
    "events/names",
    "exit-policy/default",
    "exit-policy/full",
    "exit-policy/ipv4",
    "exit-policy/ipv6",
    "exit-policy/reject-private/default",
    "exit-policy/reject-private/relay",
    "extra-info/digest/",
    "features/names",
    "fingerprint",
    "helper-nodes",
    "hs/client/desc/id/",
    "hs/service/desc/id/",
    "info/names",
    "ip-to-country/",
    "limits/max-mem-in-queues",
    "md/all",
    "md/download-enabled",
    "md/id/",
    "md/name/",
    "net/listeners/",
    "net/listeners/control",
    "net/listeners/dir",
    "net/listeners/dns",
    "net/listeners/extor",
    "net/listeners/httptunnel",
    "net/listeners/metrics",
    "net/listeners/natd",
    "net/listeners/or",
    "net/listeners/socks",
    "net/listeners/trans",
    "network-liveness",
    "network-status",
    "ns/all",
    "ns/id/",
    "ns/name/",
    "ns/purpose/",
    "ns/purpose/bridge",
    "onions/current",
    "onions/detached",
    "orconn-status",
    "process/descriptor-limit",
    "process/pid",
    "process/uid",
    "process/user",
    "signal/names",
    "sr/current",
    "sr/previous",
    "stats/",
    "stats/ntor/assigned",
    "stats/ntor/requested",
    "stats/tap/assigned",
    "stats/tap/requested",
    "status/accepted-server-descriptor",
    "status/bootstrap-phase",
    "status/circuit-established",
    "status/clients-seen",
    "status/enough-dir-info",
    "status/fresh-relay-descs",
    "status/good-server-descriptor",
    "status/reachability-succeeded",
    "status/reachability-succeeded/dir",
    "status/reachability-succeeded/or",
    "status/version/current",
    "status/version/num-concurring",
    "status/version/num-versioning",
    "status/version/recommended",
    "stream-status",
    "traffic/read",
    "traffic/written",
    "uptime",
    "version",
    NULL,
};

static const char *const signal_names[] = {
    "RELOAD", "HUP",  "SHUTDOWN", "INT",           "DUMP",      "USR1",   "DEBUG",   "USR2",
    "HALT",   "TERM", "NEWNYM",   "CLEARDNSCACHE", "HEARTBEAT", "ACTIVE", "DORMANT", NULL,
};

/* Events whose first argument is one of tor's own words (an action, a severity). */
static const char *const action_events[] = {
    "HS_DESC", "STATUS_CLIENT",    "STATUS_GENERAL",   "STATUS_SERVER",
    "SIGNAL",  "NETWORK_LIVENESS", "BUILDTIMEOUT_SET", NULL,
};

/* Keys of tor's replies that are no options. */
static const char *const reply_keys[] = {"ServiceID", "PrivateKey", "ClientAuth", "ClientAuthV3",
                                         NULL};

/* How the texts of tor's errors begin. */
static const char *const error_words[] = {
    "Authentication",
    "Authenticator",
    "Bad",
    "Cannot",
    "Circuit",
    "Command",
    "Couldn't",
    "Descriptor",
    "Failed",
    "Internal",
    "Invalid",
    "Malformed",
    "Missing",
    "Need",
    "No",
    "Not",
    "Onion",
    "Router",
    "Setting",
    "Too",
    "Unable",
    "Unknown",
    "Unacceptable",
    "Unrecognized",
    "Wrong",
    NULL,
};

static const char *const ignored_events[] = {"EXTENDED", "AUTHDIR_NEWDESCS", NULL};

/* One description in the making: its words, with at most one "..." in a row and an end. */
struct describe {
    struct buf *out;
    size_t begin;
    bool is_masked; /* the last word is "..." */
    bool is_full;
};

static void describe_word(struct describe *describe, struct span word, const char *tail)
{
    if (describe->is_full)
        return;
    buf_append_char(describe->out, ' ');
    buf_append(describe->out, word);
    buf_append_string(describe->out, tail);
    describe->is_masked = false;
}

static void describe_masked(struct describe *describe)
{
    if (describe->is_masked || describe->is_full)
        return;
    describe_word(describe, SPAN("..."), "");
    describe->is_masked = true;
}

/* Whether there is room for one more word; the first time that there is not, says so. */
static bool describe_goes_on(struct describe *describe)
{
    if (!describe->is_full && describe->out->len - describe->begin > DESCRIBE_ENOUGH) {
        describe_masked(describe);
        describe->is_full = true;
    }
    return !describe->is_full;
}

static const char *describe_find(const char *const *names, struct span name)
{
    for (; names && *names; names++)
        if (span_equals_nocase(name, span_from_string(*names)))
            return *names;
    return NULL;
}

const char *describe_info_key(struct span key)
{
    const char *best = NULL;
    size_t best_len = 0;

    for (size_t i = 0; info_keys[i]; i++) {
        struct span known = span_from_string(info_keys[i]);
        bool is_prefix = known.data[known.len - 1] == '/';
        if (is_prefix ? !span_starts_with(key, known) : !span_equals(key, known))
            continue;
        if (known.len > best_len) {
            best = info_keys[i];
            best_len = known.len;
        }
    }
    return best;
}

const char *describe_info_key_at(size_t index)
{
    return index < sizeof info_keys / sizeof *info_keys - 1 ? info_keys[index] : NULL;
}

const char *describe_signal(struct span name)
{
    return describe_find(signal_names, name);
}

static const char *describe_info_tail(const char *known)
{
    return known[strlen(known) - 1] == '/' ? "..." : "";
}

static void describe_info_word(struct describe *describe, struct span word)
{
    const char *known = describe_info_key(word);

    if (known)
        describe_word(describe, span_from_string(known), describe_info_tail(known));
    else
        describe_word(describe, SPAN("(unknown key)"), "");
}

static void describe_known_word(struct describe *describe, const char *known)
{
    if (known)
        describe_word(describe, span_from_string(known), "");
    else
        describe_masked(describe);
}

static void describe_option_word(struct describe *describe, struct span word)
{
    describe_known_word(describe, option_find(word));
}

static void describe_signal_word(struct describe *describe, struct span word)
{
    describe_known_word(describe, describe_signal(word));
}

static void describe_event_word(struct describe *describe, struct span word)
{
    const char *known = event_find(word);

    describe_known_word(describe, known ? known : describe_find(ignored_events, word));
}

static void describe_words(struct describe *describe, struct span arguments,
                           void (*describe_one)(struct describe *describe, struct span word))
{
    struct span word;

    while (describe_goes_on(describe) && words_next(&arguments, &word))
        describe_one(describe, word);
}

static void describe_pair(struct describe *describe, const struct keyword *keyword,
                          const struct kv_pair *pair)
{
    bool is_option = keyword->grammar == GRAMMAR_QUOTED;
    const char *known =
        is_option ? option_find(pair->key) : describe_find(keyword->keys, pair->key);

    if (known)
        describe_word(describe, span_from_string(known), pair->has_value ? "=" : "");
    else
        describe_masked(describe);
}

static void describe_pairs(struct describe *describe, const struct keyword *keyword,
                           struct span arguments)
{
    struct kv_pair pair;

    while (describe_goes_on(describe)) {
        enum kv_result result = kv_next(keyword->grammar, &arguments, &pair);
        if (result == KV_END)
            return;
        if (result == KV_MALFORMED) {
            describe_masked(describe);
            return;
        }
        describe_pair(describe, keyword, &pair);
    }
}

/* Positional words in front are ids, addresses and keys: they are not even counted out. */
static struct span describe_skip_words(const struct keyword *keyword, struct span arguments)
{
    struct span word;

    for (unsigned i = 0; i < keyword->max_words; i++) {
        struct span rest = arguments;
        if (!words_next(&rest, &word))
            break;
        size_t equals = span_find(word, '=');
        if (i >= keyword->min_words && describe_find(keyword->keys, span_first(word, equals)))
            break;
        arguments = rest;
    }
    return arguments;
}

static void describe_arguments(struct describe *describe, const struct keyword *keyword,
                               struct span arguments)
{
    bool is_secret = keyword->grammar == GRAMMAR_CREDENTIAL;
    bool is_kv = keyword->grammar == GRAMMAR_KV || keyword->grammar == GRAMMAR_KV_FLAGS;

    if (is_kv)
        describe_pairs(describe, keyword, describe_skip_words(keyword, arguments));
    else if (keyword->grammar == GRAMMAR_QUOTED)
        describe_pairs(describe, keyword, arguments);
    else if (keyword->id == KEYWORD_GETINFO)
        describe_words(describe, arguments, describe_info_word);
    else if (keyword->id == KEYWORD_GETCONF)
        describe_words(describe, arguments, describe_option_word);
    else if (keyword->id == KEYWORD_SIGNAL)
        describe_words(describe, arguments, describe_signal_word);
    else if (keyword->id == KEYWORD_SETEVENTS)
        describe_words(describe, arguments, describe_event_word);
    else if (is_secret ? arguments.len > 0 : words_count(arguments) > 0)
        describe_masked(describe);
}

/* tor's command at the front of a name that may go on with anything: behind a tab stands what the
 * client took for arguments. NULL if there is none. */
static const struct keyword *describe_find_command(struct span name)
{
    size_t len = 0;

    while (len < name.len && (ascii_is_alpha(name.data[len]) || name.data[len] == '_'))
        len++;
    const struct keyword *keyword = keyword_find(span_first(name, len), false);
    return keyword ? keyword : keyword_find(span_first(name, len), true);
}

static void describe_defect(struct buf *out, const struct command *command)
{
    const struct keyword *keyword = describe_find_command(command->name);

    if (command->defect == COMMAND_NO_KEYWORD) {
        buf_append_string(out, "(no command name)");
        return;
    }
    if (keyword) {
        buf_append_string(out, command->is_block ? "+" : "");
        buf_append_string(out, keyword->name);
    }
    if (!keyword || command->defect != COMMAND_BAD_BYTES)
        buf_append_string(out, keyword ? " (unknown command)" : "(unknown command)");
    if (command->defect == COMMAND_BAD_BYTES)
        buf_append_string(out, " (bytes outside printable ASCII)");
}

void describe_command(struct buf *out, const struct command *command)
{
    struct describe describe = {.out = out, .begin = out->len};

    if (command->defect != COMMAND_SOUND || !command->keyword) {
        describe_defect(out, command);
        return;
    }
    buf_append_string(out, keyword_label(command->keyword));
    describe_arguments(&describe, command->keyword, command->arguments);
}

/* "key=value": the key, if it is one of tor's. An address that MAPADDRESS maps is none. */
static bool describe_reply_key(struct buf *out, struct span text)
{
    size_t equals = span_find(text, '=');
    struct span key = span_first(text, equals);
    const char *known = describe_info_key(key);
    const char *tail = known ? describe_info_tail(known) : "";

    if (!known)
        known = option_find(key);
    if (!known)
        known = describe_find(reply_keys, key);
    if (equals == text.len || !known)
        return false;
    buf_append_string(out, known);
    buf_append_string(out, tail);
    buf_append_string(out, "=...");
    return true;
}

static bool describe_is_action(struct span word)
{
    if (word.len < 2 || word.len > DESCRIBE_MAX_WORD)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (word.data[i] != '_' && (word.data[i] < 'A' || word.data[i] > 'Z'))
            return false;
    return true;
}

static bool describe_reply_event(struct buf *out, const struct reply_line *line)
{
    struct span name = event_name(line);
    struct span rest = span_from(line->text, name.len + 1);
    struct span word = span_first(rest, span_find(rest, ' '));

    if (!event_find(name))
        return false;
    buf_append(out, name);
    if (describe_find(action_events, name) && describe_is_action(word)) {
        buf_append_char(out, ' ');
        buf_append(out, word);
        rest = span_from(rest, word.len);
    }
    if (rest.len)
        buf_append_string(out, " ...");
    return true;
}

/* The text of an error may be anybody's behind its first word, and with some errors from there. */
static bool describe_reply_error(struct buf *out, const struct reply_line *line)
{
    struct span word = span_first(line->text, span_find(line->text, ' '));
    const char *known = describe_find(error_words, word);

    if (line->code < 400 || line->code > 599 || word.len == line->text.len || !known)
        return false;
    buf_append_string(out, known);
    buf_append_string(out, " ...");
    return true;
}

void describe_reply_line(struct buf *out, struct span wire)
{
    struct reply_line line;

    if (span_equals(wire, SPAN("."))) {
        buf_append(out, wire);
        return;
    }
    if (!reply_parse_line(wire, &line)) {
        buf_append_string(out, "...");
        return;
    }
    buf_append(out, span_first(wire, 4));
    if (span_equals(line.text, SPAN("OK"))) {
        buf_append(out, line.text);
        return;
    }
    bool is_told = line.code == REPLY_EVENT_CODE && describe_reply_event(out, &line);
    if (!is_told && !describe_reply_key(out, line.text) && !describe_reply_error(out, &line))
        buf_append_string(out, "...");
}
