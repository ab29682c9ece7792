/* A socket's directory decides who the clients talk to: whoever may write there may put a socket of
 * his own in our place. So each directory on the way is looked at, and each link; what passes
 * cannot be changed later by anybody but root and us, which makes checking by path safe. */
#include "socket_path.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mem.h"
#include "path.h"
#include "span.h"

static bool is_trusted_owner(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

static bool refuse(struct buf *reason, const char *path, const char *text)
{
    buf_append_string(reason, "directory ");
    buf_append_escaped(reason, span_from_string(path), 0);
    buf_printf(reason, ": %s", text);
    return false;
}

/* One directory on the way, by its name as it stands; `is_last`: the socket is made in it. */
static bool check_directory(const char *path, bool is_last, struct buf *reason)
{
    struct stat status;

    if (lstat(path, &status) < 0)
        return refuse(reason, path, strerror(errno));
    if (!is_trusted_owner(status.st_uid))
        return refuse(reason, path,
                      "it belongs to another user, who could replace the socket; it "
                      "must belong to root or to the user of this service");
    if (S_ISLNK(status.st_mode))
        return true;
    if (!S_ISDIR(status.st_mode))
        return refuse(reason, path, "this is no directory");
    if (is_last && (status.st_mode & (S_IWGRP | S_IWOTH)))
        return refuse(reason, path,
                      "group or others may write to it, and could replace the "
                      "socket; only its owner may (chmod go-w)");
    if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX))
        return refuse(reason, path, "everybody may write to it, and could replace what is below");
    return true;
}

/* Every directory from the root down to `directory`. */
static bool check_chain(const char *directory, struct buf *reason)
{
    char *path = mem_copy_string(span_from_string(directory));
    size_t len = strlen(path);
    bool safe = check_directory("/", len <= 1, reason);

    for (size_t i = 1; safe && i <= len && len > 1; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        char end = path[i];
        path[i] = '\0';
        safe = check_directory(path, i == len, reason);
        path[i] = end;
    }
    free(path);
    return safe;
}

/* The chain as written, for its links, and as resolved, for where they lead. */
static bool check_place(const char *directory, struct buf *reason)
{
    if (!path_is_normal(span_from_string(directory)) && strcmp(directory, "/") != 0)
        return refuse(reason, directory,
                      "an absolute path without \"//\", \".\" and \"..\" "
                      "belongs here");
    if (!check_chain(directory, reason))
        return false;
    char *resolved = realpath(directory, NULL);
    if (!resolved)
        return refuse(reason, directory, strerror(errno));
    bool safe = check_chain(resolved, reason);
    free(resolved);
    return safe;
}

static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    return len ? mem_copy_string(span_make(path, len)) : mem_copy_string(SPAN("/"));
}

bool socket_path_check(const char *path, struct buf *reason)
{
    struct sockaddr_un address;

    if (!path_is_normal(span_from_string(path))) {
        buf_append_string(reason, "a socket's path must be absolute, without \"//\", \".\" and "
                                  "\"..\"");
        return false;
    }
    if (strlen(path) >= sizeof address.sun_path) {
        buf_printf(reason,
                   "the socket's path has %zu bytes; at most %zu are possible: choose a "
                   "shorter one",
                   strlen(path), sizeof address.sun_path - 1);
        return false;
    }
    char *directory = directory_of(path);
    bool safe = check_place(directory, reason);
    free(directory);
    return safe;
}

bool socket_path_make_directory(const char *directory, struct buf *reason)
{
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return refuse(reason, directory, strerror(errno));
    return check_place(directory, reason);
}

/* Tries to connect: only the kernel knows whether somebody listens. */
static bool is_abandoned(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);

    if (len >= sizeof address.sun_path)
        return false;
    memcpy(address.sun_path, path, len + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool refused =
        connect(fd, (const struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

bool socket_path_clear(const char *path, struct buf *reason)
{
    struct stat status;

    if (lstat(path, &status) < 0) {
        if (errno == ENOENT)
            return true;
        buf_append_string(reason, strerror(errno));
        return false;
    }
    if (!S_ISSOCK(status.st_mode)) {
        buf_append_string(reason, "something that is no socket is in this place; remove it, or "
                                  "choose another path");
        return false;
    }
    if (!is_abandoned(path)) {
        buf_append_string(reason, "another program listens on this socket");
        return false;
    }
    if (unlink(path) < 0) {
        buf_printf(reason, "a socket that nobody listens on cannot be removed: %s",
                   strerror(errno));
        return false;
    }
    return true;
}

bool socket_path_identify(const char *path, struct socket_path_id *id_out)
{
    struct stat status;

    if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode))
        return false;
    *id_out = (struct socket_path_id){status.st_dev, status.st_ino};
    return true;
}

bool socket_path_is_ours(const char *path, const struct socket_path_id *id)
{
    struct socket_path_id now;

    return socket_path_identify(path, &now) && now.device == id->device && now.inode == id->inode;
}
