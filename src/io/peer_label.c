/* SO_PEERSEC: the label of the task that made the client's socket, at that moment.
 *
 * Only Linux 6.17 and later answer it for Unix sockets under AppArmor. A kernel with AppArmor
 * switched off may report success and write nothing (Debian 12's does), so the buffer is zeroed and
 * an empty answer is none. */
#include "peer_label.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mem.h"

#define PEER_LABEL_SWITCH "/sys/module/apparmor/parameters/enabled"
#define PEER_LABEL_FIRST 256

bool peer_label_is_enabled(void)
{
    char value = '\0';
    int fd = open(PEER_LABEL_SWITCH, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return false;
    bool done = read(fd, &value, 1) == 1;
    close(fd);
    return done && value == 'Y';
}

bool peer_label_ask(int fd, struct buf *label)
{
    socklen_t size = PEER_LABEL_FIRST, len = size;
    char *text = mem_zalloc(size, 1);
    bool done;

    /* With too little room the kernel says how much it takes. */
    while (!(done = getsockopt(fd, SOL_SOCKET, SO_PEERSEC, text, &len) == 0)) {
        if (errno != ERANGE || len <= size || len > PEER_LABEL_MAX)
            break;
        free(text);
        size = len;
        text = mem_zalloc(size, 1);
    }
    struct span answer = span_make(text, done ? strnlen(text, len) : 0);
    done = answer.len > 0 && buf_append(label, answer);
    free(text);
    return done;
}

/* A connected pair by listen(2) and accept(2): for a socketpair(2) the kernel notes no label. */
static int connect_to_ourselves(int listener, int client)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof address;

    /* Without a name the kernel chooses one, in the abstract namespace. */
    if (bind(listener, (struct sockaddr *)&address, sizeof address.sun_family) < 0 ||
        listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&address, &len) < 0 ||
        connect(client, (struct sockaddr *)&address, len) < 0)
        return -1;
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
}

bool peer_label_is_answered(void)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int accepted = -1;
    struct buf label;

    buf_init(&label, PEER_LABEL_MAX);
    if (listener >= 0 && client >= 0)
        accepted = connect_to_ourselves(listener, client);
    bool is_answered = accepted >= 0 && peer_label_ask(accepted, &label);
    buf_clear(&label);
    if (listener >= 0)
        close(listener);
    if (client >= 0)
        close(client);
    if (accepted >= 0)
        close(accepted);
    return is_answered;
}
