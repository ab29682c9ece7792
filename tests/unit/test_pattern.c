/* Patterns: what matches, what is refused, and what a limit does. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "mem.h"
#include "pattern.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct pattern *compile(const char *text)
{
    struct buf error;
    size_t column = 0;

    buf_init(&error, 4096);
    struct pattern *pattern = pattern_compile(text, &column, &error);
    buf_append_char(&error, '\0');
    cr_expect(pattern, "'%s' at %zu: %s", text, column, buf_span(&error).data);
    buf_clear(&error);
    return pattern;
}

static const struct {
    const char *pattern;
    const char *subject;
    enum pattern_result result;
} match_rows[] = {
    {"", "", PATTERN_MATCH},
    {"", "a", PATTERN_NO_MATCH},
    {"version", "version", PATTERN_MATCH},
    {"version", "version ", PATTERN_NO_MATCH},
    {"version", " version", PATTERN_NO_MATCH},
    {"version", "VERSION", PATTERN_NO_MATCH},
    /* Anchored as a group. */
    {"a|b", "a", PATTERN_MATCH},
    {"a|b", "b", PATTERN_MATCH},
    {"a|b", "ab", PATTERN_NO_MATCH},
    {"a|b", "ax", PATTERN_NO_MATCH},
    {"a|b", "xb", PATTERN_NO_MATCH},
    {"a|ab", "ab", PATTERN_MATCH},
    {"^a$|^b$", "b", PATTERN_MATCH},
    {"a$|b.*", "a b", PATTERN_NO_MATCH},
    {"a*?", "aaa", PATTERN_MATCH},
    {"(?>a|ab)", "ab", PATTERN_NO_MATCH},
    {"a++b", "aaab", PATTERN_MATCH},
    /* A line break is never hidden behind the end. */
    {"a", "a\n", PATTERN_NO_MATCH},
    {"a$", "a\n", PATTERN_NO_MATCH},
    {"a$\\n", "a\n", PATTERN_NO_MATCH},
    {"a\\Z", "a\n", PATTERN_NO_MATCH},
    {".*", "a\nb", PATTERN_NO_MATCH},
    {".*", "any text", PATTERN_MATCH},
    /* Bytes, not characters. */
    {".", "\xc3\xa4", PATTERN_NO_MATCH},
    {"..", "\xc3\xa4", PATTERN_MATCH},
    {"\\w+", "\xe4", PATTERN_NO_MATCH},
    {"\\xe4", "\xe4", PATTERN_MATCH},
    /* Groups, look-around, references. */
    {"(a)\\1", "aa", PATTERN_MATCH},
    {"(a)\\1", "ab", PATTERN_NO_MATCH},
    {"(?P<x>a+)-(?P=x)", "aa-aa", PATTERN_MATCH},
    {"(?P<x>a+)-(?P=x)", "aa-a", PATTERN_NO_MATCH},
    {"(?=.*b)[ab]+", "aab", PATTERN_MATCH},
    {"(?!b)[ab]+", "ba", PATTERN_NO_MATCH},
    {"a(?<=a)b(?<!c)", "ab", PATTERN_MATCH},
    {"(a)?(?(1)b|c)", "c", PATTERN_MATCH},
    {"(?#a comment with [ and \\K)a", "a", PATTERN_MATCH},
    /* Classes. */
    {"[]a]+", "]a", PATTERN_MATCH},
    {"[^]a]", "]", PATTERN_NO_MATCH},
    {"[[:alpha:]]+", "abc", PATTERN_MATCH},
    {"[[:^digit:]]", "1", PATTERN_NO_MATCH},
    {"[a[]+", "[a", PATTERN_MATCH},
    {"[(*{,1}?|]+", "(*{,1}?|", PATTERN_MATCH},
    {"[\\]\\d]+", "]1", PATTERN_MATCH},
    /* Counts. */
    {"a{2}", "aa", PATTERN_MATCH},
    {"a{2,}", "a", PATTERN_NO_MATCH},
    {"a{0,2}", "aaa", PATTERN_NO_MATCH},
    {"a{b}", "a{b}", PATTERN_MATCH},
    {"a{}", "a{}", PATTERN_MATCH},
    {"a\\{,1\\}", "a{,1}", PATTERN_MATCH},
    /* Written for the existing implementations. */
    {"\\d+ ", "17 ", PATTERN_MATCH},
    {"\\d+ ", "17", PATTERN_NO_MATCH},
    {"250-status/bootstrap-phase=*", "250-status/bootstrap-phase===", PATTERN_MATCH},
    {"250-status/bootstrap-phase=*", "250-status/bootstrap-phase=NOTICE", PATTERN_NO_MATCH},
    {"\\S+( SERVER=\\S+)*", "abc SERVER=x SERVER=y", PATTERN_MATCH},
    {"ns/id/[a-fA-F0-9]+", "ns/id/0aF", PATTERN_MATCH},
    {"ip-to-country/\\d+\\.\\d+\\.\\d+\\.\\d+", "ip-to-country/1.2.3.4", PATTERN_MATCH},
    {"ip-to-country/\\d+\\.\\d+\\.\\d+\\.\\d+", "ip-to-country/1.2.3.4 address", PATTERN_NO_MATCH},
    {"NEW:ED25519-V3 Flags=V3Auth Port=1,1 ClientAuthV3=[0-9A-Z]+$",
     "NEW:ED25519-V3 Flags=V3Auth Port=1,1 ClientAuthV3=ABC234", PATTERN_MATCH},
};

Test(pattern, matches_the_complete_subject)
{
    for (size_t i = 0; i < COUNT(match_rows); i++) {
        struct pattern *pattern = compile(match_rows[i].pattern);
        if (!pattern)
            continue;
        struct span subject = span_from_string(match_rows[i].subject);
        cr_expect_eq(pattern_match(pattern, subject, NULL), match_rows[i].result,
                     "row %zu: %s on %s", i, match_rows[i].pattern, match_rows[i].subject);
        cr_expect_str_eq(pattern_text(pattern), match_rows[i].pattern, "row %zu", i);
        pattern_free(pattern);
    }
}

static const char onion_pattern[] =
    "(?:NEW\\:ED25519-V3|ED25519-V3\\:(?:[A-Za-z0-9+\\/]{4})*(?:[A-Za-z0-9+\\/]{2}==|"
    "[A-Za-z0-9+\\/]{3}=)?)(?:| Flags\\=V3Auth) Port\\=80,176([0-4][0-9]|50)"
    "(?:| ClientAuthV3=[0-9A-Z]+)$";

static const struct {
    const char *subject;
    enum pattern_result result;
} onion_rows[] = {
    {"NEW:ED25519-V3 Port=80,17600", PATTERN_MATCH},
    {"NEW:ED25519-V3 Flags=V3Auth Port=80,17650 ClientAuthV3=AB12", PATTERN_MATCH},
    {"ED25519-V3:YWJjZGVmZw== Port=80,17649", PATTERN_MATCH},
    {"ED25519-V3:YWJjZGVmZ2g= Port=80,17649", PATTERN_MATCH},
    {"NEW:ED25519-V3 Port=80,17651", PATTERN_NO_MATCH},
    {"NEW:ED25519-V3 Port=80,17600 Port=80,22", PATTERN_NO_MATCH},
    {"NEW:ED25519-V3 Port=80,17600 ClientAuthV3=ab", PATTERN_NO_MATCH},
    {"NEW:BEST Port=80,17600", PATTERN_NO_MATCH},
};

Test(pattern, onion_service_rule_of_existing_profiles)
{
    struct pattern *pattern = compile(onion_pattern);

    cr_assert(pattern);
    for (size_t i = 0; i < COUNT(onion_rows); i++)
        cr_expect_eq(pattern_match(pattern, span_from_string(onion_rows[i].subject), NULL),
                     onion_rows[i].result, "row %zu", i);
    pattern_free(pattern);
}

static const struct {
    const char *pattern;
    size_t column;      /* 0: any */
    const char *reason; /* a part of it */
} refused_rows[] = {
    {"a{,3}", 1, "{0,n}"},
    {"a{,}", 1, "{0,n}"},
    {"a{ 1 }", 1, "{0,n}"},
    {"a{1, 2}", 1, "{0,n}"},
    {"a{1,2,3}", 1, "{0,n}"},
    {"\\N{DIGIT ONE}", 0, "\\N"},
    {"ab\\Kc", 2, "\\K"},
    {"\\Ga", 0, "\\G"},
    {"\\R", 0, "\\R"},
    {"\\X", 0, "\\X"},
    {"\\C", 0, "\\C"},
    {"[\\h]", 1, "\\h"},
    {"\\H", 0, "\\H"},
    {"\\v", 0, "\\v"},
    {"\\V", 0, "\\V"},
    {"\\Qa.b\\E", 0, "\\Q"},
    {"[\\Q]\\E]", 1, "\\Q"},
    {"a\\E", 1, "\\E"},
    {"(a)\\g1", 3, "\\g"},
    {"(a)\\g{1}", 3, "\\g"},
    {"(?P<a>x)\\k<a>", 8, "\\k"},
    {"\\u0041", 0, "not taken"},
    {"\\cA", 0, "not taken"},
    {"\\pL", 0, "not taken"},
    {"\\x4", 0, "two hexadecimal digits"},
    {"\\x{41}", 0, "two hexadecimal digits"},
    {"\\10", 0, "several digits"},
    {"a\\", 1, "backslash"},
    {"(*UTF)a", 0, "(*"},
    {"a(*ACCEPT)b", 1, "(*"},
    {"a(*pla:b)", 1, "(*"},
    {"(?|(a)|(b))", 0, "(?|"},
    {"a(?R)?", 1, "call itself"},
    {"(a)(?1)", 3, "call itself"},
    {"(a)(?-1)", 3, "call itself"},
    {"(?+1)(a)", 0, "call itself"},
    {"(?P<a>x)(?P>a)", 8, "call itself"},
    {"(?P<a>x)(?&a)", 8, "call itself"},
    {"a(?C1)", 1, "callouts"},
    {"(?i)a", 0, "case-sensitive"},
    {"a(?i:b)", 1, "case-sensitive"},
    {"a(?-i)b", 1, "case-sensitive"},
    {"(?^)b", 0, "case-sensitive"},
    {"(?x) a", 0, "case-sensitive"},
    {"(?s).", 0, "case-sensitive"},
    {"[[:<:]]a", 0, "\\b"},
    /* A class must not hide what stands behind it. */
    {"[[:alpha:][]a(?i)", 13, "case-sensitive"},
    {"[]](?i)", 3, "case-sensitive"},
    {"[^]](?i)", 4, "case-sensitive"},
    {"[\\]](?i)", 4, "case-sensitive"},
    {"(?#[)(?i)", 5, "case-sensitive"},
    {"a\nb", 1, "printable ASCII"},
    {"\xc3\xa4", 0, "printable ASCII"},
    /* PCRE2's own messages; where exactly it stops differs between its versions. */
    {"(a", 0, "parenthesis"},
    {"a)", 0, "parenthesis"},
    {"*a", 0, "quantifier"},
    {"[a", 0, "]"},
    {"[z-a]", 0, "range"},
    {"a{3,2}", 0, "out of order"},
    {"\\1", 0, "non-existent"},
    {"[[:nothing:]]", 0, "POSIX"},
};

Test(pattern, refuses_with_place_and_reason)
{
    for (size_t i = 0; i < COUNT(refused_rows); i++) {
        struct buf error;
        size_t column = 999;
        buf_init(&error, 4096);
        struct pattern *pattern = pattern_compile(refused_rows[i].pattern, &column, &error);
        buf_append_char(&error, '\0');
        const char *reason = buf_span(&error).data;
        cr_expect_null(pattern, "row %zu: %s", i, refused_rows[i].pattern);
        cr_expect(strstr(reason, refused_rows[i].reason), "row %zu: %s: %s", i,
                  refused_rows[i].pattern, reason);
        if (refused_rows[i].column || column > strlen(refused_rows[i].pattern))
            cr_expect_eq(column, refused_rows[i].column, "row %zu: %s: column %zu", i,
                         refused_rows[i].pattern, column);
        pattern_free(pattern);
        buf_clear(&error);
    }
}

static bool compiles(const char *text)
{
    struct buf error;
    size_t column = 0;

    buf_init(&error, 4096);
    struct pattern *pattern = pattern_compile(text, &column, &error);
    bool is_silent = error.len == 0;
    bool done = pattern != NULL;
    pattern_free(pattern);
    buf_clear(&error);
    cr_expect_eq(is_silent, done, "a message exactly where there is an error");
    return done;
}

static char *repeat(const char *piece, size_t count)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    for (size_t i = 0; i < count; i++)
        buf_append_string(&text, piece);
    char *copy = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return copy;
}

static const struct {
    const char *before;
    const char *piece;
    const char *after;
    size_t most; /* as often as it may stand there */
} size_rows[] = {
    {"", "(a)", "", PATTERN_MAX_CAPTURES},
    {"", "a", "", 16384},
};

Test(pattern, sizes_are_bounded)
{
    for (size_t i = 0; i < COUNT(size_rows); i++) {
        char *fits = repeat(size_rows[i].piece, size_rows[i].most);
        char *too_long = repeat(size_rows[i].piece, size_rows[i].most + 1);
        cr_expect(compiles(fits), "row %zu", i);
        cr_expect_not(compiles(too_long), "row %zu", i);
        free(fits);
        free(too_long);
    }
}

Test(pattern, nesting_and_compiled_size_are_bounded)
{
    char *open = repeat("(?:", 1000);
    char *close = repeat(")", 1000);
    char *nested = mem_printf("%sa%s", open, close);

    cr_expect_not(compiles(nested));
    cr_expect_not(compiles("(?:(?:(?:a{900}){900}){900}){900}"));
    free(open);
    free(close);
    free(nested);
}

Test(pattern, captures)
{
    struct pattern *pattern = compile("(a)(b)?(c*)(?:d)(?P<e>e)");
    struct captures captures;

    cr_assert(pattern);
    cr_expect_eq(pattern_capture_count(pattern), 4);
    cr_assert_eq(pattern_match(pattern, SPAN("ade"), &captures), PATTERN_MATCH);
    cr_expect_eq(captures.count, 4);
    cr_expect(span_equals(captures.groups[0], SPAN("a")));
    cr_expect_eq(captures.groups[1].len, 0);
    cr_expect_eq(captures.groups[2].len, 0);
    cr_expect(span_equals(captures.groups[3], SPAN("e")));
    pattern_free(pattern);
}

Test(pattern, groups_at_the_end_that_took_no_part_are_empty)
{
    struct pattern *pattern = compile("(a)|(b)|(c)");
    struct captures captures;

    memset(&captures, 0x5a, sizeof captures);
    cr_assert(pattern);
    cr_assert_eq(pattern_match(pattern, SPAN("a"), &captures), PATTERN_MATCH);
    cr_expect_eq(captures.count, 3);
    cr_expect_eq(captures.groups[1].len, 0);
    cr_expect_eq(captures.groups[2].len, 0);
    pattern_free(pattern);
}

Test(pattern, subject_is_bytes_with_a_length)
{
    struct pattern *pattern = compile("a.b");

    cr_assert(pattern);
    cr_expect_eq(pattern_match(pattern, span_make("a\0b", 3), NULL), PATTERN_MATCH);
    cr_expect_eq(pattern_match(pattern, span_make("a\0bc", 4), NULL), PATTERN_NO_MATCH);
    cr_expect_eq(pattern_match(pattern, span_make(NULL, 0), NULL), PATTERN_NO_MATCH);
    pattern_free(pattern);
}

static const char *const slow_rows[] = {
    "(a+)+b", "(?:a|a)*b", "(a*)*b", "(?:a?){40}a{40}b", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)b",
};

/* Each would take longer than the universe lasts; the limit answers within a moment, and never by
 * "no match", which would let a line of tor's pass unchanged. */
Test(pattern, limit_is_a_result_of_its_own, .timeout = 60)
{
    char *subject = repeat("a", 4000);

    for (size_t i = 0; i < COUNT(slow_rows); i++) {
        char *text = mem_printf("(?:%s|x)c", slow_rows[i]);
        struct pattern *pattern = compile(text);
        cr_assert(pattern, "row %zu", i);
        struct span span = span_from_string(subject);
        enum pattern_result result = pattern_match(pattern, span, NULL);
        /* PCRE2 may see without trying that the letter at the end is missing. */
        if (result == PATTERN_NO_MATCH) {
            char *with_end = mem_printf("%sbxc", subject);
            result = pattern_match(pattern, span_from_string(with_end), NULL);
            free(with_end);
        }
        cr_expect_eq(result, PATTERN_LIMIT, "row %zu: %s", i, slow_rows[i]);
        /* The pattern is as good as before. */
        cr_expect_eq(pattern_match(pattern, SPAN("xc"), NULL), PATTERN_MATCH, "row %zu", i);
        pattern_free(pattern);
        free(text);
    }
    free(subject);
}

static const struct {
    const char *pattern;
    const char *piece;
} long_rows[] = {
    {"(?:[A-Za-z0-9+\\/]{4})*=", "Abc+"},
    {"(?:[a-z]+ )*=", "abc "},
    /* Too much for the small stack of PCRE2's compiled code. */
    {"(?:([a-z]+) )*=", "abc "},
};

Test(pattern, long_text_matches_within_the_limits)
{
    for (size_t i = 0; i < COUNT(long_rows); i++) {
        struct pattern *pattern = compile(long_rows[i].pattern);
        char *pieces = repeat(long_rows[i].piece, 3000);
        char *text = mem_printf("%s=", pieces);
        struct captures captures;
        cr_assert(pattern);
        cr_expect_eq(pattern_match(pattern, span_from_string(text), &captures), PATTERN_MATCH,
                     "row %zu", i);
        if (captures.count > 0)
            cr_expect(span_equals(captures.groups[0], SPAN("abc")), "row %zu", i);
        cr_expect_eq(pattern_match(pattern, span_from_string(pieces), NULL), PATTERN_NO_MATCH,
                     "row %zu", i);
        pattern_free(pattern);
        free(pieces);
        free(text);
    }
}

/* What profiles do with the longest lines there are. */
static const struct {
    const char *pattern;
    const char *front;
    const char *piece;
    size_t count;
    enum pattern_result result;
} line_rows[] = {
    /* commands: 16 KiB */
    {".*", "", "x", 16384, PATTERN_MATCH},
    {"(.*)", "", "a b ", 4096, PATTERN_MATCH},
    {"[^/]*", "", "abc ", 4096, PATTERN_MATCH},
    {"\\S+( SERVER=\\S+)*", "abc", " SERVER=0123456789", 900, PATTERN_MATCH},
    {"(?:[A-Z0-9]{8} ?)+", "", "ABCD0123 ", 1800, PATTERN_MATCH},
    {"obfs4 [0-9.]+:[0-9]+ [0-9A-F]{40} [ -~]*",
     "obfs4 192.0.2.1:1 0123456789ABCDEF0123456789ABCDEF01234567 ", "cert=abc ", 1800,
     PATTERN_MATCH},
    {"NEW:(\\S+) Port=(\\d+)(?:,\\S+)?((?: ClientAuthV3=[A-Z2-7]{52})*)", "NEW:BEST Port=80",
     " ClientAuthV3=ABCDEFGHIJKLMNOPQRSTUVWXYZ234567ABCDEFGHIJKLMNOPQRST", 240, PATTERN_MATCH},
    {"(?:status/[a-z-]+|net/[a-z/]+|version)(?: (?:status/[a-z-]+|net/[a-z/]+|version))*",
     "version", " status/x net/y version", 700, PATTERN_MATCH},
    {"(?!.*evil)[a-z ]+", "", "good ", 3200, PATTERN_MATCH},
    {"(?!.*evil).*", "evil ", "good ", 3200, PATTERN_NO_MATCH},
    /* lines of replies and events */
    {"250-status/bootstrap-phase=.*", "250-status/bootstrap-phase=", "x ", 8000, PATTERN_MATCH},
    {"250-config-text=(.*)", "250-config-text=", "abcdefgh", 8000, PATTERN_MATCH},
    {"650 HS_DESC (CREATED|UPLOAD|UPLOADED) ([a-z2-7]{56}) .*",
     "650 HS_DESC UPLOADED abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx ", "abc ", 4000,
     PATTERN_MATCH},
    {"(\\d+) (\\w+) (?:\\$[0-9A-F]{40}(?:[~=]\\w+)?,?)+(.*)", "1 BUILT ",
     "$0123456789ABCDEF0123456789ABCDEF01234567~name,", 300, PATTERN_MATCH},
    {"r (\\S+) \\S+ (.*)", "r nick ", "id ", 5000, PATTERN_MATCH},
    {"([^ ]* )*end", "", "word ", 1500, PATTERN_NO_MATCH},
};

Test(pattern, the_longest_lines_stay_below_the_limits)
{
    for (size_t i = 0; i < COUNT(line_rows); i++) {
        struct pattern *pattern = compile(line_rows[i].pattern);
        char *pieces = repeat(line_rows[i].piece, line_rows[i].count);
        char *text = mem_printf("%s%s", line_rows[i].front, pieces);
        struct captures captures;
        cr_assert(pattern, "row %zu", i);
        cr_expect_eq(pattern_match(pattern, span_from_string(text), &captures),
                     line_rows[i].result, "row %zu: %s", i, line_rows[i].pattern);
        pattern_free(pattern);
        free(pieces);
        free(text);
    }
}

/* A match costs the budget where PCRE2 has to be asked, and never gives "no match" for nothing. */
Test(pattern, budget)
{
    static const struct {
        const char *pattern;
        const char *subject;
        size_t left;
        enum pattern_result result;
        size_t left_then;
        bool is_spent;
    } rows[] = {
        {"a", "a", 0, PATTERN_MATCH, 0, false},
        {"a", "b", 0, PATTERN_NO_MATCH, 0, false},
        {"ab.*", "b", 0, PATTERN_NO_MATCH, 0, false},
        {"ab.*", "abc", 0, PATTERN_LIMIT, 0, true},
        {"ab.*", "abc", 1, PATTERN_MATCH, 0, false},
        {"[a]", "b", 0, PATTERN_LIMIT, 0, true},
        {"[a]", "b", 2, PATTERN_NO_MATCH, 1, false},
        {"(a+)+b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabc", 2, PATTERN_LIMIT, 1, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pattern *pattern = compile(rows[i].pattern);
        struct pattern_budget budget = {.left = rows[i].left};
        cr_assert(pattern);
        cr_expect_eq(pattern_try(pattern, span_from_string(rows[i].subject), &budget, NULL),
                     rows[i].result, "row %zu", i);
        cr_expect_eq(budget.left, rows[i].left_then, "row %zu", i);
        cr_expect_eq(budget.is_spent, rows[i].is_spent, "row %zu", i);
        pattern_free(pattern);
    }
}

static const struct {
    const char *pattern;
    bool is_literal;
} literal_rows[] = {
    {"version", true},  {"", true},      {"ns/all", true},  {"a b", true},   {"a=1,2-3", true},
    {"a.b", false},     {"a*", false},   {"a|b", false},    {"\\/", false},  {"[a]", false},
    {"(a)", false},     {"a?", false},   {"^a", false},     {"a$", false},   {"a{2}", false},
    {"a]", false},      {"a}", false},   {"a\\b", false},   {"a(?#)", false},
};

Test(pattern, is_literal)
{
    for (size_t i = 0; i < COUNT(literal_rows); i++) {
        struct pattern *pattern = compile(literal_rows[i].pattern);
        cr_assert(pattern, "row %zu", i);
        cr_expect_eq(pattern_is_literal(pattern), literal_rows[i].is_literal, "row %zu: %s", i,
                     literal_rows[i].pattern);
        pattern_free(pattern);
    }
}

/* Begin with literal text, which not all that they match begins with. */
static const struct {
    const char *pattern;
    const char *subject;
    enum pattern_result result;
} prefix_rows[] = {
    {"abc?", "ab", PATTERN_MATCH},
    {"abc*d", "abd", PATTERN_MATCH},
    {"abc{0,1}", "ab", PATTERN_MATCH},
    {"abc{x", "abc{x", PATTERN_MATCH},
    {"abc(?#one)?", "ab", PATTERN_MATCH},
    {"abc(?#one)(?#two)*", "ab", PATTERN_MATCH},
    {"abc|de", "de", PATTERN_MATCH},
    {"abc.|de", "de", PATTERN_MATCH},
    {"abc(?:d)|(?:e)", "e", PATTERN_MATCH},
    {"abc[)]|(?:e)", "e", PATTERN_MATCH},
    {"abc\\(|e", "e", PATTERN_MATCH},
    {"abc.*", "abc", PATTERN_MATCH},
    {"abc.*", "ab", PATTERN_NO_MATCH},
    {"abc.*", "abd", PATTERN_NO_MATCH},
    {"abc.*", "", PATTERN_NO_MATCH},
    {"abc.*", "ABC", PATTERN_NO_MATCH},
    {"abc", "abcabc", PATTERN_NO_MATCH},
    {"abc]", "abc]", PATTERN_MATCH},
    {"abc}", "abc}", PATTERN_MATCH},
    {"(?<=abc)d", "abcd", PATTERN_NO_MATCH},
    /* And have literal text somewhere. */
    {"(.*)guard1=(.*)", "250-guard1=x", PATTERN_MATCH},
    {"(.*)guard1=(.*)", "250-guard=x", PATTERN_NO_MATCH},
    {"(.*)guard?=(.*)", "250-guar=x", PATTERN_MATCH},
    {".*ab{0,12}c", "xac", PATTERN_MATCH},
    {".*ab{0,12}", "a", PATTERN_MATCH},
    {".\\0612*", "x1", PATTERN_MATCH},
    {".\\x612*", "xa", PATTERN_MATCH},
    {".*(?:abc)?", "x", PATTERN_MATCH},
    {".*(?#abc)", "x", PATTERN_MATCH},
    {".*[abc]*", "x", PATTERN_MATCH},
    {".*abc|x", "x", PATTERN_MATCH},
    {"ab.*ab", "ab", PATTERN_NO_MATCH},
    {"a.*abc", "abc", PATTERN_NO_MATCH},
    {"aa.*ab", "aab", PATTERN_NO_MATCH},
};

Test(pattern, literal_beginning)
{
    for (size_t i = 0; i < COUNT(prefix_rows); i++) {
        struct pattern *pattern = compile(prefix_rows[i].pattern);
        cr_assert(pattern, "row %zu", i);
        cr_expect_eq(pattern_match(pattern, span_from_string(prefix_rows[i].subject), NULL),
                     prefix_rows[i].result, "row %zu: %s on '%s'", i, prefix_rows[i].pattern,
                     prefix_rows[i].subject);
        pattern_free(pattern);
    }
}

static unsigned below(unsigned *seed, unsigned limit)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % limit;
}

static void append_pieces(struct buf *out, unsigned *seed, const char *const *pieces,
                          unsigned piece_count, unsigned most)
{
    buf_reset(out);
    for (unsigned left = below(seed, most + 1); left > 0; left--)
        buf_append_string(out, pieces[below(seed, piece_count)]);
    buf_append_char(out, '\0');
}

static bool captures_equal(const struct captures *a, const struct captures *b)
{
    bool are_equal = a->count == b->count;

    for (size_t i = 0; are_equal && i < a->count; i++)
        are_equal = span_equals(a->groups[i], b->groups[i]);
    return are_equal;
}

/* A pattern means the same inside a group, but does not begin with literal text there. Returns
 * whether it matched. */
static bool check_in_group(const struct pattern *plain, const struct pattern *grouped,
                           struct span subject)
{
    struct captures captures = {.count = 77}, expected = {.count = 77};
    enum pattern_result result = pattern_match(grouped, subject, &expected);

    cr_assert_eq(pattern_match(plain, subject, &captures), result, "'%s' on '%.*s'",
                 pattern_text(plain), (int)subject.len, subject.data);
    cr_assert_eq(pattern_match(plain, subject, NULL), result, "'%s'", pattern_text(plain));
    if (result != PATTERN_MATCH)
        return false;
    cr_assert(captures_equal(&captures, &expected), "'%s' on '%.*s'", pattern_text(plain),
              (int)subject.len, subject.data);
    return true;
}

/* The short way of literal text against PCRE2 alone. */
Test(pattern, means_the_same_inside_a_group)
{
    static const char *const pieces[] = {
        "a", "b",   "ab",    "a", "b",    "(",     ")",    "(?:",   "(?=",   "?",   "*", "+?",
        "|", "{2}", "{0,1}", ".", "[ab]", "[^a|]", "[]|]", "(?#|)", "\\x61", "\\|", "^", "$",
        "1", "12",  "{0,12}", ".*", "[12]", "\\061"};
    static const char *const letters[] = {"a", "b", "ab", "|", "]", "1", "12"};
    size_t compiled = 0, matched = 0;
    unsigned seed = 1;
    struct buf text, subject, error;

    buf_init(&text, 1000);
    buf_init(&subject, 1000);
    buf_init(&error, 100000);
    for (size_t round = 0; round < 40000; round++) {
        size_t column;
        append_pieces(&text, &seed, pieces, COUNT(pieces), 6);
        char *in_group = mem_printf("(?:%s)", buf_span(&text).data);
        struct pattern *plain = pattern_compile(buf_span(&text).data, &column, &error);
        struct pattern *grouped = plain ? pattern_compile(in_group, &column, &error) : NULL;
        cr_assert_eq(plain == NULL, grouped == NULL, "'%s'", in_group);
        for (size_t i = 0; plain && i < 10; i++) {
            append_pieces(&subject, &seed, letters, COUNT(letters), 4);
            matched +=
                check_in_group(plain, grouped, span_first(buf_span(&subject), subject.len - 1));
        }
        compiled += plain != NULL;
        pattern_free(plain);
        pattern_free(grouped);
        free(in_group);
        buf_reset(&error);
    }
    cr_expect_geq(compiled, 5000, "%zu", compiled);
    cr_expect_geq(matched, 5000, "%zu", matched);
    buf_clear(&text);
    buf_clear(&subject);
    buf_clear(&error);
}

Test(pattern, free_takes_null)
{
    pattern_free(NULL);
}
