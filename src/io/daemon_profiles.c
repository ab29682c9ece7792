/* Profiles in use: one generation at a time. A reload builds the next one whole and then swaps;
 * sessions hold on to theirs (design 3.1). */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "complain.h"
#include "daemon_parts.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "peer_notice.h"

#define DAEMON_REMINDER_MS 600000

/* --- reading them --- */

struct profile_dirs daemon_profile_dirs(const struct options *options)
{
    struct profile_dirs dirs = profile_dirs_default;

    if (options->profiles.count > 0) {
        dirs.paths = (const char *const *)options->profiles.items;
        dirs.count = options->profiles.count;
        dirs.may_be_missing = false;
    }
    return dirs;
}

struct policy *daemon_load(const struct options *options, const struct daemon *daemon,
                           struct diag_list *diags, struct profile_dir_counts *counts)
{
    const struct policy *former = daemon ? daemon->policy : NULL;
    struct profile_dirs dirs = daemon_profile_dirs(options);

    dirs.places = daemon ? &daemon->containment.places : NULL;
    struct policy *policy = profile_dirs_load(&dirs, former, &names_of_system, diags, counts);
    if (policy) {
        policy->kernel_evidence_only = strcmp(options->apparmor_evidence, OPTIONS_KERNEL_ONLY) == 0;
        if (options->complain)
            policy_set_complain(policy, complain_file_new());
        if (former)
            complaining_inherit(policy, former);
        if (daemon)
            peer_notice_profiles(&daemon->peers, policy, diags);
    }
    return policy;
}

/* --- sockets --- */

struct own_targets {
    struct target *items;
    size_t count;
};

static void daemon_add_own(void *context, const struct listener *listener)
{
    struct own_targets *own = context;

    if (listener_target(listener, &own->items[own->count]))
        own->count++;
}

/* Onion services may lead neither to us nor to the place where tor takes commands from us. */
static void daemon_note_own(struct daemon *daemon)
{
    size_t max = listener_set_count(&daemon->listeners) + TCP_LISTENER_SOCKETS + 2;
    struct own_targets own = {.items = mem_zalloc(max, sizeof *own.items)};

    listener_set_each(&daemon->listeners, daemon_add_own, &own);
    own.count += tcp_listener_targets(&daemon->tcp_listener, own.items + own.count);
    own.items[own.count++] = upstream_target(&daemon->upstream.address);
    if (daemon->admin.listener)
        daemon_add_own(&own, daemon->admin.listener);
    tor_facts_set_own(&daemon->facts, own.items, own.count);
    free(own.items);
}

bool daemon_update_listeners(struct daemon *daemon, struct diag_list *diags)
{
    bool has_shared = listener_set_update(&daemon->listeners, daemon->policy, diags);

    daemon_note_own(daemon);
    return has_shared;
}

/* --- what is in use --- */

/* A failed attempt leaves the former one in use, but its messages count. */
static void daemon_note_generation(struct daemon *daemon, struct diag_list *diags,
                                   const struct profile_dir_counts *counts, bool is_done)
{
    struct generation *generation = &daemon->generation;

    diag_list_clear(&generation->diags);
    generation->diags = *diags;
    generation->has_failed = !is_done;
    if (!is_done)
        return;
    generation->number++;
    generation->loaded_ms = clock_wall_ms();
    generation->counts = *counts;
}

void daemon_notify_ready(const struct daemon *daemon)
{
    const struct generation *generation = &daemon->generation;

    if (generation->has_failed) {
        notify_ready(&daemon->notify, "not reloaded: the former profiles stay in use");
        return;
    }
    char *status = mem_printf(
        "%zu profiles from %zu files, %zu errors, %zu sockets%s%s", generation->counts.profiles,
        generation->counts.files, generation->diags.errors, daemon->listeners.count,
        daemon->peers.has_apparmor ? "" : "; AppArmor is not enabled",
        daemon->policy->complain || daemon->policy->complaining.count > 0 ? "; complain mode is on"
                                                                          : "");
    notify_ready(&daemon->notify, status);
    free(status);
}

bool daemon_load_first(struct daemon *daemon)
{
    struct profile_dir_counts counts;
    struct diag_list diags;

    diag_list_init(&diags);
    daemon->policy = daemon_load(daemon->options, daemon, &diags, &counts);
    daemon_note_generation(daemon, &diags, &counts, daemon->policy != NULL);
    return daemon->policy != NULL;
}

/* --- complain mode --- */

static void daemon_say_complain(const char *text)
{
    log_entry(LOG_LEVEL_WARNING, JOURNAL_ID_COMPLAIN_MODE, NULL, 0, text);
}

static void daemon_warn_of_profile(const char *name)
{
    char *text = mem_printf("complain mode is on for profile %s: what it refuses is forwarded to "
                            "tor all the same; \"onion-graterctl complain %s off\" ends that",
                            name, name);

    daemon_say_complain(text);
    free(text);
}

void daemon_warn_of_complain(struct daemon *daemon)
{
    const struct policy *policy = daemon->policy;
    struct timeval interval = clock_interval_ms(DAEMON_REMINDER_MS);

    event_del(&daemon->complain_reminder);
    if (policy->complain)
        daemon_say_complain("complain mode is on: what the profiles refuse is forwarded to tor all "
                            "the same, for every client of this machine; nothing is protected "
                            "while it lasts");
    for (size_t i = 0; i < policy->complaining.count; i++)
        daemon_warn_of_profile(policy->complaining.names[i]);
    if (policy->complain || policy->complaining.count > 0)
        event_add(&daemon->complain_reminder, &interval);
}

/* Whether the session forwards what a profile in complain mode refuses, which is over. */
static bool daemon_complains_no_more(const struct session *session, void *context)
{
    const struct daemon *daemon = context;
    const struct policy_view *view = session_view(session);

    return view->complain && !daemon->policy->complain && !complaining_find(daemon->policy, view);
}

bool daemon_set_complain(struct daemon *daemon, const char *name, bool is_on,
                         size_t *sessions_closed_out)
{
    *sessions_closed_out = 0;
    if (!complaining_set(daemon->policy, name, is_on))
        return false;
    if (!is_on) {
        char *text = mem_printf("complain mode is off for profile %s", name);
        daemon_say_complain(text);
        free(text);
        *sessions_closed_out = relay_host_end(&daemon->host, daemon_complains_no_more, daemon,
                                              "complain mode was turned off");
    }
    daemon_warn_of_complain(daemon);
    daemon_notify_ready(daemon);
    return true;
}

/* --- reload --- */

static bool daemon_profile_is_gone(const struct session *session, void *context)
{
    const struct daemon *daemon = context;
    const struct policy_view *view = session_view(session);

    for (size_t i = 0; i < view->count; i++)
        if (!policy_find_profile(daemon->policy, view->profiles[i]->name))
            return true;
    return false;
}

static void daemon_add_change(void *context, enum policy_change change, const char *name)
{
    struct reload_report *report = context;

    report->changes =
        mem_resize(report->changes, report->change_count + 1, sizeof *report->changes);
    report->changes[report->change_count++] = (struct reload_change){
        .change = change,
        .name = mem_copy_string(span_from_string(name)),
    };
}

void reload_report_clear(struct reload_report *report)
{
    for (size_t i = 0; i < report->change_count; i++)
        free(report->changes[i].name);
    free(report->changes);
    *report = (struct reload_report){0};
}

/* The next generation takes the place of the one in use. */
static void daemon_swap(struct daemon *daemon, struct policy *policy, struct diag_list *diags,
                        struct reload_report *report)
{
    policy_changes(daemon->policy, policy, daemon_add_change, report);
    policy_unref(daemon->policy);
    daemon->policy = policy;
    containment_judge(&daemon->containment, policy, diags);
    daemon_update_listeners(daemon, diags);
    cookie_files_update(&daemon->cookies, daemon->policy, diags);
    report->sessions_closed =
        relay_host_end(&daemon->host, daemon_profile_is_gone, daemon, "profile removed");
}

void daemon_reload(struct daemon *daemon, struct reload_report *report_out)
{
    struct profile_dir_counts counts = {0};
    struct diag_list diags;

    *report_out = (struct reload_report){0};
    notify_reloading(&daemon->notify);
    diag_list_init(&diags);
    struct policy *policy = daemon_load(daemon->options, daemon, &diags, &counts);
    report_out->is_done = policy != NULL;
    if (policy)
        daemon_swap(daemon, policy, &diags, report_out);
    log_diags(&diags);
    if (policy)
        log_at(LOG_LEVEL_NOTICE, "reloaded: %zu profiles from %zu files, %zu errors, %zu sockets",
               counts.profiles, counts.files, diags.errors, daemon->listeners.count);
    else
        log_at(LOG_LEVEL_ERROR, "not reloaded: the former profiles stay in use");
    daemon->counters.reloads += policy != NULL;
    daemon->counters.reload_failures += policy == NULL;
    daemon_note_generation(daemon, &diags, &counts, policy != NULL);
    if (policy)
        daemon_warn_of_complain(daemon);
    daemon_notify_ready(daemon);
}
