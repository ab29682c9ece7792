/* "PID (NAME) STATE PPID ...": the process chooses NAME, and it may hold spaces, parentheses and
 * line breaks. What follows it does not, so everything is counted from the last parenthesis. */
#include "process_stat.h"

#include "ascii.h"

#define STAT_STATE 3 /* numbers of fields, from 1 */
#define STAT_START 22

/* Cuts off the next word; empty at the end. */
static struct span take_word(struct span *text)
{
    struct span word = span_first(*text, span_find(*text, ' '));

    *text = span_from(*text, word.len + 1);
    return word;
}

/* Ticks do not fit an unsigned long where that has 32 bits. */
static bool parse_ticks(struct span word, uint64_t *ticks_out)
{
    *ticks_out = 0;
    if (word.len == 0 || word.len > 19)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!ascii_is_digit(word.data[i]))
            return false;
        *ticks_out = *ticks_out * 10 + (uint64_t)(word.data[i] - '0');
    }
    return true;
}

bool process_stat_parse(struct span text, struct process_stat *stat_out)
{
    struct span word = {0};
    size_t name_end = text.len;

    while (name_end > 0 && text.data[name_end - 1] != ')')
        name_end--;
    text = span_from(text, name_end);
    if (name_end == 0 || text.len < 2 || text.data[0] != ' ')
        return false;
    text = span_from(text, 1);
    for (int field = STAT_STATE; field <= STAT_START; field++) {
        word = take_word(&text);
        if (field == STAT_STATE && word.len == 1)
            stat_out->state = word.data[0];
        else if (field == STAT_STATE)
            return false;
    }
    return parse_ticks(word, &stat_out->start);
}

/* "NSpid:" and the process's number in each namespace, from that of /proc to its own. */
bool process_status_is_nested(struct span text)
{
    static const struct span key = SPAN("NSpid:\t");

    while (text.len > 0) {
        struct span line = span_first(text, span_find(text, '\n'));
        text = span_from(text, line.len + 1);
        if (span_starts_with(line, key)) {
            struct span numbers = span_from(line, key.len);
            return span_find(numbers, '\t') < numbers.len;
        }
    }
    return false;
}
