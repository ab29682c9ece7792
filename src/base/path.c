/* Two spellings of one path are two ways past a comparison, so only one of them is taken. */
#include "path.h"

bool path_is_normal(struct span path)
{
    if (path.len == 0 || path.data[0] != '/')
        return false;
    while (path.len > 0) {
        path = span_from(path, 1);
        struct span part = span_first(path, span_find(path, '/'));
        if (part.len == 0 || span_equals(part, SPAN(".")) || span_equals(part, SPAN("..")))
            return false;
        path = span_from(path, part.len);
    }
    return true;
}
