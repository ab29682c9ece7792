/* A handler that only set a flag could run just before poll(2) begins to wait: a pipe is seen by it
 * whenever the signal comes. */
#include "ctl_signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static volatile sig_atomic_t is_caught;
static int pipe_ends[2] = {-1, -1};

static void note_signal(int number)
{
    (void)number;
    is_caught = 1;
    /* It is full only if it can be read already. */
    if (write(pipe_ends[1], "", 1) < 0)
        return;
}

bool ctl_signals_catch(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_handler = note_signal};

    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return false;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    return true;
}

bool ctl_signals_caught(void)
{
    return is_caught;
}

int ctl_signals_fd(void)
{
    return pipe_ends[0];
}
