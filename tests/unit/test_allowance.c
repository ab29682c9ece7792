/* What would allow a refused command, and what is said of it. */
#include "allowance.h"

#include "refusal_page.h"
#include "view_fixture.h"

#define WHO "complain: profile web, uid 1000, label none, exe none: "

static bool has_message(const struct allowance *allowance, const char *code)
{
    for (size_t i = 0; i < allowance->messages.count; i++)
        if (allowance->messages.items[i].code &&
            strcmp(allowance->messages.items[i].code, code) == 0)
            return true;
    return false;
}

static const struct {
    const char *complaint;
    const char *rules; /* NULL: nothing can allow it */
    bool is_granted;
    const char *code; /* of a message, or NULL */
} rows[] = {
    {WHO "GETINFO version",
     "  commands:\n    GETINFO:\n      # seen once: GETINFO version\n      - 'version'\n", true,
     NULL},
    {WHO "GETINFO address",
     "  # commands:\n    # GETINFO:\n      # seen once: GETINFO address. Left out: it tells the "
     "address of this machine\n      # - 'address'\n",
     false, NULL},
    {WHO "GETCONF SocksPort", "  confs:\n    # read once\n    SocksPort:\n", true, NULL},
    {WHO "GETINFO ns/id/(fingerprint)",
     "  commands:\n    GETINFO:\n      # seen once: GETINFO ns/id/(fingerprint); generalised: the relay\n"
     "      - 'ns/id/\\$?[0-9A-Fa-f]{40}(?:[~=][0-9A-Za-z]{1,19})?'\n",
     true, NULL},
    {WHO "HSFETCH (onion)",
     "  onions:\n    # seen once\n    fetch: true\n",
     true, "grants-command"},
    {WHO "FROBNICATE x", NULL, false, NULL},
    {"", NULL, false, NULL},
    {"no complaint", NULL, false, NULL},
};

Test(allowance, rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct allowance allowance;
        bool done = allowance_of_complaint(span_from_string(rows[i].complaint), &allowance);
        cr_expect_eq(done, rows[i].rules != NULL, "row %zu", i);
        if (done) {
            cr_expect(span_equals(buf_span(&allowance.rules), span_from_string(rows[i].rules)),
                      "row %zu:\n%.*s", i, (int)allowance.rules.len,
                      buf_span(&allowance.rules).data);
            cr_expect_eq(allowance.is_granted, rows[i].is_granted, "row %zu", i);
            cr_expect_eq(allowance.messages.errors, 0, "row %zu", i);
        }
        if (rows[i].code)
            cr_expect(has_message(&allowance, rows[i].code), "row %zu", i);
        allowance_clear(&allowance);
    }
}

/* --- the page --- */

static const char record[] =
    "{\"type\":\"refusal\",\"time_ms\":1,\"session\":7,\"profiles\":[\"web\"],\"uid\":1000,"
    "\"label\":\"a\\u001b\",\"executable\":null,\"rule\":null,\"reason\":\"no rule allows it\","
    "\"command\":\"SIGNAL NEWNYM\",\"complaint\":\"x\"}";

Test(refusal_page, what_to_add)
{
    struct allowance allowance;
    struct refusal refusal = {
        .record = span_from_string(record),
        .clock = "12:00:00",
        .allowance = &allowance,
        .profile = "web",
        .file = "/etc/onion-grater.d/web.yml",
        .shipped = "/usr/share/onion-grater/profiles/web.yml",
    };
    struct page page;

    cr_assert(allowance_of_complaint(SPAN(WHO "SIGNAL NEWNYM"), &allowance));
    page_init(&page);
    refusal_page_write(&refusal, &fixture_names, 80, &page);
    fixture_expect_page(
        &page,
        "refused        SIGNAL NEWNYM\n"
        "because        no rule allows it\n"
        "client         user alice, label a\\x1B, profile web; session 7\n"
        "when           12:00:00\n"
        "\n"
        "To allow it, add this to profile web in /etc/onion-grater.d/web.yml:\n"
        "\n"
        "  commands:\n"
        "    SIGNAL:\n"
        "      # seen once: SIGNAL NEWNYM\n"
        "      - 'NEWNYM'\n"
        "\n"
        "Whether the application should have it is yours to say. Then:\n"
        "  cp --remove-destination /usr/share/onion-grater/profiles/web.yml "
        "/etc/onion-grater.d/web.yml\n"
        "  editor /etc/onion-grater.d/web.yml\n"
        "  onion-graterctl check /etc/onion-grater.d/web.yml\n"
        "  onion-graterctl reload\n",
        "refusal");
    allowance_clear(&allowance);
}

/* What the rule would earn from check stands below it. */
Test(refusal_page, messages)
{
    struct allowance allowance;
    struct refusal refusal = {
        .record = span_from_string(record),
        .clock = "12:00:00",
        .allowance = &allowance,
        .file = "/etc/onion-grater.d/NAME.yml",
    };
    struct page page;

    cr_assert(allowance_of_complaint(SPAN(WHO "HSFETCH (onion)"), &allowance));
    page_init(&page);
    refusal_page_write(&refusal, &fixture_names, 0, &page);
    char *text = fixture_text(&page);
    cr_expect(strstr(text, "begin with this, as /etc/onion-grater.d/NAME.yml:\n\n# A draft by "),
              "%s", text);
    cr_expect(strstr(text, "\nWhat onion-graterctl check says of these lines:\nnote           "
                           "HSFETCH makes tor fetch any onion service's descriptor "
                           "[grants-command]\n"),
              "%s", text);
    cr_expect_not(strstr(text, "cp --remove"), "%s", text);
    free(text);
    allowance_clear(&allowance);
}

Test(refusal_page, nothing_can_allow_it)
{
    struct refusal refusal = {.record = span_from_string(record), .clock = "12:00:00"};
    struct page page;

    page_init(&page);
    refusal_page_write(&refusal, &fixture_names, 80, &page);
    char *text = fixture_text(&page);
    cr_expect(strstr(text, "\n\nNo rule of a profile can allow it.\n"));
    free(text);
}

Test(refusal_page, json)
{
    struct refusal refusal = {.record = span_from_string(record), .clock = "12:00:00"};
    struct buf out;

    buf_init(&out, 65536);
    refusal_page_write_json(NULL, &fixture_names, &out);
    cr_expect(span_equals(buf_span(&out),
                          SPAN("{\"refusal\":null,\"profile\":null,\"file\":null,\"shipped\":null,"
                               "\"granted\":false,\"rules\":null,\"draft\":null,\"messages\":[]}\n")));
    buf_reset(&out);
    refusal_page_write_json(&refusal, &fixture_names, &out);
    struct span line = span_first(buf_span(&out), out.len - 1);
    cr_expect(record_is_sound(line));
    cr_expect_eq(record_count(record_value(line, "refusal"), "session"), 7);
    cr_expect(record_equals(record_value(line, "refusal"), "user", "alice"));
    buf_clear(&out);
}
