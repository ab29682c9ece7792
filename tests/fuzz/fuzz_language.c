/* What the program claims of all texts that a pattern matches, against PCRE2 on single texts: a
 * claim is never more than what holds.
 *
 * Input: one byte for the alphabet, a pattern, a line break, another pattern, and texts, one a
 * line. The examples that are found, and their neighbours, are tried as well. */
#include <string.h>

#include "fuzz_check.h"
#include "language.h"
#include "mem.h"

#define SAMPLES_MAX 64
#define LIST_MAX 16

struct pair {
    enum automaton_text alphabet;
    char *first_text, *second_text;
    struct pattern *first, *second;
    struct language *first_language, *second_language;
    char *samples[SAMPLES_MAX];
    size_t count;
};

static struct span take_line(struct span *rest)
{
    size_t end = span_find(*rest, '\n');
    struct span line = span_first(*rest, end);

    *rest = span_from(*rest, end + 1);
    return line;
}

static struct pattern *compile(const char *text)
{
    struct buf error;
    size_t column;

    buf_init(&error, 4096);
    struct pattern *pattern = pattern_compile(text, &column, &error);
    buf_clear(&error);
    return pattern;
}

static bool is_of_alphabet(enum automaton_text alphabet, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_printable = c >= 0x20 && c < 0x7f;
        if (!is_printable && (alphabet == AUTOMATON_COMMAND || (c != '\t' && c < 0x80)))
            return false;
    }
    return true;
}

static void add_sample(struct pair *pair, struct span text)
{
    if (pair->count < SAMPLES_MAX && text.len <= 1000 && is_of_alphabet(pair->alphabet, text))
        pair->samples[pair->count++] = mem_copy_string(text);
}

/* The text itself, and what is one byte shorter, longer or other. */
static void add_neighbours(struct pair *pair, struct span text)
{
    struct buf other;

    add_sample(pair, text);
    add_sample(pair, span_first(text, text.len - (text.len > 0)));
    add_sample(pair, span_from(text, 1));
    for (const char *c = "a0 /"; *c; c++) {
        buf_init(&other, text.len + 2);
        buf_append(&other, text);
        buf_append_char(&other, *c);
        add_sample(pair, buf_span(&other));
        buf_clear(&other);
    }
}

/* What PCRE2 says of a text: claims are about the others where it gives up. */
static bool match(const struct pattern *pattern, const char *text)
{
    return pattern_match(pattern, span_from_string(text), NULL) == PATTERN_MATCH;
}

static bool mismatch(const struct pattern *pattern, const char *text)
{
    return pattern_match(pattern, span_from_string(text), NULL) == PATTERN_NO_MATCH;
}

static void find_example(struct pair *pair, const struct language *language, const char *probe,
                         const struct pattern *of_probe)
{
    struct buf example;

    buf_init(&example, 64 * 1024);
    if (language_meets(language, probe, &example)) {
        require(is_of_alphabet(pair->alphabet, buf_span(&example)));
        require(!language_avoids(language, probe));
        require(language_matches(language, buf_span(&example)));
        require(pattern_match(of_probe, buf_span(&example), NULL) == PATTERN_MATCH);
        add_neighbours(pair, buf_span(&example));
    } else {
        require(example.len == 0);
    }
    buf_clear(&example);
}

static void check_pair(const struct pair *pair)
{
    const struct language *language = pair->first_language;
    bool avoids = language_avoids(language, pair->second_text);
    bool is_within = language_is_within(language, pair->second_text);
    bool spans = language_spans(language, pair->second_text);
    bool covers = pair->second_language && language_covers(language, pair->second_language);

    for (size_t i = 0; i < pair->count; i++) {
        const char *text = pair->samples[i];
        if (avoids)
            require(!match(pair->first, text) || !match(pair->second, text));
        if (is_within)
            require(!match(pair->first, text) || !mismatch(pair->second, text));
        if (spans || covers)
            require(!match(pair->second, text) || !mismatch(pair->first, text));
    }
}

static bool is_listed(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static void check_list(const struct pair *pair)
{
    struct text_list list = {0};

    if (!language_enumerate(pair->first_language, LIST_MAX, &list)) {
        require(list.count == 0);
        return;
    }
    require(list.count <= LIST_MAX);
    for (size_t i = 0; i < list.count; i++)
        require(!mismatch(pair->first, list.items[i]));
    for (size_t i = 0; i < pair->count; i++)
        if (is_of_alphabet(AUTOMATON_COMMAND, span_from_string(pair->samples[i])))
            require(!match(pair->first, pair->samples[i]) || is_listed(&list, pair->samples[i]));
    text_list_clear(&list);
}

static void check_beginnings(const struct pair *pair)
{
    struct buf prefix;

    buf_init(&prefix, 64 * 1024);
    language_append_prefix(pair->first_language, &prefix);
    for (size_t i = 0; i < pair->count; i++) {
        struct span text = span_from_string(pair->samples[i]);
        if (!match(pair->first, pair->samples[i]))
            continue;
        require(span_starts_with(text, buf_span(&prefix)));
        for (size_t len = 0; len <= text.len && len < 20; len++)
            require(!language_rules_out(pair->first_language, span_first(text, len)));
    }
    buf_clear(&prefix);
}

static void check_all(struct pair *pair)
{
    find_example(pair, pair->first_language, pair->second_text, pair->second);
    find_example(pair, pair->first_language, pair->first_text, pair->first);
    if (pair->second_language)
        find_example(pair, pair->second_language, pair->second_text, pair->second);
    check_pair(pair);
    check_list(pair);
    check_beginnings(pair);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span rest = {(const char *)data + 1, size - 1};
    struct pair pair = {0};

    if (size < 1)
        return 0;
    pair.alphabet = data[0] % 2 ? AUTOMATON_LINE : AUTOMATON_COMMAND;
    pair.first_text = mem_copy_string(take_line(&rest));
    pair.second_text = mem_copy_string(take_line(&rest));
    pair.first = compile(pair.first_text);
    pair.second = compile(pair.second_text);
    pair.first_language = language_new(pair.first_text, pair.alphabet);
    pair.second_language = language_new(pair.second_text, pair.alphabet);
    require(!pair.first_language || pair.first);
    while (rest.len > 0 && pair.count < SAMPLES_MAX / 2)
        add_sample(&pair, take_line(&rest));
    if (pair.first_language && pair.second)
        check_all(&pair);
    for (size_t i = 0; i < pair.count; i++)
        free(pair.samples[i]);
    language_free(pair.first_language);
    language_free(pair.second_language);
    pattern_free(pair.first);
    pattern_free(pair.second);
    free(pair.first_text);
    free(pair.second_text);
    return 0;
}
