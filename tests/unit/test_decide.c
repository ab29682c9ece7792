/* Commands judged as a whole, onion services, templates, events, sizes, and what never goes to
 * tor. */
#include "decide_fixture.h"

#include <stdlib.h>

#include "arguments.h"
#include "mem.h"

/* --- rules over the complete text --- */

static const char whole_profile[] =
    FOR_ANYBODY
    "  commands:\n"
    "    signal:\n"
    "      - 'NEWNYM'\n"
    "      - 'ACTIVE|DORMANT'\n"
    "    CLOSECIRCUIT:\n"
    "      - '\\d+ '\n"
    "      - '\\d+ IfUnused'\n"
    "    CLOSESTREAM: []\n"
    "    SAVECONF: ['']\n"
    "    TAKEOWNERSHIP:\n"
    "      - pattern: ''\n"
    "        reply: ['250 OK']\n"
    "    DEL_ONION:\n"
    "      - '[a-z2-7]{56}'\n"
    "      - pattern: 'last  '\n"
    "        replacement: 'two-spaces'\n"
    "      - pattern: 'last'\n"
    "        replacement: 'none'\n"
    "    USEFEATURE:\n"
    "      - '(a+)+b'\n"
    "      - '.*'\n"
    "    ONION_CLIENT_AUTH_VIEW:\n"
    "      - pattern: '.*'\n"
    "        reply: ['512 Unrecognized option']\n"
    "    SETROUTERPURPOSE: ['.*']\n";

#define ONION "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx"

Test(decide, whole_text)
{
    static const struct row rows[] = {
        {"SIGNAL NEWNYM", FORWARD, "SIGNAL NEWNYM", 5},
        {"signal NEWNYM", FORWARD, "SIGNAL NEWNYM", 5},
        {"SiGnAl    NEWNYM", FORWARD, "SIGNAL NEWNYM", 5},
        {"SIGNAL NEWNYM ", FORWARD, "SIGNAL NEWNYM", 5},
        {"SIGNAL NEWNYM     ", FORWARD, "SIGNAL NEWNYM", 5},
        {"SIGNAL ACTIVE", FORWARD, "SIGNAL ACTIVE", 6},
        {"SIGNAL DORMANT", FORWARD, "SIGNAL DORMANT", 6},
        /* patterns mind case, though tor would take it; and both ends hold the whole group */
        {"SIGNAL newnym", REFUSE, NO_MATCH, 0},
        {"SIGNAL ACTIVE HALT", REFUSE, NO_MATCH, 0},
        {"SIGNAL ACTIVEX", REFUSE, NO_MATCH, 0},
        {"SIGNAL XDORMANT", REFUSE, NO_MATCH, 0},
        {"SIGNAL HALT", REFUSE, NO_MATCH, 0},
        {"SIGNAL", REFUSE, NO_MATCH, 0},
        {"SIGNAL ", REFUSE, NO_MATCH, 0},
        /* a rule with a space at its end gets the text as it came */
        {"CLOSECIRCUIT 12 ", FORWARD, "CLOSECIRCUIT 12 ", 8},
        {"CLOSECIRCUIT 12", REFUSE, NO_MATCH, 0},
        {"CLOSECIRCUIT 12  ", REFUSE, NO_MATCH, 0},
        {"CLOSECIRCUIT 12 IfUnused  ", FORWARD, "CLOSECIRCUIT 12 IfUnused", 9},
        {"DEL_ONION last  ", REWRITE, "DEL_ONION two-spaces", 17},
        {"DEL_ONION last ", REWRITE, "DEL_ONION none", 19},
        {"DEL_ONION last", REWRITE, "DEL_ONION none", 19},
        {"DEL_ONION " ONION, FORWARD, "DEL_ONION " ONION, 16},
        {"del_onion " ONION " ", FORWARD, "DEL_ONION " ONION, 16},
        {"DEL_ONION " ONION " " ONION, REFUSE, NO_MATCH, 0},
        {"DEL_ONION ABC", REFUSE, NO_MATCH, 0},
        {"SAVECONF", FORWARD, "SAVECONF", 11},
        {"SAVECONF  ", FORWARD, "SAVECONF", 11},
        {"SAVECONF FORCE", REFUSE, NO_MATCH, 0},
        /* answered by the profile */
        {"TAKEOWNERSHIP", ANSWER, "250 OK\r\n", 13},
        {"takeownership ", ANSWER, "250 OK\r\n", 13},
        {"TAKEOWNERSHIP x", REFUSE, NO_MATCH, 0},
        {"ONION_CLIENT_AUTH_VIEW", ANSWER, "512 Unrecognized option\r\n", 25},
        {"ONION_CLIENT_AUTH_VIEW x", ANSWER, "512 Unrecognized option\r\n", 25},
        /* a limit refuses, whatever comes after */
        {"USEFEATURE aab", FORWARD, "USEFEATURE aab", 22},
        {"USEFEATURE " TEDIOUS, REFUSE, LIMIT, 22},
        {"USEFEATURE " TEDIOUS " ", REFUSE, LIMIT, 22},
        {"USEFEATURE x", FORWARD, "USEFEATURE x", 23},
        /* no rules, or an empty list of them */
        {"CLOSESTREAM 1 1", REFUSE, NO_RULE, 0},
        {"DROPGUARDS", REFUSE, NO_RULE, 0},
        {"GETINFO version", REFUSE, NO_RULE, 0},
        {"SETCONF SocksPort=1", REFUSE, BY_CONFS, 0},
        {"GETCONF SocksPort", REFUSE, BY_CONFS, 0},
        {"MAPADDRESS a=b", REFUSE, NO_RULE, 0},
    };

    EXPECT_ROWS(whole_profile, rows);
}

/* --- what no rule can allow --- */

static const char wide_profile[] =
    FOR_ANYBODY
    "  commands:\n"
    "    GETINFO: ['.*']\n"
    "    ADD_ONION: ['.*']\n"
    "    HSFETCH: ['.*']\n"
    "    '+HSPOST': ['.*']\n"
    "    ONION_CLIENT_AUTH_ADD: ['.*']\n"
    "    SETCIRCUITPURPOSE: ['.*']\n"
    "    SETCONF: ['.*']\n"
    "    RESETCONF: ['.*']\n"
    "    SIGNAL: ['.*']\n"
    "    MAPADDRESS: ['.*']\n"
    "    EXTENDCIRCUIT: ['.*']\n";

Test(decide, arguments_that_tor_answers_twice_never_or_by_crashing)
{
    static const struct row rows[] = {
        {"GETINFO version address", FORWARD, "GETINFO version address", 4},
        {"GETINFO circuit-status", FORWARD, "GETINFO circuit-status", 4},
        {"SETCIRCUITPURPOSE", REFUSE, "too few arguments for this command", 9},
        {"SETCIRCUITPURPOSE 1", REFUSE, "SETCIRCUITPURPOSE without purpose=", 9},
        {"SETCIRCUITPURPOSE 1 purpose=general", FORWARD, "SETCIRCUITPURPOSE 1 purpose=general",
         9},
        {"ADD_ONION NEW:BEST Port=80 ClientAuth=x:y", REFUSE, NO_ANSWER, 5},
        {"ADD_ONION NEW:BEST Port=80 clientauth=x:y", REFUSE, NO_ANSWER, 5},
        {"ADD_ONION NEW:BEST", REFUSE, "an onion service without Port=", 5},
        {"ONION_CLIENT_AUTH_ADD a k ClientName=0123456789abcdef", FORWARD,
         "ONION_CLIENT_AUTH_ADD a k ClientName=0123456789abcdef", 8},
        {"ONION_CLIENT_AUTH_ADD a k ClientName=0123456789abcdefg", REFUSE,
         "ClientName= with more than 16 characters, which tor answers twice", 8},
        {"+HSPOST SERVER=x\r\ndata\r\n.", REFUSE,
         "+HSPOST without HSADDRESS=, which tor never answers", 7},
        {"+HSPOST HSADDRESS=" ONION "\r\na\r\n..b\r\n.", FORWARD,
         "+HSPOST HSADDRESS=" ONION "\r\na\r\n..b\r\n.", 7},
        {"+hspost HSADDRESS=" ONION "\r\nx\r\n.", FORWARD, "+HSPOST HSADDRESS=" ONION "\r\nx\r\n.",
         7},
        {"HSPOST HSADDRESS=" ONION, REFUSE, "not a command of tor's", 0},
        {"+GETINFO version\r\n.", REFUSE, "not a command of tor's", 0},
        {"SIGNAL", REFUSE, "too few arguments for this command", 12},
        {"SIGNAL A B", REFUSE, "too many arguments for this command", 12},
        {"SETCONF A=\"open", REFUSE, "a keyword argument that tor cannot parse", 10},
        {"SETCONF A = x", REFUSE, "a keyword argument that tor cannot parse", 10},
        {"RESETCONF A=\"\\q\"", REFUSE, "a keyword argument that tor cannot parse", 11},
        {"MAPADDRESS a=\"b\"", REFUSE, "a keyword argument that tor cannot parse", 13},
        {"EXTENDCIRCUIT 0 \"x\"", REFUSE, "a keyword argument that tor cannot parse", 14},
    };

    EXPECT_ROWS(wide_profile, rows);
}

/* --- onion services --- */

static const char onion_profile[] =
    FOR_ANYBODY
    "  commands:\n"
    "    ADD_ONION:\n"
    "      - '(?:NEW:ED25519-V3|ED25519-V3:[A-Za-z0-9+/]+={0,2}) Port=80,176(?:[0-4]\\d|50)'\n"
    "      - 'NEW:BEST(?: Flags=V3Auth)? Port=[^ ]+(?: ClientAuthV3=[0-9A-Z]+)?$'\n"
    "      - pattern: 'NEW:(\\S+) Port=(\\d+),127\\.0\\.0\\.1:(\\d+)'\n"
    "        replacement: 'NEW:{} Port={},{client-address}:{}'\n"
    "      - pattern: 'FREE (.*)'\n"
    "        replacement: 'NEW:BEST Port=80,{client-address}:{}'\n"
    "      - pattern: 'NAME (.*)'\n"
    "        replacement: 'NEW:BEST Port=80,{}:80'\n"
    "      - pattern: '(\\S*) EMPTY'\n"
    "        replacement: '{} Port=80'\n"
    "      - pattern: 'PAIRS (.*)'\n"
    "        replacement: 'NEW:BEST {}'\n";

Test(decide, add_onion)
{
    static const struct row rows[] = {
        {"ADD_ONION NEW:ED25519-V3 Port=80,17600", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=80,127.0.0.1:17600", 5},
        {"add_onion NEW:ED25519-V3 Port=80,17650 ", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=80,127.0.0.1:17650", 5},
        {"ADD_ONION ED25519-V3:AbC+/9== Port=80,17612", REWRITE,
         "ADD_ONION ED25519-V3:AbC+/9== Port=80,127.0.0.1:17612", 5},
        {"ADD_ONION NEW:ED25519-V3 Port=80,17651", REFUSE, NO_MATCH, 0},
        {"ADD_ONION NEW:ED25519-V3 Port=80,17600 Port=81,9051", REFUSE, NO_MATCH, 0},
        {"ADD_ONION NEW:ED25519-V3 Port=80,17600,9051", REFUSE, NO_MATCH, 0},
        {"ADD_ONION NEW:ED25519-V3 port=80,17600", REFUSE, NO_MATCH, 0},
        {"ADD_ONION NEW:BEST Flags=V3Auth Port=1,1 ClientAuthV3=ABC234", REWRITE,
         "ADD_ONION NEW:BEST Flags=V3Auth Port=1,127.0.0.1:1 ClientAuthV3=ABC234", 6},
        {"ADD_ONION NEW:BEST Port=80", REWRITE, "ADD_ONION NEW:BEST Port=80,127.0.0.1:80", 6},
        {"ADD_ONION NEW:BEST Port=80,8080", REWRITE, "ADD_ONION NEW:BEST Port=80,127.0.0.1:8080",
         6},
        {"ADD_ONION NEW:BEST Port=80,10.1.2.3:81", FORWARD,
         "ADD_ONION NEW:BEST Port=80,10.1.2.3:81", 6},
        {"ADD_ONION NEW:BEST Port=80,[::1]:81", FORWARD, "ADD_ONION NEW:BEST Port=80,[::1]:81", 6},
        {"ADD_ONION NEW:BEST Port=80,unix:/run/app/sock", FORWARD,
         "ADD_ONION NEW:BEST Port=80,unix:/run/app/sock", 6},
        /* tor's own port is known to the session, which is told it in full */
        {"ADD_ONION NEW:BEST Port=80,9051", REWRITE, "ADD_ONION NEW:BEST Port=80,127.0.0.1:9051",
         6},
        {"ADD_ONION NEW:BEST Port=9051", REWRITE, "ADD_ONION NEW:BEST Port=9051,127.0.0.1:9051",
         6},
        {"ADD_ONION NEW:BEST Port=80,[::ffff:127.0.0.1]:9051", REWRITE,
         "ADD_ONION NEW:BEST Port=80,127.0.0.1:9051", 6},
        /* what only a resolver understands */
        {"ADD_ONION NEW:BEST Port=80,localhost:9051", REFUSE, NOT_LITERAL, 6},
        {"ADD_ONION NEW:BEST Port=80,www.example.com:80", REFUSE, NOT_LITERAL, 6},
        {"ADD_ONION NEW:BEST Port=80,127.1:9051", REFUSE, NOT_LITERAL, 6},
        {"ADD_ONION NEW:BEST Port=80,0x7f.1:9051", REFUSE, NOT_LITERAL, 6},
        {"ADD_ONION NEW:BEST Port=80,0177.0.0.1:9051", REFUSE, NOT_LITERAL, 6},
        {"ADD_ONION NEW:BEST Port=80,2130706433:9051", REFUSE, NOT_LITERAL, 6},
        {"ADD_ONION NEW:BEST Port=80,0:9051", REFUSE, NOT_LITERAL, 6},
        {"ADD_ONION NEW:BEST Port=80,UNIX:/run/tor/control", REFUSE, NOT_LITERAL, 6},
        {"ADD_ONION NEW:BEST Port=,80", REFUSE, BAD_PORT, 6},
        {"ADD_ONION NEW:BEST Port=+80", REFUSE, BAD_PORT, 6},
        {"ADD_ONION NEW:BEST Port=0080,81", REFUSE, BAD_PORT, 6},
        {"ADD_ONION NEW:BEST Port=80,65536", REFUSE, BAD_PORT, 6},
        {"ADD_ONION NEW:BEST Port=80,unix:run/sock", REFUSE, BAD_PATH, 6},
        {"ADD_ONION NEW:BEST Port=80,unix:/run/../tor", REFUSE, BAD_PATH, 6},
        {"ADD_ONION NEW:BEST Port=80,unix:/proc/self/root/run/tor/control", REFUSE,
         "a socket path below /proc, /sys or /dev", 6},
        /* rewritten */
        {"ADD_ONION NEW:ED25519-V3 Port=80,127.0.0.1:17600", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=80,10.0.0.2:17600", 7},
        {"aDd_OnIoN NEW:ED25519-V3 Port=80,127.0.0.1:17600 ", REWRITE,
         "ADD_ONION NEW:ED25519-V3 Port=80,10.0.0.2:17600", 7},
        {"ADD_ONION NEW:ED25519-V3 Port=80,127.0.0.1:99999", REFUSE, BAD_PORT, 7},
        /* groups that try to reach further than the template's author thought */
        {"ADD_ONION FREE 80", REWRITE, "ADD_ONION NEW:BEST Port=80,10.0.0.2:80", 9},
        {"ADD_ONION FREE 80 ClientAuth=x", REFUSE, NO_ANSWER, 9},
        {"ADD_ONION FREE 80 Port=81,localhost:9051", REFUSE, NOT_LITERAL, 9},
        {"ADD_ONION FREE 80\"", REFUSE, "a keyword argument that tor cannot parse", 9},
        {"ADD_ONION FREE 80 x", REFUSE, "a keyword argument that tor cannot parse", 9},
        {"ADD_ONION FREE 80,x", REFUSE, BAD_PORT, 9},
        {"ADD_ONION FREE ", REFUSE, BAD_PORT, 9},
        {"ADD_ONION NAME host.example", REFUSE, NOT_LITERAL, 11},
        {"ADD_ONION NAME 1.2.3.4", REWRITE, "ADD_ONION NEW:BEST Port=80,1.2.3.4:80", 11},
        {"ADD_ONION x EMPTY", REWRITE, "ADD_ONION x Port=80,127.0.0.1:80", 13},
        {"ADD_ONION PAIRS Flags=Detach", REFUSE, "an onion service without Port=", 15},
        {"ADD_ONION PAIRS Port=80 Port=80,127.1:2", REFUSE, NOT_LITERAL, 15},
        {"ADD_ONION PAIRS PORT=80 flags=Detach", REWRITE,
         "ADD_ONION NEW:BEST PORT=80,127.0.0.1:80 flags=Detach", 15},
    };

    EXPECT_ROWS(onion_profile, rows);
}

/* --- templates --- */

Test(decide, templates)
{
    static const char yaml[] = FOR_ANYBODY
        "  commands:\n"
        "    SIGNAL:\n"
        "      - pattern: 'A(x)?'\n"
        "        replacement: '{}'\n"
        "      - pattern: '(B) (.*)'\n"
        "        replacement: '{}-{}'\n"
        "      - pattern: '(C)(D)'\n"
        "        replacement: '{1}{0}{1}'\n"
        "      - pattern: 'E'\n"
        "        replacement: '{{{client-address}:{client-port}-{server-address}:{server-port}}}'\n"
        "    EXTENDCIRCUIT:\n"
        "      - pattern: '(.*)'\n"
        "        replacement: '0 purpose={0}'\n";
    static const struct row rows[] = {
        {"SIGNAL Ax", REWRITE, "SIGNAL x", 5},
        {"SIGNAL A", REFUSE, "too few arguments for this command", 5},
        {"SIGNAL B x", REWRITE, "SIGNAL B-x", 7},
        {"SIGNAL B x y", REFUSE, "too many arguments for this command", 7},
        {"SIGNAL CD", REWRITE, "SIGNAL DCD", 9},
        {"SIGNAL E", REWRITE, "SIGNAL {10.0.0.2:4711-127.0.0.1:951}", 11},
        {"EXTENDCIRCUIT general", REWRITE, "EXTENDCIRCUIT 0 purpose=general", 14},
        {"EXTENDCIRCUIT general flag", REWRITE, "EXTENDCIRCUIT 0 purpose=general flag", 14},
        {"EXTENDCIRCUIT \"x", REFUSE, "a keyword argument that tor cannot parse", 14},
    };

    EXPECT_ROWS(yaml, rows);
}

Test(decide, expansion_is_checked_like_client_bytes)
{
    static const char yaml[] = FOR_ANYBODY "  commands:\n"
                                           "    HSFETCH:\n"
                                           "      - pattern: '(.*)'\n"
                                           "        replacement: '{client-address}'\n"
                                           "    GETINFO:\n"
                                           "      - pattern: 'x'\n"
                                           "        replacement: '{client-address}'\n"
                                           "      - 'y'\n";
    static const struct span hostile[] = {
        B("a\r\nSIGNAL HALT"), B("a\nb"), B("a\rb"),  B("a\0b"),
        B("a\tb"),             B("\x80"), B("\x7f"), B("\xc2\xa0"),
    };
    static const char *const lines[] = {"HSFETCH x", "GETINFO x", "GETINFO y x"};
    struct policy *policy = fixture_policy(yaml);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        for (size_t j = 0; j < sizeof lines / sizeof *lines; j++) {
            const struct template_variables bad = {.client_address = hostile[i]};
            struct command command;
            struct decision decision;
            command_parse_line(span_from_string(lines[j]), &command);
            policy_decide(&view, &command, &bad, &decision);
            cr_expect_eq(decision.verdict, VERDICT_REFUSE, "row %zu, %s", i, lines[j]);
            cr_expect_str_eq(decision.reason, BAD_TEXT, "row %zu, %s", i, lines[j]);
            cr_expect_eq(decision.rule.line, j == 0 ? 5u : 8u, "row %zu, %s", i, lines[j]);
            cr_expect_eq(decision.arguments.len, 0, "row %zu, %s", i, lines[j]);
            decision_clear(&decision);
        }
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* --- events --- */

static const char event_profile[] =
    FOR_ANYBODY
    "  commands:\n"
    "    SETEVENTS: ['BW', 'NS.*']\n"
    "  events:\n"
    "    SIGNAL:\n"
    "      suppress: true\n"
    "    conf_changed:\n"
    "    HS_DESC:\n"
    "    STREAM:\n"
    "    CIRC:\n" FOR_ANYBODY
    "  events:\n"
    "    STATUS_SERVER:\n";

Test(decide, setevents)
{
    static const struct row rows[] = {
        {"SETEVENTS", SUBSCRIBE, "", 0},
        {"SETEVENTS ", SUBSCRIBE, "", 0},
        {"setevents HS_DESC", SUBSCRIBE, "HS_DESC", 9},
        {"SETEVENTS hs_desc", SUBSCRIBE, "hs_desc", 9},
        {"SETEVENTS SIGNAL CONF_CHANGED", SUBSCRIBE, "SIGNAL CONF_CHANGED", 6},
        {"SETEVENTS HS_DESC  STATUS_SERVER ", SUBSCRIBE, "HS_DESC  STATUS_SERVER ", 9},
        {"SETEVENTS STATUS_SERVER", SUBSCRIBE, "STATUS_SERVER", 15},
        {"SETEVENTS EXTENDED HS_DESC", SUBSCRIBE, "EXTENDED HS_DESC", 9},
        {"SETEVENTS extended", SUBSCRIBE, "extended", 0},
        {"SETEVENTS STREAM CIRC", SUBSCRIBE, "STREAM CIRC", 10},
        {"SETEVENTS HS_DESC BW", REFUSE, NO_EVENT, 0},
        {"SETEVENTS BW", REFUSE, NO_EVENT, 0},
        {"SETEVENTS NS", REFUSE, NO_EVENT, 0},
        {"SETEVENTS HS_DESC_CONTENT", REFUSE, NO_EVENT, 0},
        {"SETEVENTS HS", REFUSE, NO_EVENT, 0},
        {"SETEVENTS HS_DESC,SIGNAL", REFUSE, NO_EVENT, 0},
        {"SETEVENTS \"HS_DESC\"", REFUSE, NO_EVENT, 0},
    };

    EXPECT_ROWS(event_profile, rows);
}

/* Whose streams and circuits they are is the session's business. */
Test(decide, tor_browser_mode)
{
    static const char yaml[] = FOR_ANYBODY
        "  commands:\n"
        "    GETINFO:\n"
        "      - 'circuit-status'\n"
        "      - 'stream-status'\n"
        "  events:\n"
        "    STREAM:\n"
        "    CIRC:\n" FOR_ANYBODY
        "  tor-browser-mode: true\n";
    static const struct row rows[] = {
        {"GETINFO circuit-status", FORWARD, "GETINFO circuit-status", 5},
        {"GETINFO stream-status circuit-status", FORWARD, "GETINFO stream-status circuit-status",
         6},
        {"GETINFO orconn-status", REFUSE, NO_MATCH, 0},
        {"SETEVENTS STREAM CIRC", SUBSCRIBE, "STREAM CIRC", 8},
        {"SETEVENTS STREAM CIRC_BW", REFUSE, NO_EVENT, 0},
    };
    struct policy *policy = fixture_policy(yaml);
    struct policy_view view = fixture_view(policy);

    EXPECT_ROWS(yaml, rows);
    cr_assert_eq(view.count, 2);
    cr_expect(policy_is_tor_browser_mode(&view));
    cr_expect(policy_withholds_event(&view, SPAN("circ_minor")));
    cr_expect(policy_withholds_event(&view, SPAN("CIRC_BW")));
    cr_expect_not(policy_withholds_event(&view, SPAN("CIRC")));
    cr_expect_not(policy_withholds_event(&view, SPAN("STREAM")));
    view.count = 1;
    cr_expect_not(policy_withholds_event(&view, SPAN("CIRC_BW")));
    cr_expect_not(policy_is_tor_browser_mode(&view));
    policy_view_clear(&view);
    policy_unref(policy);
}

Test(decide, event_rules)
{
    struct policy *policy = fixture_policy(event_profile);
    struct policy_view view = fixture_view(policy);
    const struct event_rule *rule = policy_find_event(&view, SPAN("status_server"));

    cr_assert(rule);
    cr_expect_str_eq(rule->name, "STATUS_SERVER");
    cr_expect_null(policy_find_event(&view, SPAN("BW")));
    policy_view_clear(&view);
    policy_unref(policy);
}

/* --- several profiles --- */

Test(decide, order_of_profiles_and_rules)
{
    static const char yaml[] = FOR_ANYBODY
        "  commands:\n"
        "    HSFETCH:\n"
        "      - pattern: 'a.*'\n"
        "        replacement: 'first'\n"
        "      - pattern: 'a'\n"
        "        replacement: 'second'\n"
        "    GETINFO: ['one']\n"
        "  confs:\n"
        "    Name: ['1']\n" FOR_ANYBODY
        "  commands:\n"
        "    HSFETCH:\n"
        "      - pattern: '(b+)+c|[ab]'\n"
        "        replacement: 'third'\n"
        "    GETINFO: ['two']\n"
        "    SIGNAL: ['NEWNYM']\n"
        "  confs:\n"
        "    NAME: ['1', '2']\n";
    static const struct row rows[] = {
        {"HSFETCH a", REWRITE, "HSFETCH first", 5},
        {"HSFETCH b", REWRITE, "HSFETCH third", 16},
        {"HSFETCH c", REFUSE, NO_MATCH, 0},
        {"SIGNAL NEWNYM", FORWARD, "SIGNAL NEWNYM", 19},
        {"GETINFO two one", FORWARD, "GETINFO two one", 18},
        {"GETINFO one two", FORWARD, "GETINFO one two", 9},
        {"SETCONF name=1", FORWARD, "SETCONF Name=1", 11},
        {"SETCONF name=2", FORWARD, "SETCONF NAME=2", 21},
        {"SETCONF name=3", REFUSE, BY_CONFS, 11},
        {"GETCONF name", FORWARD, "GETCONF Name", 11},
    };

    EXPECT_ROWS(yaml, rows);
}

/* --- sizes --- */

/* `count` times `text` behind `front`; the caller frees it. */
static char *repeat(const char *front, const char *text, size_t count)
{
    struct buf line;

    buf_init(&line, 64 * 1024);
    buf_append_string(&line, front);
    for (size_t i = 0; i < count; i++)
        buf_append_string(&line, text);
    char *copy = mem_copy_string(buf_span(&line));
    buf_clear(&line);
    return copy;
}

Test(decide, sizes)
{
    static const char yaml[] = FOR_ANYBODY
        "  commands:\n"
        "    GETINFO: ['k']\n"
        "    HSFETCH:\n"
        "      - pattern: '(x*)'\n"
        "        replacement: '{0}{0}'\n"
        "    USEFEATURE: ['[w ]*']\n"
        "  confs:\n"
        "    AVeryLongNameIndeed: ['.*']\n"
        "    k:\n"
        "  events:\n"
        "    BW:\n";
    static const struct {
        const char *front;
        const char *text;
        size_t count;
        enum verdict verdict;
        const char *reason;
    } rows[] = {
        {"GETINFO", " k", ARGUMENTS_MAX_WORDS, VERDICT_FORWARD, NULL},
        {"GETINFO", " k", ARGUMENTS_MAX_WORDS + 1, VERDICT_REFUSE, "too many keys in one command"},
        {"GETINFO", " k", 8000, VERDICT_REFUSE, "too many keys in one command"},
        {"GETCONF", " k", ARGUMENTS_MAX_WORDS, VERDICT_FORWARD, NULL},
        {"GETCONF", " k", ARGUMENTS_MAX_WORDS + 1, VERDICT_REFUSE, "too many keys in one command"},
        {"SETCONF", " averylongnameindeed=1", ARGUMENTS_MAX_WORDS, VERDICT_FORWARD, NULL},
        {"SETCONF", " averylongnameindeed=1", ARGUMENTS_MAX_WORDS + 1, VERDICT_REFUSE,
         "too many keys in one command"},
        {"SETCONF averylongnameindeed=", "\"", 10000, VERDICT_REFUSE, MALFORMED},
        {"RESETCONF", " averylongnameindeed=\"\"", ARGUMENTS_MAX_WORDS + 1, VERDICT_REFUSE,
         "too many keys in one command"},
        {"SETEVENTS", " BW", ARGUMENTS_MAX_WORDS, VERDICT_SUBSCRIBE, NULL},
        {"SETEVENTS", " BW", ARGUMENTS_MAX_WORDS + 1, VERDICT_REFUSE,
         "too many events in one command"},
        {"SETEVENTS", " ", 10000, VERDICT_SUBSCRIBE, NULL},
        {"USEFEATURE", " w", ARGUMENTS_MAX_WORDS, VERDICT_FORWARD, NULL},
        {"USEFEATURE", " w", ARGUMENTS_MAX_WORDS + 1, VERDICT_REFUSE, "more than 128 arguments"},
        {"HSFETCH ", "x", 8000, VERDICT_FORWARD, NULL},
        {"HSFETCH ", "x", 8193, VERDICT_REFUSE, BAD_TEXT},
        {"HSFETCH ", "x", 16000, VERDICT_REFUSE, BAD_TEXT},
    };
    struct policy *policy = fixture_policy(yaml);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = repeat(rows[i].front, rows[i].text, rows[i].count);
        struct command command;
        struct decision decision;
        command_parse_line(span_from_string(line), &command);
        policy_decide(&view, &command, &variables, &decision);
        cr_expect_eq(decision.verdict, rows[i].verdict, "row %zu", i);
        if (rows[i].reason)
            cr_expect_str_eq(decision.reason, rows[i].reason, "row %zu: %s", i, decision.reason);
        else
            cr_expect_null(decision.reason, "row %zu: %s", i, decision.reason);
        decision_clear(&decision);
        free(line);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

/* --- work --- */

/* Rules of `count` patterns without literal text, and what allows the text at last. */
static char *many_rules(const char *command, size_t count, const char *last)
{
    struct buf yaml;

    buf_init(&yaml, 1024 * 1024);
    buf_append_string(&yaml, FOR_ANYBODY);
    buf_append_string(&yaml, command);
    for (size_t i = 0; i < count; i++)
        buf_printf(&yaml, "      - '[b](?:%zu)'\n", i);
    buf_append_string(&yaml, last);
    char *copy = mem_copy_string(buf_span(&yaml));
    buf_clear(&yaml);
    return copy;
}

#define TOO_MANY "too many patterns to try for one command"

Test(decide, patterns_of_one_command_are_counted)
{
    static const char info[] = "  commands:\n    GETINFO:\n";
    static const char confs[] = "  confs:\n    Log:\n";
    static const struct {
        const char *command;
        size_t rules;
        const char *last;
        const char *front;
        const char *text;
        size_t count;
        const char *reason;
    } rows[] = {
        /* one match for the whole text, one for each key */
        {info, 0, "      - 'x'\n", "GETINFO", " x", 100, NULL},
        {info, 40, "      - 'x'\n", "GETINFO", " x", 101, NULL},
        {info, 41, "      - 'x'\n", "GETINFO", " x", 101, TOO_MANY},
        {info, 4096, "      - 'x'\n", "GETINFO ", "x", 1, NULL},
        {info, 4097, "      - 'x'\n", "GETINFO ", "x", 1, TOO_MANY},
        {info, 4097, "", "GETINFO ", "y", 1, TOO_MANY},
        {info, 2048, "", "GETINFO ", "y", 1, NO_MATCH},
        {info, 2049, "", "GETINFO ", "y", 1, TOO_MANY},
        /* values of options */
        {confs, 40, "      - 'x'\n", "SETCONF", " Log=x", 100, NULL},
        {confs, 40, "      - 'x'\n", "SETCONF", " Log=x", 103, TOO_MANY},
        {confs, 4096, "      - 'x'\n", "SETCONF ", "Log=x", 1, NULL},
        {confs, 4097, "      - 'x'\n", "SETCONF ", "Log=x", 1, TOO_MANY},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *yaml = many_rules(rows[i].command, rows[i].rules, rows[i].last);
        char *line = repeat(rows[i].front, rows[i].text, rows[i].count);
        struct policy *policy = fixture_policy(yaml);
        struct policy_view view = fixture_view(policy);
        struct command command;
        struct decision decision;
        command_parse_line(span_from_string(line), &command);
        policy_decide(&view, &command, &variables, &decision);
        cr_expect_eq(decision.verdict, rows[i].reason ? VERDICT_REFUSE : VERDICT_FORWARD,
                     "row %zu", i);
        if (rows[i].reason)
            cr_expect_str_eq(decision.reason, rows[i].reason, "row %zu: %s", i, decision.reason);
        else
            cr_expect_null(decision.reason, "row %zu: %s", i, decision.reason);
        decision_clear(&decision);
        policy_view_clear(&view);
        policy_unref(policy);
        free(line);
        free(yaml);
    }
}

/* --- commands that are not for a policy --- */

Test(decide, commands_that_never_go_to_tor)
{
    static const struct {
        struct span line;
        const char *reason;
    } rows[] = {
        {B("AUTHENTICATE 00"), "never forwarded to tor"},
        {B("AUTHCHALLENGE SAFECOOKIE 00"), "never forwarded to tor"},
        {B("PROTOCOLINFO 1"), "never forwarded to tor"},
        {B("quit"), "never forwarded to tor"},
        {B(""), "not a command of tor's"},
        {B(" SIGNAL HALT"), "not a command of tor's"},
        {B("FOO"), "not a command of tor's"},
        {B("LOADCONF x"), "not a command of tor's"},
        {B("GETINFO version\0 x"), "not a command of tor's"},
        {B("GETINFO\0junk version"), "not a command of tor's"},
        {B("GETINFO\rversion"), "not a command of tor's"},
        {B("GETINFO\tversion"), "not a command of tor's"},
        {B("GETINFO version\x0c address"), "not a command of tor's"},
        {B("GETINFO version\raddress"), "not a command of tor's"},
        {B("SETCONF A=0\x0b" "B=1"), "not a command of tor's"},
        {B("SETCONF A=0\tB=1"), "not a command of tor's"},
        {B("GETINFO version\xc2\xa0x"), "not a command of tor's"},
        {B("GETINFO version\x7f"), "not a command of tor's"},
    };
    struct policy *policy = fixture_policy(wide_profile);
    struct policy_view view = fixture_view(policy);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct command command;
        struct decision decision;
        command_parse_line(rows[i].line, &command);
        policy_decide(&view, &command, &variables, &decision);
        cr_expect_eq(decision.verdict, VERDICT_REFUSE, "row %zu", i);
        cr_expect_str_eq(decision.reason, rows[i].reason, "row %zu", i);
        cr_expect(decision.arguments.len == 0 && !decision.plan, "row %zu", i);
        decision_clear(&decision);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

Test(decide, nobody_may_do_nothing)
{
    static const char *const lines[] = {"GETINFO version", "SETEVENTS", "SIGNAL NEWNYM", "FOO"};
    const struct policy_view view = {0};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct command command;
        struct decision decision;
        command_parse_line(span_from_string(lines[i]), &command);
        policy_decide(&view, &command, &variables, &decision);
        cr_expect_eq(decision.verdict, VERDICT_REFUSE, "%s", lines[i]);
        cr_expect_str_eq(decision.reason, "no profile matches this client", "%s", lines[i]);
        decision_clear(&decision);
        decision_clear(&decision);
    }
    cr_expect_null(policy_find_event(&view, SPAN("BW")));
    cr_expect_not(policy_is_tor_browser_mode(&view));
}
