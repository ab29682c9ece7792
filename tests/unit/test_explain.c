/* author/explain: which rule, what tor gets, what the client gets, what was near; and how a text is
 * cut into commands, replies and events. */
#include "profile_fixture.h"

#include <stdio.h>

#include "conversation.h"
#include "explain.h"
#include "explain_units.h"
#include "json_line.h"
#include "mem.h"
#include "pattern.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- how much of a text a pattern agrees with --- */

Test(explain, prefix_length)
{
    static const struct {
        const char *pattern;
        const char *subject;
        size_t length;
    } rows[] = {
        {"version", "version", 7},
        {"version", "versions", 7},
        {"version", "address", 0},
        {"version|config-file", "config-text", 7},
        {"a|ab+c", "abb", 3},
        {"a|ab+c", "abbd", 3},
        {"", "abc", 0},
        {"abc", "", 0},
        {"[a-z]{3}", "abcd", 3},
        {"[a-z]{3}", "ab", 2},
        {"[a-z]{3}", "aB", 1},
        {"NEW:ED25519-V3 Port=(?:176[0-4][0-9]|17650)", "NEW:ED25519-V3 Port=1766", 23},
        {"x*", "xxxy", 3},
        {"x*y", "xxxy", 4},
        {"a(?=b)b", "ab", 2},
        {"(?!a)b|cd", "cx", 1},
        {"(?<x>a)\\1b", "aac", 2},
        {"\\bab", "ac", 1},
        {"^ab\\Z", "abc", 2},
        {"a b$", "a b c", 3},
        {"(a)(b)?c", "abd", 2},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf error;
        size_t column;
        buf_init(&error, 4096);
        struct pattern *pattern = pattern_compile(rows[i].pattern, &column, &error);
        cr_assert(pattern, "row %zu does not compile", i);
        size_t length = pattern_prefix_length(pattern, span_from_string(rows[i].subject), NULL);
        cr_expect_eq(length, rows[i].length, "row %zu: %zu in place of %zu", i, length,
                     rows[i].length);
        pattern_free(pattern);
        buf_clear(&error);
    }
}

Test(explain, prefix_length_is_bounded)
{
    struct pattern_budget budget = {.left = 1};
    struct buf error;
    size_t column;

    buf_init(&error, 4096);
    struct pattern *pattern = pattern_compile("(a+)+b", &column, &error);
    struct span tedious = span_from_string(TEDIOUS);
    cr_expect_leq(pattern_prefix_length(pattern, tedious, &budget), tedious.len);
    cr_expect(!budget.is_spent);
    cr_expect_eq(pattern_prefix_length(pattern, tedious, &budget), 0);
    cr_expect(budget.is_spent);
    pattern_free(pattern);
    buf_clear(&error);
}

/* --- texts as units --- */

/* "C1" a command with the reply that is unit 1, "C" one without; "R0" and "E" alike. */
static void describe_units(const struct explain_units *units, struct buf *out)
{
    static const char letters[] = "CRE";

    for (size_t i = 0; i < units->count; i++) {
        const struct explain_unit *unit = &units->items[i];
        buf_printf(out, "%s%c", i ? " " : "", letters[unit->kind]);
        if (unit->counterpart != EXPLAIN_NO_UNIT)
            buf_printf(out, "%zu", unit->counterpart);
        if (!unit->is_whole)
            buf_append_char(out, '?');
    }
    if (units->unread)
        buf_printf(out, " -%lu", units->unread);
    buf_append_char(out, '\0');
}

Test(explain, units)
{
    static const struct {
        const char *text;
        const char *expected;
    } rows[] = {
        {"", ""},
        {"\n\n# nothing\n", ""},
        {"GETINFO version", "C"},
        {"GETINFO version\n250-version=1\n250 OK\n", "C1 R0"},
        /* Of several in a row the last has the reply. */
        {"GETINFO address\nGETINFO version\n250-version=1\n250 OK\n", "C C2 R1"},
        {"GETINFO address\nGETINFO version\n250 OK\n250 OK\n", "C2 C3 R0 R1"},
        {"GETINFO version\n250 OK\n250 OK\nQUIT\n", "C1 R0 R C"},
        {"250 OK\nQUIT\n", "R C"},
        {"SETEVENTS BW\n250 OK\n650 BW 1 2\nQUIT", "C1 R0 E C"},
        /* An event between a command and its reply. */
        {"GETINFO version\n650 BW 1 2\n250 OK\n", "C2 E R0"},
        {"GETINFO a\n250+a=\n250 OK\n650 BW 1 2\n.\n250 OK\nQUIT\n", "C1 R0 C"},
        {"GETINFO a\n250+a=\nno end", "C1 R0?"},
        {"+LOADCONF\nGETINFO version\n.\n250 OK", "C1 R0"},
        {"+LOADCONF\nGETINFO version\n250 OK", "C?"},
        {"> GETINFO a\n< 250 OK\n", "C1 R0"},
        {"1> GETINFO a\n2> GETINFO b\n1< 250 OK\n2< 250 OK\n", "C2 C3 R0 R1"},
        /* A tap: in order, in any cuts. */
        {"{\"c\":1,\"dir\":\">\",\"data\":\"GETINFO a\\r\\nGETINFO b\\r\\n\"}\n"
         "{\"c\":1,\"dir\":\"<\",\"data\":\"250 \"}\n{\"c\":1,\"dir\":\"<\",\"data\":\"OK\\r\\n\"}\n",
         "C2 C R0"},
        {"{\"c\":1,\"dir\":\">\",\"data\":\"QUIT\\r\\n\"}\n{no json\n", "C -1"},
        /* Conversations: nothing is assigned, expectations are skipped. */
        {"C: GETINFO a\nT< GETINFO a\nT> 250 OK\nS: 250 OK\n", "C R"},
        {"profile:\n- x\ndialogue:\nC: A\\r\\nB\\r\\n\nT> 250 OK\\r\\n\n", "C C R"},
        {"C: GETINFO \nC: a\\r\\n\nT> 250 OK\\r\\n\n", "C R"},
        {"T> 250 \\x4fK\nC: a\\q\nC: \\{99999999}a\nT! lost\n", "R -3"},
        {"T> 250 OK\\r\\n\nC: unfinished\n", "R -1"},
        {"C: \\{16777215}a\nC: \\{16777215}a\nT> 250 OK\n", "R -2"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct explain_units units;
        struct buf found;
        buf_init(&found, 4096);
        explain_units_read(&units, span_from_string(rows[i].text));
        describe_units(&units, &found);
        cr_expect_str_eq(found.data, rows[i].expected, "row %zu: '%s' in place of '%s'", i,
                         found.data, rows[i].expected);
        explain_units_clear(&units);
        buf_clear(&found);
    }
}

Test(explain, units_are_limited)
{
    struct explain_units units;
    struct buf text;

    buf_init(&text, EXPLAIN_MAX_TEXT);
    for (unsigned i = 0; i < EXPLAIN_MAX_UNITS + 10; i++)
        buf_append_string(&text, "QUIT\n");
    explain_units_read(&units, buf_span(&text));
    cr_expect_eq(units.count, EXPLAIN_MAX_UNITS);
    cr_expect(units.is_too_much);
    explain_units_clear(&units);

    buf_reset(&text);
    for (unsigned i = 0; i < EXPLAIN_MAX_CONNECTIONS + 10; i++)
        buf_printf(&text, "%u> QUIT\n", i);
    explain_units_read(&units, buf_span(&text));
    cr_expect_eq(units.connection_count, EXPLAIN_MAX_CONNECTIONS);
    cr_expect(units.is_too_much);
    explain_units_clear(&units);
    buf_clear(&text);
}

/* --- explanations --- */

#define PROFILES                                                              \
    "- name: app\n"                                                           \
    "  apparmor-profiles: ['*']\n"                                            \
    "  users: [alice]\n"                                                      \
    "  commands:\n"                                                           \
    "    GETINFO:\n"                                                          \
    "      - version\n"                                                       \
    "      - 'ns/id/[0-9A-F]{4}'\n"                                           \
    "      - pattern: 'net/listeners/socks'\n"                                \
    "        reply: ['250-net/listeners/socks=\"1\"', '250 OK']\n"            \
    "      - pattern: 'config-file'\n"                                        \
    "        response:\n"                                                     \
    "          - pattern: '250-config-file=.*'\n"                             \
    "            replacement: '250-config-file=hidden'\n"                     \
    "    SIGNAL:\n"                                                           \
    "      - pattern: 'newnym'\n"                                             \
    "        replacement: 'NEWNYM'\n"                                         \
    "    DEL_ONION: ['[a-z2-7]{56}']\n"                                       \
    "    ADD_ONION: ['NEW:ED25519-V3 Port=80,[0-9.:]+']\n"                    \
    "  confs:\n"                                                              \
    "    SocksPort:\n"                                                        \
    "    DisableNetwork: ['0', '']\n"                                         \
    "  events:\n"                                                             \
    "    BW:\n"                                                               \
    "    NOTICE: {suppress: true}\n"                                          \
    "    CIRC:\n"                                                             \
    "      response:\n"                                                       \
    "        - pattern: '650 CIRC ([0-9]+) CLOSED.*'\n"                       \
    "          replacement: '650 CIRC {} CLOSED'\n"                           \
    "        - pattern: '650 CIRC .* LAUNCHED'\n"                             \
    "          replacement: ''\n"                                             \
    "      unmatched-response: drop\n"                                        \
    "- name: staff-only\n"                                                    \
    "  apparmor-profiles: ['*']\n"                                            \
    "  users: ['*']\n"                                                        \
    "  groups: [staff]\n"                                                     \
    "  commands:\n"                                                           \
    "    GETINFO: ['address']\n"                                              \
    "- name: own-socket\n"                                                    \
    "  socket: {mode: 0666}\n"                                                \
    "  apparmor-profiles: [app-label]\n"                                      \
    "  onions:\n"                                                             \
    "    create:\n"                                                           \
    "      - virtual-ports: [80]\n"                                           \
    "        targets: [8080]\n"                                               \
    "        keys: [new]\n"                                                   \
    "    delete: own\n"                                                       \
    "- name: other-machine\n"                                                 \
    "  hosts: ['10.1.0.0/16']\n"                                              \
    "  commands:\n"                                                           \
    "    GETINFO: ['uptime']\n"

enum who {
    ALICE,
    BOB,
    OWN_SOCKET, /* alice by the socket, with the label */
    OTHER_LABEL,
    REMOTE,
    STRANGER, /* from another network */
    FORCED,   /* bob, with --profile app */
};

struct taker {
    struct buf text;
};

static void take(void *context, struct span text)
{
    struct taker *taker = context;

    cr_assert(buf_append(&taker->text, text));
}

static struct identity identity_of(enum who who)
{
    struct identity identity = {.transport = IDENTITY_UNIX,
                                .has_credentials = true,
                                .uid = who == BOB || who == FORCED ? FIXTURE_BOB : FIXTURE_ALICE,
                                .gid = 5000};

    if (who == OWN_SOCKET)
        identity_set_label(&identity, "app-label (enforce)", 19, EVIDENCE_KERNEL);
    if (who == OTHER_LABEL)
        identity_set_label(&identity, "other (enforce)", 15, EVIDENCE_KERNEL);
    if (who == REMOTE || who == STRANGER) {
        identity = (struct identity){.transport = IDENTITY_TCP_REMOTE, .address = {10, 1, 2, 3}};
        identity.address[1] = who == REMOTE ? 1 : 9;
    }
    return identity;
}

static struct explain_counts run(enum who who, const char *command, const char *dialogue,
                                 bool is_json, struct taker *taker)
{
    struct policy *policy = fixture_policy(PROFILES);
    struct identity identity = identity_of(who);
    const struct explain_client client = {
        .identity = &identity,
        .shown = "somebody",
        .socket_profile = who == OWN_SOCKET || who == OTHER_LABEL ? "own-socket" : NULL,
        .forced = who == FORCED ? policy_find_profile(policy, "app") : NULL,
        .variables = {SPAN("10.1.2.3"), SPAN("0"), SPAN("127.0.0.1"), SPAN("0")},
    };
    const struct explain_setup setup = {
        .policy = policy, .client = &client, .is_json = is_json, .write = take, .context = taker};

    buf_init(&taker->text, 64 * 1024 * 1024);
    struct explain *explain = explain_new(&setup);
    if (command)
        explain_command(explain, span_from_string(command));
    if (dialogue)
        explain_dialogue(explain, span_from_string(dialogue));
    struct explain_counts counts = explain_finish(explain);
    identity_clear(&identity);
    policy_unref(policy);
    return counts;
}

static bool holds(const struct taker *taker, const char *what)
{
    struct span text = buf_span(&taker->text);

    return memmem(text.data, text.len, what, strlen(what)) != NULL;
}

struct row {
    enum who who;
    const char *input;
    unsigned long refused;
    const char *has[6];  /* text that must be there */
    const char *lacks[3]; /* and that must not */
};

static void check_rows(const char *table, const struct row *rows, size_t count, bool is_dialogue)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        struct taker taker;
        struct explain_counts counts = run(row->who, is_dialogue ? NULL : row->input,
                                           is_dialogue ? row->input : NULL, false, &taker);
        cr_expect_eq(counts.refused, row->refused, "%s, row %zu: %lu refused in place of %lu",
                     table, i, counts.refused, row->refused);
        for (size_t j = 0; j < COUNT(row->has) && row->has[j]; j++)
            cr_expect(holds(&taker, row->has[j]), "%s, row %zu lacks '%s':\n%.*s", table, i,
                      row->has[j], (int)taker.text.len, buf_span(&taker.text).data);
        for (size_t j = 0; j < COUNT(row->lacks) && row->lacks[j]; j++)
            cr_expect(!holds(&taker, row->lacks[j]), "%s, row %zu has '%s':\n%.*s", table, i,
                      row->lacks[j], (int)taker.text.len, buf_span(&taker.text).data);
        buf_clear(&taker.text);
    }
}

Test(explain, commands)
{
    static const struct row rows[] = {
        {ALICE, "GETINFO version", 0,
         {"served by app, /profiles/test.yml:1:3", "by users: uid 1000 (line 3)",
          "by apparmor-profiles: '*', anything (line 2)", "    allowed\n",
          "by /profiles/test.yml:6:9 (app, commands: GETINFO)\n        version\n",
          "to tor: GETINFO version\n"},
         {"near:", "what would allow it"}},
        {ALICE, "getinfo version", 0, {"to tor: GETINFO version\n"}, {NULL}},
        {ALICE, "SIGNAL newnym", 0,
         {"allowed, and rewritten", "the arguments are rewritten", "to tor: SIGNAL NEWNYM"},
         {NULL}},
        {ALICE, "GETINFO net/listeners/socks", 0,
         {"answered by the profile", "client gets: 250-net/listeners/socks=\"1\""},
         {"to tor:"}},
        {ALICE, "PROTOCOLINFO 1", 0, {"answered by onion-grater itself"}, {"to tor:"}},
        {ALICE, "AUTHENTICATE \"x\"", 0, {"client gets: 250 OK"}, {"to tor:"}},
        {ALICE, "SETEVENTS BW NOTICE", 0,
         {"allowed, the events", "to tor: SETEVENTS BW\n", "BW: allowed",
          "suppressed: the client never gets any"},
         {NULL}},
        {ALICE, "GETCONF socksport", 0, {"to tor: GETCONF SocksPort", "(app, confs: SocksPort)"},
         {NULL}},
        {ALICE, "GETINFO version net/listeners/socks", 0,
         {"version: allowed by", "net/listeners/socks: allowed by", "to tor: GETINFO version\n"},
         {NULL}},
        /* refused: near rules */
        {ALICE, "GETINFO ns/id/12345", 1,
         {"refused: no rule allows these arguments", "near: /profiles/test.yml:7:9",
          "agrees with \"ns/id/1234\" and ends there; not with \"5\"",
          "- 'ns/id/12345'", "client gets: 510 Command filtered"},
         {"to tor:"}},
        {ALICE, "GETINFO ns/id/12", 1, {"agrees with \"ns/id/12\" and expects more"}, {NULL}},
        {ALICE, "GETINFO ns/id/12xy", 1,
         {"agrees with \"ns/id/12\", not with \"xy\""}, {"ends there"}},
        {ALICE, "GETINFO zzz", 1, {"commands:\n        GETINFO:\n          - 'zzz'\n"}, {"near:"}},
        {ALICE, "GETINFO version zz.z*'", 1,
         {"version: allowed by", "zz.z*': refused", "- 'zz\\.z\\*'''\n"}, {"- 'version'"}},
        {ALICE, "GETCONF DataDirectory SocksPort", 1,
         {"confs:\n        DataDirectory:\n"}, {"SocksPort:\n"}},
        {ALICE, "SETCONF DisableNetwork=1", 1,
         {"refused: an option or value is not allowed by confs", "at /profiles/test.yml:21:5",
          "DisableNetwork: ['1']"},
         {NULL}},
        {ALICE, "SETCONF SocksPort=\"9050 x\"", 1, {"SocksPort: ['9050 x']"}, {NULL}},
        {ALICE, "SETEVENTS BW STREAM", 1,
         {"BW: allowed", "STREAM: refused", "events:\n        STREAM:\n"}, {"        BW:\n"}},
        /* refused: other profiles */
        {ALICE, "GETINFO address", 1,
         {"profile staff-only would allow it, /profiles/test.yml:37:15",
          "groups (/profiles/test.yml:35:3) lists none of the client's groups"},
         {NULL}},
        {ALICE, "GETINFO uptime", 1,
         {"profile other-machine would allow it", "it is for clients from elsewhere: hosts"},
         {NULL}},
        {ALICE, "DEL_ONION aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0,
         {"allowed", "(app, commands: DEL_ONION)"}, {NULL}},
        /* what nobody may have */
        {ALICE, "NOSUCH x", 1, {"refused: tor has no such command"}, {"what would allow it"}},
        {ALICE, "", 1, {"(an empty line)", "does not begin with a command"}, {NULL}},
        {ALICE, "GETINFO \x01\xff", 1, {"GETINFO \\x01\\xFF", "not printable ASCII"}, {"\x01", "\xff"}},
        {ALICE, "SIGNAL SHUTDOWN", 1, {"it has power over tor itself"}, {"what would allow"}},
        {ALICE, "ADD_ONION NEW:ED25519-V3 Port=80,127.0.0.1:9051", 1,
         {"an onion-service target is tor's control port", "at /profiles/test.yml:18:17"},
         {"to tor:", "near:"}},
        {ALICE, "ADD_ONION NEW:ED25519-V3 Port=80,127.0.0.1:8080", 0, {"to tor: ADD_ONION"}, {NULL}},
        {ALICE, "ADD_ONION ED25519-V3:c2VjcmV0 Port=80", 1, {"refused"}, {"commands:\n        ADD"}},
        {ALICE, "+LOADCONF\r\nx\r\n.\r\n", 1, {"+LOADCONF", "refused", "bytes of data"}, {NULL}},
        {ALICE, "GETINFO version\nGETINFO address", 1, {"GETINFO version", "GETINFO address"}, {NULL}},
        {ALICE, "+LOADCONF\r\nx\r\n", 1, {"the command is not complete"}, {NULL}},
        /* what the proposed lines would grant */
        {ALICE, "GETCONF Bridge", 1, {"        Bridge:", "# GETCONF Bridge tells the bridges"},
         {NULL}},
        /* who */
        {BOB, "GETINFO version", 1,
         {"served by no profile:", "not by app", "users (/profiles/test.yml:3:3) does not list the "
                                                 "client's user 1001",
          "refused: no profile matches this client", "profile app would allow it"},
         {"served by app"}},
        {FORCED, "GETINFO version", 0, {"its qualifiers were not asked", "allowed"}, {"would allow it"}},
        {OWN_SOCKET, "ADD_ONION NEW:BEST Port=80,8080", 0,
         {"by socket: came in by its own socket", "by apparmor-profiles: app-label",
          "(own-socket, onions: create)", "to tor: ADD_ONION NEW:"},
         {"if the client has fewer"}},
        {OWN_SOCKET, "ADD_ONION NEW:BEST Port=81,8080", 1,
         {"refused: a virtual port that onions does not list", "at /profiles/test.yml:43:9"},
         {NULL}},
        {OWN_SOCKET, "DEL_ONION aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 0,
         {"allowed,\n      if the service is the client's own", "to tor: DEL_ONION aaaa"},
         {"refused", "510"}},
        {OTHER_LABEL, "GETINFO version", 1,
         {"apparmor-profiles (/profiles/test.yml:40:3) does not list the client's AppArmor label "
          "other"},
         {NULL}},
        {REMOTE, "GETINFO uptime", 0, {"by hosts: the address 10.1.2.3"}, {NULL}},
        {STRANGER, "GETINFO uptime", 1,
         {"hosts (/profiles/test.yml:48:3) does not list the address 10.1.2.3"}, {NULL}},
    };

    check_rows("commands", rows, COUNT(rows), false);
}

Test(explain, dialogues)
{
    static const char address[] =
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad";
    static char own[2048];
    const struct row rows[] = {
        {ALICE, "GETINFO config-file\n250-config-file=/etc/torrc\n250 OK\n", 0,
         {"rewritten:   250-config-file=/etc/torrc", "to:        250-config-file=hidden",
          "by:        /profiles/test.yml:12:13  250-config-file=.*", "passed:      250 OK"},
         {NULL}},
        /* An error reply passes. */
        {ALICE, "GETINFO version\n552 Unrecognized key\n", 0, {"passed:      552 Unrecognized"},
         {NULL}},
        /* A key that the profile answers is not asked for, whatever was recorded. */
        {ALICE, "GETINFO net/listeners/socks version\n250-net/listeners/socks=\"9\"\n250-version=1\n"
                "250 OK\n",
         0, {"to tor: GETINFO version\n", "client gets: 250-net/listeners/socks=\"1\"",
             "passed:      250-version=1"},
         {"socks=\"9\"", "no reply:"}},
        {ALICE, "GETINFO version\n250-uptime=1\n250 OK\nGETINFO version\n", 1,
         {"no reply:    250-uptime=1", "does not fit the command", "the session ends here",
          "not read, the session has ended"},
         {NULL}},
        {ALICE, "GETINFO address\n250-address=1.2.3.4\n250 OK\n", 1,
         {"refused", "tor is not asked, so the reply that is given is not used"},
         {"1.2.3.4"}},
        {ALICE, "SETEVENTS BW CIRC NOTICE\n650 BW 1 2\n650 CIRC 7 CLOSED REASON=x\n"
                "650 CIRC 7 LAUNCHED\n650 CIRC 7 BUILT a\n650 NOTICE hello\n", 0,
         {"event 650 BW 1 2\n    delivered", "to:        650 CIRC 7 CLOSED\n",
          "because:   the rule's replacement is empty", "no pattern of response matches it",
          "withheld: the profile says suppress: true"},
         {NULL}},
        {ALICE, "650 BW 1 2\n650 STREAM 1 NEW\n", 0,
         {"the client has not asked for it with SETEVENTS", "no profile lists it in events"},
         {"delivered"}},
        {ALICE, "QUIT\nGETINFO version\n", 1,
         {"the session ends here: client quit", "not read, the session has ended: client quit"},
         {NULL}},
        {ALICE, "GETINFO version\n12 no reply\n", 1, {"tor has no such command"}, {NULL}},
        {ALICE, "C: GETINFO version\\r\\nGETINFO version\\r\\n\nT> 250-version=1\\r\\n250 OK\\r\\n"
                "250-version=2\\r\\n250 OK\\r\\n\n",
         0, {"passed:      250-version=1", "passed:      250-version=2"}, {NULL}},
        {OWN_SOCKET, own, 1,
         {"to tor: ADD_ONION NEW:", "to tor: DEL_ONION aaaa", "refused: ",
          "3 commands, 1 refused"},
         {"if the service"}},
        /* Two connections are two sessions. */
        {ALICE, "1> SETEVENTS BW\n1< 250 OK\n2< 650 BW 1 2\n1< 650 BW 3 4\n", 0,
         {"connection 2: event 650 BW 1 2\n    withheld", "connection 1: event 650 BW 3 4\n    "
                                                          "delivered"},
         {NULL}},
    };

    snprintf(own, sizeof own,
             "ADD_ONION NEW:BEST Port=80,8080\n250-ServiceID=%s\n250 OK\n"
             "DEL_ONION %s\n250 OK\nDEL_ONION bb%s\n",
             address, address, address + 2);
    check_rows("dialogues", rows, COUNT(rows), true);
}

/* --- JSON --- */

Test(explain, json)
{
    static const char *const has[] = {
        "{\"version\":1,\"client\":\"somebody\",\"forced\":false,\"profiles\":[{\"name\":\"app\"",
        "\"type\":\"command\"",
        "\"verdict\":\"allowed\"",
        "\"to-tor\":\"GETINFO version\\u000d\\u000a\"",
        "\"lines\":[{\"line\":\"250-version=\\u00ff\",\"fate\":\"passed\"",
        "\"verdict\":\"refused\",\"reason\":\"no rule allows these arguments\"",
        "\"suggestion\":\"commands:\\u000a  GETINFO:\\u000a    - 'x\\\"y\\\\\\\\'\\u000a\"",
        "\"type\":\"event\"",
        "\"commands\":2,\"refused\":1,\"unread-lines\":0,\"cut\":false}\n",
    };
    struct taker taker;

    run(ALICE, NULL,
        "GETINFO version\n250-version=\xff\n250 OK\nGETINFO x\"y\\\n650 BW 1\n", true, &taker);
    for (size_t i = 0; i < COUNT(has); i++)
        cr_expect(holds(&taker, has[i]), "%zu lacks '%s':\n%.*s", i, has[i], (int)taker.text.len,
                  buf_span(&taker.text).data);

    struct json_line json;
    struct json_member member;
    enum json_result result;
    buf_truncate(&taker.text, taker.text.len - 1);
    json_line_init(&json, buf_span(&taker.text));
    while ((result = json_line_next(&json, &member)) == JSON_MEMBER)
        ;
    cr_expect_eq(result, JSON_END, "the document does not parse");
    buf_clear(&taker.text);
}

/* Whatever the bytes: it ends, what it writes is printable, and JSON is JSON. */
Test(explain, hostile)
{
    static const char *const parts[] = {
        "GETINFO version", "GETINFO", " ", "\r", "\n", "250-version=1", "250 OK\n", "250+version=\n",
        ".\n", "650 BW 1 2\n", "650-BW\n", "+LOADCONF\n", "SETEVENTS BW CIRC\n", "\xff", "\x1b[2J",
        "{\"c\":1,\"dir\":\"<\",\"data\":\"250 OK\\r\\n\"}\n", "C: \\{40}a\n", "T> 250 OK\n", "QUIT\n",
        "1> ", "2< ", "\"", "\\", "ADD_ONION NEW:BEST Port=80,8080\n", "DEL_ONION x\n", "552 no\n",
    };
    unsigned random = 12345;

    for (size_t round = 0; round < 400; round++) {
        struct buf text;
        struct taker taker;
        buf_init(&text, 65536);
        for (size_t i = 0; i < 30; i++) {
            random = random * 1103515245u + 12345u;
            buf_append_string(&text, parts[(random >> 16) % COUNT(parts)]);
        }
        buf_append_char(&text, '\0');
        run(round % 2 ? ALICE : OWN_SOCKET, NULL, text.data, round % 3 == 0, &taker);
        for (size_t i = 0; i < taker.text.len; i++) {
            char c = buf_span(&taker.text).data[i];
            cr_assert(c == '\n' || (c >= ' ' && c <= '~'), "round %zu: byte %d", round, c);
        }
        buf_clear(&taker.text);
        buf_clear(&text);
    }
}
