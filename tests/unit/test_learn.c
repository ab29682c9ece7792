/* From recordings and logs to drafts: what is granted, what is left out, and that a draft allows
 * what it was made from. */
#include "learn.h"

#include <stdlib.h>

#include "complaint.h"
#include "decide_fixture.h"
#include "describe_shape.h"
#include "mem.h"

#define ONION "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx"
#define FP "0123456789ABCDEF0123456789ABCDEF01234567"
#define B86 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define STORED "ED25519-V3:" B86 "=="
#define X25519 "x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define CLIENT "ClientAuthV3=E2GOT5LTUTP3OAMRCRXO4GSH6VKJEUOXZQUC336SRKAHTTT5OVSA"

static char *draft_of(const char *name, struct span text)
{
    struct learn *learn = learn_new();
    struct buf out;

    buf_init(&out, LEARN_MAX_DRAFT);
    learn_take(learn, text);
    bool is_written = learn_write(learn, name, &out);
    cr_expect_eq(is_written, learn_counts(learn).commands > 0);
    char *draft = is_written ? mem_copy_string(buf_span(&out)) : NULL;
    learn_free(learn);
    buf_clear(&out);
    return draft;
}

/* --- a draft allows what it was made from --- */

/* Commands of real programs, as clients.md has them; none of them is left out. */
static const char *const recordings[] = {
    /* OnionShare */
    "PROTOCOLINFO 1\nAUTHENTICATE\nSETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER\n"
    "GETCONF __owningcontrollerprocess\nGETINFO version\nGETCONF hiddenservicesinglehopmode\n"
    "ADD_ONION NEW:ED25519-V3 Flags=V3Auth Port=1,1 " CLIENT "\nDEL_ONION " ONION "\n"
    "SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER HS_DESC\n"
    "ADD_ONION NEW:ED25519-V3 Flags=V3Auth Port=80,17612 " CLIENT "\n"
    "ADD_ONION NEW:ED25519-V3 Port=80,17640\nADD_ONION " STORED " Port=80,17601\n"
    "GETINFO onions/current\nDEL_ONION " ONION "\n",
    /* lnd, with its trailing space, and with a target elsewhere */
    "ADD_ONION NEW:ED25519-V3 Port=9735,9735 \nADD_ONION " STORED " Port=9735,9735 \n"
    "ADD_ONION NEW:ED25519-V3 Port=9735,10.137.0.5:9735 \nGETINFO onions/current\n",
    /* bitcoind */
    "GETINFO net/listeners/socks\n"
    "ADD_ONION NEW:ED25519-V3 PoWDefensesEnabled=1 Port=8333,127.0.0.1:8334\n",
    /* Haveno: any order, several Port= */
    "SETEVENTS CIRC WARN ERR\nGETINFO status/bootstrap-phase\nGETINFO net/listeners/socks\n"
    "SETEVENTS CIRC ORCONN INFO NOTICE WARN ERR HS_DESC HS_DESC_CONTENT\n"
    "ADD_ONION NEW:BEST PoWQueueBurst=100 PoWDefensesEnabled=1 PoWQueueRate=10 Port=9999,4711\n"
    "HSFETCH " ONION "\n",
    /* Cwtch, Quiet, Wahay */
    "ADD_ONION " STORED " Flags=DiscardPK,Detach Port=9878,[::]:15001\n"
    "ADD_ONION NEW:BEST Flags=Detach Port=80,127.0.0.1:4000\n"
    "ADD_ONION NEW:ED25519-V3 Port=64738,0.0.0.0:5 Port=8181,0.0.0.0:6\n"
    "ADD_ONION NEW:ED25519-V3 Port=8181,0.0.0.0:9 Port=64738,0.0.0.0:8\n",
    /* a program with Unix sockets, limits, and bare ports */
    "ADD_ONION NEW:BEST Port=80,unix:/run/app/web.sock\nADD_ONION NEW:BEST Port=81\n"
    "ADD_ONION NEW:BEST MaxStreams=7 Flags=MaxStreamsCloseCircuit Port=82 Port=82,5000\n",
    /* gosling */
    "SETEVENTS STATUS_CLIENT HS_DESC\nONION_CLIENT_AUTH_ADD " ONION " " X25519 "\n"
    "ONION_CLIENT_AUTH_ADD " ONION " " X25519 " ClientName=bob Flags=Permanent\n"
    "ONION_CLIENT_AUTH_VIEW\nONION_CLIENT_AUTH_REMOVE " ONION "\n",
    /* several keys in one command; lower case; own tor */
    "GETINFO version status/bootstrap-phase net/listeners/socks\n"
    "GETCONF SocksPort DisableNetwork\nsignal newnym\nSIGNAL NEWNYM\nsetevents bw\n"
    "TAKEOWNERSHIP\nRESETCONF __OwningControllerProcess\nUSEFEATURE EXTENDED_EVENTS\n"
    "GETINFO ns/id/" FP " ns/id/$" FP " desc/id/" FP "~nick md/id/" FP " ns/name/moria1\n"
    "GETINFO ip-to-country/1.2.3.4 ip-to-country/2001:db8::1 consensus/valid-after\n"
    "GETINFO traffic/read traffic/written\nGETINFO\n",
    /* options by value */
    "SETCONF UseBridges=0\nSETCONF UseBridges=\"1\" NumEntryGuards=\"4\"\nSETCONF NumEntryGuards=5\n"
    "SETCONF NumPrimaryGuards=7 ContactInfo\nRESETCONF ContactInfo NumPrimaryGuards=7\n"
    "SETCONF Nickname=relay_one\n",
    /* a tap */
    "{\"t\": 1, \"c\": 1, \"dir\": \">\", \"data\": \"GETINFO ver\"}\n"
    "{\"t\": 1, \"c\": 2, \"dir\": \">\", \"data\": \"GETINFO uptime\\r\\n\"}\n"
    "{\"t\": 2, \"c\": 1, \"dir\": \">\", \"data\": \"sion\\r\\nSIGNAL NEWNYM\\r\\n\"}\n"
    "{\"t\": 2, \"c\": 1, \"dir\": \"<\", \"data\": \"SIGNAL HALT\\r\\n\"}\n",
};

/* What a client sends, as the tests of drafts use it. */
static struct span next_line(struct span *rest)
{
    size_t len = span_find(*rest, '\n');
    struct span line = span_first(*rest, len);

    *rest = span_from(*rest, len + 1);
    return line;
}

static void expect_allowed(const struct policy_view *view, struct span line, const char *draft)
{
    struct command command;
    struct decision decision;

    command_parse_line(line, &command);
    if (command.defect != COMMAND_SOUND || (command.keyword->flags & KEYWORD_IS_LOCAL))
        return;
    policy_decide(view, &command, &variables, &decision);
    cr_expect_neq(decision.verdict, VERDICT_REFUSE, "%.*s: %s\n%s", (int)line.len, line.data,
                  decision.reason, draft);
    decision_clear(&decision);
}

/* The draft as a policy, with the placeholder's user made anybody. */
static struct policy *policy_of(const char *draft)
{
    struct buf text;
    struct span rest = span_from_string(draft);

    buf_init(&text, LEARN_MAX_DRAFT);
    while (rest.len > 0) {
        struct span line = next_line(&rest);
        buf_append(&text, span_equals(line, SPAN("    - 'CHANGE-ME'")) ? SPAN("    - '*'") : line);
        buf_append_char(&text, '\n');
    }
    buf_append_char(&text, '\0');
    struct policy *policy = fixture_policy(buf_span(&text).data);
    buf_clear(&text);
    return policy;
}

Test(learn, a_draft_allows_what_it_was_made_from)
{
    for (size_t i = 0; i < sizeof recordings / sizeof *recordings; i++) {
        struct span rest = span_from_string(recordings[i]);
        char *draft = draft_of("app", rest);
        cr_assert_not_null(draft, "row %zu", i);
        struct policy *policy = policy_of(draft);
        struct policy_view view = fixture_view(policy);
        cr_assert_eq(view.count, 1, "row %zu:\n%s", i, draft);
        while (rest.len > 0)
            expect_allowed(&view, next_line(&rest), draft);
        policy_view_clear(&view);
        policy_unref(policy);
        free(draft);
    }
}

/* The same by way of complain mode: each command by its shape, in a log. */
static struct buf log_of(const char *recording)
{
    struct span rest = span_from_string(recording);
    struct buf out;

    buf_init(&out, LEARN_MAX_TEXT);
    buf_append_string(&out, "systemd[1]: Started x.\nonion-grater: info: session 1 (x) began\n");
    while (rest.len > 0) {
        struct command command;
        command_parse_line(next_line(&rest), &command);
        if (command.defect != COMMAND_SOUND || (command.keyword->flags & KEYWORD_IS_LOCAL))
            continue;
        buf_append_string(&out, "Nov 21 h onion-grater[3]: session 4 (x): complain: profile none, "
                                "uid 1000, label none, exe /usr/bin/app: ");
        describe_shape(&out, &command);
        buf_append_char(&out, '\n');
    }
    return out;
}

/* What the log does not show, no draft can allow. */
static bool is_hidden(struct span line)
{
    static const char *const hidden[] = {"unix:", "10.137.", "Nickname"};

    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        for (size_t at = 0; at < line.len; at++)
            if (span_starts_with(span_from(line, at), span_from_string(hidden[i])))
                return true;
    return false;
}

Test(learn, a_draft_from_the_log_allows_it)
{
    for (size_t i = 0; i < sizeof recordings / sizeof *recordings; i++) {
        struct span rest = span_from_string(recordings[i]);
        if (span_starts_with(rest, SPAN("{")))
            continue;
        struct buf log = log_of(recordings[i]);
        char *draft = draft_of(NULL, buf_span(&log));
        cr_assert_not_null(draft, "row %zu", i);
        cr_expect(strstr(draft, "- name: 'app'") && strstr(draft, "- '1000'") &&
                      strstr(draft, "'/usr/bin/app'"),
                  "row %zu: %s", i, draft);
        struct policy *policy = fixture_policy(draft);
        struct policy_view view = {.count = 1};
        view.profiles = mem_zalloc(1, sizeof(const struct profile *));
        view.profiles[0] = policy_find_profile(policy, "app");
        while (rest.len > 0) {
            struct span line = next_line(&rest);
            if (!is_hidden(line))
                expect_allowed(&view, line, draft);
        }
        policy_view_clear(&view);
        policy_unref(policy);
        buf_clear(&log);
        free(draft);
    }
}

/* --- what stands in a draft --- */

static const struct {
    const char *text;
    const char *has; /* lines, each of which is in the draft */
    const char *has_not;
} contents[] = {
    {"GETINFO address\nGETINFO version\n",
     "      # - 'address'\n"
     "      # seen once: GETINFO address. Left out: it tells the address of this machine\n"
     "      - 'version'\n",
     "      - 'address'\n"},
    {"GETINFO config-text entry-guards circuit-status\n",
     "  # commands:\n    # GETINFO:\n      # - 'config-text'\n      # - 'entry-guards'\n"
     "      # - 'circuit-status'\n",
     "  commands:\n"},
    {"GETINFO version\nGETINFO version\nGETINFO version uptime\n",
     "      # seen 3 times: GETINFO version\n      # seen once: GETINFO uptime\n", NULL},
    {"GETINFO ns/id/" FP "\nGETINFO ns/id/$" FP "\n",
     "      # seen 2 times: GETINFO ns/id/(fingerprint); generalised: the relay\n", FP},
    {"GETINFO nonsense\nGETINFO version\n", "      # - '(unknown)'\n", "nonsense"},
    {"SIGNAL HALT\nSIGNAL NEWNYM\nSIGNAL ACTIVE\n",
     "      # - 'HALT'\n      - 'NEWNYM'\n      - 'ACTIVE'\n", "      - 'HALT'\n"},
    {"TAKEOWNERSHIP\n", "      - pattern: ''\n        reply: ['250 OK']\n", NULL},
    {"RESETCONF __OwningControllerProcess\n",
     "      - pattern: '__OwningControllerProcess'\n        reply: ['250 OK']\n", "  confs:\n"},
    {"GETINFO status/bootstrap-phase\n", "      - pattern: 'status/bootstrap-phase'\n"
     "        unmatched-response: drop\n", NULL},
    {"SETEVENTS SIGNAL CONF_CHANGED STATUS_SERVER BW\n",
     "    BW:\n    SIGNAL:\n      suppress: true\n    CONF_CHANGED:\n    STATUS_SERVER:\n", NULL},
    {"SETEVENTS HS_DESC\n", "  onions:\n    events: own\n", "  events:\n"},
    {"SETEVENTS NONSENSE BW\n", "    BW:\n", "NONSENSE"},
    {"GETCONF Bridge SocksPort\n", "    # Bridge:\n    SocksPort:\n", "    Bridge:\n"},
    {"GETCONF nonsense SocksPort\n", "    SocksPort:\n", "nonsense"},
    {"SETCONF Bridge=\"obfs4 10.1.2.3:443 cert=x\" UseBridges=1\n",
     "    # Bridge:\n    UseBridges:\n      - '1'\n", "10.1.2.3"},
    {"SETCONF ContactInfo=\"alice <alice@example.org>\"\n",
     "    # ContactInfo:\n  # confs:\n", "alice"},
    {"SETCONF ClientTransportPlugin=\"x exec /bin/sh\"\n", "    # ClientTransportPlugin:\n",
     "/bin/sh"},
    {"SETCONF DisableNetwork=1\nGETCONF DisableNetwork\n",
     "    DisableNetwork:\n"
     "    # read once, set once. Setting it is left out: it switches tor off for everybody\n",
     "      - '1'\n"},
    {"SETCONF NumCPUs=3\nSETCONF NumCPUs=4\n", "      - '[0-9]{1,9}'\n", "      - '3'\n"},
    {"SETCONF NumCPUs=3\nSETCONF NumCPUs=3\n", "      - '3'\n", "[0-9]"},
    {"ADD_ONION NEW:BEST Port=80,5000\nADD_ONION NEW:BEST Port=80,5010\n",
     "      - virtual-ports: [80]\n        targets: ['5000-5010']\n        keys: [new]\n", "5000,"},
    {"ADD_ONION NEW:BEST Port=80,5000\nADD_ONION NEW:BEST Port=443,5000\n",
     "      - virtual-ports: [80]\n      - virtual-ports: [443]\n", NULL},
    {"ADD_ONION " STORED " Port=80\n", "        keys: [stored]\n        targets: ['80']\n", B86},
    {"ADD_ONION NEW:BEST Port=80,localhost:80\nGETINFO version\n", "      - 'version'\n",
     "  onions:\n"},
    {"ADD_ONION NEW:RSA1024 Port=80\nGETINFO version\n", "      - 'version'\n", "  onions:\n"},
    {"CLOSECIRCUIT 5\n", "      # - '[0-9]+'\n", "    CLOSECIRCUIT:\n"},
    {"+LOADCONF\nDisableNetwork 1\nGETINFO address\n.\nGETINFO version\n",
     "    # '+LOADCONF':\n      - 'version'\n", "'address'"},
    {"MAPADDRESS 1.2.3.4=secret.example\n", "    # MAPADDRESS:\n", "secret.example"},
    {"EXTENDCIRCUIT 0 " FP "," FP "\n", "    # EXTENDCIRCUIT:\n", FP},
};

static bool has_text(const char *draft, struct span text)
{
    struct span rest = span_from_string(draft);

    for (size_t i = 0; i + text.len <= rest.len; i++)
        if (span_starts_with(span_from(rest, i), text))
            return true;
    return false;
}

Test(learn, contents)
{
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        char *draft = draft_of("app", span_from_string(contents[i].text));
        struct span lines = span_from_string(contents[i].has);
        cr_assert_not_null(draft, "row %zu", i);
        while (lines.len > 0) {
            struct span line = span_first(lines, span_find(lines, '\n') + 1);
            cr_expect(has_text(draft, line), "row %zu: no %.*s\n%s", i, (int)line.len, line.data,
                      draft);
            lines = span_from(lines, line.len);
        }
        if (contents[i].has_not)
            cr_expect_not(has_text(draft, span_from_string(contents[i].has_not)), "row %zu: %s\n%s",
                          i, contents[i].has_not, draft);
        policy_unref(policy_of(draft));
        free(draft);
    }
}

#define COMPLAIN(profile, uid, label, exe, command) \
    "complain: profile " profile ", uid " uid ", label " label ", exe " exe ": " command "\n"

Test(learn, clients_of_a_log)
{
    static const struct {
        const char *text;
        const char *has;
    } logs[] = {
        {COMPLAIN("web", "33", "none", "none", "GETINFO version"),
         "- name: 'web'\n    - '33'\n"},
        {COMPLAIN("none", "33", "onionshare", "/usr/bin/python3.11", "GETINFO version"),
         "- name: 'onionshare'\n  apparmor-profiles:\n    - 'onionshare'\n"},
        {COMPLAIN("none", "33", "unconfined", "/usr/bin/app", "GETINFO version"),
         "- name: 'app'\n    - '/usr/bin/app'\n"},
        {COMPLAIN("none", "33", "unconfined", "/usr/bin/python3.11", "GETINFO version"),
         "- name: 'draft'\n    - '*'\n"},
        {COMPLAIN("none", "33", "none", "/usr/bin/app", "GETINFO version"),
         "  executables:\n    - '/usr/bin/app'\n    - '*'\n"},
        {COMPLAIN("none", "none", "none", "none", "GETINFO version"), "    - 'CHANGE-ME'\n"},
        {COMPLAIN("none", "7", "a", "none", "GETINFO version")
         COMPLAIN("none", "5", "a", "none", "GETINFO version")
         COMPLAIN("none", "7", "b", "none", "GETINFO uptime"),
         "- name: 'a'\n- name: 'b'\n    - '5'\n    - '7'\n      # seen 2 times: GETINFO version\n"},
        {COMPLAIN("none", "7", "x//a", "none", "GETINFO version")
         COMPLAIN("none", "7", "y/a", "none", "GETINFO version"), "- name: 'a'\n- name: 'a-2'\n"},
        {COMPLAIN("none", "7", "\"it's: x\"", "\"/a b'c\"", "GETINFO version"),
         "    - 'it''s: x'\n- name: 'it-s--x'\n"},
        {COMPLAIN("none", "7", "a", "none", "ADD_ONION NEW:BEST Port=80,(address):99"),
         "        targets: ['{client-address}:99']\n"},
        {COMPLAIN("none", "7", "a", "none", "SETCONF UseBridges=1 Nickname=(value) NumCPUs=(number)"),
         "      - '1'\n    # Nickname:\n      - '[0-9]{1,9}'\n"},
        {COMPLAIN("none", "7", "a", "none", "GETINFO version uptime (more)"),
         "      - 'version'\n      - 'uptime'\n"},
    };

    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        char *draft = draft_of(NULL, span_from_string(logs[i].text));
        struct span lines = span_from_string(logs[i].has);
        cr_assert_not_null(draft, "row %zu", i);
        while (lines.len > 0) {
            struct span line = span_first(lines, span_find(lines, '\n') + 1);
            cr_expect(has_text(draft, line), "row %zu: no %.*s\n%s", i, (int)line.len, line.data,
                      draft);
            lines = span_from(lines, line.len);
        }
        policy_unref(policy_of(draft));
        free(draft);
    }
}

/* Lines of one log in another order give the same draft. */
Test(learn, order_does_not_matter)
{
    const char *one = COMPLAIN("none", "7", "b", "none", "GETINFO version")
        COMPLAIN("none", "5", "a", "none", "GETINFO uptime")
        COMPLAIN("none", "5", "a", "none", "SETEVENTS BW HS_DESC")
        COMPLAIN("none", "5", "a", "none", "ADD_ONION NEW:BEST Port=80,5")
        COMPLAIN("none", "5", "a", "none", "ADD_ONION NEW:BEST Port=79");
    const char *other = COMPLAIN("none", "5", "a", "none", "ADD_ONION NEW:BEST Port=79")
        COMPLAIN("none", "5", "a", "none", "ADD_ONION NEW:BEST Port=80,5")
        COMPLAIN("none", "5", "a", "none", "SETEVENTS HS_DESC BW")
        COMPLAIN("none", "5", "a", "none", "GETINFO uptime")
        COMPLAIN("none", "7", "b", "none", "GETINFO version");
    char *first = draft_of(NULL, span_from_string(one));
    char *second = draft_of(NULL, span_from_string(other));

    cr_expect_str_eq(first, second, "%s\n%s", first, second);
    free(first);
    free(second);
}

/* --- hostile input: whatever it is, the draft is a profile --- */

Test(learn, nothing_to_learn)
{
    static const char *const nothing[] = {"", "\n\n", "PROTOCOLINFO 1\nAUTHENTICATE\nQUIT\n",
                                          "nonsense\n", "250 OK\n", "{\n", "complain: profile \n",
                                          "ADD_ONION NEW:BEST\n"};

    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        cr_expect_null(draft_of(NULL, span_from_string(nothing[i])), "row %zu", i);
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

/* Pieces that matter to somebody on the way, put together by chance. */
Test(learn, any_input_gives_a_profile)
{
    static const char *const pieces[] = {
        "GETINFO ", "GETCONF ", "SETCONF ", "RESETCONF ", "SETEVENTS ", "SIGNAL ", "ADD_ONION ",
        "DEL_ONION ", "+HSPOST ", "+LOADCONF\n", "USEFEATURE ", "CLOSECIRCUIT ", "MAPADDRESS ",
        "ns/id/", "config/", FP, ONION, "version", "address", "NEW:BEST ", STORED " ", "Port=",
        "Flags=", "MaxStreams=", "80", ",", "unix:/'#: ", "[::1]:", "10.0.0.1:", "'", "\"", "\\",
        "#", ": ", "- ", "{", "}", "\n", "\n", "\n", " ", "=", "\xff", "\x01", "(key)", "(value)",
        "(number)", "(more)", "purpose=", "Log=", "Nickname=", "65535", "65536", "0", "1", "*",
        "complain: profile none, uid 1, label none, exe none: ",
        "complain: profile \"'\", uid 2, label \"#'\", exe \"/x/'y\": ", "{client-address}:1",
        "SERVER=", "HSADDRESS=", "%n", "\r\n", "~", "x25519:", "TAKEOWNERSHIP", "0x10", "\t",
    };
    unsigned state = 7;

    for (int round = 0; round < 400; round++) {
        struct buf text;
        buf_init(&text, 65536);
        for (unsigned n = next_random(&state) % 200; n > 0; n--)
            buf_append_string(&text, pieces[next_random(&state) % (sizeof pieces / sizeof *pieces)]);
        char *draft = draft_of(NULL, buf_span(&text));
        if (draft)
            policy_unref(policy_of(draft));
        free(draft);
        buf_clear(&text);
    }
}

Test(learn, limits)
{
    struct learn *learn = learn_new();
    struct buf text, out;

    buf_init(&text, LEARN_MAX_TEXT);
    buf_init(&out, LEARN_MAX_DRAFT);
    for (int i = 0; i < 9000; i++) {
        buf_printf(&text, "GETINFO config/%d:%d\nUSEFEATURE a%d\n", i, i, i);
        buf_printf(&text, "SETCONF Nickname=n%d NumCPUs=%d\n", i, i);
        buf_printf(&text, "ADD_ONION NEW:BEST Port=%d,%d\n", i % 60000 + 1, i + 1);
        buf_printf(&text, "ADD_ONION NEW:BEST Port=1,%d\n", i + 1);
    }
    learn_take(learn, buf_span(&text));
    for (int i = 0; i < 300; i++) {
        buf_reset(&text);
        buf_printf(&text, COMPLAIN("none", "%d", "l%d", "none", "GETINFO version"), i, i);
        learn_take(learn, buf_span(&text));
        buf_reset(&text);
        buf_printf(&text, COMPLAIN("none", "%d", "l", "none", "GETINFO version"), i);
        learn_take(learn, buf_span(&text));
    }
    cr_expect(learn_counts(learn).clients <= 64);
    cr_expect(learn_write(learn, NULL, &out));
    buf_append_char(&out, '\0');
    policy_unref(policy_of(buf_span(&out).data));
    learn_free(learn);
    buf_clear(&text);
    buf_clear(&out);
}
