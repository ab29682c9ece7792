/* AppArmor, the sockets, and what a former onion-grater has left. */
#include "ctl_facts.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_process.h"
#include "listener_set.h"
#include "mem.h"
#include "peer_label.h"

#define OUR_PROFILE "onion-grater"
#define LOADED_PROFILES "/sys/kernel/security/apparmor/profiles"
#define RESTRICTION "/proc/sys/kernel/apparmor_restrict_unprivileged_unconfined"
#define ADMIN_SOCKET "admin.sock"
#define MODE_BITS 07777
#define LIST_MAX (1024 * 1024)
#define LINE_MAX_BYTES 4096

/* --- AppArmor --- */

/* Cuts "NAME (MODE)" in two; the mode is empty if there is none. */
static void split_label(struct span text, struct span *name_out, struct span *mode_out)
{
    size_t at = text.len;

    *name_out = text;
    *mode_out = span_make(NULL, 0);
    if (text.len == 0 || text.data[text.len - 1] != ')')
        return;
    while (at > 0 && text.data[at - 1] != '(')
        at--;
    if (at < 2 || text.data[at - 2] != ' ')
        return;
    *mode_out = span_make(text.data + at, text.len - at - 1);
    *name_out = span_first(text, at - 2);
}

/* Whether our profile is among those that the kernel has; root may see them. */
static void look_at_loaded(struct doctor_apparmor *facts)
{
    struct span rest, name, mode;
    struct buf text;
    bool is_read = ctl_process_read_path(LOADED_PROFILES, LIST_MAX, &text);

    if (is_read)
        facts->is_loaded = DOCTOR_NO;
    for (rest = buf_span(&text); is_read && rest.len > 0;) {
        struct span line = span_first(rest, span_find(rest, '\n'));
        rest = span_from(rest, line.len + 1);
        split_label(line, &name, &mode);
        if (!span_equals(name, SPAN(OUR_PROFILE)))
            continue;
        facts->is_loaded = DOCTOR_YES;
        facts->mode = mem_copy_string(mode);
        break;
    }
    buf_clear(&text);
}

static void look_at_daemon(const struct ctl_facts *gathered, struct doctor_apparmor *facts)
{
    struct span name, mode;
    struct buf text;

    if (gathered->daemon <= 0)
        return;
    if (ctl_process_read(gathered->daemon, "attr/apparmor/current", &text) && text.len > 0) {
        split_label(buf_span(&text), &name, &mode);
        facts->label = mem_copy_string(name);
        if (!facts->mode && mode.len > 0)
            facts->mode = mem_copy_string(mode);
    }
    buf_clear(&text);
}

void ctl_facts_apparmor(struct ctl_facts *gathered)
{
    struct doctor_apparmor *facts = &gathered->facts->apparmor;
    struct buf text;

    facts->is_on = peer_label_is_enabled() ? DOCTOR_YES : DOCTOR_NO;
    if (facts->is_on == DOCTOR_NO)
        return;
    facts->kernel_labels = peer_label_is_answered();
    look_at_loaded(facts);
    look_at_daemon(gathered, facts);
    facts->has_restriction = access(RESTRICTION, F_OK) == 0;
    if (ctl_process_read_path(RESTRICTION, LINE_MAX_BYTES, &text))
        facts->is_restricted = span_equals(buf_span(&text), SPAN("1")) ? DOCTOR_YES : DOCTOR_NO;
    buf_clear(&text);
}

/* --- sockets --- */

static char *owner_text(uid_t uid, gid_t gid)
{
    const struct passwd *user = getpwuid(uid);
    const struct group *group = getgrgid(gid);
    char *left =
        user ? mem_copy_string(span_from_string(user->pw_name)) : mem_printf("%ju", (uintmax_t)uid);
    char *both = group ? mem_printf("%s:%s", left, group->gr_name)
                       : mem_printf("%s:%ju", left, (uintmax_t)gid);

    free(left);
    return both;
}

/* Whether the daemon says that the service manager has made it: then its rights are a unit's. */
static bool is_passed(const struct ctl_facts *gathered, const char *path)
{
    struct span record;
    struct buf text;
    size_t at = 0;
    bool is_found = false;

    while (!is_found && answer_next(&gathered->status, "listener", &at, &record)) {
        buf_init(&text, record.len);
        is_found = record_flag(record, "passed") && record_bytes(record, "address", &text) &&
                   span_equals(buf_span(&text), span_from_string(path));
        buf_clear(&text);
    }
    return is_found;
}

/* Takes over the path. `uid`, `gid`: -1 stands for the daemon's. */
static void add_socket(struct ctl_facts *gathered, char *path, mode_t mode, uid_t uid, gid_t gid)
{
    struct doctor_sockets *sockets = &gathered->facts->sockets;
    struct doctor_socket socket = {.path = path, .right_mode = mode};
    struct stat status;

    uid = uid == (uid_t)-1 ? gathered->service_uid : uid;
    gid = gid == (gid_t)-1 ? gathered->service_gid : gid;
    if (stat(path, &status) == 0) {
        socket.is_there = DOCTOR_YES;
        socket.is_socket = S_ISSOCK(status.st_mode);
        socket.mode = status.st_mode & MODE_BITS;
        socket.owner = owner_text(status.st_uid, status.st_gid);
    } else if (errno == ENOENT || errno == ENOTDIR) {
        socket.is_there = DOCTOR_NO;
    }
    if (uid != (uid_t)-1 && gid != (gid_t)-1)
        socket.right_owner = owner_text(uid, gid);
    sockets->items = mem_resize(sockets->items, sockets->count + 1, sizeof *sockets->items);
    sockets->items[sockets->count++] = socket;
}

static bool is_listed(const struct doctor_sockets *sockets, const char *path)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (strcmp(sockets->items[i].path, path) == 0)
            return true;
    return false;
}

static void add_profile_socket(struct ctl_facts *gathered, const struct profile *profile)
{
    const struct profile_socket *socket = &profile->socket;
    mode_t standard = socket->has_user || socket->has_group ? 0660 : 0666;
    char *path = socket->path ? mem_copy_string(span_from_string(socket->path))
                              : mem_printf("%s/%s.sock", gathered->setup->options.runtime_dir,
                                           profile->name);

    if (!socket->is_wanted || is_passed(gathered, path) ||
        is_listed(&gathered->facts->sockets, path)) {
        free(path);
        return;
    }
    add_socket(gathered, path, socket->has_mode ? socket->mode : standard,
               socket->has_user ? socket->user : (uid_t)-1,
               socket->has_group ? socket->group : (gid_t)-1);
}

static void look_at_directory(struct ctl_facts *gathered)
{
    struct doctor_sockets *sockets = &gathered->facts->sockets;
    struct stat status;

    sockets->runtime_dir = mem_copy_string(span_from_string(gathered->setup->options.runtime_dir));
    if (stat(sockets->runtime_dir, &status) < 0) {
        sockets->is_dir_there = errno == ENOENT ? DOCTOR_NO : DOCTOR_UNSEEN;
        return;
    }
    const struct passwd *user = getpwuid(status.st_uid);
    sockets->is_dir_there = DOCTOR_YES;
    sockets->is_dir_open = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    sockets->dir_owner = user ? mem_copy_string(span_from_string(user->pw_name))
                              : mem_printf("%ju", (uintmax_t)status.st_uid);
}

void ctl_facts_sockets(struct ctl_facts *gathered)
{
    const char *runtime_dir = gathered->setup->options.runtime_dir;
    const struct policy *policy = gathered->setup->policy;
    char *shared = mem_printf("%s/" LISTENER_SET_SHARED, runtime_dir);

    look_at_directory(gathered);
    if (is_passed(gathered, shared))
        free(shared);
    else
        add_socket(gathered, shared, 0666, (uid_t)-1, (gid_t)-1);
    add_socket(gathered, mem_printf("%s/" ADMIN_SOCKET, runtime_dir), 0660, (uid_t)-1, (gid_t)-1);
    for (size_t i = 0; policy && i < policy->index.profile_count; i++)
        add_profile_socket(gathered, policy->index.profiles[i]);
}

/* --- what is left of another onion-grater --- */

/* A script for Python: the package's own link of that name leads to a program. */
static bool is_python_script(const char *path)
{
    struct buf text;
    bool is_read = ctl_process_read_path(path, LINE_MAX_BYTES, &text);
    struct span line = span_first(buf_span(&text), span_find(buf_span(&text), '\n'));
    bool is_script = is_read && span_starts_with(line, SPAN("#!"));

    while (is_script && line.len > 0 && !span_starts_with(line, SPAN("python")))
        line = span_from(line, 1);
    is_script = is_script && line.len > 0;
    buf_clear(&text);
    return is_script;
}

static bool has_entries(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool is_found = false;

    while (folder && !is_found && (entry = readdir(folder)))
        is_found = entry->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return is_found;
}

void ctl_facts_leftovers(struct ctl_facts *gathered)
{
    static const char *const programs[] = {
        "/usr/lib/onion-grater",
        "/usr/lib/onion-grater-merger",
        "/usr/local/lib/onion-grater",
        "/usr/local/sbin/onion-grater",
        "/usr/local/sbin/tor-controlport-filter",
    };
    static const char *const folders[] = {"/etc/onion-grater-merger.d",
                                          "/usr/local/etc/onion-grater-merger.d",
                                          "/etc/tor-controlport-filter.d"};
    struct doctor_old *old = &gathered->facts->old;

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++)
        if (is_python_script(programs[i]))
            doctor_list_add(&old->files, programs[i]);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (has_entries(folders[i]))
            doctor_list_add(&old->folders, folders[i]);
}
