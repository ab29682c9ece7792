/* Allocation that succeeds or aborts, so that no caller has a path for half a failure. */
#include "mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void *mem_zalloc(size_t count, size_t size)
{
    /* calloc(0) may be NULL, which callers would take for exhaustion. */
    return or_abort(calloc(count ? count : 1, size ? size : 1));
}

void *mem_resize(void *array, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        abort();
    return or_abort(realloc(array, count && size ? count * size : 1));
}

char *mem_copy_string(struct span text)
{
    char *copy = mem_zalloc(text.len + 1, 1);

    if (text.len)
        memcpy(copy, text.data, text.len);
    return copy;
}

char *mem_printf(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    return or_abort(text);
}

void mem_wipe(void *memory, size_t size)
{
    if (memory && size)
        explicit_bzero(memory, size);
}
