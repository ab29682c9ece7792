/* Lines of complain mode in whatever stands around them. */
#include "complaint.h"

#include <criterion/criterion.h>

static const struct {
    const char *line;
    const char *fields; /* "PROFILE|UID|LABEL|EXE|COMMAND"; NULL: not one, or broken */
} rows[] = {
    {"complain: profile demo, uid 1000, label app, exe /usr/bin/app: GETINFO version",
     "demo|1000|app|/usr/bin/app|GETINFO version"},
    {"Nov 21 05:26:01 host onion-grater[7]: session 3 (profile demo, uid 0): complain: profile "
     "demo, uid 0, label none, exe none: SIGNAL NEWNYM",
     "demo|0|||SIGNAL NEWNYM"},
    {"<4>session 3 (no profile matches, uid 5): complain: profile none, uid 5, label unconfined, "
     "exe /bin/sh: X",
     "|5|unconfined!|/bin/sh|X"},
    {"complain: profile none, uid none, label none, exe none: X", "|-|||X"},
    {"complain: profile \"a, uid 1, b\", uid 2, label \"x: y\", exe \"/a b/\\\"c\\\\\": X: Y",
     "a, uid 1, b|2|x: y|/a b/\"c\\|X: Y"},
    {"complain: profile \"none\", uid 2, label \"unconfined\", exe \"none\": X",
     "none|2|unconfined|none|X"},
    {"complain: profile a, uid 2, label b//&c, exe none: X", "a|2|b//&c||X"},
    /* cut off, or something else */
    {"", NULL},
    {"complain mode is on", NULL},
    {"complain: profile ", NULL},
    {"complain: profile demo", NULL},
    {"complain: profile demo, uid 1000, label app, exe /usr/bin/app: ", NULL},
    {"complain: profile demo, uid 1000, label app, exe /usr/bin/app", NULL},
    {"complain: profile demo, uid x, label app, exe y: X", NULL},
    {"complain: profile demo, uid -1, label app, exe y: X", NULL},
    {"complain: profile , uid 1, label app, exe y: X", NULL},
    {"complain: profile \"demo, uid 1, label app, exe y: X", NULL},
    {"complain: profile \"a\"b, uid 1, label app, exe y: X", NULL},
    {"complain: profile demo, uid 99999999999999999999999, label app, exe y: X", NULL},
};

static void expect_fields(struct span line, const char *fields, size_t row)
{
    struct complaint complaint;
    struct buf storage, out;

    buf_init(&storage, 4096);
    buf_init(&out, 4096);
    bool is_one = complaint_parse(line, &storage, &complaint);
    cr_expect_eq(is_one, fields != NULL, "row %zu", row);
    if (is_one && fields) {
        cr_expect(complaint_is_in(line), "row %zu", row);
        buf_append(&out, complaint.profile);
        if (complaint.has_uid)
            buf_printf(&out, "|%lu|", complaint.uid);
        else
            buf_append_string(&out, "|-|");
        buf_append(&out, complaint.label);
        buf_append_string(&out, complaint.is_unconfined ? "!|" : "|");
        buf_append(&out, complaint.executable);
        buf_append_char(&out, '|');
        buf_append(&out, complaint.command);
        cr_expect(span_equals(buf_span(&out), span_from_string(fields)), "row %zu: %.*s", row,
                  (int)out.len, buf_span(&out).data);
    }
    buf_clear(&storage);
    buf_clear(&out);
}

Test(complaint, rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_fields(span_from_string(rows[i].line), rows[i].fields, i);
}

/* Cut anywhere, a line is none, or the same but for the end of its command. */
Test(complaint, cuts)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct span line = span_from_string(rows[i].line);
        struct complaint whole, cut;
        struct buf storage, other;
        buf_init(&storage, 4096);
        buf_init(&other, 4096);
        bool is_one = complaint_parse(line, &storage, &whole);
        for (size_t len = 0; len < line.len; len++) {
            if (!complaint_parse(span_first(line, len), &other, &cut))
                continue;
            cr_expect(is_one && span_equals(cut.label, whole.label) && cut.uid == whole.uid &&
                          span_starts_with(whole.command, cut.command),
                      "row %zu, cut %zu", i, len);
        }
        buf_clear(&storage);
        buf_clear(&other);
    }
}

Test(complaint, storage_too_small)
{
    struct complaint complaint;
    struct buf storage;

    buf_init(&storage, 16);
    cr_expect_not(complaint_parse(span_from_string(rows[0].line), &storage, &complaint));
    buf_clear(&storage);
}
