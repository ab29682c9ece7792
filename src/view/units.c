/* Ages change their unit where the next one says enough; sizes keep two digits at least. */
#include "units.h"

#include <stddef.h>

void units_append_age(struct buf *out, unsigned long ms)
{
    static const struct {
        unsigned long seconds;
        unsigned long below; /* so many of them */
        char letter;
    } rows[] = {{1, 100, 's'}, {60, 100, 'm'}, {3600, 48, 'h'}};
    unsigned long seconds = ms / 1000;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (seconds / rows[i].seconds >= rows[i].below)
            continue;
        buf_printf(out, "%lu%c", seconds / rows[i].seconds, rows[i].letter);
        return;
    }
    buf_printf(out, "%lud", seconds / 86400);
}

/* `plain`: up to this they are written as they are. */
static void append_scaled(struct buf *out, unsigned long number, unsigned long plain,
                          unsigned long step, const char *letters)
{
    unsigned long unit = step;

    if (number <= plain) {
        buf_printf(out, "%lu", number);
        return;
    }
    while (letters[1] && number / unit >= 1000) {
        unit *= step;
        letters++;
    }
    if (number / unit < 10)
        buf_printf(out, "%lu.%lu%c", number / unit, number % unit / (unit / 10 + 1), *letters);
    else
        buf_printf(out, "%lu%c", number / unit, *letters);
}

void units_append_count(struct buf *out, unsigned long count)
{
    append_scaled(out, count, 9999, 1000, "kMGT");
}

void units_append_bytes(struct buf *out, unsigned long bytes)
{
    append_scaled(out, bytes, 1023, 1024, "KMGT");
}
