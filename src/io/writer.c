/* A connection may be inherited or sent to another process, which then speaks as the client.
 *
 * With SO_PASSCRED the kernel attaches pid and uid of its writer to all that is written, and one
 * read never takes bytes of two writers (unix(7)). A pid that stays the same proves nothing once
 * its process has exited, so the process is held by a pidfd for as long as it writes. Another
 * process is looked at once, when it begins to write; whether it may is writer_rule's business.
 *
 * Where the kernel sends a pidfd of the writer along (Linux 6.5), that one is looked at, and even a
 * writer that has exited since can be told from another with its number (6.9). */
#include "writer.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer.h"
#include "process.h"
#include "writer_rule.h"

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5 */
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 0x04
#endif

/* What came with one read. */
struct attached {
    bool has_credentials;
    struct ucred credentials;
    int pidfd; /* -1: none */
};

/* Room for both. Descriptors that are sent along get little room, and can take that of the pidfd;
 * the kernel drops what does not fit. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
};

bool writer_enable(int fd)
{
    int one = 1;

    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &one, sizeof one) == 0;
}

void writer_init(struct writer *writer, struct peer_system *system, int fd,
                 const struct identity *session, const struct identity_needs *needs, int pidfd)
{
    int one = 1;

    *writer = (struct writer){
        .system = system,
        .session = session,
        .needs = *needs,
        .pid = session->pid,
        .pidfd = pidfd,
    };
    if (session->transport != IDENTITY_UNIX)
        writer->needs.writer = false;
    if (!writer->needs.writer) {
        writer_clear(writer);
        return;
    }
    /* It may have been waiting at a listener that was passed in before that one was told. */
    writer_enable(fd);
    writer->gets_pidfds = identity_needs_process(needs) &&
                          setsockopt(fd, SOL_SOCKET, SO_PASSPIDFD, &one, sizeof one) == 0;
}

void writer_clear(struct writer *writer)
{
    if (writer->pidfd >= 0)
        close(writer->pidfd);
    writer->pidfd = -1;
}

/* --- control messages --- */

static void close_descriptors(const struct cmsghdr *header)
{
    const unsigned char *data = CMSG_DATA(header);
    size_t len = header->cmsg_len - CMSG_LEN(0);
    int fd;

    for (; len >= sizeof fd; data += sizeof fd, len -= sizeof fd) {
        memcpy(&fd, data, sizeof fd);
        if (fd >= 0)
            close(fd);
    }
}

static void take_message(const struct cmsghdr *header, struct attached *attached)
{
    if (header->cmsg_level != SOL_SOCKET)
        return;
    if (header->cmsg_type == SCM_CREDENTIALS &&
        header->cmsg_len == CMSG_LEN(sizeof attached->credentials)) {
        memcpy(&attached->credentials, CMSG_DATA(header), sizeof attached->credentials);
        attached->has_credentials = true;
    } else if (header->cmsg_type == SCM_PIDFD && attached->pidfd < 0 &&
               header->cmsg_len == CMSG_LEN(sizeof attached->pidfd)) {
        memcpy(&attached->pidfd, CMSG_DATA(header), sizeof attached->pidfd);
    } else if (header->cmsg_type == SCM_RIGHTS || header->cmsg_type == SCM_PIDFD) {
        close_descriptors(header);
    }
}

static void take_messages(struct msghdr *message, struct attached *attached)
{
    memset(attached, 0, sizeof *attached);
    attached->pidfd = -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header;
         header = CMSG_NXTHDR(message, header))
        take_message(header, attached);
}

/* --- judging --- */

/* Whether it is still the process that wrote last. */
static bool writer_is_current(const struct writer *writer, const struct attached *attached)
{
    return attached->credentials.pid == writer->pid && writer->pidfd >= 0 &&
           (process_is_alive(writer->pidfd) || process_is_same(writer->pidfd, attached->pidfd));
}

static const char *writer_look_refusal(const struct writer *writer, pid_t pid,
                                       enum process_look look)
{
    switch (look) {
    case PROCESS_SEEN:
        return NULL;
    case PROCESS_GONE:
        return pid == writer->pid ? "the client exited before its last bytes were read"
                                  : "another process wrote: the process is gone";
    case PROCESS_HIDDEN:
        return "another process wrote: /proc does not show the process";
    case PROCESS_YOUNGER:
    case PROCESS_CHANGED:
        return "another process wrote: the process changed while it was looked at";
    }
    return NULL;
}

/* From now on this is the process that writes. */
static void writer_become(struct writer *writer, pid_t pid, int *pidfd)
{
    writer_clear(writer);
    writer->pid = pid;
    writer->pidfd = *pidfd;
    *pidfd = -1;
}

static const char *writer_judge_process(struct writer *writer, struct identity *identity,
                                        struct attached *attached)
{
    /* Where the kernel would send a pidfd and does not, the writer has exited, or hides. */
    if (!writer->gets_pidfds)
        attached->pidfd = process_open(identity->pid);
    enum process_look look = peer_look(writer->system, &writer->needs, -1, identity->pid,
                                       attached->pidfd, process_ticks_now(), identity);
    const char *refusal = writer_look_refusal(writer, identity->pid, look);
    if (!refusal)
        refusal = writer_rule_refusal(writer->session, identity, &writer->needs);
    if (!refusal)
        writer_become(writer, identity->pid, &attached->pidfd);
    return refusal;
}

static const char *writer_judge(struct writer *writer, struct attached *attached)
{
    struct identity identity = {
        .transport = IDENTITY_UNIX,
        .has_credentials = true,
        .uid = attached->credentials.uid,
        .gid = attached->credentials.gid,
        .pid = attached->credentials.pid,
    };
    const struct identity_needs user_only = {0};

    if (!attached->has_credentials)
        return "another process wrote: the kernel did not say which";
    if (writer_is_current(writer, attached))
        return NULL;
    const char *refusal = writer_rule_refusal(writer->session, &identity, &user_only);
    if (!refusal && identity_needs_process(&writer->needs))
        refusal = writer_judge_process(writer, &identity, attached);
    identity_clear(&identity);
    return refusal;
}

ssize_t writer_read(struct writer *writer, int fd, char *data, size_t size,
                    const char **refusal_out)
{
    struct iovec into = {.iov_base = data, .iov_len = size};
    union control control;
    struct msghdr message = {
        .msg_iov = &into,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = sizeof control,
    };
    struct attached attached;

    *refusal_out = NULL;
    ssize_t len = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (len < 0)
        return len;
    take_messages(&message, &attached);
    if (len > 0 && writer->needs.writer)
        *refusal_out = writer_judge(writer, &attached);
    if (attached.pidfd >= 0)
        close(attached.pidfd);
    return len;
}
