/* tor's control port: whether it is there, what it says before a login, and whether the service
 * gets to it.
 *
 * Of tor nothing is asked but PROTOCOLINFO, which everybody may ask once and which changes nothing.
 * What another user may do is tried by a child that becomes that user: rights are the kernel's to
 * judge, not ours. */
#include "ctl_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "protocolinfo.h"
#include "mem.h"
#include "upstream.h"

#define TOR_LIMIT_MS 5000
#define REPLY_MAX 16384
#define UNIX_PREFIX "unix:"

/* --- a connection --- */

/* Connects within the limit; -1 and errno otherwise. */
static int connect_to(const struct upstream_address *address)
{
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    if (connect(fd, (const struct sockaddr *)&address->storage, address->len) == 0)
        return fd;
    int error = errno;
    if (error == EINPROGRESS) {
        struct pollfd polled = {.fd = fd, .events = POLLOUT};
        socklen_t len = sizeof error;
        error = ETIMEDOUT;
        if (poll(&polled, 1, TOR_LIMIT_MS) > 0)
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error == 0)
            return fd;
    }
    close(fd);
    errno = error;
    return -1;
}

/* What comes up to a last line, or to the end of the patience. */
static void read_reply(int fd, struct buf *reply)
{
    uint64_t end_ms = clock_monotonic_ms() + TOR_LIMIT_MS;
    char piece[4096];

    while (!protocolinfo_is_complete(buf_span(reply))) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        uint64_t now_ms = clock_monotonic_ms();
        if (now_ms >= end_ms || poll(&polled, 1, (int)(end_ms - now_ms)) <= 0)
            return;
        ssize_t len = recv(fd, piece, sizeof piece, 0);
        if (len <= 0 || !buf_append(reply, span_make(piece, (size_t)len)))
            return;
    }
}

static void ask(int fd, struct doctor_tor *facts)
{
    static const char question[] = "PROTOCOLINFO 1\r\n";
    struct protocolinfo answer;
    struct buf reply;

    buf_init(&reply, REPLY_MAX);
    if (send(fd, question, strlen(question), MSG_NOSIGNAL) == (ssize_t)strlen(question))
        read_reply(fd, &reply);
    facts->is_answering = protocolinfo_read(buf_span(&reply), &answer) ? DOCTOR_YES : DOCTOR_NO;
    facts->offers_null = answer.null;
    facts->offers_cookie = answer.cookie;
    facts->offers_password = answer.password;
    facts->version = answer.version;
    facts->cookie = answer.cookie_path;
    buf_clear(&reply);
}

/* --- as the service's user --- */

struct attempt {
    const struct upstream_address *address; /* to connect to, or NULL */
    const char *path;                       /* to open */
};

static bool attempt(const struct attempt *what)
{
    int fd = what->address ? connect_to(what->address)
                           : open(what->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    return fd >= 0;
}

static bool become_service(const struct ctl_facts *gathered)
{
    return setgroups((size_t)gathered->service_group_count, gathered->service_groups) == 0 &&
           setresgid(gathered->service_gid, gathered->service_gid, gathered->service_gid) == 0 &&
           setresuid(gathered->service_uid, gathered->service_uid, gathered->service_uid) == 0;
}

/* Only root can become another. */
static enum doctor_fact attempt_as_service(const struct ctl_facts *gathered,
                                           const struct attempt *what)
{
    int status = 0;

    if (!gathered->facts->is_root || !gathered->service_groups)
        return DOCTOR_UNSEEN;
    pid_t child = fork();
    if (child == 0)
        _exit(!become_service(gathered) ? 2 : attempt(what) ? 0 : 1);
    if (child < 0)
        return DOCTOR_UNSEEN;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 2)
        return DOCTOR_UNSEEN;
    return WEXITSTATUS(status) == 0 ? DOCTOR_YES : DOCTOR_NO;
}

/* --- the cookie --- */

/* Whether everybody may read the file: it, and pass all folders on the way. */
static enum doctor_fact is_open_to_all(const char *path)
{
    char *part = mem_copy_string(span_from_string(path));
    struct stat status;
    mode_t wanted = S_IROTH;
    enum doctor_fact fact = DOCTOR_YES;

    while (fact == DOCTOR_YES && part[0]) {
        if (stat(part, &status) < 0)
            fact = errno == EACCES ? DOCTOR_NO : DOCTOR_UNSEEN;
        else if (!(status.st_mode & wanted))
            fact = DOCTOR_NO;
        char *slash = strrchr(part, '/');
        *(slash ? slash : part) = '\0';
        wanted = S_IXOTH;
    }
    free(part);
    return fact;
}

static void look_at_cookie(struct ctl_facts *gathered)
{
    struct doctor_tor *facts = &gathered->facts->tor;
    const char *configured = gathered->setup->options.cookie_path;

    if (configured) {
        free(facts->cookie);
        facts->cookie = mem_copy_string(span_from_string(configured));
    }
    if (!facts->offers_cookie || !facts->cookie || facts->cookie[0] != '/')
        return;
    facts->is_cookie_open = is_open_to_all(facts->cookie);
    const struct attempt reading = {.path = facts->cookie};
    facts->service_reads = attempt_as_service(gathered, &reading);
}

/* --- the whole --- */

static bool is_installed(void)
{
    static const char *const places[] = {"/usr/bin/tor", "/usr/sbin/tor", "/usr/local/bin/tor",
                                         "/usr/local/sbin/tor", NULL};

    for (size_t i = 0; places[i]; i++)
        if (access(places[i], X_OK) == 0)
            return true;
    return false;
}

static void look_at_socket(struct ctl_facts *gathered, const char *path)
{
    struct doctor_tor *facts = &gathered->facts->tor;
    struct stat status;

    if (stat(path, &status) < 0) {
        facts->is_there = errno == ENOENT ? DOCTOR_NO : DOCTOR_UNSEEN;
        return;
    }
    facts->is_there = S_ISSOCK(status.st_mode) ? DOCTOR_YES : DOCTOR_NO;
}

void ctl_facts_tor(struct ctl_facts *gathered)
{
    struct doctor_tor *facts = &gathered->facts->tor;
    const struct options *options = &gathered->setup->options;
    struct upstream_address address;
    struct buf reason;

    facts->address = mem_copy_string(span_from_string(options->tor_control));
    facts->is_tcp = strncmp(facts->address, UNIX_PREFIX, strlen(UNIX_PREFIX)) != 0;
    facts->is_installed = is_installed() ? DOCTOR_YES : DOCTOR_NO;
    facts->has_password_file = options->password_file != NULL;
    if (!facts->is_tcp)
        look_at_socket(gathered, facts->address + strlen(UNIX_PREFIX));
    buf_init(&reason, 1024);
    bool is_address = upstream_parse(facts->address, &address, &reason);
    buf_clear(&reason);
    if (!is_address || facts->is_there == DOCTOR_NO)
        return;
    int fd = connect_to(&address);
    if (fd >= 0) {
        facts->is_there = DOCTOR_YES;
        ask(fd, facts);
        close(fd);
    } else if (errno == ECONNREFUSED || errno == ENOENT) {
        facts->is_there = DOCTOR_NO;
        return;
    }
    const struct attempt connecting = {.address = &address};
    facts->service_reaches = attempt_as_service(gathered, &connecting);
    look_at_cookie(gathered);
}
