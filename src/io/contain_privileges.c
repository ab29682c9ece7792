/* Privileges: none can be gained, and those that we have are dropped but for the few that a set-up
 * asks for by name.
 *
 * The bounding set stays as it is: it limits what execve(2) may add, and no_new_privs has settled
 * that. To change it takes CAP_SETPCAP, which nothing else here needs. */
#include "contain.h"

#include <cap-ng.h>
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

enum contain_result contain_privileges(struct buf *reason)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        return CONTAIN_DONE;
    buf_printf(reason, "no_new_privs: %s", strerror(errno));
    return CONTAIN_FAILED;
}

bool contain_has_capability(int capability)
{
    return capng_get_caps_process() == 0 &&
           capng_have_capability(CAPNG_PERMITTED, (unsigned)capability);
}

static enum contain_result fail(struct buf *reason, const char *what)
{
    buf_printf(reason, "capabilities: %s: %s", what, strerror(errno));
    return CONTAIN_FAILED;
}

enum contain_result contain_capabilities(const int *keep, size_t count, struct buf *reason)
{
    bool had[CAP_LAST_CAP + 1] = {false};

    if (capng_get_caps_process() < 0)
        return fail(reason, "/proc does not say which there are");
    for (size_t i = 0; i < count; i++)
        if (keep[i] >= 0 && keep[i] <= CAP_LAST_CAP)
            had[keep[i]] = capng_have_capability(CAPNG_PERMITTED, (unsigned)keep[i]);
    capng_clear(CAPNG_SELECT_ALL);
    for (int i = 0; i <= CAP_LAST_CAP; i++)
        if (had[i] && capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, (unsigned)i) < 0)
            return fail(reason, "one that is kept is not known");
    if (capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT) < 0)
        return fail(reason, "the kernel does not take them back");
    return CONTAIN_DONE;
}
