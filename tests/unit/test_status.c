/* status and reload: the daemon's answer for people, and for programs. */
#include "status.h"

#include "reload.h"
#include "view_fixture.h"

#define DAEMON                                                                                     \
    "{\"type\":\"daemon\",\"version\":\"0.1.0\",\"pid\":123,\"uid\":0,\"started_ms\":1000000,"     \
    "\"age_ms\":7200000,\"complain\":\"off\",\"apparmor\":true,\"kernel_labels\":true,"           \
    "\"containment\":\"no_new_privs, Landlock, seccomp\"}"
#define TOR                                                                                        \
    "{\"type\":\"tor\",\"address\":\"unix:/run/tor/control\",\"state\":\"reachable\","            \
    "\"since_ms\":1000000,\"version\":\"0.4.9.11\",\"reason\":null}"
#define POLICY                                                                                     \
    "{\"type\":\"policy\",\"generation\":1,\"loaded_ms\":1000000,\"files\":1,\"profiles\":2,"     \
    "\"errors\":0,\"warnings\":0,\"failed\":false}"
#define SESSION_HEAD(number)                                                                       \
    "{\"type\":\"session\",\"number\":" number ",\"evidence\":\"kernel\",\"age_ms\":3000,"         \
    "\"allowed\":12,\"rewritten\":3,\"rejected\":1,\"events_passed\":70000,\"problems\":0,"       \
    "\"bytes_to_client\":123456,\"complain\":false,"

static void expect_status(const char *const *lines, unsigned width, const char *expected)
{
    const struct status_setup setup = {&fixture_names, "0.1.0", width};
    struct answer answer = fixture_answer(lines);
    struct page page;

    page_init(&page);
    status_write_text(&answer, &setup, &page);
    fixture_expect_page(&page, expected, "status");
    answer_clear(&answer);
}

Test(status, quiet)
{
    static const char *const lines[] = {DAEMON, TOR, POLICY, NULL};

    expect_status(lines, 80,
                  "onion-grater   version 0.1.0, process 123, user root, up 2h\n"
                  "tor            unix:/run/tor/control, reachable for 2h, version 0.4.9.11\n"
                  "profiles       2 profiles of 1 file, read 2h ago (generation 1); 0 errors, 0\n"
                  "               warnings\n"
                  "evidence       AppArmor is on; the kernel tells the labels of clients\n"
                  "containment    no_new_privs, Landlock, seccomp\n"
                  "limits\n"
                  "counted        nothing yet\n"
                  "\n"
                  "no sessions\n");
}

/* Names are as hostile as clients and files are: nothing of them reaches the terminal as it is. */
Test(status, sessions_in_80_columns)
{
    static const char *const lines[] = {
        DAEMON,
        TOR,
        POLICY,
        SESSION_HEAD("7") "\"profiles\":[\"onionshare\"],\"uid\":1000,\"pid\":4242,\"label\":"
                          "\"onionshare\",\"no_match\":null}",
        SESSION_HEAD("8") "\"profiles\":[],\"uid\":33,\"pid\":1234567,\"label\":\"a\\u001b[31mb\\n"
                          "\\u00e9\",\"no_match\":\"nobody lists \\u001b]0;x\\u0007\","
                          "\"label_doubt\":\"two readings differ\"}",
        SESSION_HEAD("9") "\"profiles\":[\"a\",\"b\\u009b1m\"],\"uid\":null,\"pid\":null,\"label\":"
                          "null,\"executable\":null,\"unit\":null,\"address\":\"10.0.0.2\","
                          "\"no_match\":null,\"label_doubt\":\"nobody asks\"}",
        SESSION_HEAD("10000") "\"profiles\":[\"web\"],\"uid\":0,\"pid\":77,\"label\":\"unconfined\","
                              "\"executable\":\"/usr/lib/a/long/path/to/a/program\",\"no_match\":"
                              "null}",
        "{\"type\":\"left-out\",\"count\":5}",
        NULL,
    };
    struct answer answer = fixture_answer(lines);
    const struct status_setup setup = {&fixture_names, "0.1.0", 80};
    struct page page;

    page_init(&page);
    status_write_text(&answer, &setup, &page);
    for (size_t i = 0; i < page.count; i++) {
        cr_expect_leq(strlen(page.lines[i].text), 80, "%s", page.lines[i].text);
        for (const char *c = page.lines[i].text; *c; c++)
            cr_expect(*c >= ' ' && *c <= '~', "%s", page.lines[i].text);
    }
    char *text = fixture_text(&page);
    const char *table = strstr(text, "   NO ");
    cr_assert(table, "%s", text);
    cr_expect_str_eq(
        table, "   NO PROFILE    USER      PID CLIENT      BY     AGE ALLOW REWR REF EVENT BYTES\n"
               "    7 onionshare alice    4242 onionshare  kernel  3s    12    3   1   70k  120K\n"
               "    8 -          33    1234567 a\\x1B[31mb~ kernel  3s    12    3   1   70k  120K\n"
               "    9 a,b\\x9B1m  -           - 10.0.0.2    kernel  3s    12    3   1   70k  120K\n"
               "10000 web        root       77 /usr/lib/a~ kernel  3s    12    3   1   70k  120K\n"
               "and 5 more sessions\n"
               "\n"
               "session 8      no profile matches: nobody lists \\x1B]0;x\\x07; its label is not\n"
               "               known: two readings differ\n");
    free(text);
    answer_clear(&answer);
}

Test(status, what_is_not_well)
{
    static const char *const lines[] = {
        "{\"type\":\"daemon\",\"version\":\"0.0.9\",\"pid\":1,\"uid\":7,\"started_ms\":0,"
        "\"age_ms\":1000,\"complain\":\"some\",\"apparmor\":false,\"containment\":\"off\"}",
        "{\"type\":\"tor\",\"address\":\"tcp:127.0.0.1:9051\",\"state\":\"unreachable\","
        "\"since_ms\":null,\"version\":null,\"reason\":\"Connection refused\"}",
        "{\"type\":\"policy\",\"generation\":2,\"loaded_ms\":0,\"files\":2,\"profiles\":2,"
        "\"errors\":1,\"warnings\":1,\"failed\":true}",
        "{\"type\":\"message\",\"severity\":\"error\",\"file\":\"/etc/b.yml\",\"line\":3,"
        "\"column\":5,\"text\":\"no such key\"}",
        "{\"type\":\"message\",\"severity\":\"warning\",\"file\":\"/etc/c.yml\",\"line\":0,"
        "\"column\":0,\"text\":\"empty\"}",
        "{\"type\":\"profile\",\"name\":\"a\",\"complain\":true,\"kept\":false}",
        "{\"type\":\"profile\",\"name\":\"b\",\"complain\":false,\"kept\":true}",
        "{\"type\":\"limit\",\"name\":\"sessions\",\"used\":1020,\"max\":1024,\"reached\":2}",
        "{\"type\":\"limit\",\"name\":\"all-buffers\",\"used\":1024,\"max\":67108864,\"reached\":0}",
        "{\"type\":\"limit\",\"name\":\"line-length\",\"used\":null,\"max\":9,\"reached\":1}",
        "{\"type\":\"listener\",\"address\":\"/run/a.sock\",\"profile\":\"a\",\"passed\":true}",
        "{\"type\":\"listener\",\"address\":\"/run/control.sock\",\"profile\":null}",
        "{\"type\":\"counter\",\"name\":\"bytes_from_tor\",\"value\":0}",
        "{\"type\":\"counter\",\"name\":\"bytes_to_tor\",\"value\":12345}",
        "{\"type\":\"something new\",\"x\":1}",
        NULL,
    };

    expect_status(lines, 0,
                  "onion-grater   version 0.0.9 (onion-graterctl is 0.1.0), process 1, user 7, up 1s\n"
                  "tor            tcp:127.0.0.1:9051, unreachable: Connection refused\n"
                  "profiles       2 profiles of 2 files, read 1s ago (generation 2); 1 error, "
                  "1 warning\n"
                  "               the last reload failed; the profiles from before it are in use\n"
                  "               /etc/b.yml:3:5: error: no such key\n"
                  "               /etc/c.yml: warning: empty\n"
                  "               b: the last good version of a file that has become bad is in use\n"
                  "complain mode  ON: what profiles refuse is forwarded, to clients of a\n"
                  "evidence       AppArmor is off, so no client has a label\n"
                  "containment    off\n"
                  "limits         sessions 1020 of 1024, all-buffers 1.0K of 64M\n"
                  "               reached so far: sessions 2 times, line-length 1 time\n"
                  "listening at   /run/a.sock for a, by the service manager\n"
                  "               /run/control.sock, shared\n"
                  "counted        bytes to tor 12k\n"
                  "\n"
                  "no sessions\n");
}

/* --- for programs --- */

static void expect_text(struct buf *out, const char *expected)
{
    buf_append_char(out, '\0');
    cr_expect_str_eq(buf_span(out).data, expected);
    buf_clear(out);
}

Test(status, json)
{
    static const char *const lines[] = {
        "{\"type\":\"daemon\",\"version\":\"0.1.0\",\"uid\":1000}",
        "{\"type\":\"message\",\"text\":\"\\u001b\"}",
        "{\"type\":\"profile\",\"name\":\"a\",\"more\":{\"x\":[1, 2]}}",
        "{\"type\":\"counter\",\"name\":\"a_b\",\"value\":3}",
        "{\"type\":\"counter\",\"name\":7,\"value\":3}",
        "{\"type\":\"session\",\"number\":1,\"uid\":1000,\"pid\":1}",
        "{\"type\":\"session\",\"number\":2,\"uid\":null}",
        "{\"type\":\"session\",\"number\":3,\"uid\":1000,\"user\":\"x\"}",
        "{\"type\":\"something new\"}",
        NULL,
    };
    struct answer answer = fixture_answer(lines);
    struct buf out;

    buf_init(&out, 65536);
    status_write_json(&answer, &fixture_names, &out);
    cr_expect(record_is_sound(span_first(buf_span(&out), out.len - 1)));
    expect_text(&out,
                "{\"daemon\":{\"version\":\"0.1.0\",\"uid\":1000,\"user\":\"alice\"},\"tor\":null,"
                "\"policy\":null,\"messages\":[{\"text\":\"\\u001b\"}],\"profiles\":[{\"name\":\"a\","
                "\"more\":{\"x\":[1, 2]}}],\"listeners\":[],\"limits\":[],\"counters\":{\"a_b\":3},"
                "\"sessions\":[{\"number\":1,\"uid\":1000,\"user\":\"alice\",\"pid\":1},"
                "{\"number\":2,\"uid\":null,\"user\":null},{\"number\":3,\"uid\":1000,\"user\":"
                "\"x\"}],\"left-out\":0}\n");
    answer_clear(&answer);
}

/* --- reload --- */

static const char *const reloaded[] = {
    "{\"type\":\"message\",\"severity\":\"error\",\"file\":\"/etc/b.yml\",\"line\":3,\"column\":5,"
    "\"text\":\"no such key\"}",
    "{\"type\":\"change\",\"what\":\"altered\",\"profile\":\"b\"}",
    "{\"type\":\"change\",\"what\":\"added\",\"profile\":\"a\"}",
    "{\"type\":\"change\",\"what\":\"added\",\"profile\":\"c\\n\"}",
    "{\"type\":\"reloaded\",\"ok\":true,\"generation\":4,\"profiles\":14,\"files\":1,\"errors\":1,"
    "\"sockets\":5,\"sessions_closed\":1}",
    NULL,
};

Test(reload, text)
{
    struct answer answer = fixture_answer(reloaded);
    struct page page;

    page_init(&page);
    reload_write_text(&answer, 80, &page);
    fixture_expect_page(&page,
                        "/etc/b.yml:3:5: error: no such key\n"
                        "added          a, c\\x0A\n"
                        "altered        b\n"
                        "reloaded: 14 profiles of 1 file, 1 error, 5 sockets, 1 session closed\n",
                        "reload");
    cr_expect_not(reload_is_good(&answer));
    answer_clear(&answer);
}

Test(reload, verdicts)
{
    static const struct {
        const char *line;
        bool is_good;
    } rows[] = {
        {"{\"type\":\"reloaded\",\"ok\":true,\"errors\":0}", true},
        {"{\"type\":\"reloaded\",\"ok\":true,\"errors\":1}", false},
        {"{\"type\":\"reloaded\",\"ok\":false,\"errors\":0}", false},
        {"{\"type\":\"other\"}", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const lines[] = {rows[i].line, NULL};
        struct answer answer = fixture_answer(lines);
        cr_expect_eq(reload_is_good(&answer), rows[i].is_good, "row %zu", i);
        answer_clear(&answer);
    }
}

Test(reload, json)
{
    struct answer answer = fixture_answer(reloaded);
    struct buf out;

    buf_init(&out, 65536);
    reload_write_json(&answer, &out);
    expect_text(&out, "{\"reloaded\":{\"ok\":true,\"generation\":4,\"profiles\":14,\"files\":1,"
                      "\"errors\":1,\"sockets\":5,\"sessions_closed\":1},\"messages\":[{\"severity\":"
                      "\"error\",\"file\":\"/etc/b.yml\",\"line\":3,\"column\":5,\"text\":\"no such "
                      "key\"}],\"changes\":[{\"what\":\"altered\",\"profile\":\"b\"},{\"what\":"
                      "\"added\",\"profile\":\"a\"},{\"what\":\"added\",\"profile\":\"c\\n\"}]}\n");
    answer_clear(&answer);
}
