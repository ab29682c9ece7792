/* A file that cannot be written keeps nobody from being served; the log hears of it once. */
#include "metrics_file.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "write_file.h"

#define METRICS_INTERVAL_MS 15000
#define METRICS_MAX (256 * 1024)

static void metrics_file_write(struct metrics_file *file)
{
    static const struct write_file_rights rights = {0644, (uid_t)-1, (gid_t)-1};
    struct buf text;

    buf_init(&text, METRICS_MAX);
    file->fill(file->context, &text);
    bool done = write_file(file->path, buf_span(&text), &rights);
    if (!done && !file->has_failed)
        log_at(LOG_LEVEL_WARNING,
               "metrics-file %s cannot be written: %s; its folder has to be there and writable for "
               "onion-grater's user (and named in ReadWritePaths= of its unit) when it starts",
               file->path, strerror(errno));
    file->has_failed = !done;
    buf_clear(&text);
}

static void metrics_file_on_timer(evutil_socket_t fd, short what, void *context)
{
    struct metrics_file *file = context;
    struct timeval interval = clock_interval_ms(METRICS_INTERVAL_MS);

    (void)fd;
    (void)what;
    metrics_file_write(file);
    event_add(&file->timer, &interval);
}

void metrics_file_start(struct metrics_file *file, struct event_base *base, const char *path,
                        void (*fill)(void *context, struct buf *out), void *context)
{
    *file = (struct metrics_file){.path = path, .fill = fill, .context = context};
    if (!path)
        return;
    event_assign(&file->timer, base, -1, 0, metrics_file_on_timer, file);
    metrics_file_on_timer(-1, 0, file);
}

void metrics_file_stop(struct metrics_file *file)
{
    if (!file->path)
        return;
    event_del(&file->timer);
    unlink(file->path);
    file->path = NULL;
}
