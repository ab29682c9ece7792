/* No shell, no input, and an end: what is asked may hang on a machine that needs a doctor. */
#include "ctl_command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

#define COMMAND_LIMIT_MS 10000

static void run_child(const char *const *arguments, int output)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0)
        execvp(arguments[0], (char *const *)(void *)arguments);
    _exit(127);
}

/* False: it did not end in time. */
static bool read_all(int fd, struct buf *out)
{
    uint64_t end_ms = clock_monotonic_ms() + COMMAND_LIMIT_MS;
    char piece[4096];

    for (;;) {
        struct pollfd polled = {.fd = fd, .events = POLLIN};
        uint64_t now_ms = clock_monotonic_ms();
        if (now_ms >= end_ms || poll(&polled, 1, (int)(end_ms - now_ms)) == 0)
            return false;
        ssize_t len = read(fd, piece, sizeof piece);
        if (len == 0)
            return true;
        if (len > 0)
            buf_append(out, span_make(piece, (size_t)len));
        else if (errno != EINTR)
            return false;
    }
}

bool ctl_command_output(const char *const *arguments, struct buf *out)
{
    int ends[2], status = -1;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    pid_t child = fork();
    if (child == 0)
        run_child(arguments, ends[1]);
    close(ends[1]);
    bool is_read = child > 0 && read_all(ends[0], out);
    close(ends[0]);
    if (child < 0)
        return false;
    if (!is_read)
        kill(child, SIGKILL);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return is_read && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
