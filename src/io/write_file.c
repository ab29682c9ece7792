/* Under its final name a file has its content and its rights from the first moment. */
#include "write_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"

static bool write_all(int fd, struct span content)
{
    while (content.len > 0) {
        ssize_t written = write(fd, content.data, content.len);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        content = span_from(content, (size_t)written);
    }
    return true;
}

static bool fill(int fd, struct span content, const struct write_file_rights *rights)
{
    bool has_owner = rights->user != (uid_t)-1 || rights->group != (gid_t)-1;

    return write_all(fd, content) && fchmod(fd, rights->mode) == 0 &&
           (!has_owner || fchown(fd, rights->user, rights->group) == 0);
}

bool write_file(const char *path, struct span content, const struct write_file_rights *rights)
{
    char *name = mem_printf("%s.new", path);

    unlink(name);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool done = fd >= 0 && fill(fd, content, rights) && rename(name, path) == 0;
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !done)
        unlink(name);
    free(name);
    errno = error;
    return done;
}
