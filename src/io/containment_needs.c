/* A process may look into another one of the same user, or into all with CAP_SYS_PTRACE; under
 * Landlock into none that is not under the same rules (landlock(7), "Ptrace restrictions"). That
 * is needed for /proc/PID/exe and /proc/PID/fd, and with hidepid for all of /proc/PID; not for a
 * client's label, its unit and its start.
 *
 * A service of its own user in tor's group has no capability and is asked for none. root is asked
 * for those without which it would be less than such a service. */
#include "containment_needs.h"

#include <grp.h>
#include <linux/capability.h>
#include <mntent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "contain.h"
#include "policy_index.h"

#define LAST_PRIVILEGED_PORT 1023

bool containment_proc_hides(void)
{
    FILE *mounts = setmntent("/proc/self/mounts", "re");
    const struct mntent *mount;
    bool hides = false;

    while (mounts && (mount = getmntent(mounts))) {
        const char *option = hasmntopt(mount, "hidepid");
        if (strcmp(mount->mnt_dir, "/proc") == 0)
            hides = option && strncmp(option, "hidepid=0", 9) != 0 &&
                    strncmp(option, "hidepid=off", 11) != 0;
    }
    if (mounts)
        endmntent(mounts);
    return hides;
}

/* --- profiles --- */

static bool is_for_tcp(const struct containment_scene *scene, const struct profile *profile)
{
    return scene->serves_tcp && policy_profile_is_shared(profile);
}

const char *containment_look_reason(const struct containment_scene *scene,
                                    const struct profile *profile)
{
    struct policy_asks asks = policy_asks_of(profile);

    if (asks.executable)
        return "asks for executables";
    if (asks.unconfined_path && scene->has_apparmor)
        return "has paths in apparmor-profiles, by which unconfined programs are known";
    if (is_for_tcp(scene, profile))
        return "is for clients over TCP, whose processes have to be searched";
    if (scene->hides_processes && ((asks.label && scene->has_apparmor) || asks.unit))
        return "asks for labels or units, and /proc is mounted with hidepid";
    return NULL;
}

const struct profile *containment_find_looker(const struct containment_scene *scene,
                                              const struct policy *policy, const char **reason_out)
{
    for (size_t i = 0; i < policy->index.profile_count; i++) {
        *reason_out = containment_look_reason(scene, policy->index.profiles[i]);
        if (*reason_out)
            return policy->index.profiles[i];
    }
    *reason_out = policy->complain ? "complain mode names the executables of clients" : NULL;
    return NULL;
}

static const struct profile *find_searched(const struct containment_scene *scene,
                                           const struct policy *policy)
{
    for (size_t i = 0; i < policy->index.profile_count; i++)
        if (is_for_tcp(scene, policy->index.profiles[i]))
            return policy->index.profiles[i];
    return NULL;
}

static bool is_given_away(const struct profile *profile)
{
    const struct profile_socket *socket = &profile->socket;

    return (socket->has_user && socket->user != geteuid()) ||
           (socket->has_group && socket->group != getegid() && !group_member(socket->group));
}

const struct profile *containment_find_giver(const struct policy *policy)
{
    for (size_t i = 0; i < policy->index.profile_count; i++)
        if (is_given_away(policy->index.profiles[i]))
            return policy->index.profiles[i];
    return NULL;
}

/* --- capabilities --- */

void containment_keep_init(struct containment_keep *keep)
{
    keep->count = 0;
    buf_init(&keep->text, 4096);
}

void containment_keep_clear(struct containment_keep *keep)
{
    buf_clear(&keep->text);
}

static void keep_add(struct containment_keep *keep, int number, const char *name,
                     const struct profile *profile, const char *reason)
{
    if (!contain_has_capability(number) || keep->count == CONTAINMENT_KEEP_MAX)
        return;
    keep->numbers[keep->count++] = number;
    buf_printf(&keep->text, "%s%s (", keep->count > 1 ? ", " : "", name);
    if (profile) {
        buf_append_string(&keep->text, "profile ");
        buf_append_escaped(&keep->text, span_from_string(profile->name), 64);
        buf_append_char(&keep->text, ' ');
    }
    buf_printf(&keep->text, "%s)", reason);
}

/* NULL: no such file is configured. */
static bool is_anothers(const char *path)
{
    struct stat status;

    return path && (stat(path, &status) < 0 || status.st_uid != geteuid());
}

/* Where tor is not there yet it is taken for another user's. */
static void keep_for_files(struct containment_keep *keep, const struct options *options,
                           const struct upstream_address *tor, const struct profile *searched)
{
    const struct sockaddr_un *socket = (const struct sockaddr_un *)&tor->storage;
    bool is_unix = tor->storage.ss_family == AF_UNIX;
    bool is_told = options->cookie_path || options->password_file;

    if (is_unix && is_anothers(socket->sun_path))
        keep_add(keep, CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", NULL,
                 "tor's control socket belongs to another user");
    if (searched) /* /proc/PID/fd is a folder of its user's */
        keep_add(keep, CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", searched,
                 "is for clients over TCP, whose processes have to be searched");
    else if (is_anothers(options->cookie_path) || is_anothers(options->password_file) ||
             (!is_unix && !is_told))
        keep_add(keep, CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", NULL,
                 "tor's cookie or password may belong to another user");
}

void containment_keep_fill(struct containment_keep *keep, const struct containment_scene *scene,
                           const struct policy *policy, const struct options *options,
                           const struct upstream_address *tor)
{
    const char *reason;
    const struct profile *looker = containment_find_looker(scene, policy, &reason);
    const struct profile *giver = containment_find_giver(policy);

    if (reason)
        keep_add(keep, CAP_SYS_PTRACE, "CAP_SYS_PTRACE", looker, reason);
    if (giver)
        keep_add(keep, CAP_CHOWN, "CAP_CHOWN", giver, "gives its socket to a user or group");
    if (options->listen_interface && options->listen_port &&
        strtoul(options->listen_port, NULL, 10) <= LAST_PRIVILEGED_PORT)
        keep_add(keep, CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", NULL,
                 "listen-interface may come again");
    keep_for_files(keep, options, tor, find_searched(scene, policy));
}
