/* An entry is one datagram of lines NAME=VALUE. Values hold no line break, so the form for binary
 * ones is not needed, and they are short, so neither is the one that passes a file. The address is
 * given with each, as a journal that was started anew listens at the same place. */
#include "journal.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "buf.h"

#define JOURNAL_ENTRY_MAX (16 * 1024)

int journal_open(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static void journal_add(struct buf *entry, const char *name, struct span value)
{
    buf_append_string(entry, name);
    buf_append_char(entry, '=');
    /* A line break would begin another field. */
    buf_append(entry, span_first(value, span_find(value, '\n')));
    buf_append_char(entry, '\n');
}

bool journal_send(int fd, const char *path, char priority, const char *id, struct span message,
                  const struct journal_field *fields, size_t count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct buf entry;

    if (fd < 0 || strlen(path) >= sizeof address.sun_path)
        return false;
    strcpy(address.sun_path, path);
    buf_init(&entry, JOURNAL_ENTRY_MAX);
    journal_add(&entry, "MESSAGE", message);
    journal_add(&entry, "PRIORITY", span_make(&priority, 1));
    journal_add(&entry, "SYSLOG_IDENTIFIER", SPAN("onion-grater"));
    if (id)
        journal_add(&entry, "MESSAGE_ID", span_from_string(id));
    for (size_t i = 0; i < count; i++)
        journal_add(&entry, fields[i].name, fields[i].value);
    struct span whole = buf_span(&entry);
    bool done = !entry.overflow &&
                sendto(fd, whole.data, whole.len, MSG_DONTWAIT | MSG_NOSIGNAL,
                       (const struct sockaddr *)&address, sizeof address) == (ssize_t)whole.len;
    buf_clear(&entry);
    return done;
}
