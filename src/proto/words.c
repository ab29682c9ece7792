/* Words of positional arguments.
 *
 * tor cuts at the space only and then trims other white space from each piece (control-protocol
 * 1.4); as nothing but printable ASCII comes this far, cutting at the space is all there is. */
#include "words.h"

bool words_next(struct span *rest, struct span *word_out)
{
    size_t start = 0;

    while (start < rest->len && rest->data[start] == ' ')
        start++;
    *rest = span_from(*rest, start);
    *word_out = span_first(*rest, span_find(*rest, ' '));
    *rest = span_from(*rest, word_out->len);
    return word_out->len > 0;
}

size_t words_count(struct span text)
{
    struct span word;
    size_t count = 0;

    while (words_next(&text, &word))
        count++;
    return count;
}
