/* key=value lists: as tor cuts them, not as they look (control-protocol 1.4, 7.2 to 7.4). */
#include <criterion/criterion.h>

#include "buf.h"
#include "kvline.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* "key=value" joined by "|", "key" if there is no value, "key:value" if it is quoted; "!" if the
 * text is malformed. */
static void list(enum keyword_grammar grammar, struct span text, struct buf *out)
{
    struct kv_pair pair;
    enum kv_result result;

    while ((result = kv_next(grammar, &text, &pair)) == KV_PAIR) {
        buf_append_string(out, out->len ? "|" : "");
        buf_append(out, pair.key);
        if (pair.has_value)
            buf_append_char(out, pair.is_quoted ? ':' : '=');
        buf_append(out, pair.value);
        size_t len = pair.key.len + pair.value.len + (pair.has_value ? 1 : 0);
        cr_expect_eq(pair.text.data, pair.key.data);
        cr_expect_eq(pair.text.len, len);
    }
    if (result == KV_MALFORMED) {
        buf_reset(out);
        buf_append_char(out, '!');
    }
}

struct row {
    const char *text;
    const char *kv, *flags, *quoted;
};

static void check(size_t i, enum keyword_grammar grammar, struct span text, const char *expected)
{
    struct buf out;

    buf_init(&out, 200);
    list(grammar, text, &out);
    cr_expect(span_equals(buf_span(&out), span_from_string(expected)),
              "row %zu, grammar %d: %.*s gave %.*s, not %s", i, (int)grammar, (int)text.len,
              text.data, (int)out.len, buf_span(&out).data, expected);
    buf_clear(&out);
}

Test(kvline, pairs)
{
    static const struct row rows[] = {
        {"", "", "", ""},
        {"   ", "", "", ""},
        {"A=1", "A=1", "A=1", "A=1"},
        {"  A=1   B=2  ", "A=1|B=2", "A=1|B=2", "A=1|B=2"},
        {"A=", "A=", "A=", "A="},
        {"A= B=", "A=|B=", "A=|B=", "A=|B="},
        {"A", "!", "A", "A"},
        {"A B=1", "!", "A|B=1", "A|B=1"},
        {"B=1 A", "!", "B=1|A", "B=1|A"},
        {"A=b=c==", "A=b=c==", "A=b=c==", "A=b=c=="},
        {"=1", "!", "!", "!"},
        {"A=1 =", "!", "!", "!"},
        {"A = x", "!", "!", "!"},
        {"Port=80,unix:/a,b", "Port=80,unix:/a,b", "Port=80,unix:/a,b", "Port=80,unix:/a,b"},
        /* 7.3: no separator is needed behind a closing quote */
        {"A=\"1\"B=2", "!", "!", "A:\"1\"|B=2"},
        {"A=\"0\"B=1 C=2", "!", "!", "A:\"0\"|B=1|C=2"},
        {"A=\"1\"B", "!", "!", "A:\"1\"|B"},
        {"A=\"1\"\"", "!", "!", "!"},
        {"A=\"1\"=2", "!", "!", "!"},
        {"A=\"1\"B=\"2\"C=\"3\"", "!", "!", "A:\"1\"|B:\"2\"|C:\"3\""},
        /* 7.4: a quote elsewhere belongs to the value */
        {"A=x\" B=y\"", "!", "!", "A=x\"|B=y\""},
        {"A=0\" B=1 C=x\"", "!", "!", "A=0\"|B=1|C=x\""},
        {"A='1 B=2'", "!", "!", "A='1|B=2'"},
        {"A=\\\"x y", "!", "!", "A=\\\"x|y"},
        /* quoted values */
        {"A=\"x y=z\"", "!", "!", "A:\"x y=z\""},
        {"A=\"\"", "!", "!", "A:\"\""},
        {"A=\"\\\"\" B=1", "!", "!", "A:\"\\\"\"|B=1"},
        {"A=\"\\\\\" B=1", "!", "!", "A:\"\\\\\"|B=1"},
        {"A=\"x", "!", "!", "!"},
        {"A=\"x\\\"", "!", "!", "!"},
        {"A=\"\\q\"", "!", "!", "!"},
        {"A=\"\\0\"", "!", "!", "!"},
        {"A= \"x\"", "!", "!", "!"},
        {"\"A=1\"", "!", "!", "!"},
        {"\"A\"=1", "!", "!", "!"},
        /* quotes in keys */
        {"A\"=1", "!", "!", "!"},
        {"A'=1", "!", "!", "!"},
        {"A'", "!", "!", "!"},
        {"A=x'", "!", "!", "A=x'"},
        /* what is not printable ASCII never gets here, and is refused if it does */
        {"A=1\tB=2", "!", "!", "!"},
        {"A=0\rB=1", "!", "!", "!"},
        {"A=0\x0b""B=1", "!", "!", "!"},
        {"A=\xc2\xa0", "!", "!", "!"},
        {"A=\"\x01\"", "!", "!", "!"},
        {"A\x7f=1", "!", "!", "!"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct span text = span_from_string(rows[i].text);
        check(i, GRAMMAR_KV, text, rows[i].kv);
        check(i, GRAMMAR_KV_FLAGS, text, rows[i].flags);
        check(i, GRAMMAR_QUOTED, text, rows[i].quoted);
    }
    check(COUNT(rows), GRAMMAR_QUOTED, SPAN("A=1\0B=2"), "!");
}

Test(kvline, a_long_line_without_spaces_is_read_in_one_pass)
{
    static char text[200000];
    size_t len = 0, count = 0;
    struct kv_pair pair;

    while (len + 5 <= sizeof text) {
        memcpy(text + len, "A=\"1\"", 5);
        len += 5;
    }
    struct span rest = span_make(text, len);
    while (kv_next(GRAMMAR_QUOTED, &rest, &pair) == KV_PAIR)
        count++;
    cr_expect_eq(count, len / 5);
    cr_expect_eq(rest.len, 0);
}
