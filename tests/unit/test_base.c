/* The ground floor: bytes with a maximum, numbers, hexadecimal text, HMAC. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "ascii.h"
#include "buf.h"
#include "hex.h"
#include "hmac.h"
#include "mem.h"
#include "path.h"
#include "span.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

static bool holds(const struct buf *buf, const char *text)
{
    return span_equals(buf_span(buf), span_from_string(text));
}

Test(buf, starts_empty_and_allocates_nothing)
{
    struct buf buf;

    buf_init(&buf, 10);
    cr_expect_null(buf.data);
    cr_expect(holds(&buf, ""));
    cr_expect_not_null(buf_span(&buf).data);
    buf_clear(&buf);
    buf_wipe(&buf);
    cr_expect_eq(buf.max, 10);
}

Test(buf, the_maximum_is_exact_and_overflow_sticks)
{
    struct buf buf;

    buf_init(&buf, 4);
    cr_expect(buf_append_string(&buf, "abc"));
    cr_expect_not(buf_append_string(&buf, "de"), "one byte over");
    cr_expect(holds(&buf, "abc"), "a refused append stores nothing");
    cr_expect(buf_append_char(&buf, 'd'), "the last byte fits");
    cr_expect(buf.overflow, "and overflow stays");
    cr_expect_not(buf_printf(&buf, "%d", 1));
    cr_expect(holds(&buf, "abcd"));
    buf_consume(&buf, 4);
    cr_expect(buf.overflow, "consuming does not hide it");
    buf_reset(&buf);
    cr_expect_not(buf.overflow);
    cr_expect(buf_append_string(&buf, "wxyz"));
    buf_clear(&buf);
    buf_init(&buf, 0);
    cr_expect_not(buf_append_char(&buf, 'x'));
    cr_expect(buf_append(&buf, span_make(NULL, 0)));
    cr_expect_null(buf.data);
}

Test(buf, consume_and_truncate_take_at_most_what_is_there)
{
    struct buf buf;

    buf_init(&buf, 100);
    buf_append_string(&buf, "0123456789");
    buf_consume(&buf, 3);
    cr_expect(holds(&buf, "3456789"));
    buf_truncate(&buf, 2);
    cr_expect(holds(&buf, "34"));
    buf_truncate(&buf, 5);
    cr_expect(holds(&buf, "34"));
    buf_append_string(&buf, "x");
    cr_expect(holds(&buf, "34x"));
    buf_consume(&buf, 99);
    cr_expect(holds(&buf, ""));
    buf_clear(&buf);
}

/* What was taken back or read may have been a secret: it is part of what a wipe covers. */
Test(buf, knows_which_storage_was_ever_written)
{
    struct buf buf;
    char block[600] = {0};

    buf_init(&buf, 10000);
    cr_expect_eq(buf.used, 0);
    buf_append_string(&buf, "0123456789");
    cr_expect_eq(buf.used, 10);
    buf_truncate(&buf, 2);
    buf_append_string(&buf, "xy");
    cr_expect_eq(buf.used, 10, "after truncating: %zu", buf.used);
    buf_consume(&buf, 1);
    buf_append(&buf, span_make(block, 20));
    cr_expect_eq(buf.used, 24, "after consuming: %zu", buf.used);
    buf_consume(&buf, 23);
    buf_append_string(&buf, "z");
    cr_expect_eq(buf.used, 24, "after the buffer ran empty: %zu", buf.used);
    buf_append(&buf, span_make(block, 250));
    buf_consume(&buf, 200);
    size_t used = buf.used;
    buf_append(&buf, span_make(block, 150));
    cr_expect_geq(buf.used, used, "after moving to the front: %zu", buf.used);
    buf_append(&buf, span_make(block, sizeof block));
    cr_expect_eq(buf.used, buf.start + buf.len, "in new storage: %zu", buf.used);
    buf_clear(&buf);
    buf_append(&buf, span_make(block, 250));
    buf_consume(&buf, 100);
    buf_append(&buf, span_make(block, 10));
    cr_expect_eq(buf.used, 160, "in new storage for less than the old one: %zu", buf.used);
    buf_wipe(&buf);
    cr_expect_eq(buf.used, 0);
}

/* A queue in all sizes against plain arithmetic: byte i of the stream is (char)(i * 7). */
Test(buf, works_as_a_queue)
{
    struct buf buf;
    size_t written = 0, read = 0;
    unsigned seed = 1;

    buf_init(&buf, 5000);
    for (size_t round = 0; round < 20000; round++) {
        char bytes[700];
        seed = seed * 1103515245u + 12345u;
        size_t len = (seed >> 16) % sizeof bytes, keep = (seed >> 8) % 3000;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)((written + i) * 7);
        bool fits = len <= 5000 - (written - read);
        cr_assert_eq(buf_append(&buf, span_make(bytes, len)), fits, "round %zu", round);
        written += fits ? len : 0;
        cr_assert_eq(buf.len, written - read, "round %zu", round);
        cr_assert(buf.used >= buf.start + buf.len && buf.used <= buf.cap, "round %zu", round);
        size_t drop = buf.len > keep ? buf.len - keep : 0;
        for (size_t i = 0; i < buf.len; i += 97)
            cr_assert_eq(buf_span(&buf).data[i], (char)((read + i) * 7), "round %zu", round);
        buf_consume(&buf, drop);
        read += drop;
        cr_assert_leq(buf.cap, 4 * 5000, "round %zu: storage must not creep", round);
    }
    buf_clear(&buf);
}

Test(buf, big_storage_is_given_back_small_is_kept)
{
    struct buf buf;
    char block[4000] = {0};

    buf_init(&buf, 100000);
    buf_append(&buf, span_make(block, sizeof block));
    buf_consume(&buf, sizeof block);
    cr_expect_null(buf.data);
    buf_append(&buf, span_make(block, 10));
    buf_reset(&buf);
    cr_expect_not_null(buf.data);
    cr_expect_eq(buf.len, 0);
    buf_clear(&buf);
}

struct escape_row {
    const char *text;
    size_t len, limit;
    const char *expected;
};

/* A long queue that is nearly empty takes no more than a short one, and has lost nothing. */
Test(buf, what_is_not_in_use_is_given_back)
{
    static const size_t fills[] = {40000, 100000, 1000000, 5000000};

    for (size_t i = 0; i < sizeof fills / sizeof *fills; i++) {
        struct buf buf;
        buf_init(&buf, 1 << 24);
        for (size_t j = 0; j < fills[i]; j++)
            buf_append_char(&buf, (char)('a' + j % 26));
        size_t left = fills[i];
        for (size_t step = 7919; left > step; left -= step) {
            buf_consume(&buf, step);
            cr_assert(buf.cap <= 32768 || buf.cap <= 8 * buf.len + step * 8, "row %zu: %zu for %zu",
                      i, buf.cap, buf.len);
            cr_assert_eq(buf_span(&buf).data[0], (char)('a' + (fills[i] - left + step) % 26));
        }
        cr_expect_eq(buf.len, left, "row %zu", i);
        for (size_t j = 0; j < 1000; j++)
            buf_append_char(&buf, 'x');
        cr_expect_eq(buf_span(&buf).data[left - 1], (char)('a' + (fills[i] - 1) % 26), "row %zu", i);
        cr_expect_leq(buf.used, buf.cap, "row %zu", i);
        buf_clear(&buf);
    }
}

Test(buf, escapes_for_people)
{
    static const struct escape_row rows[] = {
        {"", 0, 0, ""},
        {"GETINFO version", 15, 0, "GETINFO version"},
        {"a\\b", 3, 0, "a\\\\b"},
        {"a\r\nb", 4, 0, "a\\x0D\\x0Ab"},
        {"\0\x1b[31m", 6, 0, "\\x00\\x1B[31m"},
        {"\x7f\x80\xff", 3, 0, "\\x7F\\x80\\xFF"},
        {"abcdef", 6, 3, "abc..."},
        {"abc", 3, 3, "abc"},
        {"\xc2\xa0", 2, 1, "\\xC2..."},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf buf;
        buf_init(&buf, 100);
        cr_expect(buf_append_escaped(&buf, span_make(rows[i].text, rows[i].len), rows[i].limit));
        cr_expect(holds(&buf, rows[i].expected), "row %zu: got %.*s", i, (int)buf.len, buf.data);
        buf_clear(&buf);
    }
}

Test(buf, escaping_into_a_full_buffer_says_so)
{
    struct buf buf;

    buf_init(&buf, 3);
    cr_expect_not(buf_append_escaped(&buf, SPAN("\x01"), 0));
    cr_expect(holds(&buf, ""));
    buf_clear(&buf);
}

struct number_row {
    const char *text;
    unsigned long max;
    bool good;
    unsigned long number;
};

Test(span, numbers)
{
    static const struct number_row rows[] = {
        {"0", 0, true, 0},
        {"1", 0, false, 0},
        {"9", 9, true, 9},
        {"9", 8, false, 0},
        {"65535", 65535, true, 65535},
        {"65536", 65535, false, 0},
        {"0080", 65535, true, 80},
        {"", 10, false, 0},
        {"+1", 10, false, 0},
        {"-1", 10, false, 0},
        {" 1", 10, false, 0},
        {"1 ", 10, false, 0},
        {"0x1", 10, false, 0},
        {"1\xb2", 1000, false, 0},
        {"9999999999999999999", -1ul, true, 9999999999999999999ul},
        {"18446744073709551616", -1ul, false, 0},
        {"00000000000000000001", -1ul, false, 0},
        {"9999999999999999999", 9999999999999999998ul, false, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned long number = 0;
        bool good = span_to_number(span_from_string(rows[i].text), rows[i].max, &number);
        cr_expect_eq(good, rows[i].good, "row %zu: %s", i, rows[i].text);
        cr_expect_eq(number, rows[i].number, "row %zu: %s is %lu", i, rows[i].text, number);
    }
}

Test(span, cuts_stay_inside)
{
    struct span text = SPAN("abc"), none = span_make(NULL, 0);

    cr_expect(span_equals(span_from(text, 1), SPAN("bc")));
    cr_expect_eq(span_from(text, 3).len, 0);
    cr_expect_eq(span_from(text, 4).len, 0);
    cr_expect(span_equals(span_first(text, 2), SPAN("ab")));
    cr_expect(span_equals(span_first(text, 9), text));
    cr_expect_eq(span_find(text, 'c'), 2);
    cr_expect_eq(span_find(text, 'x'), 3);
    cr_expect_eq(span_find(none, 'x'), 0);
    cr_expect(span_equals(none, SPAN("")));
    cr_expect(span_starts_with(text, SPAN("ab")));
    cr_expect(span_starts_with(text, none));
    cr_expect_not(span_starts_with(SPAN("a"), SPAN("ab")));
    cr_expect_eq(span_from_string(NULL).len, 0);
}

struct case_row {
    const char *a, *b;
    bool same;
};

Test(span, case_is_ascii_only)
{
    static const struct case_row rows[] = {
        {"GetInfo", "gEtiNFO", true},      {"a", "b", false},
        {"a", "aa", false},                {"", "", true},
        {"\xc4", "\xe4", false},           {"@", "`", false},
        {"[", "{", false},                 {"\xc5\xbfIGNAL", "SIGNAL", false},
        {"\xc5\xbfIGNAL", "\xc5\xbfignal", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        cr_expect_eq(span_equals_nocase(span_from_string(rows[i].a), span_from_string(rows[i].b)),
                     rows[i].same, "row %zu: %s, %s", i, rows[i].a, rows[i].b);
}

Test(ascii, every_byte)
{
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        cr_expect_eq(ascii_is_printable(c), i >= 32 && i <= 126, "byte %d", i);
        cr_expect_eq(ascii_is_digit(c), i >= 48 && i <= 57, "byte %d", i);
        bool is_upper = i >= 65 && i <= 90, is_lower = i >= 97 && i <= 122;
        cr_expect_eq(ascii_is_alpha(c), is_upper || is_lower, "byte %d", i);
        cr_expect_eq(ascii_to_lower(c), (char)(is_upper ? i + 32 : i), "byte %d", i);
        cr_expect_eq(ascii_to_upper(c), (char)(is_lower ? i - 32 : i), "byte %d", i);
        cr_expect_eq(hex_digit(c) >= 0, (i >= 48 && i <= 57) || (i >= 65 && i <= 70) ||
                                            (i >= 97 && i <= 102), "byte %d", i);
    }
}

struct hex_row {
    const char *text;
    size_t len;
    bool good;
};

Test(hex, decodes_exactly)
{
    static const struct hex_row rows[] = {
        {"00ffAbcD", 4, true}, {"00ffAbcD", 3, false}, {"00ffAbcD", 5, false}, {"", 0, true},
        {"0", 1, false},       {"0g", 1, false},       {"g0", 1, false},       {" 0", 1, false},
        {"0x", 1, false},      {"\xff\xff", 1, false},
    };
    static const uint8_t expected[4] = {0x00, 0xff, 0xab, 0xcd};

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t bytes[8] = {0};
        bool good = hex_decode(span_from_string(rows[i].text), bytes, rows[i].len);
        cr_expect_eq(good, rows[i].good, "row %zu: %s", i, rows[i].text);
        if (good)
            cr_expect_eq(memcmp(bytes, expected, rows[i].len), 0, "row %zu: %s", i, rows[i].text);
    }
}

Test(hex, every_byte_comes_back)
{
    uint8_t bytes[256], back[256];
    struct buf text;

    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    buf_init(&text, 512);
    cr_assert(hex_append(&text, bytes, sizeof bytes));
    cr_expect(span_equals(span_first(span_from(buf_span(&text), 20), 14), SPAN("0A0B0C0D0E0F10")));
    cr_assert(hex_decode(buf_span(&text), back, sizeof back));
    cr_expect_eq(memcmp(bytes, back, sizeof bytes), 0);
    cr_expect_not(hex_append(&text, bytes, 1), "full");
    buf_clear(&text);
}

/* RFC 4231, test cases 1 to 4, 6 and 7. Repeated bytes are written as {byte, count}. */
struct hmac_row {
    char key_byte;
    size_t key_len;
    const char *key; /* if key_len is 0 */
    char data_byte;
    size_t data_len;
    const char *data; /* if data_len is 0 */
    const char *digest;
};

#define RFC_KEY_4 "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13" \
                  "\x14\x15\x16\x17\x18\x19"

Test(hmac, rfc_4231)
{
    static const struct hmac_row rows[] = {
        {0x0b, 20, NULL, 0, 0, "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {0, 0, "Jefe", 0, 0, "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {(char)0xaa, 20, NULL, (char)0xdd, 50, NULL,
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {0, 0, RFC_KEY_4, (char)0xcd, 50, NULL,
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {(char)0xaa, 131, NULL, 0, 0, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {(char)0xaa, 131, NULL, 0, 0,
         "This is a test using a larger than block-size key and a larger than block-size data. "
         "The key needs to be hashed before being used by the HMAC algorithm.",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char key_bytes[131], data_bytes[50];
        memset(key_bytes, rows[i].key_byte, sizeof key_bytes);
        memset(data_bytes, rows[i].data_byte, sizeof data_bytes);
        struct span key = rows[i].key_len ? span_make(key_bytes, rows[i].key_len)
                                          : span_from_string(rows[i].key);
        struct span data = rows[i].data_len ? span_make(data_bytes, rows[i].data_len)
                                            : span_from_string(rows[i].data);
        uint8_t expected[HMAC_SIZE], digest[HMAC_SIZE];
        cr_assert(hex_decode(span_from_string(rows[i].digest), expected, HMAC_SIZE));
        for (size_t cut = 0; cut <= data.len; cut++) {
            struct span parts[3] = {span_first(data, cut), span_make(NULL, 0),
                                    span_from(data, cut)};
            hmac_sha256(key, parts, 3, digest);
            cr_expect(hmac_equals(digest, expected), "row %zu, cut at %zu", i, cut);
        }
        hmac_sha256(key, &data, 1, digest);
        cr_expect(hmac_equals(digest, expected), "row %zu", i);
    }
}

Test(hmac, equality_looks_at_every_byte)
{
    uint8_t a[HMAC_SIZE] = {0};

    for (size_t i = 0; i < HMAC_SIZE; i++) {
        uint8_t b[HMAC_SIZE] = {0};
        b[i] = 1;
        cr_expect_not(hmac_equals(a, b), "byte %zu", i);
    }
    cr_expect(hmac_equals(a, a));
}

Test(mem, strings)
{
    char *text = mem_printf("%s:%d", "socket", 7);
    char *copy = mem_copy_string(SPAN("abc"));
    char *none = mem_copy_string(span_make(NULL, 0));

    cr_expect_str_eq(text, "socket:7");
    cr_expect_str_eq(copy, "abc");
    cr_expect_str_eq(none, "");
    mem_wipe(copy, 3);
    cr_expect_eq(memcmp(copy, "\0\0\0", 3), 0);
    mem_wipe(NULL, 0);
    free(text);
    free(copy);
    free(none);
}

Test(mem, arrays)
{
    int *array = mem_zalloc(3, sizeof *array);

    for (int i = 0; i < 3; i++)
        cr_expect_eq(array[i], 0);
    array[2] = 5;
    array = mem_resize(array, 1000, sizeof *array);
    cr_expect_eq(array[2], 5);
    array = mem_resize(array, 0, sizeof *array);
    free(array);
    free(mem_zalloc(0, 0));
}

Test(base, path_in_normal_form)
{
    static const struct {
        struct span path;
        bool is_normal;
    } rows[] = {
        {SPAN("/a"), true},         {SPAN("/run/tor/control"), true}, {SPAN("/a.b/..c/d."), true},
        {SPAN("/a b"), true},       {SPAN(""), false},                {SPAN("/"), false},
        {SPAN("a/b"), false},       {SPAN("//a"), false},             {SPAN("/a//b"), false},
        {SPAN("/a/"), false},       {SPAN("/./a"), false},            {SPAN("/a/."), false},
        {SPAN("/a/../b"), false},   {SPAN("/.."), false},             {SPAN("./a"), false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(path_is_normal(rows[i].path), rows[i].is_normal, "row %zu", i);
}
