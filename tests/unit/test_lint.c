/* What lint says of profiles: for each code a profile that earns it, with its place, and one beside
 * it that does not. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lint.h"
#include "mem.h"
#include "profile_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A rule stands in line 6 from column 9 on, and so does all that is nested in lists below. */
#define HEAD "- name: p\n  users: [alice]\n  apparmor-profiles: [app]\n"
#define RULE(command, rule) HEAD "  commands:\n    " command ":\n      - " rule "\n"
#define RULES(command, first, second) RULE(command, first) "      - " second "\n"
#define CONF(name, values) HEAD "  confs:\n    " name ": " values "\n"
#define EVENT(name, value) HEAD "  events:\n    " name ": " value "\n"
#define ONIONS(value) HEAD "  onions:\n" value
#define RESPONSE(pattern, replacement) \
    "{pattern: '" pattern "', replacement: '" replacement "'}"
#define WITH_RESPONSE(asked, response) "{pattern: '" asked "', response: [" response "]}"
#define WITH_DROP(asked, response) \
    "{pattern: '" asked "', response: [" response "], unmatched-response: drop}"

struct row {
    const char *text;
    const char *messages; /* LINE:COLUMN:CODE of each, in order, with a space between */
};

/* The places and codes of the messages of that severity. */
static void describe(const struct diag_list *diags, enum diag_severity severity, struct buf *out)
{
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        if (diag->severity == severity)
            buf_printf(out, "%s%u:%u:%s", out->len ? " " : "", diag->line, diag->column,
                       diag->code);
    }
    buf_append_char(out, '\0');
}

static void describe_texts(const struct diag_list *diags, struct buf *out)
{
    for (size_t i = 0; i < diags->count; i++) {
        diag_format(out, &diags->items[i]);
        buf_append_char(out, '\n');
    }
    buf_append_char(out, '\0');
}

static void check_row(const struct row *row, size_t index, enum diag_severity severity)
{
    struct policy *policy = fixture_policy(row->text);
    struct diag_list diags;
    struct buf found, texts;

    diag_list_init(&diags);
    buf_init(&found, 10000);
    buf_init(&texts, 100000);
    lint_file(policy->files[0], &diags);
    lint_policy(policy, &diags);
    describe(&diags, severity, &found);
    describe_texts(&diags, &texts);
    cr_expect_str_eq(buf_span(&found).data, row->messages,
                     "row %zu:\n%s\nexpected: %s\nfound: %s\n%s", index, row->text,
                     row->messages, buf_span(&found).data, buf_span(&texts).data);
    buf_clear(&texts);
    buf_clear(&found);
    diag_list_clear(&diags);
    policy_unref(policy);
}

static void check_rows(const struct row *rows, size_t count, enum diag_severity severity)
{
    for (size_t i = 0; i < count; i++)
        check_row(&rows[i], i, severity);
}

/* --- patterns by themselves --- */

static const struct row pattern_rows[] = {
    {RULE("GETINFO", "'version|uptime'"), "6:9:loose-alternation"},
    {RULE("GETINFO", "'^version|uptime$'"), "6:9:loose-alternation"},
    {RULE("GETINFO", "'^version|^uptime'"), "6:9:loose-alternation"},
    {RULE("GETINFO", "'^version$|^uptime$'"), ""},
    {RULE("GETINFO", "'(?:version|uptime)'"), ""},
    {RULE("GETINFO", "'(version|uptime)'"), ""},
    {CONF("UseBridges", "['0|1']"), "5:18:loose-alternation"},
    {CONF("UseBridges", "['', '(?:0|1)', '[01]{1}']"), "5:33:unreachable-rule"},
    {RULE("GETINFO", WITH_RESPONSE("version", RESPONSE("250-version=.*|x", "250-version=1"))),
     "6:41:loose-alternation"},

    {RULE("GETINFO", "'ns/id/*'"), "6:9:glob"},
    {RULE("GETINFO", "'ns/id/[0-9A-F]*'"), ""},
    {RULE("GETINFO", WITH_RESPONSE("uptime", RESPONSE("250-uptime=*", "250-uptime=1"))),
     "6:40:glob"},
    {RULE("GETINFO", WITH_RESPONSE("uptime", RESPONSE("250-uptime=.*", "250-uptime=1"))), ""},
    {CONF("Nickname", "['a=+$']"), "5:16:glob"},

    {RULE("CLOSECIRCUIT", "'\\d+ '"), "6:9:trailing-space"},
    {RULE("CLOSECIRCUIT", "'\\d+[ ]$'"), "6:9:trailing-space"},
    {RULE("CLOSECIRCUIT", "'\\d+(?: )'"), "6:9:trailing-space"},
    {RULE("CLOSECIRCUIT", "'\\d+ ?'"), ""},
    {RULE("CLOSECIRCUIT", "'\\d+'"), ""},
    {RULE("GETINFO", "'version '"), "6:9:trailing-space"},
    {RULE("MAPADDRESS", "'a=b c=[d ]'"), ""},

    {RULE("GETINFO", "' version'"), "6:9:never-matches"},
    {RULE("GETINFO", "'version\\t'"), "6:9:never-matches"},
    {RULE("GETINFO", "'version$x'"), "6:9:never-matches"},
    {RULE("GETINFO", "' ?version'"), ""},
    {CONF("UseBridges", "[' 1']"), "5:18:never-matches"},

    {RULES("GETINFO", "'version'", "'version'"), "7:9:unreachable-rule"},
    {RULES("GETINFO", "'(?:version|uptime)'", "'uptime'"), "7:9:unreachable-rule"},
    {RULES("GETINFO", "'uptime'", "'(?:version|uptime)'"), ""},
    {RULES("GETINFO", "'ns/id/[0-9A-F]{40}'", "'ns/id/[0-9A-D]{40}'"), "7:9:unreachable-rule"},
    {RULES("GETINFO", "'ns/id/[0-9A-F]{40}'", "'ns/id/[0-9A-F]{41}'"), ""},
    {RULES("GETINFO", "'(?!v)(?:version|uptime)'", "'uptim[e]'"), ""},
    {RULES("GETINFO", "'version'", "'uptime'") "      - '(?:version|uptime)'\n",
     "8:9:unreachable-rule"},
    {RULES("GETINFO", "'version'", "'uptime'") "      - '(?:version|uptime|dormant)'\n", ""},
    {CONF("UseBridges", "['0', '1', '0']"), "5:28:unreachable-rule"},
    {CONF("Nickname", "['', '.*']"), ""},
    {EVENT("SIGNAL", "{response: [" RESPONSE("650 SIGNAL .*", "650 SIGNAL X") ", " RESPONSE(
               "650 SIGNAL NEWNYM", "650 SIGNAL Y") "]}"),
     "5:82:unreachable-rule"},
};

Test(lint, patterns)
{
    check_rows(pattern_rows, COUNT(pattern_rows), DIAG_WARNING);
}

/* --- commands --- */

static const struct row command_rows[] = {
    {RULE("GETINFO", "'.*'"), "6:9:wide-pattern"},
    {RULE("GETINFO", "'ns/id/.+'"), "6:9:wide-pattern"},
    {RULE("GETINFO", "'[ -~]{1,200}'"), "6:9:wide-pattern"},
    {RULE("GETINFO", "'ns/id/\\$?[0-9A-Fa-f]{40}'"), ""},
    {RULE("GETINFO", "{pattern: '.*', reply: ['250 OK']}"), ""},
    {RULE("GETINFO", "{pattern: '.*', replacement: 'version'}"), ""},
    {RULE("GETINFO", "{pattern: 'ns/id/(.*)', replacement: 'ns/id/{}'}"), "6:9:wide-pattern"},
    {RULE("GETINFO", "{pattern: '(ns/id/[0-9A-F]{40}).*', replacement: '{}'}"), ""},
    {RULE("GETCONF", "'.*'"), "6:9:wide-pattern"},
    {RULE("SETCONF", "'DisableNetwork=.*'"), "6:9:wide-pattern"},
    {RULE("SETCONF", "'DisableNetwork=[^ ]*'"), "6:9:wide-pattern"}, /* a quote ends the value */
    {RULE("SETCONF", "'DisableNetwork=[01]'"), ""},
    {RULE("RESETCONF", "'Bridge.*'"), "6:9:wide-pattern"},
    {RULE("EXTENDCIRCUIT", "'0.*'"), "6:9:wide-pattern"},
    {RULE("EXTENDCIRCUIT", "'0(?: purpose=general)?'"), ""},
    {RULE("MAPADDRESS", "'.+'"), "6:9:wide-pattern"},
    {RULE("MAPADDRESS", "'[^ ]+'"), ""},
    {RULE("ONION_CLIENT_AUTH_ADD", "'.+'"), "6:9:wide-pattern"},
    {RULE("ONION_CLIENT_AUTH_ADD", "'[a-z2-7]{56} x25519:[A-Za-z0-9+/]{43}=?'"), ""},
    {RULE("HSFETCH", "'.*'"), "6:9:wide-pattern"},
    {RULE("'+HSPOST'", "'.*'"), "6:9:wide-pattern"},
    {RULE("'+HSPOST'", "'(?:SERVER=\\$?[0-9A-Fa-f]{40} )*HSADDRESS=[a-z2-7]{56}'"), ""},
    {RULE("USEFEATURE", "'.*'"), ""},
    {RULE("TAKEOWNERSHIP", "'.*'"), ""},
    {RULE("SAVECONF", "''"), ""},

    {RULE("GETINFO", "'status/[a-z/-]+'"), "6:9:hidden-grant"},
    {RULE("GETINFO", "'[a-z/-]+'"), "6:9:hidden-grant"},
    {RULE("GETINFO", "'net/listeners/\\w+'"), "6:9:hidden-grant"},
    {RULE("GETINFO", "'address.*'"), "6:9:wide-pattern"},
    {RULE("GETINFO", "'accounting/[a-z-]+'"), ""},
    {RULE("GETINFO", "'address-mappings/[a-z]+'"), ""}, /* named: a note */
    {RULE("GETINFO", "'address'"), ""},
    {RULE("GETINFO", "'net/listeners/(?:or|dir|socks)'"), ""},
    {RULE("SIGNAL", "'.*'"), "6:9:hidden-grant"},
    {RULE("SIGNAL", "'[A-Z]+'"), "6:9:hidden-grant"},
    {RULE("SIGNAL", "'(?:NEWNYM|ACTIVE)'"), ""},

    {RULE("GETINFO", "'versio'"), "6:9:unknown-name"},
    {RULE("GETINFO", "'(?:version|uptim)'"), "6:9:unknown-name"},
    {RULE("GETINFO", "'version uptim'"), "6:9:unknown-name"},
    {RULE("GETINFO", "'nss/id/[0-9A-F]+'"), "6:9:unknown-name"},
    {RULE("GETINFO", "'ns/id/[0-9A-F]+'"), ""},
    {RULE("GETINFO", "'config/Nickname'"), ""},
    {RULE("SIGNAL", "'NEWNYMS'"), "6:9:unknown-name"},
    {RULE("SIGNAL", "'newnym'"), ""},
    {RULE("GETCONF", "'[A-Za-z]+'"), "6:9:hidden-grant"},
    {RULE("GETCONF", "'Nick[a-z]+'"), ""},
    {RULE("GETCONF", "'(?:[Nn]ickname|[Nn]icknames)'"), "6:9:unknown-name 6:9:unknown-name"},
    {RULE("GETCONF", "'[Nn]ickname'"), ""},
    {RULE("GETCONF", "'Nickname ORPort'"), ""},
    {RULE("SETCONF", "'DisableNet=[01]'"), "6:9:unknown-name"},

    {RULE("ADD_ONION", "'NEW:BEST'"), "6:9:never-sent"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,localhost:8080'"), "6:9:never-sent"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,[a-z]+:8080'"), "6:9:never-sent"},
    {RULE("ADD_ONION", "{pattern: 'NEW:BEST Port=80,([0-9]+)', "
                       "replacement: 'NEW:BEST Port=80,localhost:{}'}"), "6:9:never-sent"},
    {RULE("ADD_ONION", "{pattern: 'NEW:BEST Port=80,(80[0-9]+)', "
                       "replacement: 'NEW:BEST Port=80,{client-address}:{}'}"), ""},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,(?:localhost|127.0.0.1):8080'"), ""},
    {RULE("SETCIRCUITPURPOSE", "'5'"), "6:9:never-sent"},
    {RULE("SETCIRCUITPURPOSE", "'5 purpose=general'"), ""},
    {RULE("SIGNAL", "'NEWNYM ACTIVE'"), "6:9:never-sent 6:9:unknown-name"},
};

Test(lint, commands)
{
    check_rows(command_rows, COUNT(command_rows), DIAG_WARNING);
}

/* --- onion services --- */

static const struct row onion_rows[] = {
    {RULE("ADD_ONION", "'.*'"), "6:9:free-target 6:9:free-flags"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,.*'"), "6:9:free-target 6:9:free-flags"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,[0-9.]+:8080'"), "6:9:free-target"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,unix:/[a-z/]+'"), "6:9:free-target"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,[0-9]+'"), "6:9:free-target"},
    {RULE("ADD_ONION", "'NEW:BEST Port=[0-9]+'"), "6:9:free-target"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,127\\.0\\.0\\.1:[0-9]+'"), "6:9:free-target"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,127\\.0\\.0\\.1:176[0-9]{2}'"), ""},
    {RULE("ADD_ONION", "'NEW:BEST Flags=[A-Za-z0-9,]+ Port=80,17600'"), "6:9:free-flags"},
    {RULE("ADD_ONION", "'NEW:BEST Flags=(?:Detach|DiscardPK) Port=80,17600'"), ""},
    {RULE("ADD_ONION", "'NEW:BEST Flags=DiscardPK Port=80,17600'"), ""},
    {RULE("ADD_ONION", "{pattern: 'NEW:BEST Port=80,([0-9]+)', "
                       "replacement: 'NEW:BEST Port=80,{client-address}:{}'}"), "6:9:free-target"},
    {"- name: p\n  hosts: [10.0.0.1]\n  commands:\n    ADD_ONION:\n      - {pattern: 'NEW:BEST "
     "Port=80,([0-9]+)', replacement: 'NEW:BEST Port=80,{client-address}:{}'}\n", ""},
    {RULE("ADD_ONION", "'\\S+:\\S+ Port=80,17600'"), ""}, /* the key is no Port= */
    {RULE("DEL_ONION", "'.+'"), "6:9:free-deletion"},
    {RULE("DEL_ONION", "'.*'"), "6:9:free-deletion"},
    {RULE("DEL_ONION", "'[a-z2-7]{56}'"), ""},
    {RULE("DEL_ONION", "'[a-z2-7]{16}'"), ""},
    {ONIONS("    create:\n      - virtual-ports: [80]\n        targets: [1-65535]\n"
            "        keys: [new]\n"), "7:19:free-target"},
    {ONIONS("    create:\n      - virtual-ports: [80]\n        targets: [17600-17650, 1]\n"
            "        keys: [new]\n"), ""},
    {ONIONS("    create:\n      - virtual-ports: [80]\n        targets: [32768-60999]\n"
            "        keys: [new]\n    delete: own\n"), ""},
};

Test(lint, onions)
{
    check_rows(onion_rows, COUNT(onion_rows), DIAG_WARNING);
}

/* --- options --- */

static const struct row conf_rows[] = {
    {CONF("UseBridges", "['.*']"), "5:18:wide-value"},
    {CONF("UseBridges", "['', '.+']"), "5:22:wide-value"},
    {CONF("UseBridges", "['[01]']"), ""},
    {CONF("UseBridges", ""), ""},
    {CONF("Socks5Proxy", "['[ -~]*']"), "5:19:wide-value"},
    {CONF("Socks5ProxyPassword", "['.*']"), ""},
    {CONF("Bridge", "['.*']"), "5:14:wide-value"},
    {CONF("Bridge", "['obfs4 [0-9.]+:[0-9]+ [0-9A-F]{40} [ -~]*']"), ""},
    {CONF("DataDirectory", "['/var/lib/.*']"), "5:21:wide-value"},
    {CONF("DataDirectory", "['/var/lib/[a-z]+']"), ""},
    {CONF("ClientTransportPlugin", "['obfs4 exec [!-~]+']"), "5:29:wide-value"},
    {CONF("ClientTransportPlugin", "['obfs4 exec /usr/bin/obfs4proxy']"), ""},
    {CONF("CircuitBuildTimeout", "['.*']"), "5:27:wide-value"},
};

Test(lint, options)
{
    check_rows(conf_rows, COUNT(conf_rows), DIAG_WARNING);
}

/* --- rewriting --- */

static const struct row response_rows[] = {
    {RULE("GETINFO", WITH_RESPONSE("uptime", RESPONSE("250-uptime=.*", "250 uptime=1"))),
     "6:40:broken-framing"},
    {RULE("GETINFO", WITH_RESPONSE("uptime", RESPONSE("250-uptime=.*", "hidden"))),
     "6:40:broken-framing"},
    {RULE("GETINFO", WITH_RESPONSE("uptime", RESPONSE("250-uptime=.*", "550-uptime=1"))),
     "6:40:broken-framing"},
    {RULE("GETINFO", WITH_RESPONSE("uptime", RESPONSE("(250-uptime=).*", "{}1"))), ""},
    {RULE("GETINFO", WITH_RESPONSE("uptime", RESPONSE("250-uptime=.*", ""))), ""},
    {RULE("GETINFO", WITH_RESPONSE("uptime", RESPONSE("250-uptime=.*", "250-uptime=1"))), ""},
    {RULE("GETCONF", WITH_DROP("Bridge", RESPONSE("250[- ]Bridge=.*", "250 Bridge"))),
     "6:40:broken-framing"},
    {RULE("GETCONF", WITH_DROP("Bridge", RESPONSE("250([- ])Bridge=.*", "250{}Bridge"))), ""},

    /* the character behind the code, the name as tor writes it, a key that is not asked for */
    {RULE("GETINFO", WITH_DROP("uptime", RESPONSE("250 uptime=.*", "250 uptime=1"))),
     "6:40:stale-pattern"},
    {RULE("GETINFO", WITH_DROP("uptime", RESPONSE("250-version=.*", "250-version=1"))),
     "6:40:stale-pattern"},
    {RULE("GETCONF", WITH_DROP("bridge", RESPONSE("(250[- ])bridge=.*", "{}bridge=1"))),
     "6:40:stale-pattern"},
    {RULE("GETCONF", WITH_DROP("bridge", RESPONSE("(250[- ])Bridge=.*", "{}Bridge=1"))), ""},
    {RULE("GETINFO", WITH_DROP("uptime", RESPONSE("250\\+uptime=", "250+uptime="))), ""},
    {RULE("ADD_ONION", WITH_RESPONSE("NEW:BEST Port=80,8080",
                                     RESPONSE("250-PrivateKey=.*", ""))), ""},
    {RULE("ADD_ONION", WITH_RESPONSE("NEW:BEST Port=80,8080",
                                     RESPONSE("250 PrivateKey=.*", "250 OK"))),
     "6:55:stale-pattern"},

    /* one status only, one form only, one line only */
    {RULE("GETINFO", WITH_RESPONSE("circuit-status",
                                   RESPONSE("250-circuit-status=.*", "250-circuit-status="))), ""},
    {RULE("GETINFO", WITH_RESPONSE("circuit-status", RESPONSE("[0-9]+ BUILT .*", "1 BUILT"))),
     "6:9:redaction-gap"},
    {RULE("GETINFO", WITH_RESPONSE("circuit-status", RESPONSE("([0-9]+ [A-Z_]+) .*", "{}"))),
     "6:9:redaction-gap"}, /* the only circuit stands in one line with the key */
    {RULE("GETINFO", WITH_RESPONSE("circuit-status",
                                   RESPONSE("((?:250-circuit-status=)?[0-9]+ [A-Z_]+) .*", "{}"))),
     ""},
    {RULE("GETINFO", WITH_DROP("circuit-status", RESPONSE("([0-9]+ BUILT) .*", "{}"))), ""},
    {RULE("GETINFO", WITH_RESPONSE("status/bootstrap-phase",
                                   RESPONSE("250-status/bootstrap-phase=NOTICE .*",
                                            "250-status/bootstrap-phase=NOTICE"))),
     "6:9:redaction-gap"},
    {RULE("GETINFO", WITH_RESPONSE("status/bootstrap-phase",
                                   RESPONSE("250-status/bootstrap-phase=([A-Z]+) .*",
                                            "250-status/bootstrap-phase={}"))), ""},
    {RULE("GETINFO", WITH_RESPONSE("status/bootstrap-phase",
                                   RESPONSE("250-status/bootstrap-phase=NOTICE",
                                            "250-status/bootstrap-phase=NOTICE"))),
     "6:9:redaction-gap"}, /* part of a line is no line */
    {RULE("GETCONF", WITH_RESPONSE("Bridge", RESPONSE("250 Bridge=.*", "250 Bridge"))),
     "6:9:redaction-gap"},
    {RULE("GETCONF", WITH_RESPONSE("Bridge", RESPONSE("250-Bridge=.*", "250-Bridge"))),
     "6:9:redaction-gap"},
    {RULE("GETCONF", WITH_RESPONSE("Bridge", RESPONSE("(250[- ])Bridge=.*", "{}Bridge"))), ""},

    {RULE("GETINFO", "{pattern: 'uptime', reply: ['250-version=1', '250 OK']}"), "6:9:reply-key"},
    {RULE("GETINFO", "{pattern: 'uptime', reply: ['250-uptime=1', '250 OK']}"), ""},
    {RULE("GETINFO", "{pattern: 'uptime', reply: ['250 OK']}"), ""},
    {RULE("GETINFO", "{pattern: 'uptime', reply: ['551 no']}"), ""},
};

Test(lint, responses)
{
    check_rows(response_rows, COUNT(response_rows), DIAG_WARNING);
}

#define DROP(entries) "{response: [" entries "], unmatched-response: drop}"
#define KEEP(entries) "{response: [" entries "]}"

static const struct row event_rows[] = {
    {EVENT("HS_DESC", DROP(RESPONSE("650 HS_DESC (UPLOADED) ([a-z2-7]{56}) .*",
                                    "650 HS_DESC {} {} UNKNOWN UNKNOWN"))), ""},
    {EVENT("HS_DESC", KEEP(RESPONSE("650 HS_DESC (UPLOADED) ([a-z2-7]{56}) .*",
                                    "650 HS_DESC {} {} UNKNOWN UNKNOWN"))), "5:5:redaction-gap"},
    {EVENT("HS_DESC", KEEP(RESPONSE("650 HS_DESC ([A-Z]+) .*", "650 HS_DESC {}"))), ""},
    /* numbers of fields that tor had once */
    {EVENT("HS_DESC", DROP(RESPONSE("650 HS_DESC CREATED (\\S+) (\\S+) (\\S+) (\\S+) (\\S+)",
                                    "650 HS_DESC CREATED {}"))), "5:26:stale-pattern"},
    {EVENT("HS_DESC", DROP(RESPONSE("650 HS_DESC UPLOAD (\\S+) (\\S+) (\\S+) (\\S+)",
                                    "650 HS_DESC UPLOAD {}"))), "5:26:stale-pattern"},
    {EVENT("HS_DESC", DROP(RESPONSE("650 HS_DESC UPLOAD (\\S+) (\\S+) (\\S+) (\\S+) (\\S+)",
                                    "650 HS_DESC UPLOAD {}"))), ""},
    {EVENT("HS_DESC", KEEP(RESPONSE("650 HS_DESC REQUESTED (\\S+) (\\S+) (\\S+) (\\S+)",
                                    "650 HS_DESC REQUESTED {}"))),
     "5:26:stale-pattern 5:5:redaction-gap"},
    {EVENT("STREAM", DROP(RESPONSE("650 STREAM (\\d+) NEW (\\d+) (\\S+)",
                                   "650 STREAM {} NEW {} {}"))), "5:25:stale-pattern"},
    {EVENT("STREAM", DROP(RESPONSE("650 STREAM (\\d+) NEW (\\d+) (\\S+) .*",
                                   "650 STREAM {} NEW {} {}"))), ""},
    {EVENT("CIRC", KEEP(RESPONSE("650 CIRC (\\d+) BUILT .*", "650 CIRC {} BUILT"))),
     "5:5:redaction-gap"},
    {EVENT("CIRC", KEEP(RESPONSE("650 CIRC (\\d+) ([A-Z_]+) .*", "650 CIRC {} {}"))), ""},
    {EVENT("STATUS_CLIENT", KEEP(RESPONSE("650 STATUS_CLIENT [A-Z]+ BOOTSTRAP .*", ""))),
     "5:5:redaction-gap"},
    {EVENT("BW", KEEP(RESPONSE("650 BW ([0-9]+) [0-9]+", "650 BW {} 0"))), ""},
    {EVENT("BW", KEEP(RESPONSE("650-BW .*", "650-BW 0 0"))), "5:21:stale-pattern"},
    {EVENT("BW", KEEP(RESPONSE("650 BW .*", "650-BW 0 0"))), "5:21:broken-framing"},
    {EVENT("CONF_CHANGED", KEEP(RESPONSE("650-CONF_CHANGED", "650-CONF_CHANGED"))),
     "5:5:withheld-event"},
    {EVENT("CONF_CHANGED", KEEP(RESPONSE("650-CONF_CHANGED", "650-CONF_CHANGED") ", " RESPONSE(
                                    "650-([A-Za-z_]+)(?:=.*)?", "650-{}"))), ""},
    {EVENT("CONF_CHANGED", KEEP(RESPONSE("650-CONF_CHANGED", ""))), ""},
    {EVENT("HS_DESC_CONTENT", KEEP(RESPONSE("650\\+HS_DESC_CONTENT .*", "650+HS_DESC_CONTENT"))),
     "5:5:withheld-event"},
    /* of whose services */
    {EVENT("HS_DESC", DROP(RESPONSE("650 HS_DESC (UPLOADED [a-z2-7]{56}) .*",
                                    "650 HS_DESC {} UNKNOWN UNKNOWN")) "\n  onions:\n"
     "    delete: own"), "5:5:foreign-onions"},
    {EVENT("HS_DESC", DROP(RESPONSE("650 HS_DESC (UPLOADED [a-z2-7]{56}) .*",
                                    "650 HS_DESC {} UNKNOWN UNKNOWN")) "\n  onions:\n"
     "    delete: own\n    events: own"), ""},
    {EVENT("HS_DESC", "{suppress: true}\n  onions:\n    delete: own"), ""},
    {EVENT("HS_DESC", "\n  onions:\n    delete: own"), "5:5:foreign-onions"},
};

Test(lint, events)
{
    check_rows(event_rows, COUNT(event_rows), DIAG_WARNING);
}

/* --- clients --- */

#define EVERYBODY "- name: p\n  users: ['*']\n  apparmor-profiles: ['*']\n"
#define ADDRESS "  commands:\n    GETINFO:\n      - 'address'\n"

static const struct row client_rows[] = {
    {EVERYBODY ADDRESS, "2:3:weak-identity"},
    {EVERYBODY "  groups: [staff]\n" ADDRESS, ""},
    {EVERYBODY "  executables: [/usr/bin/a]\n" ADDRESS, ""},
    {HEAD ADDRESS, ""},
    {EVERYBODY "  commands:\n    SIGNAL: ['NEWNYM']\n"
               "    GETINFO: ['version', 'ns/id/[0-9A-F]{40}']\n"
               "    TAKEOWNERSHIP: [{pattern: '', reply: ['250 OK']}]\n"
               "  confs:\n    __OwningControllerProcess:\n"
               "  events:\n    SIGNAL: {suppress: true}\n",
     ""},
    {EVERYBODY "  commands:\n    SIGNAL: ['RELOAD']\n", "2:3:weak-identity"},
    {EVERYBODY "  confs:\n    UseBridges: ['0']\n", "2:3:weak-identity"},
    {EVERYBODY "  confs:\n    Bridge:\n", "2:3:weak-identity"},
    {EVERYBODY "  events:\n    STREAM:\n", "2:3:weak-identity"},
    {EVERYBODY "  events:\n    BW:\n", ""},
    {EVERYBODY "  tor-browser-mode: true\n  events:\n    STREAM:\n", ""},
    {EVERYBODY "  commands:\n    GETCONF: ['[A-Za-z]+']\n", "2:3:weak-identity 5:15:hidden-grant"},
    {EVERYBODY "  commands:\n    HSFETCH: ['[a-z2-7]{56}']\n", "2:3:weak-identity"},
    {EVERYBODY "  onions:\n    create:\n      - virtual-ports: [80]\n"
               "        targets: [17600-17650]\n        keys: [new]\n", ""},
    {EVERYBODY "  onions:\n    client-auth-keys: own\n", "2:3:weak-identity"},
    {"- name: p\n  hosts: ['*']\n" ADDRESS, "2:3:weak-identity"},
    {"- name: p\n  hosts: [0.0.0.0/0]\n" ADDRESS, "2:3:weak-identity"},
    {"- name: p\n  hosts: [10.0.0.0/8]\n" ADDRESS, ""},
    {"- name: p\n  hosts: ['*']\n  commands:\n    GETINFO: ['version']\n", ""},
    {"- name: p\n  users: [alice]\n  apparmor-profiles: [/usr/bin/a]\n  writer: any\n" ADDRESS,
     "3:3:weak-identity"},
    {"- name: p\n  users: [alice]\n  apparmor-profiles: [/usr/bin/a]\n" ADDRESS, ""},
    {"- name: p\n  users: [alice]\n  apparmor-profiles: [/usr/bin/a, app]\n  writer: any\n" ADDRESS,
     ""},
    {"- name: p\n  users: [alice]\n  apparmor-profiles: [/usr/bin/a]\n  writer: any\n"
     "  apparmor-evidence: kernel-only\n" ADDRESS, ""},
    {"- name: p\n  users: [alice]\n  apparmor-profiles: ['*']\n  executables: [/usr/bin/a]\n"
     "  writer: any\n" ADDRESS, "4:3:weak-identity"},
};

Test(lint, clients)
{
    check_rows(client_rows, COUNT(client_rows), DIAG_WARNING);
}

/* --- several profiles --- */

#define OTHER(qualifiers) "- name: q\n" qualifiers
#define PLAIN "  commands:\n    GETINFO:\n      - 'uptime'\n"
#define CHANGED \
    "  commands:\n    GETINFO:\n      - {pattern: 'uptime', reply: ['250-uptime=1', '250 OK']}\n"
#define SAME "  users: [alice]\n  apparmor-profiles: [app]\n"

static const struct row overlap_rows[] = {
    {HEAD PLAIN OTHER(SAME) CHANGED, "7:3:overlap"},
    {HEAD CHANGED OTHER(SAME) PLAIN, ""}, /* the first that matches decides */
    {HEAD PLAIN OTHER(SAME) PLAIN, ""},
    {HEAD PLAIN OTHER("  users: [bob]\n  apparmor-profiles: [app]\n") CHANGED, ""},
    {HEAD PLAIN OTHER("  users: [alice, bob]\n  apparmor-profiles: [x]\n") CHANGED, ""},
    {HEAD PLAIN OTHER("  users: ['*']\n  apparmor-profiles: ['*']\n") CHANGED, "7:3:overlap"},
    {HEAD PLAIN OTHER("  users: [alice]\n  socket: true\n") CHANGED, ""},
    {HEAD "  executables: [/a]\n" PLAIN OTHER(SAME "  executables: [/b]\n") CHANGED, ""},
    {HEAD "  units: [a.service]\n" PLAIN OTHER(SAME "  units: ['*.service']\n") CHANGED,
     "8:3:overlap"},
    {"- name: p\n  hosts: [10.0.0.0/8]\n" PLAIN OTHER("  hosts: [10.1.2.3]\n") CHANGED,
     "6:3:overlap"},
    {"- name: p\n  hosts: [10.0.0.0/8]\n" PLAIN OTHER("  hosts: [11.1.2.3]\n") CHANGED, ""},
    {"- name: p\n  hosts: [10.0.0.0/8]\n" PLAIN OTHER(SAME) CHANGED, ""},
    {HEAD "  events:\n    BW:\n" OTHER(SAME) "  events:\n    BW: {suppress: true}\n",
     "6:3:overlap"},
    {HEAD "  events:\n    BW: {suppress: true}\n" OTHER(SAME) "  events:\n    BW:\n", ""},
    {HEAD "  events:\n    BW:\n" OTHER(SAME) "  events:\n    BW: " KEEP(
         RESPONSE("650 BW .*", "650 BW 0 0")) "\n", "6:3:overlap"},
    {HEAD "  events:\n    BW:\n" OTHER(SAME) "  events:\n    BW:\n", ""},
    {HEAD "  tor-browser-mode: true\n" OTHER(SAME) PLAIN, ""},
};

Test(lint, overlaps)
{
    check_rows(overlap_rows, COUNT(overlap_rows), DIAG_WARNING);
}

/* --- what is granted by name --- */

static const struct row note_rows[] = {
    {RULE("GETINFO", "'address'"), "6:9:grants-key"},
    {RULE("GETINFO", "'(?:address|version)'"), "6:9:grants-key"},
    {RULE("GETINFO", "'address-mappings/[a-z]+'"), "6:9:grants-key"},
    {RULE("GETINFO", "'version'"), ""},
    {RULE("GETINFO", "{pattern: 'address', reply: ['250-address=1', '250 OK']}"), ""},
    {RULE("GETINFO", "'circuit-status'"), "6:9:grants-key"},
    {RULE("GETINFO", "'circuit-status'") "  tor-browser-mode: true\n", ""},
    {RULE("SIGNAL", "'NEWNYM'"), ""},
    {RULE("SIGNAL", "'(?:NEWNYM|halt)'"), "6:9:grants-signal"},
    {RULE("TAKEOWNERSHIP", "''"), "6:9:grants-command"},
    {RULE("TAKEOWNERSHIP", "{pattern: '', reply: ['250 OK']}"), ""},
    {RULE("'+LOADCONF'", "''"), "6:9:grants-command"},
    {RULE("SAVECONF", "''"), "6:9:grants-command"},
    {RULE("GETCONF", "'(?:[Bb]ridge|Nickname)'"), "6:9:grants-option 6:9:grants-option"},
    {RULE("GETCONF", "{pattern: 'Bridge', reply: ['250 Bridge']}"), ""},
    {CONF("Bridge", ""), "5:5:grants-option"},
    {CONF("DisableNetwork", "['0']"), "5:5:grants-option"},
    {CONF("DisableNetwork", ""), ""},
    {CONF("ORPort", ""), ""},
    {EVENT("INFO", ""), "5:5:grants-event"},
    {EVENT("INFO", "{suppress: true}"), ""},
    {EVENT("CONF_CHANGED", ""), "5:5:grants-event"},
    {EVENT("HS_DESC", ""), "5:5:grants-event"},
    {EVENT("HS_DESC", "") "  onions:\n    events: own\n", ""},
    {EVENT("HS_DESC", DROP(RESPONSE("650 HS_DESC (UPLOADED [a-z2-7]{56}) .*",
                                    "650 HS_DESC {} UNKNOWN UNKNOWN"))), "5:5:grants-event"},
    {EVENT("HS_DESC", DROP(RESPONSE("650 HS_DESC (UPLOADED) .*", "650 HS_DESC {}"))), ""},
    {EVENT("HS_DESC", KEEP(RESPONSE(".*", ""))), ""},
    {EVENT("STREAM", ""), "5:5:grants-event"},
    {EVENT("STREAM", "") "  tor-browser-mode: true\n", ""},
    {EVENT("BW", ""), ""},
    {RULE("CLOSECIRCUIT", "'\\d+ ?'"), "6:9:trailing-space 6:9:grants-command"},
    {RULE("DEL_ONION", "'[a-z2-7]{56}'"), "6:9:free-deletion"},
    {RULE("ADD_ONION", "'NEW:BEST Flags=Detach Port=80,17600'"),
     "6:9:use-onions 6:9:grants-detach"},
    {ONIONS("    create:\n      - virtual-ports: [80]\n        targets: [8080]\n"
            "        keys: [new]\n        flags: [Detach]\n    fetch: true\n"),
     "6:9:grants-detach 10:5:grants-command"},
    {HEAD PLAIN OTHER(SAME) "  commands:\n    SIGNAL: ['NEWNYM']\n", "7:3:overlap"},
    {"- name: p\n  users: [alice]\n  apparmor-profiles: ['*']\n", "3:3:weak-identity"},
    {"- name: p\n  users: [alice]\n  apparmor-profiles: [/usr/bin/a]\n", "3:3:weak-identity"},
};

Test(lint, notes)
{
    check_rows(note_rows, COUNT(note_rows), DIAG_NOTE);
}

/* --- what the messages say --- */

static const struct text_row {
    const char *text;
    const char *said; /* in one of the messages */
} text_rows[] = {
    {RULE("GETINFO", "'ns/id/.*'"), "write 'ns/id/\\$?[0-9A-Fa-f]{40}'"},
    {RULE("GETINFO", "'status/[a-z/-]+'"),
     "'status/fresh-relay-descs' (the address of this machine"},
    {CONF("UseBridges", "['.*']"), "write '[01]'"},
    {RULES("GETINFO", "'(?:version|uptime)'", "'uptime'"), "by '(?:version|uptime)' in line 6"},
    {RULE("ADD_ONION", "'NEW:BEST Port=80,[a-z]+:8080'"), "no literal address"},
    {RULE("ADD_ONION", "'.*'"), "10.9.8.7"},
    {EVENT("HS_DESC", KEEP(RESPONSE("650 HS_DESC (UPLOADED) .*", "650 HS_DESC {}"))),
     "REQUESTED (8 words), RECEIVED (7 words)"},
    {RULE("GETINFO", WITH_RESPONSE("circuit-status", RESPONSE("([0-9]+ [A-Z_]+) .*", "{}"))),
     "as the only entry, in one line with the key"},
    {EVERYBODY ADDRESS, "line 6 gives them: the address of this machine"},
    {HEAD PLAIN OTHER(SAME) CHANGED, "(/profiles/test.yml:1)"},
    {HEAD "  tor-browser-mode: true\n" OTHER(SAME) PLAIN, "tor-browser-mode of 'p' is for both"},
    {HEAD "  events:\n    BW: {suppress: true}\n" OTHER(SAME) "  events:\n    BW:\n",
     "BW is passed as it is here and suppressed by 'p'"},
};

Test(lint, messages)
{
    for (size_t i = 0; i < COUNT(text_rows); i++) {
        struct policy *policy = fixture_policy(text_rows[i].text);
        struct diag_list diags;
        struct buf texts;
        diag_list_init(&diags);
        buf_init(&texts, 100000);
        lint_file(policy->files[0], &diags);
        lint_policy(policy, &diags);
        describe_texts(&diags, &texts);
        cr_expect(strstr(buf_span(&texts).data, text_rows[i].said),
                  "row %zu: '%s' is not in\n%s", i, text_rows[i].said, buf_span(&texts).data);
        buf_clear(&texts);
        diag_list_clear(&diags);
        policy_unref(policy);
    }
}

/* Thousands of rules, and of profiles for one client, are not compared for ever. */
Test(lint, sizes, .timeout = 60)
{
    struct buf text;
    struct diag_list diags;

    buf_init(&text, 1024 * 1024);
    buf_append_string(&text, HEAD "  commands:\n    GETINFO:\n");
    for (int i = 0; i < 5000; i++)
        buf_printf(&text, "      - 'ns/name/a%d[0-9]'\n", i);
    for (int i = 0; i < 300; i++)
        buf_printf(&text, "- name: q%d\n  users: ['*']\n  apparmor-profiles: ['*']\n", i);
    buf_append_char(&text, '\0');
    cr_assert_not(text.overflow);
    struct policy *policy = fixture_policy(buf_span(&text).data);
    diag_list_init(&diags);
    lint_file(policy->files[0], &diags);
    lint_policy(policy, &diags);
    cr_expect_eq(diags.count, DIAG_MAX);
    cr_expect_gt(diags.left_out, 40000u);
    diag_list_clear(&diags);
    policy_unref(policy);
    buf_clear(&text);
}
