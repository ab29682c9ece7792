/* Patterns that never decide, because those before them match all that they match.
 *
 * Asked exactly, by the languages of both; where that is not certain, nothing is said. */
#include <string.h>

#include "lint_parts.h"

/* Together with more than so many others before it a pattern is not looked at. */
#define MAX_UNION 16
#define MAX_COMPARISONS 200000

/* The first of the entries before `index` that covers it, or NULL. */
static const struct lint_entry *find_cover(struct lint *lint, const struct lint_entry *entries,
                                           size_t index)
{
    for (size_t i = 0; i < index && lint->comparisons < MAX_COMPARISONS; i++) {
        lint->comparisons++;
        if (entries[i].language && language_covers(entries[i].language, entries[index].language))
            return &entries[i];
    }
    return NULL;
}

/* Whether all of them before `index` together cover it. */
static bool is_covered_by_all(const struct lint_entry *entries, size_t index)
{
    struct buf text;
    bool is_covered = false;

    if (index < 2 || index > MAX_UNION)
        return false;
    buf_init(&text, 16 * 1024);
    for (size_t i = 0; i < index; i++)
        if (entries[i].language)
            buf_printf(&text, "%s(?:%s)", text.len ? "|" : "", language_text(entries[i].language));
    buf_append_char(&text, '\0');
    if (!text.overflow && text.len > 1) {
        struct language *all =
            language_new(buf_span(&text).data, language_alphabet(entries[index].language));
        is_covered = all && language_covers(all, entries[index].language);
        language_free(all);
    }
    buf_clear(&text);
    return is_covered;
}

static void lint_entry_at(struct lint *lint, const struct lint_entry *entries, size_t index,
                          const char *what)
{
    const struct lint_entry *entry = &entries[index];
    const struct lint_entry *cover = find_cover(lint, entries, index);
    const char *text = lint_quote(lint, span_from_string(language_text(entry->language)));

    if (cover && strcmp(language_text(cover->language), language_text(entry->language)) == 0)
        lint_warning(lint, entry->where, "unreachable-rule",
                     "this %s never decides: '%s' stands in line %u already", what, text,
                     cover->where.line);
    else if (cover)
        lint_warning(lint, entry->where, "unreachable-rule",
                     "this %s never decides: all that '%s' matches is matched before by '%s' in "
                     "line %u; put it above that one, or take it out",
                     what, text, lint_quote(lint, span_from_string(language_text(cover->language))),
                     cover->where.line);
    else if (is_covered_by_all(entries, index))
        lint_warning(lint, entry->where, "unreachable-rule",
                     "this %s never decides: all that '%s' matches is matched before by those "
                     "above it; put it above them, or take it out",
                     what, text);
}

void lint_order(struct lint *lint, const struct lint_entry *entries, size_t count, const char *what)
{
    for (size_t i = 1; i < count; i++)
        if (entries[i].language)
            lint_entry_at(lint, entries, i, what);
}
