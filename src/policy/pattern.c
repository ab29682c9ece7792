/* Regular expressions of a profile, on PCRE2 (design 3.3).
 *
 * Existing profiles were written for Python's re. Before PCRE2 sees a pattern, scan_text() walks it
 * once and lets through only what both read alike, so that no rule changes its meaning silently:
 * groups and escapes are taken from a list, everything else is refused with a hint.
 *
 * Running time and memory are bounded by the limits in pattern.h. PCRE2's compiled code works on a
 * small stack; where that is too small the interpreter tries again under the same limits, with
 * match data of its own, because the interpreter keeps the memory that one match needed.
 *
 * Most patterns of most profiles need no PCRE2: a literal one is compared, and others are run only
 * where the subject has the literal text that every match must have. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"

#define PATTERN_MAX_LENGTH 16384
#define PATTERN_MAX_NESTING 100
#define PART_MAX 16 /* more would be no help, and cost more on a text that is made to cost */

/* Whatever is special somewhere in a pattern. */
#define SPECIAL_CHARACTERS "\\^$.|?*+()[]{}"

#define COMPILE_OPTIONS                                                       \
    (PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | \
     PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY)

struct pattern {
    char *text;
    struct span prefix; /* of text: every match begins with it; a literal: all of it */
    struct span part;   /* of text: every match has it somewhere behind that */
    pcre2_code *code;   /* NULL: a literal, and so is the next one */
    struct matcher *matcher;
    size_t capture_count;
};

/* What a match needs. It is made for the first one: most patterns of most profiles never see one,
 * and machine code takes ten times as long to make as the pattern does to be read. */
struct matcher {
    bool is_made;
    pcre2_match_context *limits;
    pcre2_match_data *match_data; /* for machine code only */
    bool is_compiled;             /* PCRE2 made machine code of it */
};

/* A walk over the pattern's text. */
struct scan {
    struct span text;
    size_t at;
    bool in_class;
    struct buf *error;
    size_t depth;       /* of groups */
    size_t run;         /* where the characters begin that stand for themselves and for no other */
    bool has_branches;  /* outside of groups: then no text is in every match */
    struct span prefix; /* the run at the beginning */
    struct span part;   /* the longest one behind it */
};

static bool refuse(struct scan *scan, const char *reason)
{
    buf_append_string(scan->error, reason);
    return false;
}

static bool sees(const struct scan *scan, struct span what)
{
    return span_starts_with(span_from(scan->text, scan->at), what);
}

static char char_at(const struct scan *scan, size_t index)
{
    return index < scan->text.len ? scan->text.data[index] : '\0';
}

/* Why a letter after a backslash is not taken. */
static const char *refused_escape_reason(char letter)
{
    switch (letter) {
    case 'N':
        return "\\N is read differently by Python and by PCRE2; write . or the character itself";
    case 'K':
    case 'G':
        return "\\K and \\G move where the match begins, but a pattern covers the complete text";
    case 'h':
    case 'H':
    case 'v':
    case 'V':
        return "\\h, \\H, \\v and \\V are read differently by Python and by PCRE2; write the "
               "characters in brackets, such as [ ]";
    case 'Q':
    case 'E':
        return "\\Q and \\E are not known to Python; write a backslash before each character";
    case 'g':
    case 'k':
        return "\\g and \\k are not taken; write \\1 or (?P=name)";
    case 'R':
    case 'X':
    case 'C':
        return "\\R, \\X and \\C are not taken; write the characters that are meant";
    default:
        return "this escape is not taken; those of letters are \\A \\B \\D \\S \\W \\Z \\a \\b "
               "\\d \\f \\n \\r \\s \\t \\w \\z and \\xHH";
    }
}

static bool scan_hex_escape(struct scan *scan)
{
    for (size_t i = scan->at + 2; i < scan->at + 4; i++) {
        char c = ascii_to_lower(char_at(scan, i));
        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f'))
            return refuse(scan, "\\x needs two hexadecimal digits, such as \\x2f");
    }
    scan->at += 4;
    return true;
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* \1 to \9 are back references to both, \0 and three octal digits a character to both; what two
 * digits mean depends on the number of groups. */
static bool scan_number_escape(struct scan *scan)
{
    char first = char_at(scan, scan->at + 1);

    if (first != '0' && !scan->in_class && ascii_is_digit(char_at(scan, scan->at + 2)))
        return refuse(scan, "a backslash and several digits can be read in two ways; write "
                            "(?P=name) for a group or \\xHH for a character");
    scan->at += 2;
    for (int i = 0; first == '0' && i < 2 && is_octal(char_at(scan, scan->at)); i++)
        scan->at++;
    return true;
}

static bool scan_escape(struct scan *scan)
{
    char letter = char_at(scan, scan->at + 1);

    if (scan->at + 1 >= scan->text.len)
        return refuse(scan, "the pattern ends in a backslash; write \\\\ for a backslash");
    if (ascii_is_digit(letter))
        return scan_number_escape(scan);
    if (letter == 'x')
        return scan_hex_escape(scan);
    if (ascii_is_alpha(letter) && !strchr("ABDSWZabdfnrstwz", letter))
        return refuse(scan, refused_escape_reason(letter));
    scan->at += 2;
    return true;
}

/* What stands behind "(?" if it is none of the groups that are taken. */
static const char *refused_group_reason(char kind)
{
    if (kind == '|')
        return "(?| is not known to Python; write (?: and number the groups as they come";
    if (kind == 'C')
        return "callouts are not taken";
    if (ascii_is_digit(kind) || (kind && strchr("R&+P", kind)))
        return "a pattern may not call itself or one of its groups; write the part out again";
    return "patterns are case-sensitive and take no flags; write both cases, such as [Aa]";
}

static bool is_taken_group(const struct scan *scan)
{
    static const struct span taken[] = {
        SPAN("(?:"), SPAN("(?="),  SPAN("(?!"),  SPAN("(?>"), SPAN("(?("),
        SPAN("(?'"), SPAN("(?P<"), SPAN("(?P="), SPAN("(?<"),
    };

    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        if (sees(scan, taken[i]))
            return true;
    return false;
}

static bool scan_group(struct scan *scan)
{
    if (sees(scan, SPAN("(*")))
        return refuse(scan, "(*...) gives orders to PCRE2 and is not taken; write \\(\\* for the "
                            "characters");
    if (sees(scan, SPAN("(?#"))) {
        scan->at += span_find(span_from(scan->text, scan->at), ')');
        return true;
    }
    if (sees(scan, SPAN("(?-")) && ascii_is_digit(char_at(scan, scan->at + 3)))
        return refuse(scan, refused_group_reason('R'));
    if (sees(scan, SPAN("(?")) && !is_taken_group(scan))
        return refuse(scan, refused_group_reason(char_at(scan, scan->at + 2)));
    scan->at++;
    return true;
}

/* "{" with nothing but digits, commas and spaces up to "}" is a count for some version of Python or
 * PCRE2; only {n}, {n,} and {n,m} are one for all. */
static bool scan_brace(struct scan *scan)
{
    struct span rest = span_from(scan->text, scan->at + 1);
    size_t end = span_find(rest, '}');
    size_t digits = 0;

    for (size_t i = 0; i < end; i++)
        if (!ascii_is_digit(rest.data[i]) && rest.data[i] != ',' && rest.data[i] != ' ')
            end = rest.len;
    scan->at++;
    if (end == rest.len || end == 0)
        return true;
    while (ascii_is_digit(rest.data[digits]))
        digits++;
    size_t tail = digits + (rest.data[digits] == ',');
    while (ascii_is_digit(rest.data[tail]))
        tail++;
    if (digits > 0 && tail == end) {
        scan->at += end + 1;
        return true;
    }
    scan->at--;
    return refuse(scan, "this count is read in different ways; write {0,n} for at most n, or \\{ "
                        "for the character");
}

/* At the "[" that opens a class; a "]" at its beginning stands for itself. */
static bool scan_class_start(struct scan *scan)
{
    if (sees(scan, SPAN("[[:<:]]")) || sees(scan, SPAN("[[:>:]]")))
        return refuse(scan, "[[:<:]] and [[:>:]] are not taken; write \\b");
    scan->in_class = true;
    scan->at++;
    if (char_at(scan, scan->at) == '^')
        scan->at++;
    if (char_at(scan, scan->at) == ']')
        scan->at++;
    return true;
}

/* At a "[" inside a class: "[:alpha:]" is one item and its "]" does not end the class. */
static void scan_posix_name(struct scan *scan)
{
    size_t end = scan->at + 2;

    scan->at++;
    if (char_at(scan, scan->at) != ':')
        return;
    if (char_at(scan, end) == '^')
        end++;
    while (ascii_is_alpha(char_at(scan, end)))
        end++;
    if (char_at(scan, end) == ':' && char_at(scan, end + 1) == ']')
        scan->at = end + 2;
}

static bool scan_class_char(struct scan *scan, char c)
{
    if (c == '\\')
        return scan_escape(scan);
    if (c == '[') {
        scan_posix_name(scan);
        return true;
    }
    scan->in_class = c != ']';
    scan->at++;
    return true;
}

static bool scan_char(struct scan *scan)
{
    char c = scan->text.data[scan->at];

    if (!ascii_is_printable(c))
        return refuse(scan, "patterns are printable ASCII; write another byte as \\xHH");
    if (scan->in_class)
        return scan_class_char(scan, c);
    if (c == '\\')
        return scan_escape(scan);
    if (c == '[')
        return scan_class_start(scan);
    if (c == '(')
        return scan_group(scan);
    if (c == '{')
        return scan_brace(scan);
    scan->at++;
    return true;
}

/* A run of literal characters ends before the one at `end`. If that is a special one, the last of
 * the run does not count: "ab?" and "ab(?#)*" match without it. */
static void end_run(struct scan *scan, size_t end)
{
    size_t len = end - scan->run;

    len -= len > 0 && end < scan->text.len;
    struct span run = span_first(span_from(scan->text, scan->run), len);
    if (scan->run == 0)
        scan->prefix = run;
    else if (run.len > scan->part.len)
        scan->part = run;
}

/* Takes into account what stood at `before`. What is inside of groups may be optional. */
static void note_literal(struct scan *scan, size_t before, bool was_in_class)
{
    char c = scan->text.data[before];
    bool is_literal = !was_in_class && scan->depth == 0 && !strchr(SPECIAL_CHARACTERS, c);

    if (!was_in_class && c == '|' && scan->depth == 0)
        scan->has_branches = true;
    if (!was_in_class && c == '(')
        scan->depth++;
    if (!was_in_class && c == ')' && scan->depth > 0)
        scan->depth--;
    if (is_literal)
        return;
    if (before > scan->run || before == 0)
        end_run(scan, before);
    scan->run = scan->at;
}

static bool scan_text(struct scan *scan, size_t *column_out)
{
    if (scan->text.len > PATTERN_MAX_LENGTH) {
        *column_out = PATTERN_MAX_LENGTH;
        buf_printf(scan->error, "the pattern is longer than %d bytes", PATTERN_MAX_LENGTH);
        return false;
    }
    while (scan->at < scan->text.len) {
        size_t before = scan->at;
        bool was_in_class = scan->in_class;
        if (!scan_char(scan)) {
            *column_out = scan->at;
            return false;
        }
        note_literal(scan, before, was_in_class);
    }
    end_run(scan, scan->text.len);
    return true;
}

static void append_pcre2_message(struct buf *error, int code)
{
    PCRE2_UCHAR message[256];

    if (pcre2_get_error_message(code, message, sizeof message) < 0)
        buf_printf(error, "PCRE2 error %d", code);
    else
        buf_append_string(error, (const char *)message);
}

static pcre2_code *compile_text(struct span text, size_t *column_out, struct buf *error)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    PCRE2_SIZE offset = 0;
    int number = 0;

    if (!context)
        abort();
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    pcre2_set_bsr(context, PCRE2_BSR_ANYCRLF);
    pcre2_set_max_pattern_length(context, PATTERN_MAX_LENGTH);
    pcre2_set_parens_nest_limit(context, PATTERN_MAX_NESTING);
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)text.data, text.len, COMPILE_OPTIONS, &number, &offset, context);
    pcre2_compile_context_free(context);
    if (!code) {
        *column_out = offset < text.len ? offset : text.len;
        append_pcre2_message(error, number);
    }
    return code;
}

/* Counts the groups and refuses too many of them. */
static bool count_captures(struct pattern *pattern, struct buf *error)
{
    uint32_t count = 0;

    if (pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &count) != 0) {
        buf_append_string(error, "PCRE2 cannot tell the number of groups");
        return false;
    }
    if (count > PATTERN_MAX_CAPTURES) {
        buf_printf(error, "%u groups, but at most %d may capture; write (?:...) for the others",
                   (unsigned)count, PATTERN_MAX_CAPTURES);
        return false;
    }
    pattern->capture_count = count;
    return true;
}

static const struct matcher *matcher_of(const struct pattern *pattern)
{
    struct matcher *matcher = pattern->matcher;

    if (matcher->is_made)
        return matcher;
    matcher->limits = pcre2_match_context_create(NULL);
    matcher->match_data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
    if (!matcher->limits || !matcher->match_data)
        abort();
    pcre2_set_match_limit(matcher->limits, PATTERN_MATCH_LIMIT);
    pcre2_set_depth_limit(matcher->limits, PATTERN_DEPTH_LIMIT);
    pcre2_set_heap_limit(matcher->limits, PATTERN_HEAP_LIMIT_KIB);
    matcher->is_compiled = pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE) == 0;
    matcher->is_made = true;
    return matcher;
}

struct pattern *pattern_compile(const char *text, size_t *column_out, struct buf *error)
{
    struct span span = span_from_string(text);
    struct pattern *pattern = mem_zalloc(1, sizeof *pattern);

    *column_out = 0;
    pattern->text = mem_copy_string(span);
    struct scan scan = {.text = span_make(pattern->text, span.len), .error = error};
    if (!scan_text(&scan, column_out)) {
        pattern_free(pattern);
        return NULL;
    }
    if (!scan.has_branches) {
        pattern->prefix = scan.prefix;
        pattern->part = span_first(scan.part, PART_MAX);
    }
    if (pattern->prefix.len == span.len)
        return pattern;
    pattern->code = compile_text(span, column_out, error);
    if (!pattern->code || !count_captures(pattern, error)) {
        pattern_free(pattern);
        return NULL;
    }
    pattern->matcher = mem_zalloc(1, sizeof *pattern->matcher);
    return pattern;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    if (pattern->matcher) {
        pcre2_match_data_free(pattern->matcher->match_data);
        pcre2_match_context_free(pattern->matcher->limits);
        free(pattern->matcher);
    }
    pcre2_code_free(pattern->code);
    free(pattern->text);
    free(pattern);
}

static void read_captures(const struct pattern *pattern, struct span subject,
                          const PCRE2_SIZE *offsets, size_t set, struct captures *captures_out)
{
    captures_out->count = pattern->capture_count;
    for (size_t i = 0; i < pattern->capture_count; i++) {
        const PCRE2_SIZE *pair = offsets + 2 * (i + 1);
        bool is_set = i + 1 < set && pair[0] <= pair[1] && pair[1] <= subject.len;
        captures_out->groups[i] =
            is_set ? span_make(subject.data + pair[0], pair[1] - pair[0]) : span_make("", 0);
    }
}

static enum pattern_result read_result(const struct pattern *pattern, struct span subject,
                                       int result, pcre2_match_data *match_data,
                                       struct captures *captures_out)
{
    if (result == PCRE2_ERROR_NOMATCH)
        return PATTERN_NO_MATCH;
    if (result <= 0)
        return PATTERN_LIMIT;
    const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(match_data);
    if (offsets[0] != 0 || offsets[1] != subject.len)
        return PATTERN_LIMIT;
    if (captures_out)
        read_captures(pattern, subject, offsets, (size_t)result, captures_out);
    return PATTERN_MATCH;
}

static enum pattern_result match_interpreted(const struct pattern *pattern, struct span subject,
                                             struct captures *captures_out)
{
    pcre2_match_data *match_data = pcre2_match_data_create_from_pattern(pattern->code, NULL);

    if (!match_data)
        abort();
    int result = pcre2_match(pattern->code, (PCRE2_SPTR)subject.data, subject.len, 0, PCRE2_NO_JIT,
                             match_data, pattern->matcher->limits);
    enum pattern_result answer = read_result(pattern, subject, result, match_data, captures_out);
    pcre2_match_data_free(match_data);
    return answer;
}

static enum pattern_result match_literal(const struct pattern *pattern, struct span subject,
                                         struct captures *captures_out)
{
    if (subject.len != pattern->prefix.len)
        return PATTERN_NO_MATCH;
    if (captures_out)
        captures_out->count = 0;
    return PATTERN_MATCH;
}

/* By PCRE2, compiled code first. */
static enum pattern_result match_pcre2(const struct pattern *pattern, struct span text,
                                       struct captures *captures_out)
{
    const struct matcher *matcher = matcher_of(pattern);

    if (!matcher->is_compiled)
        return match_interpreted(pattern, text, captures_out);
    /* What pcre2_match would call, without its checks of arguments that we know to be sound. */
    int result = pcre2_jit_match(pattern->code, (PCRE2_SPTR)text.data, text.len, 0, 0,
                                 matcher->match_data, matcher->limits);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        return match_interpreted(pattern, text, captures_out);
    return read_result(pattern, text, result, matcher->match_data, captures_out);
}

static bool budget_take(struct pattern_budget *budget)
{
    if (!budget)
        return true;
    budget->is_spent = budget->left == 0;
    budget->left -= budget->left > 0;
    return !budget->is_spent;
}

/* Lines are short, so the plain way is faster than memmem with its tables. */
static bool has_part(const struct pattern *pattern, struct span text)
{
    struct span part = pattern->part;
    struct span rest = span_from(text, pattern->prefix.len);

    if (part.len == 0)
        return true;
    while (rest.len >= part.len) {
        size_t last = rest.len - part.len;
        rest = span_from(rest, span_find(span_first(rest, last + 1), part.data[0]));
        if (span_starts_with(rest, part))
            return true;
        rest = span_from(rest, 1);
    }
    return false;
}

enum pattern_result pattern_try(const struct pattern *pattern, struct span subject,
                                struct pattern_budget *budget, struct captures *captures_out)
{
    struct span text = subject.len ? subject : span_make("", 0);

    if (!span_starts_with(text, pattern->prefix) || !has_part(pattern, text))
        return PATTERN_NO_MATCH;
    if (pattern_is_literal(pattern))
        return match_literal(pattern, text, captures_out);
    return budget_take(budget) ? match_pcre2(pattern, text, captures_out) : PATTERN_LIMIT;
}

enum pattern_result pattern_match(const struct pattern *pattern, struct span subject,
                                  struct captures *captures_out)
{
    return pattern_try(pattern, subject, NULL, captures_out);
}

size_t pattern_capture_count(const struct pattern *pattern)
{
    return pattern->capture_count;
}

const char *pattern_text(const struct pattern *pattern)
{
    return pattern->text;
}

bool pattern_is_literal(const struct pattern *pattern)
{
    return pattern->code == NULL;
}
