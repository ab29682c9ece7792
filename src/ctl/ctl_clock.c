/* Times of the daemon are milliseconds since 1970; people read the local time. */
#include "ctl_clock.h"

#include <time.h>

#include "record.h"

/* False: the record does not say. */
static bool local_time(struct span record, struct tm *parts)
{
    unsigned long ms;

    if (!record_number(record, "time_ms", &ms))
        return false;
    time_t seconds = (time_t)(ms / 1000);
    return localtime_r(&seconds, parts) != NULL;
}

void ctl_clock_time(struct span record, char *text, size_t size)
{
    struct tm parts;

    if (!local_time(record, &parts) || strftime(text, size, "%H:%M:%S", &parts) == 0)
        text[0] = '\0';
}

void ctl_clock_date(struct span record, char *text, size_t size)
{
    struct tm parts;

    if (!local_time(record, &parts) || strftime(text, size, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        text[0] = '\0';
}
