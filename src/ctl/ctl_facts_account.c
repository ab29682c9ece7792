/* As whom the service runs, and who is in tor's group.
 *
 * Of a daemon that runs, the kernel knows the groups that it has; what /etc/group says by now may
 * be another thing. */
#include "ctl_facts.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctl_process.h"
#include "mem.h"

#define SERVICE_USER "onion-grater"
#define TOR_GROUP "debian-tor"
#define UNIX_PREFIX "unix:"
#define MAX_GROUPS 65536

/* --- the service --- */

static void take_groups(struct ctl_facts *gathered, struct span status)
{
    unsigned long *numbers = mem_zalloc(MAX_GROUPS, sizeof *numbers);
    size_t count = ctl_process_numbers(status, "Groups", numbers, MAX_GROUPS);

    gathered->service_groups = mem_zalloc(count + 1, sizeof *gathered->service_groups);
    gathered->service_group_count = (int)count;
    for (size_t i = 0; i < count; i++)
        gathered->service_groups[i] = (gid_t)numbers[i];
    free(numbers);
}

/* The daemon that runs: the second numbers are what counts for it. False: it is not known. */
static bool take_running(struct ctl_facts *gathered)
{
    unsigned long uids[4], gids[4];
    struct buf text;

    if (gathered->daemon <= 0)
        return false;
    bool done = ctl_process_read(gathered->daemon, "status", &text) &&
                ctl_process_numbers(buf_span(&text), "Uid", uids, 4) == 4 &&
                ctl_process_numbers(buf_span(&text), "Gid", gids, 4) == 4;
    if (done) {
        gathered->service_uid = (uid_t)uids[1];
        gathered->service_gid = (gid_t)gids[1];
        take_groups(gathered, buf_span(&text));
    }
    buf_clear(&text);
    return done;
}

/* As the daemon says, or as systemd would start it: with the groups that are written down. */
static void take_configured(struct ctl_facts *gathered)
{
    bool is_known = gathered->service_uid != (uid_t)-1;
    const struct passwd *user = is_known ? getpwuid(gathered->service_uid) : getpwnam(SERVICE_USER);

    if (!is_known)
        gathered->facts->account.exists = user ? DOCTOR_YES : DOCTOR_NO;
    if (!user)
        return;
    if (gathered->service_gid == (gid_t)-1)
        gathered->service_gid = user->pw_gid;
    gathered->service_uid = user->pw_uid;
    gathered->service_groups = mem_zalloc(MAX_GROUPS, sizeof *gathered->service_groups);
    gathered->service_group_count = MAX_GROUPS;
    if (getgrouplist(user->pw_name, user->pw_gid, gathered->service_groups,
                     &gathered->service_group_count) < 0)
        gathered->service_group_count = 0;
}

static void name_service(struct ctl_facts *gathered)
{
    struct doctor_account *account = &gathered->facts->account;
    const struct passwd *user =
        gathered->service_uid != (uid_t)-1 ? getpwuid(gathered->service_uid) : NULL;

    if (user)
        account->user = mem_copy_string(span_from_string(user->pw_name));
    else if (gathered->service_uid != (uid_t)-1)
        account->user = mem_printf("%ju", (uintmax_t)gathered->service_uid);
    else
        account->user = mem_copy_string(SPAN(SERVICE_USER));
}

/* --- tor's group --- */

/* That of its control socket, if it opens the socket to the group; else Debian's. */
static void find_tor_group(struct ctl_facts *gathered)
{
    const char *address = gathered->setup->options.tor_control;
    const struct group *group = getgrnam(TOR_GROUP);
    const struct passwd *user = getpwnam(TOR_GROUP);
    struct stat status;

    if (group)
        gathered->tor_gid = group->gr_gid;
    if (user)
        gathered->tor_uid = user->pw_uid;
    if (strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) != 0 ||
        stat(address + strlen(UNIX_PREFIX), &status) < 0 || !S_ISSOCK(status.st_mode))
        return;
    gathered->tor_uid = status.st_uid;
    gathered->tor_gid = status.st_mode & S_IWGRP ? status.st_gid : (gid_t)-1;
}

static bool is_expected(const struct ctl_facts *gathered, const struct passwd *user)
{
    return user->pw_uid == gathered->tor_uid || user->pw_uid == gathered->service_uid ||
           user->pw_uid == 0;
}

/* Users whose first group it is, then those that it lists. */
static void list_members(struct ctl_facts *gathered)
{
    struct doctor_account *account = &gathered->facts->account;
    const struct passwd *user;

    setpwent();
    while ((user = getpwent()))
        if (user->pw_gid == gathered->tor_gid && !is_expected(gathered, user))
            doctor_list_add(&account->others, user->pw_name);
    endpwent();
    const struct group *group = getgrgid(gathered->tor_gid);
    for (size_t i = 0; group && group->gr_mem[i]; i++) {
        user = getpwnam(group->gr_mem[i]);
        if (user && user->pw_gid != gathered->tor_gid && !is_expected(gathered, user))
            doctor_list_add(&account->others, user->pw_name);
    }
}

static enum doctor_fact is_member(const struct ctl_facts *gathered)
{
    if (!gathered->service_groups)
        return DOCTOR_UNSEEN;
    if (gathered->service_gid == gathered->tor_gid)
        return DOCTOR_YES;
    for (int i = 0; i < gathered->service_group_count; i++)
        if (gathered->service_groups[i] == gathered->tor_gid)
            return DOCTOR_YES;
    return DOCTOR_NO;
}

void ctl_facts_account(struct ctl_facts *gathered)
{
    struct doctor_account *account = &gathered->facts->account;

    if (!take_running(gathered))
        take_configured(gathered);
    name_service(gathered);
    find_tor_group(gathered);
    if (gathered->tor_gid == (gid_t)-1 || gathered->tor_gid == 0)
        return;
    const struct group *group = getgrgid(gathered->tor_gid);
    account->group = group ? mem_copy_string(span_from_string(group->gr_name))
                           : mem_printf("%ju", (uintmax_t)gathered->tor_gid);
    account->is_member = is_member(gathered);
    list_members(gathered);
}
