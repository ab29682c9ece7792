/* Capabilities go first, while the process may still do everything, then no_new_privs, which the
 * next two need, then files, then system calls, of which the others make some.
 *
 * All is decided by what was loaded at the start. What is given up does not come back: a reload
 * that brings a profile with more needs is told to restart, and what the profile asks for stays
 * unknown, which matches nobody. */
#include "containment.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "contain.h"
#include "log.h"

/* Below these are names of users and groups, the libraries that look them up, what /proc says of
 * clients, and most of the rest that a daemon reads. /run is among them as a whole, because what
 * services have there is made anew when they start. */
static const char *const readable[] = {
    "/etc",
    "/lib",
    "/lib32",
    "/lib64",
    "/proc",
    "/run",
    "/sys/devices/system/cpu",
    "/usr",
    "/var/lib/extrausers",
    "/var/lib/misc",
    "/var/lib/sss",
    "/var/lib/tor",
};

static bool is_required(const struct containment_setup *setup)
{
    return strcmp(setup->options->containment, OPTIONS_CONTAINMENT_REQUIRED) == 0;
}

/* What became of a layer; false: the daemon must not go on. `reason` is used up. */
static bool take(const struct containment_setup *setup, enum contain_result result,
                 struct buf *reason)
{
    bool goes_on = result == CONTAIN_DONE || (result == CONTAIN_ABSENT && !is_required(setup));

    buf_append_char(reason, '\0');
    if (!goes_on && result == CONTAIN_ABSENT)
        log_at(LOG_LEVEL_ERROR, "containment is required, and one layer cannot be had: %s",
               buf_span(reason).data);
    else if (!goes_on)
        log_at(LOG_LEVEL_ERROR,
               "containment failed: %s; with \"containment: off\" the daemon runs without",
               buf_span(reason).data);
    else if (result == CONTAIN_ABSENT)
        log_at(LOG_LEVEL_NOTICE, "containment lacks one layer: %s", buf_span(reason).data);
    buf_clear(reason);
    return goes_on;
}

/* --- capabilities --- */

static bool enter_capabilities(struct containment *containment,
                               const struct containment_setup *setup)
{
    bool could_look = contain_has_capability(CAP_SYS_PTRACE);
    struct containment_keep keep;
    struct buf reason;

    buf_init(&reason, 1024);
    containment_keep_init(&keep);
    containment_keep_fill(&keep, &containment->scene, setup->policy, setup->options, setup->tor);
    enum contain_result result = contain_capabilities(keep.numbers, keep.count, &reason);
    if (result == CONTAIN_DONE) {
        buf_append_char(&keep.text, '\0');
        log_at(LOG_LEVEL_INFO, "capabilities: %s", keep.count ? buf_span(&keep.text).data : "none");
        containment->hides_clients = could_look && !contain_has_capability(CAP_SYS_PTRACE);
    }
    containment_keep_clear(&keep);
    return take(setup, result, &reason);
}

static bool enter_privileges(const struct containment_setup *setup)
{
    struct buf reason;

    buf_init(&reason, 1024);
    enum contain_result result = contain_privileges(&reason);
    return take(setup, result, &reason);
}

/* --- files --- */

/* Profiles are read anew at each reload, also through links to wherever these lead now. */
static void add_profiles(struct containment_list *list, const struct containment_setup *setup)
{
    for (size_t i = 0; i < setup->profile_dirs->count; i++)
        containment_list_add_coming(list, setup->profile_dirs->paths[i]);
    for (size_t i = 0; i < setup->policy->count; i++)
        containment_list_add_file(list, setup->policy->files[i]->path);
}

static void find_places(struct containment_places *places, const struct containment_setup *setup)
{
    const struct options *options = setup->options;
    const struct policy *policy = setup->policy;
    struct target tor = upstream_target(setup->tor);

    for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
        containment_list_add(&places->readable, readable[i]);
    add_profiles(&places->readable, setup);
    containment_list_add_file(&places->readable, options->cookie_path);
    containment_list_add_file(&places->readable, options->password_file);
    containment_list_add_file(&places->readable, tor.kind == TARGET_UNIX ? tor.path.data : NULL);
    containment_list_add(&places->writable, options->runtime_dir);
    containment_list_add_folder_of(&places->writable, options->metrics_file);
    for (size_t i = 0; i < policy->index.profile_count; i++)
        containment_list_add_folder_of(&places->writable, policy->index.profiles[i]->socket.path);
}

static enum contain_result fence_files(struct containment *containment,
                                       const struct containment_setup *setup, struct buf *reason)
{
    struct containment_places *places = &containment->places;
    struct target tor = upstream_target(setup->tor);

    find_places(places, setup);
    struct contain_reach reach = {
        .readable = (const char *const *)places->readable.paths,
        .readable_count = places->readable.count,
        .writable = (const char *const *)places->writable.paths,
        .writable_count = places->writable.count,
        .connect_port = tor.kind == TARGET_UNIX ? 0 : tor.port,
        .bind_port = setup->bind_port,
    };
    enum contain_result result = contain_files(&reach, reason);
    places->in_force = result == CONTAIN_DONE;
    containment->hides_clients = containment->hides_clients || places->in_force;
    return result;
}

/* Landlock hides the processes of clients: which profile does not bear that. */
static bool has_looker(const struct containment *containment, const struct containment_setup *setup,
                       struct buf *reason)
{
    const char *why;
    const struct profile *looker =
        containment_find_looker(&containment->scene, setup->policy, &why);

    if (!why)
        return false;
    buf_append_string(reason, "Landlock, which would hide what is needed: ");
    if (looker) {
        source_format(reason, looker->where);
        buf_append_string(reason, ": profile ");
        buf_append_escaped(reason, span_from_string(looker->name), 64);
        buf_append_char(reason, ' ');
    }
    buf_append_string(reason, why);
    return true;
}

static bool enter_files(struct containment *containment, const struct containment_setup *setup)
{
    enum contain_result result = CONTAIN_ABSENT;
    struct buf reason;

    buf_init(&reason, 1024);
    if (!has_looker(containment, setup, &reason))
        result = fence_files(containment, setup, &reason);
    return take(setup, result, &reason);
}

/* --- system calls --- */

static bool enter_calls(const struct containment_setup *setup, bool *stands_out)
{
    struct contain_calls calls = {
        .network = setup->bind_port || setup->tor->storage.ss_family != AF_UNIX,
        .is_deadly = is_required(setup),
    };
    struct buf reason;

    buf_init(&reason, 1024);
    enum contain_result result = contain_system_calls(&calls, &reason);
    *stands_out = result == CONTAIN_DONE;
    return take(setup, result, &reason);
}

/* --- the outside --- */

bool containment_enter(struct containment *containment, const struct containment_setup *setup)
{
    bool has_calls = false;

    if (strcmp(setup->options->containment, OPTIONS_CONTAINMENT_OFF) == 0) {
        log_at(LOG_LEVEL_WARNING, "containment is off: the daemon keeps all rights of its user");
        snprintf(containment->summary, sizeof containment->summary, "off");
        return true;
    }
    containment->scene = (struct containment_scene){
        .has_apparmor = setup->has_apparmor,
        .serves_tcp = setup->serves_tcp,
        .hides_processes = containment_proc_hides(),
    };
    if (!enter_capabilities(containment, setup) || !enter_privileges(setup) ||
        !enter_files(containment, setup) || !enter_calls(setup, &has_calls))
        return false;
    snprintf(containment->summary, sizeof containment->summary, "no_new_privs%s%s",
             containment->places.in_force ? ", Landlock" : "", has_calls ? ", seccomp" : "");
    log_at(LOG_LEVEL_INFO, "containment: %s", containment->summary);
    return true;
}

void containment_judge(const struct containment *containment, const struct policy *policy,
                       struct diag_list *diags)
{
    for (size_t i = 0; containment->hides_clients && i < policy->index.profile_count; i++) {
        const struct profile *profile = policy->index.profiles[i];
        const char *why = containment_look_reason(&containment->scene, profile);
        if (why)
            diag_add(diags, DIAG_ERROR, profile->where,
                     "profile %s %s; the daemon has given that up, as no profile needed it when it "
                     "started, so this one may match nobody: restart onion-grater",
                     profile->name, why);
    }
}

void containment_clear(struct containment *containment)
{
    containment_places_clear(&containment->places);
}
