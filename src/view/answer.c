/* Records are copied one by one: they come line by line, and are looked at many times. */
#include "answer.h"

#include <stdlib.h>

#include "mem.h"

void answer_init(struct answer *answer)
{
    *answer = (struct answer){.records = NULL};
}

void answer_clear(struct answer *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        free((char *)(void *)answer->records[i].data);
    free(answer->records);
    answer_init(answer);
}

bool answer_add(struct answer *answer, struct span record)
{
    if (record.len > ANSWER_MAX_BYTES - answer->bytes)
        return false;
    answer->records = mem_resize(answer->records, answer->count + 1, sizeof *answer->records);
    answer->records[answer->count++] = span_make(mem_copy_string(record), record.len);
    answer->bytes += record.len;
    return true;
}

bool answer_next(const struct answer *answer, const char *type, size_t *at, struct span *record_out)
{
    while (*at < answer->count) {
        struct span record = answer->records[(*at)++];
        if (!record_equals(record, "type", type))
            continue;
        *record_out = record;
        return true;
    }
    return false;
}

struct span answer_find(const struct answer *answer, const char *type)
{
    struct span record = span_make(NULL, 0);
    size_t at = 0;

    answer_next(answer, type, &at, &record);
    return record;
}
