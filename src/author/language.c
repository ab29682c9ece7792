/* Questions about patterns, put to their tree, their automaton and PCRE2.
 *
 * The automaton may stand for more than the pattern matches (look-around, back references), so an
 * example that it finds counts only if PCRE2 agrees. A template is turned back into a pattern by
 * expanding it with marks in place of values, and putting the groups' own patterns where the marks
 * are. */
#include "language.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "mem.h"

#define PREFIX_MAX 256
#define EXAMPLE_MAX 4096
#define COMPOSED_MAX 16384

/* A mark in an expansion: no template may hold a control character. */
#define MARK '\1'
#define MARK_FIRST '!'

struct language {
    char *text;
    enum automaton_text alphabet;
    struct pattern *pattern;
    struct regex *tree;
    struct buf prefix;       /* what all texts begin with */
    struct automaton *upper; /* NULL: too large; of a literal too, where none is needed */
    struct automaton *lower;
};

static struct pattern *compile(const char *text)
{
    struct buf error;
    size_t column;

    buf_init(&error, 1024);
    struct pattern *pattern = pattern_compile(text, &column, &error);
    buf_clear(&error);
    return pattern;
}

struct language *language_new(const char *text, enum automaton_text alphabet)
{
    struct language *language = mem_zalloc(1, sizeof *language);

    language->text = mem_copy_string(span_from_string(text));
    language->alphabet = alphabet;
    buf_init(&language->prefix, PREFIX_MAX);
    language->pattern = compile(text);
    language->tree = language->pattern ? regex_parse(text) : NULL;
    if (!language->tree) {
        language_free(language);
        return NULL;
    }
    regex_append_prefix(language->tree, &language->prefix);
    if (!pattern_is_literal(language->pattern)) {
        language->upper = automaton_build(language->tree, AUTOMATON_UPPER);
        language->lower = automaton_build(language->tree, AUTOMATON_LOWER);
    }
    return language;
}

void language_free(struct language *language)
{
    if (!language)
        return;
    automaton_free(language->upper);
    automaton_free(language->lower);
    buf_clear(&language->prefix);
    regex_free(language->tree);
    pattern_free(language->pattern);
    free(language->text);
    free(language);
}

const char *language_text(const struct language *language)
{
    return language->text;
}

enum automaton_text language_alphabet(const struct language *language)
{
    return language->alphabet;
}

const struct regex *language_tree(const struct language *language)
{
    return language->tree;
}

static struct span text_of(const struct language *language)
{
    return span_from_string(language->text);
}

bool language_matches(const struct language *language, struct span text)
{
    return pattern_match(language->pattern, text, NULL) == PATTERN_MATCH;
}

/* --- pairs of languages --- */

bool language_rules_out(const struct language *language, struct span beginning)
{
    struct span prefix = buf_span(&language->prefix);

    return !span_starts_with(prefix, beginning) && !span_starts_with(beginning, prefix);
}

static bool pair_meets(const struct language *a, const struct language *b, struct buf *example)
{
    struct buf found;
    bool is_certain = false;

    if (!a->upper || !b->upper)
        return false;
    buf_init(&found, EXAMPLE_MAX);
    if (automaton_meets(a->upper, b->upper, a->alphabet, &found) == AUTOMATON_YES)
        is_certain = !found.overflow && language_matches(a, buf_span(&found)) &&
                     language_matches(b, buf_span(&found));
    if (is_certain && example)
        buf_append(example, buf_span(&found));
    buf_clear(&found);
    return is_certain;
}

bool language_covers(const struct language *outer, const struct language *inner)
{
    if (pattern_is_literal(inner->pattern))
        return language_matches(outer, text_of(inner));
    if (strcmp(outer->text, inner->text) == 0)
        return true;
    if (language_rules_out(outer, buf_span(&inner->prefix)))
        return false;
    if (pattern_is_literal(outer->pattern))
        return inner->upper && language_is_within(inner, outer->text);
    return outer->lower && inner->upper &&
           automaton_includes(outer->lower, inner->upper, inner->alphabet) == AUTOMATON_YES;
}

/* The language of a probe, with automata even if it is literal. */
static struct language *probe_new(const char *probe, enum automaton_text alphabet)
{
    struct language *language = language_new(probe, alphabet);

    if (language && !language->upper)
        language->upper = automaton_build(language->tree, AUTOMATON_UPPER);
    if (language && !language->lower)
        language->lower = automaton_build(language->tree, AUTOMATON_LOWER);
    return language;
}

bool language_meets(const struct language *language, const char *probe, struct buf *example)
{
    struct language *other = probe_new(probe, language->alphabet);
    bool is_met = false;

    if (other && pattern_is_literal(language->pattern)) {
        is_met = language_matches(other, text_of(language));
        if (is_met && example)
            buf_append(example, text_of(language));
    } else if (other) {
        is_met = pair_meets(language, other, example);
    }
    language_free(other);
    return is_met;
}

bool language_avoids(const struct language *language, const char *probe)
{
    struct language *other = probe_new(probe, language->alphabet);
    bool is_avoided = false;

    if (other && pattern_is_literal(language->pattern))
        is_avoided = !language_matches(other, text_of(language));
    else if (other && other->upper && language->upper)
        is_avoided = automaton_meets(language->upper, other->upper, language->alphabet, NULL) ==
                     AUTOMATON_NO;
    language_free(other);
    return is_avoided;
}

bool language_is_within(const struct language *language, const char *probe)
{
    struct language *other = probe_new(probe, language->alphabet);
    bool is_within = false;

    if (other && pattern_is_literal(language->pattern))
        is_within = language_matches(other, text_of(language));
    else if (other && other->lower && language->upper)
        is_within =
            automaton_includes(other->lower, language->upper, language->alphabet) == AUTOMATON_YES;
    language_free(other);
    return is_within;
}

bool language_spans(const struct language *language, const char *probe)
{
    struct language *other = probe_new(probe, language->alphabet);
    bool is_spanned =
        other && !pattern_is_literal(language->pattern) && language_covers(language, other);

    language_free(other);
    return is_spanned;
}

/* --- the tree --- */

bool language_is_free(const struct language *language, const char *bytes)
{
    struct byte_set set = regex_free_bytes(language->tree);

    for (; *bytes; bytes++)
        if (!byte_set_has(&set, (unsigned char)*bytes))
            return false;
    return true;
}

/* Keeps what the pattern itself matches. */
static void filter_texts(const struct language *language, struct text_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        if (language_matches(language, span_from_string(list->items[i])))
            list->items[kept++] = list->items[i];
        else
            free(list->items[i]);
    }
    list->count = kept;
}

bool language_enumerate(const struct language *language, size_t limit, struct text_list *list_out)
{
    if (!regex_enumerate(language->tree, limit, list_out))
        return false;
    filter_texts(language, list_out);
    return true;
}

void language_append_prefix(const struct language *language, struct buf *out)
{
    buf_append(out, buf_span(&language->prefix));
}

/* --- templates --- */

/* Each group's mark is MARK and a byte from MARK_FIRST on. */
static void make_marks(struct captures *captures, char storage[][2], size_t count)
{
    captures->count = count;
    for (size_t i = 0; i < count; i++) {
        storage[i][0] = MARK;
        storage[i][1] = (char)(MARK_FIRST + (int)i);
        captures->groups[i] = span_make(storage[i], 2);
    }
}

static void append_quoted(struct buf *out, char c)
{
    if (!ascii_is_alpha(c) && !ascii_is_digit(c) && ascii_is_printable(c) && c != ' ')
        buf_append_char(out, '\\');
    buf_append_char(out, c);
}

/* Puts the groups' patterns where their marks are. */
static void compose(const struct regex *tree, struct span marked, struct buf *out)
{
    for (size_t i = 0; i < marked.len; i++) {
        if (marked.data[i] != MARK || i + 1 == marked.len) {
            append_quoted(out, marked.data[i]);
            continue;
        }
        size_t group = (size_t)(marked.data[++i] - MARK_FIRST);
        buf_append_string(out, "(?:");
        buf_append(out, tree->captures[group].inside);
        /* A group that takes no part is empty. */
        buf_append_string(out, tree->captures[group].is_optional ? "|)" : ")");
    }
}

struct language *language_of_template(const struct language *pattern,
                                      const struct template *template,
                                      const struct template_variables *variables)
{
    char storage[PATTERN_MAX_CAPTURES][2];
    struct captures captures;
    struct buf marked, text;
    struct language *language = NULL;

    make_marks(&captures, storage, pattern->tree->capture_count);
    buf_init(&marked, COMPOSED_MAX);
    buf_init(&text, COMPOSED_MAX);
    if (template_expand(template, &captures, variables, &marked))
        compose(pattern->tree, buf_span(&marked), &text);
    buf_append_char(&text, '\0');
    if (!marked.overflow && !text.overflow)
        language = language_new(buf_span(&text).data, pattern->alphabet);
    buf_clear(&text);
    buf_clear(&marked);
    return language;
}
