/* What is too long to stand in span.h. Comparison and numbers know ASCII only. */
#include "span.h"

#include "ascii.h"

bool span_equals_nocase(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_to_lower(a.data[i]) != ascii_to_lower(b.data[i]))
            return false;
    return true;
}

bool span_to_number(struct span s, unsigned long max, unsigned long *number_out)
{
    unsigned long number = 0;

    if (s.len == 0 || s.len > 19)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_is_digit(s.data[i]))
            return false;
        unsigned long digit = (unsigned long)(s.data[i] - '0');
        if (digit > max || number > (max - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *number_out = number;
    return true;
}
