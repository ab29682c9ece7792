/* `events`: what they tell of others, and redaction held against the lines that tor 0.4.9 writes
 * (control-protocol 4).
 *
 * The number of fields has changed with tor, and a pattern that counts them stops to match without
 * a word; a line that no pattern matches then passes as it is. */
#include <string.h>

#include "event_filter.h"
#include "lint_facts.h"
#include "lint_parts.h"

#define FINGERPRINT "$0123456789ABCDEF0123456789ABCDEF01234567"
#define ONION "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx"
#define DESCRIPTOR "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/AbCdE"
#define INDEX "HSDIR_INDEX=0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"
#define STREAM_TAIL " CLIENT_PROTOCOL=SOCKS5 NYM_EPOCH=0 SESSION_GROUP=-4 ISO_FIELDS=SOCKS_USERNAME"
#define CIRC_TAIL \
    " BUILD_FLAGS=NEED_CAPACITY PURPOSE=GENERAL TIME_CREATED=2026-01-01T00:00:00.000000"
#define STREAM_LINE(status) \
    SPAN("650 STREAM 12 " status " 7 www.example.com:443 SOCKS_USERNAME=\"a b\"" STREAM_TAIL)
#define CIRC_LINE(status) SPAN("650 CIRC 7 " status " " FINGERPRINT "~guard" CIRC_TAIL)

/* Lines with something in them that is not for everybody. */
static const struct event_sample {
    const char *event;
    const char *what;
    struct span wire;
} event_samples[] = {
    {"HS_DESC", "REQUESTED (8 words)",
     SPAN("650 HS_DESC REQUESTED " ONION " NO_AUTH " FINGERPRINT "~relay " DESCRIPTOR " " INDEX)},
    {"HS_DESC", "RECEIVED (7 words)",
     SPAN("650 HS_DESC RECEIVED " ONION " NO_AUTH " FINGERPRINT "~relay " DESCRIPTOR)},
    {"HS_DESC", "FAILED (8 words)",
     SPAN("650 HS_DESC FAILED " ONION " NO_AUTH " FINGERPRINT "~relay " DESCRIPTOR
          " REASON=NOT_FOUND")},
    {"HS_DESC", "FAILED of an upload (7 words)",
     SPAN("650 HS_DESC FAILED " ONION " UNKNOWN " FINGERPRINT "~relay REASON=UPLOAD_REJECTED")},
    {"HS_DESC", "CREATED (7 words)",
     SPAN("650 HS_DESC CREATED " ONION " UNKNOWN UNKNOWN " DESCRIPTOR)},
    {"HS_DESC", "UPLOAD (8 words)",
     SPAN("650 HS_DESC UPLOAD " ONION " UNKNOWN " FINGERPRINT "~relay " DESCRIPTOR " " INDEX)},
    {"HS_DESC", "UPLOADED (6 words)",
     SPAN("650 HS_DESC UPLOADED " ONION " UNKNOWN " FINGERPRINT "~relay")},
    {"STREAM", "NEW",
     SPAN("650 STREAM 12 NEW 0 www.example.com:443 SOURCE_ADDR=127.0.0.1:40000 PURPOSE=USER "
          "SOCKS_USERNAME=\"a b\"" STREAM_TAIL)},
    {"STREAM", "NEWRESOLVE",
     SPAN("650 STREAM 12 NEWRESOLVE 0 www.example.com:0 SOURCE_ADDR=127.0.0.1:40000 "
          "PURPOSE=DNS_REQUEST" STREAM_TAIL)},
    {"STREAM", "SENTCONNECT", STREAM_LINE("SENTCONNECT")},
    {"STREAM", "SENTRESOLVE", STREAM_LINE("SENTRESOLVE")},
    {"STREAM", "REMAP", SPAN("650 STREAM 12 REMAP 7 198.51.100.7:443 SOURCE=EXIT" STREAM_TAIL)},
    {"STREAM", "SUCCEEDED", STREAM_LINE("SUCCEEDED")},
    {"STREAM", "FAILED",
     SPAN("650 STREAM 12 FAILED 7 www.example.com:443 REASON=TIMEOUT" STREAM_TAIL)},
    {"STREAM", "CLOSED",
     SPAN("650 STREAM 12 CLOSED 7 www.example.com:443 REASON=DONE" STREAM_TAIL)},
    {"STREAM", "DETACHED",
     SPAN("650 STREAM 12 DETACHED 7 www.example.com:443 REASON=END "
          "REMOTE_REASON=EXITPOLICY" STREAM_TAIL)},
    {"CIRC", "EXTENDED", CIRC_LINE("EXTENDED")},
    {"CIRC", "BUILT", CIRC_LINE("BUILT")},
    {"CIRC", "GUARD_WAIT", CIRC_LINE("GUARD_WAIT")},
    {"CIRC", "FAILED", CIRC_LINE("FAILED")},
    {"CIRC", "CLOSED", CIRC_LINE("CLOSED")},
    {"CIRC_MINOR", "PURPOSE_CHANGED",
     SPAN("650 CIRC_MINOR 7 PURPOSE_CHANGED " FINGERPRINT "~guard" CIRC_TAIL
          " OLD_PURPOSE=CIRCUIT_PADDING")},
    {"ORCONN", "CONNECTED", SPAN("650 ORCONN " FINGERPRINT "~guard CONNECTED ID=5")},
    {"ORCONN", "LAUNCHED", SPAN("650 ORCONN 198.51.100.7:443 LAUNCHED ID=5")},
    {"ORCONN", "CLOSED", SPAN("650 ORCONN " FINGERPRINT "~guard CLOSED REASON=DONE ID=5")},
    {"GUARD", "UP", SPAN("650 GUARD ENTRY " FINGERPRINT "~guard UP")},
    {"GUARD", "NEW", SPAN("650 GUARD ENTRY " FINGERPRINT "~guard NEW")},
    {"ADDRMAP", "a mapping with a date",
     SPAN("650 ADDRMAP www.example.com 198.51.100.7 \"2026-01-01 00:00:00\" "
          "EXPIRES=\"2026-01-01 00:00:00\" CACHED=\"NO\"")},
    {"ADDRMAP", "a mapping that never expires",
     SPAN("650 ADDRMAP www.example.com 198.51.100.7 NEVER CACHED=\"NO\"")},
    {"STATUS_CLIENT", "BOOTSTRAP with a warning",
     SPAN("650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=10 TAG=conn_done SUMMARY=\"Connected\" "
          "WARNING=\"Connection refused\" REASON=CONNECTREFUSED COUNT=3 RECOMMENDATION=warn "
          "HOSTID=\"0123456789ABCDEF0123456789ABCDEF01234567\" HOSTADDR=\"198.51.100.7:443\"")},
    {"STATUS_CLIENT", "DANGEROUS_SOCKS",
     SPAN("650 STATUS_CLIENT WARN DANGEROUS_SOCKS PROTOCOL=SOCKS4 ADDRESS=198.51.100.7:80")},
    {"STATUS_CLIENT", "SOCKS_BAD_HOSTNAME",
     SPAN("650 STATUS_CLIENT WARN SOCKS_BAD_HOSTNAME HOSTNAME=www.example.com")},
    {"STATUS_GENERAL", "CLOCK_SKEW",
     SPAN("650 STATUS_GENERAL WARN CLOCK_SKEW SKEW=100 SOURCE=OR:198.51.100.7:443")},
    {"STATUS_SERVER", "EXTERNAL_ADDRESS",
     SPAN("650 STATUS_SERVER NOTICE EXTERNAL_ADDRESS ADDRESS=198.51.100.7 METHOD=DIRSERV")},
    {"TRANSPORT_LAUNCHED", "a transport",
     SPAN("650 TRANSPORT_LAUNCHED client obfs4 127.0.0.1 40000")},
};

/* Whole events of several lines. */
static const struct block_sample {
    const char *event;
    struct span wire;
} block_samples[] = {
    {"HS_DESC_CONTENT",
     SPAN("650+HS_DESC_CONTENT " ONION " " DESCRIPTOR " " FINGERPRINT "~relay\r\n"
          "hs-descriptor 3\r\n.\r\n650 OK\r\n")},
    {"CONF_CHANGED", SPAN("650-CONF_CHANGED\r\n650-Bridge=198.51.100.7:443\r\n650 OK\r\n")},
    {"NEWCONSENSUS", SPAN("650+NEWCONSENSUS\r\nr guard x\r\n.\r\n650 OK\r\n")},
    {"NS", SPAN("650+NS\r\nr guard x\r\n.\r\n650 OK\r\n")},
};

/* All lines of an event, those of data blocks aside. */
static const struct event_grammar {
    const char *event;
    const char *pattern;
} event_grammars[] = {
    {"HS_DESC", "650 HS_DESC (?:CREATED [!-~]+ UNKNOWN UNKNOWN [!-~]+"
                "|UPLOAD [!-~]+ [!-~]+ [!-~]+ [!-~]+ HSDIR_INDEX=[!-~]+"
                "|UPLOADED [!-~]+ [!-~]+ [!-~]+"
                "|REQUESTED [!-~]+ [!-~]+ [!-~]+ [!-~]+ HSDIR_INDEX=[!-~]+"
                "|RECEIVED [!-~]+ [!-~]+ [!-~]+ [!-~]+"
                "|FAILED [!-~]+ [!-~]+ [!-~]+(?: [!-~]+)? REASON=[!-~]+)"},
    {"HS_DESC_CONTENT", "650\\+HS_DESC_CONTENT [!-~]+ [!-~]+ [!-~]+|650 OK"},
    {"CONF_CHANGED", "650-CONF_CHANGED|650-[A-Za-z0-9_]+(?:=.*)?|650 OK"},
    {"NEWCONSENSUS", "650\\+NEWCONSENSUS|650 OK"},
    {"NS", "650\\+NS|650 OK"},
    {"STREAM", "650 STREAM [0-9]+ [A-Z_]+ [0-9]+ [!-~]+ .*NYM_EPOCH=.*"},
    {"CIRC", "650 CIRC [0-9]+ (?:LAUNCHED|BUILT|GUARD_WAIT|EXTENDED|FAILED|CLOSED) .*PURPOSE=.*"},
    {"GUARD", "650 GUARD ENTRY [!-~]+ [!-~]+"},
    {"SIGNAL", "650 SIGNAL [A-Z0-9]+"},
    {"BW", "650 BW [0-9]+ [0-9]+(?: .*)?"},
};

static const struct template_variables no_variables = {
    {"127.0.0.1", 9}, {"0", 1}, {"127.0.0.1", 9}, {"0", 1}};

/* Lines of the event that slip past its patterns, as a list in `out`. */
static void list_gaps(const struct event_rule *event, struct buf *out)
{
    for (size_t i = 0; i < sizeof event_samples / sizeof *event_samples; i++) {
        const struct event_sample *sample = &event_samples[i];
        if (strcmp(sample->event, event->name) == 0 &&
            lint_line_slips(&event->response, sample->wire))
            buf_printf(out, "%s%s", out->len ? ", " : "", sample->what);
    }
}

static void lint_gaps(struct lint *lint, const struct event_rule *event)
{
    struct buf gaps;

    buf_init(&gaps, 1024);
    list_gaps(event, &gaps);
    if (gaps.len > 0) {
        buf_append_char(&gaps, '\0');
        lint_warning(lint, event->where, "redaction-gap",
                     "lines of %s that no pattern of 'response' matches pass as they are: %s; add "
                     "unmatched-response: drop, and a pattern for what the application needs",
                     event->name, buf_span(&gaps).data);
    }
    buf_clear(&gaps);
}

/* What the patterns make of an event. */
static void rewrite_event(const struct event_rule *event, struct span wire, struct buf *out)
{
    struct event_filter filter;
    struct reply_reader reader;
    struct reply_line line;

    event_filter_init(&filter);
    event_filter_begin(&filter, event);
    reply_reader_init(&reader);
    while (reply_reader_next(&reader, &wire, &line) == REPLY_LINE)
        event_filter_feed(&filter, &line, &no_variables, out);
    reply_reader_clear(&reader);
    event_filter_clear(&filter);
}

/* Whether this event, of several lines, comes to nothing although its first line is not dropped on
 * purpose. */
static bool is_withheld(const struct event_rule *event, struct span wire)
{
    struct buf out;

    buf_init(&out, 4096);
    rewrite_event(event, wire, &out);
    bool is_nothing = out.len == 0;
    buf_clear(&out);
    return is_nothing;
}

/* Whether the event, of one line, still has the onion service's address. */
static bool shows_address(const struct event_rule *event, struct span text)
{
    struct buf wire, out;

    buf_init(&wire, 4096);
    buf_init(&out, 4096);
    buf_append(&wire, text);
    buf_append_string(&wire, "\r\n");
    rewrite_event(event, buf_span(&wire), &out);
    bool is_shown = out.len > 0 && memmem(buf_span(&out).data, out.len, ONION, strlen(ONION));
    buf_clear(&out);
    buf_clear(&wire);
    return is_shown;
}

static bool shows_addresses(const struct event_rule *event)
{
    for (size_t i = 0; i < sizeof event_samples / sizeof *event_samples; i++)
        if (strcmp(event_samples[i].event, event->name) == 0 &&
            shows_address(event, event_samples[i].wire))
            return true;
    return false;
}

static bool drops_all(const struct line_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        if (!template_is_empty(rules->items[i].replacement))
            return false;
    return true;
}

static void lint_blocks(struct lint *lint, const struct event_rule *event)
{
    for (size_t i = 0; i < sizeof block_samples / sizeof *block_samples; i++)
        if (strcmp(block_samples[i].event, event->name) == 0 && !drops_all(&event->response) &&
            is_withheld(event, block_samples[i].wire))
            lint_warning(lint, event->where, "withheld-event",
                         "%s has several lines, and one that no pattern of 'response' matches "
                         "withholds it whole: add patterns for the lines below the first one, or "
                         "write 'suppress: true'",
                         event->name);
}

static const char *find_grammar(const char *event)
{
    for (size_t i = 0; i < sizeof event_grammars / sizeof *event_grammars; i++)
        if (strcmp(event_grammars[i].event, event) == 0)
            return event_grammars[i].pattern;
    return NULL;
}

static void lint_redaction(struct lint *lint, const struct event_rule *event)
{
    const char *grammar = find_grammar(event->name);
    struct buf all;

    buf_init(&all, 256);
    buf_printf(&all, "650[-+ ]%s(?: .*)?", event->name);
    buf_append_char(&all, '\0');
    lint_line_rules(lint, &event->response, grammar ? grammar : buf_span(&all).data, event->name);
    buf_clear(&all);
    lint_gaps(lint, event);
    lint_blocks(lint, event);
}

static void lint_grant(struct lint *lint, const struct event_rule *event)
{
    const struct event_fact *fact = event_fact_find(event->name);

    if (fact && !event->own_onions_only &&
        !(fact->is_of_streams && lint->profile->tor_browser_mode))
        lint_note(lint, event->where, "grants-event", "%s tells %s; %s", event->name, fact->tells,
                  fact->remedy);
}

/* Patterns that take the relays out of HS_DESC leave in whose service it is about. */
static void lint_foreign_onions(struct lint *lint, const struct event_rule *event)
{
    bool is_of_onions = strcmp(event->name, "HS_DESC") == 0;

    if (!is_of_onions || event->own_onions_only)
        return;
    if (event->response.count > 0 && !shows_addresses(event))
        return;
    if (lint->profile->onions.is_present)
        lint_warning(lint, event->where, "foreign-onions",
                     "the client sees %s of the onion services of others, too; write "
                     "'events: own' under 'onions', beside what stands here",
                     event->name);
    else if (event->response.count > 0)
        lint_grant(lint, event);
}

void lint_events(struct lint *lint, const struct profile *profile)
{
    for (size_t i = 0; i < profile->event_count; i++) {
        const struct event_rule *event = &profile->events[i];
        if (event->suppress)
            continue;
        if (event->response.count > 0)
            lint_redaction(lint, event);
        else
            lint_grant(lint, event);
        lint_foreign_onions(lint, event);
    }
}
