/* Findings from facts: a machine on which all is well, and what changes when one thing is not. */
#include "doctor.h"

#include "protocolinfo.h"
#include "shell_word.h"
#include "view_fixture.h"

static char *text(const char *value)
{
    return mem_copy_string(span_from_string(value));
}

/* A machine as it is to be, seen by root. */
static struct doctor_facts sound_facts(void)
{
    struct doctor_facts facts;

    doctor_facts_init(&facts);
    facts.is_root = true;
    facts.policy = (struct doctor_policy){.is_readable = DOCTOR_YES, .profiles = 3};
    facts.tor = (struct doctor_tor){
        .address = text("unix:/run/tor/control"),
        .is_installed = DOCTOR_YES,
        .is_running = DOCTOR_YES,
        .is_there = DOCTOR_YES,
        .is_answering = DOCTOR_YES,
        .version = text("0.4.9.11"),
        .offers_cookie = true,
        .cookie = text("/run/tor/control.authcookie"),
        .is_cookie_open = DOCTOR_NO,
        .service_reaches = DOCTOR_YES,
        .service_reads = DOCTOR_YES,
    };
    facts.account = (struct doctor_account){.user = text("onion-grater"),
                                            .exists = DOCTOR_YES,
                                            .group = text("debian-tor"),
                                            .is_member = DOCTOR_YES};
    facts.apparmor = (struct doctor_apparmor){.is_on = DOCTOR_YES,
                                              .is_loaded = DOCTOR_YES,
                                              .mode = text("enforce"),
                                              .label = text("onion-grater"),
                                              .kernel_labels = true,
                                              .has_restriction = true,
                                              .is_restricted = DOCTOR_YES};
    facts.sockets.runtime_dir = text("/run/onion-grater");
    facts.sockets.is_dir_there = DOCTOR_YES;
    facts.sockets.dir_owner = text("onion-grater");
    facts.sockets.items = mem_zalloc(1, sizeof *facts.sockets.items);
    facts.sockets.items[facts.sockets.count++] =
        (struct doctor_socket){.path = text("/run/onion-grater/control.sock"),
                               .is_there = DOCTOR_YES,
                               .is_socket = true,
                               .mode = 0666,
                               .right_mode = 0666,
                               .owner = text("onion-grater:onion-grater"),
                               .right_owner = text("onion-grater:onion-grater")};
    facts.daemon = (struct doctor_daemon){.is_running = DOCTOR_YES,
                                          .version = text("0.1.0"),
                                          .own_version = text("0.1.0"),
                                          .has_systemd = true,
                                          .unit_load = text("loaded"),
                                          .unit_active = text("active"),
                                          .unit_enabled = text("enabled")};
    facts.ports.is_seen = DOCTOR_YES;
    return facts;
}

static void replace(char **member, const char *value)
{
    free(*member);
    *member = value ? text(value) : NULL;
}

static void add_port(struct doctor_facts *facts, struct doctor_port port)
{
    facts->ports.items = mem_resize(facts->ports.items, facts->ports.count + 1,
                                    sizeof *facts->ports.items);
    facts->ports.items[facts->ports.count++] = port;
}

/* --- one thing that is not well --- */

static void no_daemon(struct doctor_facts *facts)
{
    facts->daemon.is_running = DOCTOR_NO;
}
static void no_daemon_without_systemd(struct doctor_facts *facts)
{
    facts->daemon.is_running = DOCTOR_NO;
    facts->daemon.has_systemd = false;
}
static void denied(struct doctor_facts *facts)
{
    facts->daemon.is_denied = true;
}
static void hangs(struct doctor_facts *facts)
{
    replace(&facts->daemon.problem, "it hangs");
}
static void old_version(struct doctor_facts *facts)
{
    replace(&facts->daemon.version, "0.0.9");
}
static void replaced(struct doctor_facts *facts)
{
    facts->daemon.is_replaced = true;
}
static void failed_reload(struct doctor_facts *facts)
{
    facts->daemon.is_failed = true;
}
static void errors_mended(struct doctor_facts *facts)
{
    facts->daemon.errors = 2;
}
static void complains(struct doctor_facts *facts)
{
    facts->daemon.complains = true;
}
static void limits(struct doctor_facts *facts)
{
    doctor_list_add(&facts->daemon.reached, "sessions 3 times");
    doctor_list_add(&facts->daemon.reached, "line-length 1 time");
}
static void masked(struct doctor_facts *facts)
{
    replace(&facts->daemon.unit_load, "masked");
}
static void no_unit(struct doctor_facts *facts)
{
    replace(&facts->daemon.unit_load, "not-found");
}
static void failed_unit(struct doctor_facts *facts)
{
    replace(&facts->daemon.unit_active, "failed");
}
static void disabled_unit(struct doctor_facts *facts)
{
    replace(&facts->daemon.unit_enabled, "disabled");
}
static void bad_profiles(struct doctor_facts *facts)
{
    facts->policy.errors = 1;
    replace(&facts->policy.first_error, "/etc/x.yml:1:1: error: bad");
    replace(&facts->policy.profiles_option, " --profiles /p");
}
static void no_profiles(struct doctor_facts *facts)
{
    facts->policy.profiles = 0;
}
static void warned_profiles(struct doctor_facts *facts)
{
    facts->policy.warnings = 1;
}
static void unreadable_profiles(struct doctor_facts *facts)
{
    facts->policy.is_readable = DOCTOR_UNSEEN;
    facts->policy.errors = 1;
}
static void tor_stopped(struct doctor_facts *facts)
{
    facts->tor.is_running = facts->tor.is_there = DOCTOR_NO;
    facts->tor.is_answering = DOCTOR_UNSEEN;
    facts->tor.offers_cookie = false;
}
static void tor_missing(struct doctor_facts *facts)
{
    tor_stopped(facts);
    facts->tor.is_installed = DOCTOR_NO;
}
static void tor_without_port(struct doctor_facts *facts)
{
    tor_stopped(facts);
    facts->tor.is_running = DOCTOR_YES;
}
static void not_tor(struct doctor_facts *facts)
{
    facts->tor.is_answering = DOCTOR_NO;
}
static void tor_unseen(struct doctor_facts *facts)
{
    facts->tor.is_there = facts->tor.is_answering = DOCTOR_UNSEEN;
}
static void tor_refuses(struct doctor_facts *facts)
{
    replace(&facts->daemon.tor_problem, "refused: no way to log in");
}
static void tor_open_port(struct doctor_facts *facts)
{
    facts->tor.is_tcp = facts->tor.offers_null = true;
}
static void tor_password(struct doctor_facts *facts)
{
    facts->tor.offers_cookie = false;
    facts->tor.offers_password = true;
}
static void open_cookie(struct doctor_facts *facts)
{
    facts->tor.is_cookie_open = DOCTOR_YES;
}
/* What tor says of itself is no command of ours. */
static void hostile_cookie(struct doctor_facts *facts)
{
    replace(&facts->tor.cookie, "/x'; rm -rf $HOME; '");
    facts->tor.is_cookie_open = DOCTOR_YES;
}
static void out_of_reach(struct doctor_facts *facts)
{
    facts->tor.service_reaches = DOCTOR_NO;
}
static void unread_cookie(struct doctor_facts *facts)
{
    facts->tor.service_reads = DOCTOR_NO;
}
static void no_account(struct doctor_facts *facts)
{
    facts->account.exists = DOCTOR_NO;
}
static void no_member(struct doctor_facts *facts)
{
    facts->account.is_member = DOCTOR_NO;
    facts->tor.service_reaches = DOCTOR_UNSEEN;
}
static void others_in_group(struct doctor_facts *facts)
{
    doctor_list_add(&facts->account.others, "alice");
    doctor_list_add(&facts->account.others, "bob");
}
static void program_in_group(struct doctor_facts *facts)
{
    doctor_list_add(&facts->account.programs, "onionshare (process 7)");
}
static void no_apparmor(struct doctor_facts *facts)
{
    facts->apparmor.is_on = DOCTOR_NO;
}
static void no_apparmor_for_labels(struct doctor_facts *facts)
{
    facts->apparmor.is_on = DOCTOR_NO;
    facts->policy.wants_labels = true;
}
static void not_loaded(struct doctor_facts *facts)
{
    facts->apparmor.is_loaded = DOCTOR_NO;
}
static void only_complains(struct doctor_facts *facts)
{
    replace(&facts->apparmor.mode, "complain");
}
static void runs_unconfined(struct doctor_facts *facts)
{
    replace(&facts->apparmor.label, "unconfined");
}
static void profile_unseen(struct doctor_facts *facts)
{
    facts->apparmor.is_loaded = DOCTOR_UNSEEN;
    replace(&facts->apparmor.label, NULL);
    replace(&facts->apparmor.mode, NULL);
}
static void kernel_only(struct doctor_facts *facts)
{
    facts->apparmor.kernel_labels = false;
    facts->policy.wants_kernel_labels = true;
}
static void unrestricted(struct doctor_facts *facts)
{
    facts->apparmor.is_restricted = DOCTOR_NO;
}
static void restriction_unseen(struct doctor_facts *facts)
{
    facts->apparmor.is_restricted = DOCTOR_UNSEEN;
}
static void open_directory(struct doctor_facts *facts)
{
    facts->sockets.is_dir_open = true;
}
static void foreign_directory(struct doctor_facts *facts)
{
    replace(&facts->sockets.dir_owner, "alice");
}
static void no_socket(struct doctor_facts *facts)
{
    facts->sockets.items[0].is_there = DOCTOR_NO;
}
static void no_socket_but_a_file(struct doctor_facts *facts)
{
    facts->sockets.items[0].is_socket = false;
}
static void wrong_mode(struct doctor_facts *facts)
{
    facts->sockets.items[0].mode = 0600;
}
static void wrong_owner(struct doctor_facts *facts)
{
    replace(&facts->sockets.items[0].owner, "root:root");
}
static void sockets_unseen(struct doctor_facts *facts)
{
    facts->sockets.items[0].is_there = DOCTOR_UNSEEN;
}
static void old_process(struct doctor_facts *facts)
{
    doctor_list_add(&facts->old.processes, "77 (python3)");
}
static void old_file(struct doctor_facts *facts)
{
    doctor_list_add(&facts->old.files, "/usr/local/lib/onion-grater");
}
static void old_folder(struct doctor_facts *facts)
{
    doctor_list_add(&facts->old.folders, "/etc/onion-grater-merger.d");
}
static void port_taken(struct doctor_facts *facts)
{
    add_port(facts, (struct doctor_port){.port = 951, .is_ours = true, .holder = text("x (process 3)")});
}
static void port_taken_by_tor(struct doctor_facts *facts)
{
    add_port(facts, (struct doctor_port){
                        .port = 9051, .is_ours = true, .is_tor = true, .holder = text("tor")});
}
static void port_of_a_stranger(struct doctor_facts *facts)
{
    add_port(facts, (struct doctor_port){.port = 9051});
}
static void ports_unseen(struct doctor_facts *facts)
{
    facts->ports.is_seen = DOCTOR_UNSEEN;
}

static const struct {
    void (*change)(struct doctor_facts *facts);
    enum doctor_level level;
    const char *topic;
    const char *text;   /* in it */
    const char *remedy; /* begins so; NULL: there is none */
} rows[] = {
    {no_daemon, DOCTOR_PROBLEM, "daemon", "not running", "systemctl start onion-grater"},
    {no_daemon_without_systemd, DOCTOR_PROBLEM, "daemon", "not running",
     "service onion-grater start"},
    {denied, DOCTOR_NOT_SEEN, "daemon", "may not ask", NULL},
    {hangs, DOCTOR_PROBLEM, "daemon", "it hangs", "systemctl restart onion-grater"},
    {old_version, DOCTOR_WARNING, "version", "0.0.9, and 0.1.0", "systemctl restart onion-grater"},
    {replaced, DOCTOR_WARNING, "version", "replaced", "systemctl restart onion-grater"},
    {failed_reload, DOCTOR_PROBLEM, "reload", "failed", "onion-graterctl reload"},
    {errors_mended, DOCTOR_PROBLEM, "reload", "2 errors", "onion-graterctl reload"},
    {complains, DOCTOR_WARNING, "complain-mode", "forwarded", "onion-graterctl status"},
    {limits, DOCTOR_WARNING, "limits", "sessions 3 times, line-length 1 time", "man 5"},
    {masked, DOCTOR_PROBLEM, "unit", "masked", "systemctl unmask onion-grater"},
    {no_unit, DOCTOR_WARNING, "unit", "not-found", NULL},
    {failed_unit, DOCTOR_PROBLEM, "unit", "failed", "journalctl"},
    {disabled_unit, DOCTOR_WARNING, "unit", "not started", "systemctl enable onion-grater"},
    {bad_profiles, DOCTOR_PROBLEM, "profiles", "/etc/x.yml:1:1",
     "onion-graterctl check --profiles /p"},
    {no_profiles, DOCTOR_WARNING, "profiles", "no profile", "ls "},
    {warned_profiles, DOCTOR_WARNING, "profiles", "1 warning", "onion-graterctl check"},
    {unreadable_profiles, DOCTOR_NOT_SEEN, "profiles", "may not read", NULL},
    {tor_stopped, DOCTOR_PROBLEM, "tor", "does not run", "systemctl start tor"},
    {tor_missing, DOCTOR_PROBLEM, "tor", "not installed", "apt-get install tor"},
    {tor_without_port, DOCTOR_PROBLEM, "tor", "no control port", "have \"ControlSocket "},
    {not_tor, DOCTOR_PROBLEM, "tor", "not answer as tor", NULL},
    {tor_unseen, DOCTOR_NOT_SEEN, "tor", "may not ask", NULL},
    {tor_refuses, DOCTOR_PROBLEM, "tor-login", "no way to log in", "journalctl"},
    {tor_open_port, DOCTOR_PROBLEM, "tor-open", "no authentication", "have \"Cookie"},
    {tor_password, DOCTOR_PROBLEM, "tor-login", "password", "have \"Cookie"},
    {open_cookie, DOCTOR_PROBLEM, "tor-open", "everybody may read",
     "chmod o= /run/tor/control.authcookie"},
    {hostile_cookie, DOCTOR_PROBLEM, "tor-open", "everybody may read",
     "chmod o= '/x'\\''; rm -rf $HOME; '\\'''"},
    {out_of_reach, DOCTOR_PROBLEM, "tor-reach", "may not connect",
     "usermod -aG debian-tor onion-grater"},
    {unread_cookie, DOCTOR_PROBLEM, "tor-cookie", "may not read", "have \"CookieAuthFileGroup"},
    {no_account, DOCTOR_PROBLEM, "account", "no user onion-grater", "systemd-sysusers"},
    {no_member, DOCTOR_PROBLEM, "group", "not in group", "usermod -aG debian-tor onion-grater"},
    {others_in_group, DOCTOR_WARNING, "group-others", "alice, bob",
     "gpasswd -d alice debian-tor; gpasswd -d bob debian-tor"},
    {program_in_group, DOCTOR_WARNING, "group-others", "onionshare (process 7)", "take "},
    {no_apparmor, DOCTOR_WARNING, "apparmor", "AppArmor is off", "apt-get install apparmor"},
    {no_apparmor_for_labels, DOCTOR_PROBLEM, "apparmor", "match nobody", "apt-get install apparmor"},
    {not_loaded, DOCTOR_WARNING, "apparmor-profile", "not loaded", "apparmor_parser -r "},
    {only_complains, DOCTOR_WARNING, "apparmor-profile", "only complains", "apt-get install apparmor-utils; aa-enforce "},
    {runs_unconfined, DOCTOR_WARNING, "apparmor-profile", "\"unconfined\"", "systemctl restart"},
    {profile_unseen, DOCTOR_NOT_SEEN, "apparmor-profile", "loaded", NULL},
    {kernel_only, DOCTOR_PROBLEM, "evidence", "match nobody", "have \"apparmor-evidence"},
    {unrestricted, DOCTOR_WARNING, "apparmor-restriction", "is off", "echo kernel.apparmor_"},
    {restriction_unseen, DOCTOR_NOT_SEEN, "apparmor-restriction", "whether", NULL},
    {open_directory, DOCTOR_PROBLEM, "runtime-dir", "may write", "chmod go-w /run/onion-grater"},
    {foreign_directory, DOCTOR_PROBLEM, "runtime-dir", "user alice", "chown onion-grater /run"},
    {no_socket, DOCTOR_PROBLEM, "socket", "is not there", "onion-graterctl reload"},
    {no_socket_but_a_file, DOCTOR_PROBLEM, "socket", "is no socket", "ls -l "},
    {wrong_mode, DOCTOR_WARNING, "socket", "0600 in place of 0666", "chmod 0666 "},
    {wrong_owner, DOCTOR_WARNING, "socket", "root:root", "chown onion-grater:onion-grater "},
    {sockets_unseen, DOCTOR_NOT_SEEN, "socket", "the sockets", NULL},
    {old_process, DOCTOR_PROBLEM, "old-process", "77 (python3)", "kill 77"},
    {old_file, DOCTOR_WARNING, "old-file", "/usr/local/lib", "rm -r /usr/local/lib/onion-grater"},
    {old_folder, DOCTOR_WARNING, "old-file", "not read any more", "mv /etc/onion-grater-merger.d"},
    {port_taken, DOCTOR_PROBLEM, "port", "951, at which", "have another listen-port"},
    {port_taken_by_tor, DOCTOR_PROBLEM, "port", "taken by tor", "have another listen-port"},
    {port_of_a_stranger, DOCTOR_WARNING, "port", "an unknown process listens at port 9051", "ss "},
    {ports_unseen, DOCTOR_NOT_SEEN, "port", "which processes", NULL},
};

/* The worst finding is the expected one, and the only one of its kind. */
static void expect_finding(size_t row, const struct doctor_findings *findings)
{
    size_t worse = 0, found = 0;

    for (size_t i = 0; i < findings->count; i++) {
        const struct doctor_finding *finding = &findings->items[i];
        worse += finding->level > rows[row].level;
        if (finding->level != rows[row].level || strcmp(finding->topic, rows[row].topic) != 0)
            continue;
        found++;
        cr_expect(strstr(finding->text, rows[row].text), "row %zu: %s", row, finding->text);
        cr_expect_eq(finding->remedy != NULL, rows[row].remedy != NULL, "row %zu", row);
        if (finding->remedy && rows[row].remedy)
            cr_expect(span_starts_with(span_from_string(finding->remedy),
                                       span_from_string(rows[row].remedy)),
                      "row %zu: %s", row, finding->remedy);
    }
    cr_expect_eq(found, 1, "row %zu: %zu of topic %s", row, found, rows[row].topic);
    cr_expect_eq(worse, 0, "row %zu", row);
}

Test(doctor, a_sound_machine)
{
    struct doctor_facts facts = sound_facts();
    struct doctor_findings findings;

    doctor_judge(&facts, &findings);
    for (size_t i = 0; i < findings.count; i++)
        cr_expect_eq(findings.items[i].level, DOCTOR_OK, "%s", findings.items[i].text);
    cr_expect_geq(findings.count, 12);
    doctor_findings_clear(&findings);
    doctor_facts_clear(&facts);
}

Test(doctor, each_thing_that_is_not_well)
{
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct doctor_facts facts = sound_facts();
        struct doctor_findings findings;
        rows[row].change(&facts);
        doctor_judge(&facts, &findings);
        expect_finding(row, &findings);
        doctor_findings_clear(&findings);
        doctor_facts_clear(&facts);
    }
}

/* What nothing is known of is not well. */
Test(doctor, nothing_seen)
{
    struct doctor_facts facts;
    struct doctor_findings findings;

    doctor_facts_init(&facts);
    doctor_judge(&facts, &findings);
    for (size_t i = 0; i < findings.count; i++)
        cr_expect(findings.items[i].level == DOCTOR_NOT_SEEN ||
                      strncmp(findings.items[i].topic, "apparmor", 8) == 0 ||
                      strcmp(findings.items[i].topic, "evidence") == 0,
                  "%s", findings.items[i].text);
    doctor_findings_clear(&findings);
    doctor_facts_clear(&facts);
}

Test(doctor, form)
{
    struct doctor_facts facts = sound_facts();
    struct doctor_findings findings;
    struct page page;
    struct buf out;

    no_daemon(&facts);
    others_in_group(&facts);
    doctor_judge(&facts, &findings);
    page_init(&page);
    doctor_write_text(&findings, 80, &page);
    char *shown = fixture_text(&page);
    cr_expect(span_starts_with(span_from_string(shown),
                               SPAN("PROBLEM        the daemon is not running\n"
                                    "               -> systemctl start onion-grater\n"
                                    "ok             systemd has the service as active, enabled\n")),
              "%s", shown);
    cr_expect(strstr(shown, "\n\n1 problem, 1 warning\n"), "%s", shown);
    free(shown);
    buf_init(&out, 65536);
    doctor_write_json(&findings, &out);
    cr_expect(span_starts_with(
        buf_span(&out),
        SPAN("{\"problems\":1,\"warnings\":1,\"not-seen\":0,\"findings\":[{\"level\":\"problem\","
             "\"topic\":\"daemon\",\"text\":\"the daemon is not running\",\"remedy\":\"systemctl "
             "start onion-grater\"},{\"level\":\"ok\",\"topic\":\"unit\",")));
    buf_clear(&out);
    doctor_findings_clear(&findings);
    doctor_facts_clear(&facts);
}

Test(shell_word, words)
{
    static const struct {
        const char *text, *word;
    } words[] = {
        {"/run/onion-grater/a_b.sock", "/run/onion-grater/a_b.sock"},
        {"onion-grater:debian-tor", "onion-grater:debian-tor"},
        {"", "''"},
        {"a b", "'a b'"},
        {"a'b", "'a'\\''b'"},
        {"$(x)`y`;\"\\", "'$(x)`y`;\"\\'"},
        {"-rf", "./'-rf'"},
        {"a\nb", "'a\nb'"},
        {"~root", "'~root'"},
        {"a=b", "'a=b'"},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char *word = shell_word(words[i].text);
        cr_expect_str_eq(word, words[i].word, "row %zu", i);
        free(word);
    }
}

/* --- tor's own word --- */

static const struct {
    const char *reply;
    bool is_tor, null, cookie, password;
    const char *version, *path;
} replies[] = {
    {"250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/run/a \\\"b\\\"\"\r\n"
     "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n",
     true, false, true, false, "0.4.9.11", "/run/a \"b\""},
    {"250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"x\" y\r\n250 OK\r\n", true,
     true, false, false, "x", NULL},
    {"250-PROTOCOLINFO 1\n250-AUTH METHODS=HASHEDPASSWORD\n250 OK\n", true, false, false, true, NULL,
     NULL},
    {"250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NEW,NULLS\r\n250 OK\r\n", true, false, false, false,
     NULL, NULL},
    {"514 Authentication required.\r\n", false, false, false, false, NULL, NULL},
    {"250-AUTH METHODS=NULL\r\n250 OK\r\n", false, false, false, false, NULL, NULL},
    {"HTTP/1.0 400 Bad\r\n\r\n", false, false, false, false, NULL, NULL},
    {"", false, false, false, false, NULL, NULL},
};

static bool is_same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

Test(protocolinfo, replies)
{
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        struct protocolinfo answer;
        cr_expect_eq(protocolinfo_read(span_from_string(replies[i].reply), &answer),
                     replies[i].is_tor, "row %zu", i);
        cr_expect_eq(answer.null, replies[i].null, "row %zu", i);
        cr_expect_eq(answer.cookie, replies[i].cookie, "row %zu", i);
        cr_expect_eq(answer.password, replies[i].password, "row %zu", i);
        cr_expect(is_same(answer.version, replies[i].version), "row %zu", i);
        cr_expect(is_same(answer.cookie_path, replies[i].path), "row %zu", i);
        free(answer.version);
        free(answer.cookie_path);
    }
}

Test(protocolinfo, complete)
{
    cr_expect_not(protocolinfo_is_complete(SPAN("")));
    cr_expect_not(protocolinfo_is_complete(SPAN("250-A\r\n250 OK")));
    cr_expect(protocolinfo_is_complete(SPAN("250-A\r\n250 OK\r\n")));
    cr_expect(protocolinfo_is_complete(SPAN("514 No\r\n")));
    cr_expect(protocolinfo_is_complete(SPAN("x\n")), "no reply, so there is nothing to wait for");
}
