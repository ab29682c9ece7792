/* Steps that are taken under one layer of containment, each in a process of its own: a layer is for
 * good. */
#ifndef OG_CONTAIN_FIXTURE_H
#define OG_CONTAIN_FIXTURE_H

#include <criterion/criterion.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contain.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Exit statuses of a row's process beside 0 and an errno. */
#define STATUS_ABSENT 250
#define STATUS_FAILED 251

/* Does something; 0, or the errno that it failed with. */
typedef int step(void);

/* Puts a layer in force. */
typedef enum contain_result layer(struct buf *why);

static inline int outcome(long result)
{
    return result < 0 ? errno : 0;
}

#define REASON_MAX 1024
static char *reason; /* shared with the process */

static inline void share_reason(void)
{
    reason = mmap(NULL, REASON_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(reason != MAP_FAILED);
}

static inline void enter(layer *enter_layer)
{
    struct buf why;

    buf_init(&why, REASON_MAX - 1);
    enum contain_result result = contain_privileges(&why);
    if (result == CONTAIN_DONE)
        result = enter_layer(&why);
    memcpy(reason, buf_span(&why).data, why.len);
    reason[why.len] = '\0';
    if (result != CONTAIN_DONE)
        _exit(result == CONTAIN_ABSENT ? STATUS_ABSENT : STATUS_FAILED);
}

/* The wait status of a process that enters the layer and takes the step. Where the layer cannot be
 * had the whole test is skipped, with the layer's own words. */
static inline int run(layer *enter_layer, step *what)
{
    int status = -1;
    pid_t pid = fork();

    cr_assert(pid >= 0);
    if (pid == 0) {
        enter(enter_layer);
        _exit(what());
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_ABSENT)
        cr_skip_test("%s", reason);
    cr_assert(!WIFEXITED(status) || WEXITSTATUS(status) != STATUS_FAILED, "%s", reason);
    return status;
}

struct row {
    const char *name;
    step *what;
    int expected; /* errno, 0: it works */
};

#define WORKS(step) {#step, step, 0}
#define FORBIDDEN(step) {#step, step, EPERM}
#define DENIED(step) {#step, step, EACCES}

static inline void run_rows(layer *enter_layer, const struct row *rows, size_t count)
{
    share_reason();
    for (size_t i = 0; i < count; i++) {
        int status = run(enter_layer, rows[i].what);
        bool exited = WIFEXITED(status);
        int got = exited ? WEXITSTATUS(status) : WTERMSIG(status);
        cr_expect(exited && got == rows[i].expected, "row %zu: %s: %s %d (%s), expected %d (%s)", i,
                  rows[i].name, exited ? "status" : "signal", got, exited ? strerror(got) : "",
                  rows[i].expected, strerror(rows[i].expected));
    }
}

/* A step of both: getpwnam may ask a service, load a library and read files. */
static inline int try_names(void)
{
    struct passwd user, *found_user = NULL;
    struct group group, *found_group = NULL;
    char text[65536];
    int result = getpwnam_r("root", &user, text, sizeof text, &found_user);

    if (result == 0 && found_user)
        result = getgrnam_r("no-such-group-anywhere", &group, text, sizeof text, &found_group);
    return found_user ? result : EBADMSG;
}

#endif
