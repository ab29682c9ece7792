/* Patterns to trees, by recursive descent over the syntax that policy/pattern.c lets through
 * (pcre2pattern(3)).
 *
 * Every text here has been compiled by PCRE2, so it is known to be well-formed; this only has to
 * read it in the same way. Where that is in doubt the whole pattern is given up: callers then say
 * nothing about it. */
#include "regex_tree.h"

#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "hex.h"
#include "mem.h"

#define REGEX_MAX_NODES 100000
#define REGEX_MAX_DEPTH 250 /* the loader allows 100 groups in each other */

struct reader {
    struct regex *regex;
    struct span text;
    size_t at;
    size_t depth;
    bool failed;
};

static size_t parse_choice(struct reader *reader);

static size_t add_node(struct reader *reader, enum regex_kind kind)
{
    struct regex *regex = reader->regex;

    if (regex->count >= REGEX_MAX_NODES)
        reader->failed = true;
    if ((regex->count & (regex->count - 1)) == 0)
        regex->nodes =
            mem_resize(regex->nodes, regex->count ? 2 * regex->count : 1, sizeof *regex->nodes);
    regex->nodes[regex->count] =
        (struct regex_node){.kind = kind, .child = REGEX_NONE, .next = REGEX_NONE};
    return regex->count++;
}

static size_t add_parent(struct reader *reader, enum regex_kind kind, size_t child)
{
    size_t node = add_node(reader, kind);

    reader->regex->nodes[node].child = child;
    return node;
}

static size_t add_opaque(struct reader *reader, size_t child)
{
    return add_parent(reader, REGEX_OPAQUE, child);
}

static size_t add_empty_opaque(struct reader *reader)
{
    return add_opaque(reader, add_node(reader, REGEX_SEQUENCE));
}

static char peek(const struct reader *reader, size_t ahead)
{
    return reader->at + ahead < reader->text.len ? reader->text.data[reader->at + ahead] : '\0';
}

static bool sees(const struct reader *reader, const char *what)
{
    return span_starts_with(span_from(reader->text, reader->at), span_from_string(what));
}

static bool take(struct reader *reader, const char *what)
{
    if (!sees(reader, what))
        return false;
    reader->at += strlen(what);
    return true;
}

static bool is_over(const struct reader *reader)
{
    return reader->failed || reader->at >= reader->text.len;
}

static void add_range(struct byte_set *set, unsigned first, unsigned last)
{
    for (unsigned byte = first; byte <= last; byte++)
        byte_set_add(set, byte);
}

static void add_set(struct byte_set *set, const struct byte_set *other)
{
    for (size_t i = 0; i < 4; i++)
        set->words[i] |= other->words[i];
}

static void invert(struct byte_set *set)
{
    for (size_t i = 0; i < 4; i++)
        set->words[i] = ~set->words[i];
}

/* What \d, \w, \s stand for; in upper case everything else. */
static bool add_named_class(struct byte_set *set, char letter)
{
    struct byte_set named = {{0}};

    switch (ascii_to_lower(letter)) {
    case 'w':
        add_range(&named, 'a', 'z');
        add_range(&named, 'A', 'Z');
        byte_set_add(&named, '_');
        add_range(&named, '0', '9');
        break;
    case 'd':
        add_range(&named, '0', '9');
        break;
    case 's':
        add_range(&named, '\t', '\r');
        byte_set_add(&named, ' ');
        break;
    default:
        return false;
    }
    if (letter != ascii_to_lower(letter))
        invert(&named);
    add_set(set, &named);
    return true;
}

static unsigned take_octal(struct reader *reader)
{
    unsigned value = 0;

    for (size_t i = 0; i < 3 && peek(reader, 0) >= '0' && peek(reader, 0) <= '7'; i++)
        value = value * 8 + (unsigned)(reader->text.data[reader->at++] - '0');
    return value & 0xff;
}

/* The byte that an escape stands for; the backslash has been taken. */
static unsigned take_escaped_byte(struct reader *reader)
{
    static const char letters[] = "afnrt", meanings[] = "\a\f\n\r\t";
    char letter = peek(reader, 0);
    const char *found = letter ? strchr(letters, letter) : NULL;

    if (letter >= '0' && letter <= '7')
        return take_octal(reader);
    reader->at++;
    if (found)
        return (unsigned char)meanings[found - letters];
    if (letter != 'x')
        return (unsigned char)letter;
    unsigned value = 0;
    for (size_t i = 0; i < 2; i++) {
        int digit = hex_digit(peek(reader, 0));
        value = value * 16 + (unsigned)(digit < 0 ? 0 : digit);
        reader->at++;
    }
    return value & 0xff;
}

static const struct posix_class {
    const char *name;
    const char *ranges; /* pairs of first and last */
} posix_classes[] = {
    {"alpha", "azAZ"},    {"digit", "09"},
    {"alnum", "azAZ09"},  {"upper", "AZ"},
    {"lower", "az"},      {"xdigit", "09afAF"},
    {"word", "azAZ09__"}, {"space", "\t\r  "},
    {"blank", "\t\t  "},  {"print", " ~"},
    {"graph", "!~"},      {"punct", "!/:@[`{~"},
    {"ascii", "\1\x7f"},  {"cntrl", "\1\x1f\x7f\x7f"},
};

/* "[:name:]" inside a class. */
static bool take_posix_class(struct reader *reader, struct byte_set *set)
{
    struct span rest = span_from(reader->text, reader->at + 2);
    bool is_negative = rest.len > 0 && rest.data[0] == '^';
    struct span name = span_from(rest, is_negative);

    name = span_first(name, span_find(name, ':'));
    for (size_t i = 0; i < sizeof posix_classes / sizeof *posix_classes; i++) {
        struct byte_set named = {{0}};
        const char *ranges = posix_classes[i].ranges;
        if (!span_equals(name, span_from_string(posix_classes[i].name)))
            continue;
        for (; *ranges; ranges += 2)
            add_range(&named, (unsigned char)ranges[0], (unsigned char)ranges[1]);
        if (is_negative)
            invert(&named);
        add_set(set, &named);
        reader->at += 2 + is_negative + name.len;
        return take(reader, ":]");
    }
    return false;
}

static bool is_posix_class(const struct reader *reader)
{
    size_t end = reader->at + 2;

    if (!sees(reader, "[:"))
        return false;
    if (end < reader->text.len && reader->text.data[end] == '^')
        end++;
    while (end < reader->text.len && ascii_is_alpha(reader->text.data[end]))
        end++;
    return span_starts_with(span_from(reader->text, end), SPAN(":]"));
}

/* One item of a class: a byte in *byte_out (true), or several added to the set. */
static bool take_class_item(struct reader *reader, struct byte_set *set, unsigned *byte_out)
{
    if (is_posix_class(reader)) {
        reader->failed = !take_posix_class(reader, set) || reader->failed;
        return false;
    }
    if (!take(reader, "\\")) {
        *byte_out = (unsigned char)reader->text.data[reader->at++];
        return true;
    }
    if (add_named_class(set, peek(reader, 0))) {
        reader->at++;
        return false;
    }
    *byte_out = sees(reader, "b") ? '\b' : 0;
    if (take(reader, "b"))
        return true;
    /* Escapes that are none inside a class differ from one PCRE2 to the next. */
    if (ascii_is_alpha(peek(reader, 0)) && !strchr("afnrtx", peek(reader, 0)))
        reader->failed = true;
    *byte_out = take_escaped_byte(reader);
    return true;
}

static size_t parse_class(struct reader *reader)
{
    struct byte_set set = {{0}};
    bool is_negative = take(reader, "^"), is_first = true;

    while (!is_over(reader) && (is_first || peek(reader, 0) != ']')) {
        unsigned first = 0, last = 0;
        is_first = false;
        if (!take_class_item(reader, &set, &first))
            continue;
        last = first;
        if (peek(reader, 0) == '-' && peek(reader, 1) != ']') {
            reader->at++;
            if (is_over(reader) || !take_class_item(reader, &set, &last))
                reader->failed = true;
        }
        add_range(&set, first, last);
    }
    reader->failed = reader->failed || !take(reader, "]");
    if (is_negative)
        invert(&set);
    size_t node = add_node(reader, REGEX_SET);
    reader->regex->nodes[node].set = set;
    return node;
}

static size_t add_any_text(struct reader *reader)
{
    size_t any = add_node(reader, REGEX_SET);

    invert(&reader->regex->nodes[any].set);
    size_t repeat = add_parent(reader, REGEX_REPEAT, any);
    reader->regex->nodes[repeat].max = REGEX_MANY;
    return repeat;
}

/* The rest of a group whose "(" and kind have been taken. */
static size_t parse_inside(struct reader *reader)
{
    if (++reader->depth > REGEX_MAX_DEPTH) {
        reader->failed = true;
        return add_node(reader, REGEX_SEQUENCE);
    }
    size_t inside = parse_choice(reader);
    reader->depth--;
    reader->failed = reader->failed || !take(reader, ")");
    return inside;
}

static size_t parse_capture(struct reader *reader)
{
    struct regex *regex = reader->regex;
    size_t number = regex->capture_count++;

    if (number >= PATTERN_MAX_CAPTURES) {
        reader->failed = true;
        return add_node(reader, REGEX_SEQUENCE);
    }
    size_t begin = reader->at, inside = parse_inside(reader);
    if (!reader->failed)
        regex->captures[number].inside =
            span_make(reader->text.data + begin, reader->at - 1 - begin);
    size_t node = add_parent(reader, REGEX_CAPTURE, inside);
    regex->nodes[node].capture = number;
    return node;
}

static void skip_past(struct reader *reader, char last)
{
    while (!is_over(reader) && peek(reader, 0) != last)
        reader->at++;
    reader->at++;
}

/* (?(1)yes|no): either may match. */
static size_t parse_conditional(struct reader *reader)
{
    if (peek(reader, 0) == '?')
        reader->failed = true;
    skip_past(reader, ')');
    size_t inside = parse_inside(reader);
    size_t choice = add_parent(reader, REGEX_CHOICE, inside);
    size_t none = add_node(reader, REGEX_SEQUENCE);
    reader->regex->nodes[inside].next = none;
    return add_opaque(reader, choice);
}

static size_t parse_group(struct reader *reader)
{
    static const char *const looks[] = {"?=", "?!", "?<=", "?<!"};

    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++) {
        if (!take(reader, looks[i]))
            continue;
        parse_inside(reader);
        return add_empty_opaque(reader);
    }
    if (take(reader, "?:"))
        return parse_inside(reader);
    if (take(reader, "?>"))
        return add_opaque(reader, parse_inside(reader));
    if (take(reader, "?("))
        return parse_conditional(reader);
    if (take(reader, "?P=")) {
        skip_past(reader, ')');
        return add_opaque(reader, add_any_text(reader));
    }
    if (take(reader, "?P<") || take(reader, "?<"))
        skip_past(reader, '>');
    else if (take(reader, "?'"))
        skip_past(reader, '\'');
    else if (peek(reader, 0) == '?')
        reader->failed = true;
    return parse_capture(reader);
}

static size_t parse_escape(struct reader *reader)
{
    struct byte_set set = {{0}};
    char letter = peek(reader, 0);

    if (letter >= '1' && letter <= '9') {
        reader->at++;
        return add_opaque(reader, add_any_text(reader));
    }
    if (letter && strchr("AZzbB", letter)) {
        reader->at++;
        if (letter == 'b' || letter == 'B')
            return add_empty_opaque(reader);
        return add_node(reader, letter == 'A' ? REGEX_START : REGEX_END);
    }
    if (add_named_class(&set, letter))
        reader->at++;
    else
        byte_set_add(&set, take_escaped_byte(reader));
    size_t node = add_node(reader, REGEX_SET);
    reader->regex->nodes[node].set = set;
    return node;
}

static size_t parse_atom(struct reader *reader)
{
    char c = reader->text.data[reader->at++];

    if (c == '(')
        return parse_group(reader);
    if (c == '[')
        return parse_class(reader);
    if (c == '\\')
        return parse_escape(reader);
    if (c == '^')
        return add_node(reader, REGEX_START);
    if (c == '$')
        return add_node(reader, REGEX_END);
    size_t node = add_node(reader, REGEX_SET);
    byte_set_add(&reader->regex->nodes[node].set, c == '.' ? '\n' : (unsigned char)c);
    if (c == '.')
        invert(&reader->regex->nodes[node].set);
    return node;
}

static unsigned take_number(struct reader *reader)
{
    unsigned value = 0;

    while (ascii_is_digit(peek(reader, 0)) && value < 100000)
        value = value * 10 + (unsigned)(reader->text.data[reader->at++] - '0');
    return value;
}

/* {n}, {n,} or {n,m}; any other brace is a plain character. */
static bool take_count(struct reader *reader, unsigned *min_out, unsigned *max_out)
{
    size_t begin = reader->at;

    if (take(reader, "{") && ascii_is_digit(peek(reader, 0))) {
        *min_out = *max_out = take_number(reader);
        if (take(reader, ","))
            *max_out = ascii_is_digit(peek(reader, 0)) ? take_number(reader) : REGEX_MANY;
        if (take(reader, "}"))
            return true;
    }
    reader->at = begin;
    return false;
}

static bool take_quantifier(struct reader *reader, unsigned *min_out, unsigned *max_out)
{
    *min_out = 0;
    *max_out = REGEX_MANY;
    if (take(reader, "*"))
        return true;
    if (take(reader, "+")) {
        *min_out = 1;
        return true;
    }
    if (take(reader, "?")) {
        *max_out = 1;
        return true;
    }
    return take_count(reader, min_out, max_out);
}

static void skip_comments(struct reader *reader)
{
    while (sees(reader, "(?#"))
        skip_past(reader, ')');
}

/* An atom with its quantifiers. */
static size_t parse_piece(struct reader *reader)
{
    size_t begin = reader->at, node = parse_atom(reader);
    struct regex *regex = reader->regex;
    unsigned min, max;

    skip_comments(reader);
    while (!reader->failed && take_quantifier(reader, &min, &max)) {
        enum regex_kind kind = regex->nodes[node].kind;
        if (kind == REGEX_START || kind == REGEX_END)
            node = add_empty_opaque(reader);
        node = add_parent(reader, REGEX_REPEAT, node);
        regex->nodes[node].min = min;
        regex->nodes[node].max = max;
        if (take(reader, "+"))
            node = add_opaque(reader, node);
        else
            take(reader, "?");
        skip_comments(reader);
    }
    regex->nodes[node].text = span_make(reader->text.data + begin, reader->at - begin);
    return node;
}

static size_t parse_sequence(struct reader *reader)
{
    size_t begin = reader->at, first = REGEX_NONE, last = REGEX_NONE;

    skip_comments(reader);
    while (!is_over(reader) && peek(reader, 0) != '|' && peek(reader, 0) != ')') {
        size_t node = parse_piece(reader);
        if (last == REGEX_NONE)
            first = node;
        else
            reader->regex->nodes[last].next = node;
        last = node;
    }
    size_t sequence = add_parent(reader, REGEX_SEQUENCE, first);
    reader->regex->nodes[sequence].text = span_make(reader->text.data + begin, reader->at - begin);
    return sequence;
}

static size_t parse_choice(struct reader *reader)
{
    size_t first = parse_sequence(reader), last = first;

    if (peek(reader, 0) != '|')
        return first;
    while (!reader->failed && take(reader, "|")) {
        size_t node = parse_sequence(reader);
        reader->regex->nodes[last].next = node;
        last = node;
    }
    return add_parent(reader, REGEX_CHOICE, first);
}

/* Finds the groups that a match can do without. */
static void mark_captures(struct regex *regex, size_t at, bool is_optional)
{
    const struct regex_node *node = &regex->nodes[at];

    if (node->kind == REGEX_CHOICE || (node->kind == REGEX_REPEAT && node->min == 0) ||
        node->kind == REGEX_OPAQUE)
        is_optional = true;
    if (node->kind == REGEX_CAPTURE)
        regex->captures[node->capture].is_optional = is_optional;
    for (size_t child = node->child; child != REGEX_NONE; child = regex->nodes[child].next)
        mark_captures(regex, child, is_optional);
}

struct regex *regex_parse(const char *text)
{
    struct regex *regex = mem_zalloc(1, sizeof *regex);

    regex->text = mem_copy_string(span_from_string(text));
    struct reader reader = {.regex = regex, .text = span_from_string(regex->text)};
    regex->root = parse_choice(&reader);
    if (reader.failed || reader.at != reader.text.len) {
        regex_free(regex);
        return NULL;
    }
    mark_captures(regex, regex->root, false);
    return regex;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    free(regex->nodes);
    free(regex->text);
    free(regex);
}
