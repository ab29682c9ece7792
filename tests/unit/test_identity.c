/* Labels as the kernel writes them, and as nobody should take them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "identity.h"
#include "mem.h"

struct label_row {
    const char *text;
    size_t len;
    enum identity_label state;
    const char *label;
};

#define TEXT(literal) literal, sizeof(literal) - 1
#define CONFINED(text, label)                \
    {                                        \
        TEXT(text), IDENTITY_CONFINED, label \
    }
#define UNCONFINED(text)                      \
    {                                         \
        TEXT(text), IDENTITY_UNCONFINED, NULL \
    }
#define UNKNOWN(text)                            \
    {                                            \
        TEXT(text), IDENTITY_LABEL_UNKNOWN, NULL \
    }

static const struct label_row rows[] = {
    /* what kernels write, from SO_PEERSEC without and from /proc with a newline */
    UNCONFINED("unconfined"),
    UNCONFINED("unconfined\n"),
    CONFINED("lt-enf (enforce)", "lt-enf"),
    CONFINED("lt-enf (enforce)\n", "lt-enf"),
    CONFINED("lt-cmp (complain)", "lt-cmp"),
    CONFINED("lt-kill (kill)", "lt-kill"),
    CONFINED("lt-user (user)", "lt-user"),
    CONFINED("lt-prompt (prompt)\n", "lt-prompt"),
    CONFINED("/run/t/lt-hat (enforce)", "/run/t/lt-hat"),
    CONFINED("/run/t/lt-hat//kid (enforce)", "/run/t/lt-hat//kid"),
    CONFINED("lt sp (enforce)", "lt sp"),
    CONFINED("lt-enf//&lt-two (enforce)", "lt-enf//&lt-two"),
    CONFINED("lt-cmp//&lt-enf (mixed)\n", "lt-cmp//&lt-enf"),
    CONFINED("lt-enf//&unconfined (enforce)", "lt-enf//&unconfined"),
    CONFINED(":ns1:lt-enf (enforce)", ":ns1:lt-enf"),
    CONFINED(":ns1://lt-enf (enforce)\n", ":ns1://lt-enf"),
    /* a profile with flags=(unconfined): a name, not the state */
    CONFINED("chrome (unconfined)", "chrome"),
    CONFINED("chrome (unconfined)\n", "chrome"),
    /* names with special characters are kept byte by byte */
    CONFINED("/usr/{s,}bin/a*[b]? (enforce)", "/usr/{s,}bin/a*[b]?"),
    CONFINED("* (enforce)", "*"),
    CONFINED("a\"b'c\\d (complain)", "a\"b'c\\d"),
    CONFINED("\xc3\xa4pp\xff (enforce)", "\xc3\xa4pp\xff"),
    CONFINED(" a  (enforce)", " a "),
    CONFINED("a) (enforce)", "a)"),
    CONFINED("a ( (enforce)", "a ("),
    CONFINED("a() (enforce)", "a()"),
    /* only the last mode is one */
    CONFINED("x (enforce) (complain)", "x (enforce)"),
    CONFINED("x (enforce) (enforce)\n", "x (enforce)"),
    CONFINED("x (nonsense) (kill)", "x (nonsense)"),
    CONFINED(" (enforce) (enforce)", " (enforce)"),
    CONFINED("unconfined (enforce) (complain)", "unconfined (enforce)"),
    CONFINED("Unconfined (enforce)", "Unconfined"),
    CONFINED("unconfined2 (enforce)", "unconfined2"),
    CONFINED("unconfined//&a (enforce)", "unconfined//&a"),
    CONFINED(":ns1:unconfined (enforce)", ":ns1:unconfined"),
    /* a profile of that name would pass for the state */
    UNKNOWN("unconfined (enforce)"),
    UNKNOWN("unconfined (complain)\n"),
    UNKNOWN("unconfined (unconfined)"),
    /* nothing there */
    UNKNOWN(""),
    UNKNOWN("\n"),
    UNKNOWN("\0"),
    UNKNOWN("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    UNKNOWN(" (enforce)"),
    UNKNOWN("(enforce)"),
    UNKNOWN(" ()"),
    UNKNOWN("()"),
    UNKNOWN(")"),
    UNKNOWN(" ("),
    UNKNOWN(" "),
    /* no mode, or none that is known */
    UNKNOWN("lt-enf"),
    UNKNOWN("lt-enf\n"),
    UNKNOWN(":ns1:unconfined"),
    UNKNOWN("unconfined//&unconfined"),
    UNKNOWN("---"),
    UNKNOWN("a (enforced)"),
    UNKNOWN("a (enforc)"),
    UNKNOWN("a (Enforce)"),
    UNKNOWN("a (ENFORCE)"),
    UNKNOWN("a ()"),
    UNKNOWN("a (-)"),
    UNKNOWN("a ( enforce)"),
    UNKNOWN("a (enforce )"),
    UNKNOWN("a(enforce)"),
    UNKNOWN("a (enforce) "),
    UNKNOWN("a (enforce"),
    UNKNOWN("a (enforce) (nonsense)"),
    UNKNOWN("a (enforce) x"),
    UNKNOWN("a (enforce))"),
    UNKNOWN("a ((enforce)"),
    UNKNOWN("a (complain, enforce)"),
    UNKNOWN("unconfined "),
    UNKNOWN(" unconfined"),
    UNKNOWN("unconfine"),
    UNKNOWN("UNCONFINED"),
    /* control characters, of which only one newline at the end is the kernel's */
    UNKNOWN("unconfined\n\n"),
    UNKNOWN("\nunconfined"),
    UNKNOWN("unconfined\0"),
    UNKNOWN("unconfined\r\n"),
    UNKNOWN("a (enforce)\n\n"),
    UNKNOWN("a (enforce)\0"),
    UNKNOWN("a (enforce)\0\n"),
    UNKNOWN("a (enforce)\nb (enforce)"),
    UNKNOWN("a\nb (enforce)"),
    UNKNOWN("a\0b (enforce)"),
    UNKNOWN("\0a (enforce)"),
    UNKNOWN("a\t(enforce)"),
    UNKNOWN("a\tb (enforce)"),
    UNKNOWN("a\x1b[2J (enforce)"),
    UNKNOWN("a\x7f (enforce)"),
    UNKNOWN("a (enf\0rce)"),
};

/* Expects what the row says, also behind the end of the text nothing is read. */
static void check_row(size_t i, struct identity *identity)
{
    const struct label_row *row = &rows[i];
    char *text = mem_zalloc(row->len ? row->len : 1, 1);

    memcpy(text, row->text, row->len);
    identity_set_label(identity, text, row->len, EVIDENCE_PROC);
    free(text);
    cr_expect_eq(identity->label_state, row->state, "row %zu '%s': state %d", i, row->text,
                 (int)identity->label_state);
    if (row->label && identity->label)
        cr_expect_str_eq(identity->label, row->label, "row %zu: '%s'", i, identity->label);
    else
        cr_expect(!row->label && !identity->label, "row %zu '%s': a label", i, row->text);
    bool is_known = row->state != IDENTITY_LABEL_UNKNOWN;
    cr_expect_eq(identity->label_doubt == NULL, is_known, "row %zu '%s': doubt", i, row->text);
    cr_expect_eq(identity->label_evidence, is_known ? EVIDENCE_PROC : EVIDENCE_NONE,
                 "row %zu '%s': evidence %d", i, row->text, (int)identity->label_evidence);
}

Test(identity, labels)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct identity identity = {0};
        check_row(i, &identity);
        identity_clear(&identity);
    }
}

Test(identity, a_later_label_replaces_the_earlier_one)
{
    struct identity identity = {0};
    size_t count = sizeof rows / sizeof *rows;

    for (size_t i = 0; i < count; i++) {
        identity_set_label(&identity, TEXT("before (enforce)"), EVIDENCE_KERNEL);
        cr_assert_str_eq(identity.label, "before");
        check_row(i, &identity);
    }
    for (size_t i = count; i-- > 0;)
        check_row(i, &identity);
    identity_clear(&identity);
}

Test(identity, every_cut_of_a_label_is_unknown)
{
    static const char text[] = "/usr/bin/a b//&unconfined (enforce)";
    struct identity identity = {0};

    for (size_t len = 0; len < sizeof text - 1; len++) {
        identity_set_label(&identity, text, len, EVIDENCE_KERNEL);
        cr_expect_eq(identity.label_state, IDENTITY_LABEL_UNKNOWN, "%zu bytes of it", len);
        cr_expect_null(identity.label, "%zu bytes of it", len);
    }
    identity_clear(&identity);
}

Test(identity, every_byte_in_a_name)
{
    struct identity identity = {0};

    for (unsigned byte = 0; byte < 256; byte++) {
        char text[] = "a? (enforce)";
        text[1] = (char)byte;
        bool is_control = byte < 0x20 || byte == 0x7f;
        identity_set_label(&identity, text, sizeof text - 1, EVIDENCE_KERNEL);
        cr_expect_eq(identity.label_state, is_control ? IDENTITY_LABEL_UNKNOWN : IDENTITY_CONFINED,
                     "byte 0x%02x", byte);
        if (!is_control)
            cr_expect(identity.label[0] == 'a' && identity.label[1] == (char)byte &&
                          identity.label[2] == '\0',
                      "byte 0x%02x", byte);
    }
    identity_clear(&identity);
}

/* The longest that /proc gives is a page; a stack of namespaces could be longer than any of them.
 */
Test(identity, long_names_are_kept_whole)
{
    static const size_t lengths[] = {1, 255, 256, 4085, 4095, 4096, 65536, 1000000};

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct identity identity = {0};
        size_t len = lengths[i] + strlen(" (enforce)");
        char *text = mem_zalloc(len, 1);
        memset(text, 'n', lengths[i]);
        text[lengths[i] / 2] = ' ';
        memcpy(text + lengths[i], " (enforce)", len - lengths[i]);
        identity_set_label(&identity, text, len, EVIDENCE_KERNEL);
        cr_expect_eq(identity.label_state, IDENTITY_CONFINED, "length %zu", lengths[i]);
        cr_expect_eq(strlen(identity.label), lengths[i], "length %zu", lengths[i]);
        cr_expect_eq(memcmp(identity.label, text, lengths[i]), 0, "length %zu", lengths[i]);
        identity_clear(&identity);
        free(text);
    }
}

Test(identity, evidence_is_kept_as_given)
{
    static const enum identity_evidence kinds[] = {EVIDENCE_HOLDERS, EVIDENCE_PROC,
                                                   EVIDENCE_KERNEL};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct identity identity = {0};
        identity_set_label(&identity, TEXT("a (enforce)"), kinds[i]);
        cr_expect_eq(identity.label_evidence, kinds[i], "row %zu", i);
        identity_set_label(&identity, TEXT("unconfined"), kinds[i]);
        cr_expect_eq(identity.label_evidence, kinds[i], "row %zu", i);
        identity_clear(&identity);
    }
}

Test(identity, clear_leaves_nothing)
{
    static const struct identity nothing;
    struct identity identity = {
        .transport = IDENTITY_TCP_REMOTE,
        .has_credentials = true,
        .uid = 1,
        .has_groups = true,
        .groups = mem_zalloc(2, sizeof(gid_t)),
        .group_count = 2,
        .executable = mem_copy_string(SPAN("/usr/bin/app")),
        .unit = mem_copy_string(SPAN("app.service")),
        .is_tor = true,
        .port = 1,
    };

    identity_set_label(&identity, TEXT("a (enforce)"), EVIDENCE_KERNEL);
    for (int i = 0; i < 2; i++) {
        identity_clear(&identity);
        cr_expect(!identity.groups && !identity.label && !identity.executable && !identity.unit);
        cr_expect(!identity.has_credentials && !identity.has_groups && !identity.is_tor);
        cr_expect_eq(identity.transport, nothing.transport);
        cr_expect_eq(identity.label_state, IDENTITY_LABEL_UNKNOWN);
        cr_expect_eq(identity.label_evidence, EVIDENCE_NONE);
        cr_expect_eq(identity.group_count, 0);
    }
}

Test(identity, evidence_in_words)
{
    cr_expect_str_eq(identity_evidence_text(EVIDENCE_KERNEL), "kernel");
    cr_expect_str_eq(identity_evidence_text(EVIDENCE_PROC), "proc");
    cr_expect_str_eq(identity_evidence_text(EVIDENCE_HOLDERS), "holders");
    cr_expect_str_eq(identity_evidence_text(EVIDENCE_NONE), "no");
}

Test(identity, where_its_streams_come_from)
{
    static const struct {
        struct identity identity;
        bool has_source;
        const char *same; /* NULL: no stream is its own */
    } sources[] = {
        {{.transport = IDENTITY_TCP_REMOTE, .address = {10, 0, 0, 5}, .port = 7}, true,
         "10.0.0.5:1"},
        {{.transport = IDENTITY_TCP_REMOTE, .is_ipv6 = true,
          .address = {0xfd, 0x97, [15] = 2}}, true, "fd97::2:1"},
        {{.transport = IDENTITY_TCP_REMOTE, .is_ipv6 = true,
          .address = {0xfe, 0x80, [15] = 2}}, true, NULL},
        {{.transport = IDENTITY_TCP_REMOTE, .is_ipv6 = true,
          .address = {0xfe, 0xbf, [15] = 2}}, true, NULL},
        {{.transport = IDENTITY_TCP_REMOTE, .is_ipv6 = true,
          .address = {0xfe, 0xc0, [15] = 2}}, true, "fec0::2:1"},
        {{.transport = IDENTITY_TCP_REMOTE, .address = {0xfe, 0x80, 0, 2}}, true, "254.128.0.2:1"},
        {{.transport = IDENTITY_TCP_LOCAL, .address = {10, 0, 0, 5}}, false, NULL},
        {{.transport = IDENTITY_UNIX}, false, NULL},
    };

    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        struct stream_source source, same;
        cr_expect_eq(identity_stream_source(&sources[i].identity, &source), sources[i].has_source,
                     "row %zu", i);
        cr_expect_eq(source.is_known, sources[i].same != NULL, "row %zu", i);
        if (!sources[i].same)
            continue;
        cr_assert(stream_source_parse(span_from_string(sources[i].same), &same), "row %zu", i);
        cr_expect(stream_source_equals(&source, &same), "row %zu", i);
    }
}
