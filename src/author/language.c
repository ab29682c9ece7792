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
#define PROBES_MAX 256

/* A mark in an expansion: no template may hold a control character. */
#define MARK '\1'
#define MARK_FIRST '!'

/* What a language is made into when a question first needs it. */
struct automata {
    bool is_built;
    struct automaton *upper; /* NULL: too large */
    struct automaton *lower; /* the same one where nothing in the pattern is opaque */
};

struct language {
    char *text;
    enum automaton_text alphabet;
    struct pattern *pattern;
    struct regex *tree;
    struct buf prefix; /* what all texts begin with */
    struct automata *automata;
    struct language_probes *probes; /* borrowed, or NULL */
    bool is_kept;                   /* among the probes */
};

struct language_probes {
    struct language *items[PROBES_MAX]; /* owned */
    size_t count;
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
    language->automata = mem_zalloc(1, sizeof *language->automata);
    return language;
}

static void automata_free(struct automata *automata)
{
    if (!automata)
        return;
    if (automata->lower != automata->upper)
        automaton_free(automata->lower);
    automaton_free(automata->upper);
    free(automata);
}

void language_free(struct language *language)
{
    if (!language)
        return;
    automata_free(language->automata);
    buf_clear(&language->prefix);
    regex_free(language->tree);
    pattern_free(language->pattern);
    free(language->text);
    free(language);
}

static bool has_opaque(const struct regex *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        if (tree->nodes[i].kind == REGEX_OPAQUE)
            return true;
    return false;
}

static const struct automata *automata_of(const struct language *language)
{
    struct automata *automata = language->automata;

    if (automata->is_built)
        return automata;
    automata->is_built = true;
    automata->upper = automaton_build(language->tree, AUTOMATON_UPPER);
    automata->lower = has_opaque(language->tree) ? automaton_build(language->tree, AUTOMATON_LOWER)
                                                 : automata->upper;
    return automata;
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
    const struct automaton *of_a = automata_of(a)->upper, *of_b = automata_of(b)->upper;
    struct buf found;
    bool is_certain = false;

    if (!of_a || !of_b)
        return false;
    buf_init(&found, EXAMPLE_MAX);
    if (automaton_meets(of_a, of_b, a->alphabet, &found) == AUTOMATON_YES)
        is_certain = !found.overflow && language_matches(a, buf_span(&found)) &&
                     language_matches(b, buf_span(&found));
    if (is_certain && example)
        buf_append(example, buf_span(&found));
    buf_clear(&found);
    return is_certain;
}

static bool pair_avoids(const struct language *a, const struct language *b)
{
    const struct automaton *of_a = automata_of(a)->upper, *of_b = automata_of(b)->upper;

    return of_a && of_b && automaton_meets(of_a, of_b, a->alphabet, NULL) == AUTOMATON_NO;
}

static bool pair_covers(const struct language *outer, const struct language *inner)
{
    const struct automaton *of_outer = automata_of(outer)->lower;
    const struct automaton *of_inner = automata_of(inner)->upper;

    return of_outer && of_inner &&
           automaton_includes(of_outer, of_inner, inner->alphabet) == AUTOMATON_YES;
}

bool language_covers(const struct language *outer, const struct language *inner)
{
    if (pattern_is_literal(inner->pattern))
        return language_matches(outer, text_of(inner));
    if (strcmp(outer->text, inner->text) == 0)
        return true;
    return !language_rules_out(outer, buf_span(&inner->prefix)) && pair_covers(outer, inner);
}

/* --- probes --- */

struct language_probes *language_probes_new(void)
{
    return mem_zalloc(1, sizeof(struct language_probes));
}

void language_probes_free(struct language_probes *probes)
{
    for (size_t i = 0; i < probes->count; i++)
        language_free(probes->items[i]);
    free(probes);
}

void language_use_probes(struct language *language, struct language_probes *probes)
{
    language->probes = probes;
}

static struct language *probes_find(const struct language_probes *probes, const char *probe,
                                    enum automaton_text alphabet)
{
    for (size_t i = 0; i < probes->count; i++)
        if (probes->items[i]->alphabet == alphabet && strcmp(probes->items[i]->text, probe) == 0)
            return probes->items[i];
    return NULL;
}

/* NULL: not understood. For probe_leave. */
static struct language *probe_take(const struct language *language, const char *probe)
{
    struct language_probes *probes = language->probes;
    struct language *found = probes ? probes_find(probes, probe, language->alphabet) : NULL;

    if (found)
        return found;
    found = language_new(probe, language->alphabet);
    if (found && probes && probes->count < PROBES_MAX) {
        found->is_kept = true;
        probes->items[probes->count++] = found;
    }
    return found;
}

static void probe_leave(struct language *probe)
{
    if (probe && !probe->is_kept)
        language_free(probe);
}

bool language_meets(const struct language *language, const char *probe, struct buf *example)
{
    struct language *other = probe_take(language, probe);
    bool is_met = false;

    if (other && pattern_is_literal(language->pattern)) {
        is_met = language_matches(other, text_of(language));
        if (is_met && example)
            buf_append(example, text_of(language));
    } else if (other) {
        is_met = pair_meets(language, other, example);
    }
    probe_leave(other);
    return is_met;
}

bool language_avoids(const struct language *language, const char *probe)
{
    struct language *other = probe_take(language, probe);
    bool is_avoided = false;

    if (other && pattern_is_literal(language->pattern))
        is_avoided = !language_matches(other, text_of(language));
    else if (other)
        is_avoided = pair_avoids(language, other);
    probe_leave(other);
    return is_avoided;
}

bool language_is_within(const struct language *language, const char *probe)
{
    struct language *other = probe_take(language, probe);
    bool is_within = false;

    if (other && pattern_is_literal(language->pattern))
        is_within = language_matches(other, text_of(language));
    else if (other)
        is_within = pair_covers(other, language);
    probe_leave(other);
    return is_within;
}

bool language_spans(const struct language *language, const char *probe)
{
    struct language *other = probe_take(language, probe);
    bool is_spanned =
        other && !pattern_is_literal(language->pattern) && language_covers(language, other);

    probe_leave(other);
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
    if (language)
        language->probes = pattern->probes;
    buf_clear(&text);
    buf_clear(&marked);
    return language;
}
