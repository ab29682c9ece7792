/* A process may go at any time, and then was never there. Arguments are what it chose to show. */
#include "ctl_process.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

#define SMALL_MAX 65536

bool ctl_process_read_path(const char *path, size_t max, struct buf *content)
{
    char piece[4096];
    ssize_t len = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    buf_init(content, max);
    if (fd < 0)
        return false;
    while ((len = read(fd, piece, sizeof piece)) > 0)
        if (!buf_append(content, span_make(piece, (size_t)len)))
            break;
    close(fd);
    while (content->len > 0 && strchr(" \n", content->data[content->start + content->len - 1]))
        buf_truncate(content, content->len - 1);
    return len >= 0;
}

bool ctl_process_read(pid_t pid, const char *name, struct buf *content)
{
    char *path = mem_printf("/proc/%jd/%s", (intmax_t)pid, name);
    bool done = ctl_process_read_path(path, SMALL_MAX, content);

    free(path);
    return done;
}

/* Behind the first line that begins so, up to its end. */
static struct span find_line(struct span text, struct span key)
{
    while (text.len > 0 && !span_starts_with(text, key))
        text = span_from(text, span_find(text, '\n') + 1);
    return span_from(span_first(text, span_find(text, '\n')), key.len);
}

size_t ctl_process_numbers(struct span status, const char *name, unsigned long *numbers, size_t max)
{
    struct span rest = find_line(status, span_from_string(name));
    size_t count = 0;

    while (rest.len > 0 && count < max) {
        size_t len = 0;
        while (len < rest.len && !strchr(" \t:", rest.data[len]))
            len++;
        if (span_to_number(span_first(rest, len), ULONG_MAX, &numbers[count]))
            count++;
        rest = span_from(rest, len + 1);
    }
    return count;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool ctl_process_is_script(const struct ctl_process *process, const char *name)
{
    const char *argument = process->arguments;

    if (!process->is_python)
        return false;
    /* Behind the interpreter and its options. */
    do
        argument += strlen(argument) + 1;
    while (argument[0] == '-');
    return strcmp(base_name(argument), name) == 0;
}

/* False: it is gone, or hidden. */
static bool look(pid_t pid, struct ctl_process *process)
{
    struct buf text;

    *process = (struct ctl_process){.pid = pid};
    bool done = ctl_process_read(pid, "comm", &text);
    snprintf(process->name, sizeof process->name, "%.*s", (int)text.len, buf_span(&text).data);
    buf_clear(&text);
    if (!done)
        return false;
    ctl_process_read(pid, "cmdline", &text);
    process->arguments = mem_zalloc(text.len + 2, 1);
    if (text.len > 0)
        memcpy(process->arguments, buf_span(&text).data, text.len);
    buf_clear(&text);
    process->is_python = strncmp(base_name(process->arguments), "python", 6) == 0;
    return true;
}

bool ctl_process_each(bool (*visit)(void *context, const struct ctl_process *process),
                      void *context)
{
    const struct dirent *entry;
    DIR *proc = opendir("/proc");
    bool goes_on = true, sees_others = false;

    while (proc && goes_on && (entry = readdir(proc))) {
        struct ctl_process process;
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        if (pid <= 0 || *end)
            continue;
        sees_others |= pid == 1;
        if (look((pid_t)pid, &process)) {
            goes_on = visit(context, &process);
            free(process.arguments);
        }
    }
    if (proc)
        closedir(proc);
    return sees_others;
}
