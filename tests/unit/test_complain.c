/* Complain mode: what the profiles refuse is decided once more, and what stays refused. */
#include "complain.h"

#include "event.h"
#include "decide_fixture.h"

static const char yaml[] = FOR_ANYBODY
    "  name: app\n"
    "  commands:\n"
    "    GETINFO:\n"
    "      - version\n"
    "      - pattern: 'status/bootstrap-phase'\n"
    "        reply: ['250-status/bootstrap-phase=NOTICE', '250 OK']\n"
    "      - pattern: '(net/listeners/socks)'\n"
    "        replacement: '{}'\n"
    "        response:\n"
    "          - pattern: '250-net/listeners/socks=.*'\n"
    "            replacement: '250-net/listeners/socks=\"127.0.0.1:9150\"'\n"
    "    SIGNAL: [NEWNYM]\n"
    "    ADD_ONION:\n"
    "      - pattern: '(NEW:BEST) Port=80'\n"
    "        replacement: '{} Port=80,somewhere:80'\n"
    "    CLOSECIRCUIT: ['(a+)+b']\n"
    "  confs:\n"
    "    DisableNetwork: ['0']\n"
    "    SocksPort:\n"
    "  events:\n"
    "    HS_DESC:\n"
    "    SIGNAL: {suppress: true}\n";

/* A line, what becomes of it, and what is complained of; NULL: nothing. */
struct complain_row {
    const char *input;
    enum expectation expectation;
    const char *output; /* as in struct row; NULL: anything */
    const char *complaint;
};

static const struct complain_row rows[] = {
    /* what a profile allows is no complaint, and decided by it */
    {"GETINFO version", FORWARD, "GETINFO version", NULL},
    {"GETINFO  version ", FORWARD, "GETINFO version", NULL},
    {"GETINFO version status/bootstrap-phase", FORWARD, "GETINFO version", NULL},
    {"SIGNAL NEWNYM", FORWARD, "SIGNAL NEWNYM", NULL},
    {"SETCONF disablenetwork=0", FORWARD, "SETCONF DisableNetwork=0", NULL},
    {"GETCONF SocksPort disablenetwork", FORWARD, "GETCONF SocksPort DisableNetwork", NULL},
    {"SETEVENTS HS_DESC SIGNAL", SUBSCRIBE, "HS_DESC SIGNAL", NULL},
    {"SETEVENTS", SUBSCRIBE, "", NULL},
    /* the rest passes, and only the part that nobody allows is complained of */
    {"GETINFO address", FORWARD, "GETINFO address", "address"},
    {"GETINFO", FORWARD, "GETINFO", ""},
    {"GETINFO version address", FORWARD, "GETINFO version address", "address"},
    {"GETINFO uptime version address", FORWARD, "GETINFO uptime version address", "uptime address"},
    {"GETINFO status/bootstrap-phase address", FORWARD, "GETINFO address", "address"},
    {"GETCONF SocksPort Bridge", FORWARD, "GETCONF SocksPort Bridge", "Bridge"},
    {"GETCONF Bridg", FORWARD, "GETCONF Bridg", "Bridg"},
    {"SETCONF DisableNetwork=1", FORWARD, "SETCONF DisableNetwork=1", "DisableNetwork=1"},
    {"SETCONF DisableNetwork=0 UseBridges=1", FORWARD, "SETCONF DisableNetwork=0 UseBridges=1",
     "DisableNetwork=0 UseBridges=1"},
    {"RESETCONF SocksPort DisableNetwork=0", FORWARD, "RESETCONF SocksPort DisableNetwork=0",
     "SocksPort"},
    {"RESETCONF ContactInfo=\"a b\"Nickname=\"c\"", FORWARD,
     "RESETCONF ContactInfo=\"a b\" Nickname=\"c\"", "ContactInfo=\"a b\" Nickname=\"c\""},
    {"SETEVENTS HS_DESC BW circ", SUBSCRIBE, "HS_DESC BW circ", "BW circ"},
    {"SETEVENTS EXTENDED BW", SUBSCRIBE, "EXTENDED BW", "BW"},
    {"SIGNAL RELOAD", FORWARD, "SIGNAL RELOAD", "RELOAD"},
    {"DEL_ONION abc", FORWARD, "DEL_ONION abc", "abc"},
    {"ADD_ONION NEW:BEST Port=81", REWRITE, "ADD_ONION NEW:BEST Port=81,127.0.0.1:81",
     "NEW:BEST Port=81"},
    {"MAPADDRESS 1.2.3.4=a.b", FORWARD, "MAPADDRESS 1.2.3.4=a.b", "1.2.3.4=a.b"},
    {"DROPGUARDS", FORWARD, "DROPGUARDS", ""},
    {"+LOADCONF\r\nDisableNetwork 1\r\n# x\r\n\r\n.", FORWARD,
     "+LOADCONF\r\nDisableNetwork 1\r\n# x\r\n\r\n.", ""},
    /* ownership is ours: tor would end with the application */
    {"TAKEOWNERSHIP", ANSWER, "250 OK\r\n", ""},
    {"takeownership now", ANSWER, "250 OK\r\n", "now"},
    {"RESETCONF __OwningControllerProcess", ANSWER, "250 OK\r\n", "__OwningControllerProcess"},
    /* what no profile may allow */
    {"AUTHENTICATE", REFUSE, "never forwarded to tor", NULL},
    {"AUTHCHALLENGE SAFECOOKIE 00", REFUSE, "never forwarded to tor", NULL},
    {"GETINFO a\x01", REFUSE, "not a command of tor's", NULL},
    {"SECRET", REFUSE, "not a command of tor's", NULL},
    {"SETEVENTS NO_SUCH", REFUSE, "event not listed in events", NULL},
    {"SETCIRCUITPURPOSE", REFUSE, NULL, NULL},
    {"SETCIRCUITPURPOSE 1", REFUSE, NULL, NULL},
    {"ADD_ONION NEW:BEST", REFUSE, "an onion service without Port=", NULL},
    {"ADD_ONION NEW:BEST Port=80,5 ClientAuth=x", REFUSE, NO_ANSWER, NULL},
    {"ADD_ONION NEW:BEST Port=80,localhost:80", REFUSE, NOT_LITERAL, NULL},
    {"ADD_ONION NEW:BEST Port=80,unix:/proc/1/x", REFUSE, NULL, NULL},
    {"+HSPOST SERVER=x\r\ny\r\n.", REFUSE, NULL, NULL},
    {"SETCONF A=\"x", REFUSE, NULL, NULL},
    /* a profile's own rule that goes wrong, or gives up, is no way around it */
    {"ADD_ONION NEW:BEST Port=80", REFUSE, NOT_LITERAL, NULL},
    {"CLOSECIRCUIT " TEDIOUS, REFUSE, LIMIT, NULL},
    /* what complain mode holds back by itself */
    {"SIGNAL HALT", REFUSE, NULL, NULL},
    {"signal term", REFUSE, NULL, NULL},
    {"SIGNAL SHUTDOWN", REFUSE, NULL, NULL},
    {"SIGNAL INT", REFUSE, NULL, NULL},
    {"SETCONF ClientTransportPlugin=\"x exec /bin/sh\"", REFUSE, NULL, NULL},
    {"SETCONF DisableNetwork=0 clienttransportplugin=x", REFUSE, NULL, NULL},
    {"SETCONF Nickname=\"a\"ControlPort=9999", REFUSE, NULL, NULL},
    {"SETCONF ControlPort", REFUSE, NULL, NULL},
    {"SETCONF HashedControlPassword=x", REFUSE, NULL, NULL},
    {"SETCONF HiddenServiceDir=/x HiddenServicePort=\"80 127.0.0.1:9051\"", REFUSE, NULL, NULL},
    {"SETCONF ClientT=x", REFUSE, NULL, NULL},
    {"SETCONF S=x", REFUSE, NULL, NULL},
    {"RESETCONF ControlPort=9999", REFUSE, NULL, NULL},
    {"RESETCONF SocksPort ControlSocket", REFUSE, NULL, NULL},
    {"RESETCONF __OwningControllerProcess=1", REFUSE, NULL, NULL},
    {"SETCONF __OwningControllerProcess=1", REFUSE, NULL, NULL},
    {"+LOADCONF\r\nDisableNetwork 1\r\n ControlPort 1\r\n.", REFUSE, NULL, NULL},
    {"+LOADCONF\r\n%include /etc/x\r\n.", REFUSE, NULL, NULL},
    {"+LOADCONF\r\nLog#x\r\n.", REFUSE, NULL, NULL},
    {"+LOADCONF\r\nHidden x\r\n.", REFUSE, NULL, NULL},
};

static void expect_complaint(const struct policy_view *view, const struct complain_row *row,
                             size_t number)
{
    struct command_reader reader;
    struct command command;
    struct decision decision;
    struct buf output;

    buf_init(&output, COMMAND_MAX_LINE + COMMAND_MAX_DATA);
    command_reader_init(&reader);
    command_take(&reader, span_from_string(row->input), &command);
    policy_decide(view, &command, &variables, &decision);
    outcome_write(&decision, &command, &output);
    cr_expect_eq(outcome_of(&decision), row->expectation, "row %zu '%s': %.*s", number, row->input,
                 (int)output.len, buf_span(&output).data);
    cr_expect(!row->output || span_equals(buf_span(&output), span_from_string(row->output)),
              "row %zu '%s': %.*s", number, row->input, (int)output.len, buf_span(&output).data);
    cr_expect_eq(decision.is_complaint, row->complaint != NULL, "row %zu '%s'", number, row->input);
    struct span complaint = buf_span(&decision.complaint);
    cr_expect(span_equals(complaint, span_from_string(row->complaint)), "row %zu '%s': of %.*s",
              number, row->input, (int)complaint.len, complaint.data);
    if (decision.verdict == VERDICT_REFUSE)
        cr_expect(decision.arguments.len == 0 && !decision.plan && decision.reason,
                  "row %zu '%s': a refusal leaves something to send", number, row->input);
    decision_clear(&decision);
    command_reader_clear(&reader);
    buf_clear(&output);
}

static struct policy *complaining_policy(const char *text)
{
    struct policy *policy = fixture_policy(text);
    struct profile_file *file = complain_file_new();

    cr_assert(file && file->count == 1, "complain mode's own profile does not load");
    policy_set_complain(policy, file);
    return policy;
}

Test(complain, rows)
{
    struct policy *policy = complaining_policy(yaml);
    struct policy_view view = fixture_view(policy);

    cr_assert_eq(view.count, 1);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_complaint(&view, &rows[i], i);
    policy_view_clear(&view);
    policy_unref(policy);
}

/* Every command and event of the tables that is not local passes with sound arguments. */
Test(complain, everything_else_passes)
{
    static const struct {
        enum keyword_id id;
        const char *arguments;
    } sound[] = {
        {KEYWORD_ADD_ONION, "NEW:BEST Port=1"},
        {KEYWORD_ATTACHSTREAM, "1 2"},
        {KEYWORD_CLOSECIRCUIT, "1"},
        {KEYWORD_CLOSESTREAM, "1 1"},
        {KEYWORD_DEL_ONION, "x"},
        {KEYWORD_EXTENDCIRCUIT, "0"},
        {KEYWORD_HSFETCH, "x"},
        {KEYWORD_HSPOST, "HSADDRESS=x"},
        {KEYWORD_MAPADDRESS, "a=b"},
        {KEYWORD_ONION_CLIENT_AUTH_ADD, "x y"},
        {KEYWORD_ONION_CLIENT_AUTH_REMOVE, "x"},
        {KEYWORD_REDIRECTSTREAM, "1 2"},
        {KEYWORD_SETCIRCUITPURPOSE, "1 purpose=general"},
        {KEYWORD_SIGNAL, "RELOAD"},
    };
    struct policy *policy = complaining_policy("");
    struct policy_view view = fixture_view(policy);

    cr_assert_eq(view.count, 0);
    for (size_t i = 0; keyword_at(i); i++) {
        const struct keyword *keyword = keyword_at(i);
        struct command command = {.keyword = keyword,
                                  .is_block = (keyword->flags & KEYWORD_IS_BLOCK) != 0};
        struct decision decision;
        for (size_t j = 0; j < sizeof sound / sizeof *sound; j++)
            if (sound[j].id == keyword->id)
                command.arguments = span_from_string(sound[j].arguments);
        policy_decide(&view, &command, &variables, &decision);
        bool is_local = (keyword->flags & KEYWORD_IS_LOCAL) != 0;
        /* A SETEVENTS without events needs nobody's leave, once there is somebody to give it. */
        cr_expect_eq(decision.verdict == VERDICT_REFUSE, is_local, "%s: %s", keyword->name,
                     decision.reason);
        cr_expect_eq(decision.is_complaint, !is_local, "%s", keyword->name);
        decision_clear(&decision);
    }
    for (size_t i = 0; event_at(i); i++)
        cr_expect_not_null(profile_find_event(view.complain, span_from_string(event_at(i))));
    policy_view_clear(&view);
    policy_unref(policy);
}

Test(complain, clients)
{
    static const struct {
        enum identity_transport transport;
        bool is_tor;
        bool is_served; /* by complain mode, where no profile matches */
    } clients[] = {
        {IDENTITY_UNIX, false, true},
        {IDENTITY_UNIX, true, false},
        {IDENTITY_TCP_LOCAL, false, true},
        {IDENTITY_TCP_LOCAL, true, false},
        {IDENTITY_TCP_REMOTE, false, false},
    };
    struct policy *policy = complaining_policy("- users: [bob]\n  apparmor-profiles: ['*']\n"
                                               "- hosts: [10.9.9.9]\n");

    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++) {
        const struct identity identity = {.transport = clients[i].transport,
                                          .is_tor = clients[i].is_tor,
                                          .has_credentials = true,
                                          .uid = FIXTURE_ALICE};
        struct policy_view view;
        policy_match(policy, &identity, NULL, &view);
        cr_expect_eq(view.count, 0, "row %zu", i);
        cr_expect_eq(policy_view_is_empty(&view), !clients[i].is_served, "row %zu", i);
        policy_view_clear(&view);
    }
    const struct identity remote = {.transport = IDENTITY_TCP_REMOTE, .address = {10, 9, 9, 9}};
    struct policy_view view;
    policy_match(policy, &remote, NULL, &view);
    cr_expect(view.count == 1 && view.complain, "a machine that a profile serves");
    policy_view_clear(&view);
    policy_unref(policy);
}

/* Restrictions of the client's profiles hold. */
Test(complain, tor_browser_mode_holds)
{
    struct policy *policy = complaining_policy(FOR_ANYBODY "  tor-browser-mode: true\n");
    struct policy_view view = fixture_view(policy);
    struct policy_view wider = complain_view(&view);

    cr_expect(view.complain && policy_withholds_event(&view, SPAN("circ_minor")));
    cr_expect(wider.count == 2 && policy_withholds_event(&wider, SPAN("CIRC_MINOR")));
    policy_view_clear(&wider);
    policy_view_clear(&view);
    policy_unref(policy);
}

Test(complain, without_it_everything_stays_refused)
{
    struct policy *policy = fixture_policy(yaml);
    struct policy_view view = fixture_view(policy);

    cr_expect_null(view.complain);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct complain_row row = rows[i];
        if (!row.complaint)
            continue;
        row = (struct complain_row){row.input, REFUSE, NULL, NULL};
        expect_complaint(&view, &row, i);
    }
    policy_view_clear(&view);
    policy_unref(policy);
}

Test(complain, grave_commands)
{
    static const struct {
        const char *line;
        bool is_grave;
    } lines[] = {
        {"GETINFO address", false}, {"SIGNAL NEWNYM", false}, {"SIGNAL active", false},
        {"SIGNAL RELOAD", true},    {"SETCONF x=1", true},    {"RESETCONF x", true},
        {"SAVECONF", true},         {"DROPGUARDS", true},     {"TAKEOWNERSHIP", true},
        {"MAPADDRESS a=b", true},   {"ADD_ONION x", false},
    };

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct command command;
        command_parse_line(span_from_string(lines[i].line), &command);
        cr_expect_eq(complain_is_grave(command.keyword, command.arguments), lines[i].is_grave,
                     "%s", lines[i].line);
    }
}
