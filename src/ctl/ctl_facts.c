/* The profiles, the daemon, and its unit. */
#include "ctl_facts.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_command.h"
#include "ctl_process.h"
#include "language.h"
#include "lint.h"
#include "mem.h"
#include "shell_word.h"

#define DAEMON_NAME "onion-grater"
#define UNIT "onion-grater.service"
#define SYSTEMD_RUNS "/run/systemd/system"
#define TEXT_MAX 65536

void ctl_facts_init(struct ctl_facts *gathered, struct doctor_facts *facts, struct ctl_setup *setup)
{
    *gathered = (struct ctl_facts){
        .facts = facts,
        .setup = setup,
        .service_uid = (uid_t)-1,
        .service_gid = (gid_t)-1,
        .tor_gid = (gid_t)-1,
        .tor_uid = (uid_t)-1,
    };
    answer_init(&gathered->status);
    facts->is_root = geteuid() == 0;
}

void ctl_facts_clear(struct ctl_facts *gathered)
{
    answer_clear(&gathered->status);
    free(gathered->service_groups);
}

/* --- profiles --- */

static size_t count_warnings(const struct policy *policy)
{
    struct language_probes *probes = language_probes_new();
    size_t warnings = 0;

    for (size_t i = 0; i <= policy->count; i++) {
        struct diag_list diags;
        diag_list_init(&diags);
        if (i < policy->count)
            lint_next_file(policy->files[i], probes, &diags);
        else
            lint_policy(policy, &diags);
        for (size_t j = 0; j < diags.count; j++)
            warnings += diags.items[j].severity == DIAG_WARNING;
        diag_list_clear(&diags);
    }
    language_probes_free(probes);
    return warnings;
}

static void note_wishes(const struct policy *policy, struct doctor_policy *facts)
{
    for (size_t i = 0; i < policy->index.profile_count; i++) {
        const struct profile *profile = policy->index.profiles[i];
        bool wants_label =
            profile->apparmor_profiles.is_present && !profile->apparmor_profiles.is_any;
        bool is_kernel_only = profile->apparmor_evidence == PROFILE_EVIDENCE_KERNEL_ONLY ||
                              (profile->apparmor_evidence == PROFILE_EVIDENCE_INHERIT &&
                               policy->kernel_evidence_only);
        facts->wants_labels |= wants_label;
        facts->wants_kernel_labels |= wants_label && is_kernel_only;
    }
}

/* Messages of the loader; those about files that we may not read say nothing of the files. */
static void note_messages(const struct diag_list *diags, struct doctor_policy *facts)
{
    facts->is_readable = DOCTOR_YES;
    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        facts->warnings += diag->severity == DIAG_WARNING;
        if (diag->severity != DIAG_ERROR)
            continue;
        if (access(diag->file, R_OK) < 0 && errno == EACCES)
            facts->is_readable = DOCTOR_UNSEEN;
        facts->errors++;
        if (facts->first_error)
            continue;
        struct buf text;
        buf_init(&text, TEXT_MAX);
        diag_format(&text, diag);
        facts->first_error = mem_copy_string(buf_span(&text));
        buf_clear(&text);
    }
}

static char *profiles_option(const struct options *options)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < options->profiles.count; i++) {
        char *word = shell_word(options->profiles.items[i]);
        buf_printf(&text, " --profiles %s", word);
        free(word);
    }
    char *option = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return option;
}

void ctl_facts_policy(struct ctl_facts *gathered)
{
    struct doctor_policy *facts = &gathered->facts->policy;
    struct diag_list diags;

    diag_list_init(&diags);
    ctl_setup_load_quietly(gathered->setup, &diags);
    note_messages(&diags, facts);
    diag_list_clear(&diags);
    facts->profiles_option = profiles_option(&gathered->setup->options);
    if (!gathered->setup->policy)
        return;
    facts->profiles = gathered->setup->policy->index.profile_count;
    facts->warnings += count_warnings(gathered->setup->policy);
    note_wishes(gathered->setup->policy, facts);
}

/* --- the daemon --- */

static char *copy_shown(struct span record, const char *name)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    char *copy = record_shown(record, name, &text) ? mem_copy_string(buf_span(&text)) : NULL;
    buf_clear(&text);
    return copy;
}

static void note_limits(const struct answer *status, struct doctor_daemon *facts)
{
    struct span record;
    size_t at = 0;

    while (answer_next(status, "limit", &at, &record)) {
        unsigned long times = record_count(record, "reached");
        char *name = copy_shown(record, "name");
        if (times > 0 && name) {
            char *text = mem_printf("%s %lu time%s", name, times, times == 1 ? "" : "s");
            doctor_list_add(&facts->reached, text);
            free(text);
        }
        free(name);
    }
}

static void note_tor(struct span record, struct doctor_daemon *facts)
{
    if (record_equals(record, "state", "reachable") || record_equals(record, "state", "unknown"))
        return;
    char *state = copy_shown(record, "state");
    char *reason = copy_shown(record, "reason");
    if (state)
        facts->tor_problem = mem_printf("%s%s%s", state, reason ? ": " : "", reason ? reason : "");
    free(state);
    free(reason);
}

static void note_status(struct ctl_facts *gathered)
{
    const struct answer *status = &gathered->status;
    struct doctor_daemon *facts = &gathered->facts->daemon;
    struct span daemon = answer_find(status, "daemon");
    struct span policy = answer_find(status, "policy");
    unsigned long uid;

    gathered->daemon = (pid_t)record_count(daemon, "pid");
    if (record_number(daemon, "uid", &uid))
        gathered->service_uid = (uid_t)uid;
    facts->version = copy_shown(daemon, "version");
    facts->complains = record_has(daemon, "complain") && !record_equals(daemon, "complain", "off");
    facts->is_failed = record_flag(policy, "failed");
    facts->errors = record_count(policy, "errors");
    note_tor(answer_find(status, "tor"), facts);
    note_limits(status, facts);
}

/* Processes of the daemon's name and of that user; there may be several, as in containers. */
struct search {
    uid_t uid; /* (uid_t)-1: any */
    pid_t found;
    unsigned count;
};

static bool look_at_process(void *context, const struct ctl_process *process)
{
    struct search *search = context;
    unsigned long uids[4];
    struct buf status;

    if (strcmp(process->name, DAEMON_NAME) != 0 || process->is_python)
        return true;
    bool is_read = ctl_process_read(process->pid, "status", &status) &&
                   ctl_process_numbers(buf_span(&status), "Uid", uids, 4) == 4;
    buf_clear(&status);
    if (!is_read || (search->uid != (uid_t)-1 && uids[1] != search->uid))
        return true;
    search->found = process->pid;
    search->count++;
    return true;
}

/* Whether its program is another file by now; root, and the user of the daemon, may look. */
static bool is_replaced(pid_t pid)
{
    static const char mark[] = " (deleted)";
    char *path = mem_printf("/proc/%jd/exe", (intmax_t)pid);
    char target[4096];
    ssize_t len = readlink(path, target, sizeof target - 1);

    free(path);
    if (len < (ssize_t)strlen(mark))
        return false;
    target[len] = '\0';
    return strcmp(target + len - strlen(mark), mark) == 0;
}

/* The daemon does not answer: whether there is one, as far as that can be seen. Whoever owns its
 * admin socket is the user that it runs as. */
static void look_for_daemon(struct ctl_facts *gathered, const struct ctl_admin *admin)
{
    struct doctor_daemon *facts = &gathered->facts->daemon;
    struct search search = {.uid = (uid_t)-1};
    struct stat status;

    if (admin->is_denied && stat(admin->path, &status) == 0) {
        search.uid = gathered->service_uid = status.st_uid;
        gathered->service_gid = status.st_gid;
    }
    bool sees_all = ctl_process_each(look_at_process, &search);
    if (search.count == 1)
        gathered->daemon = search.found;
    facts->is_denied = admin->is_denied;
    if (search.count > 0 || !admin->is_absent)
        facts->is_running = DOCTOR_YES;
    else
        facts->is_running = sees_all ? DOCTOR_NO : DOCTOR_UNSEEN;
    if (facts->is_running == DOCTOR_YES && admin->is_absent)
        facts->problem = mem_printf("process %jd is one, and there is no admin socket of it at %s; "
                                    "it may be of an earlier version, or have another runtime-dir",
                                    (intmax_t)search.found, admin->path);
    else if (facts->is_running == DOCTOR_YES && !facts->is_denied)
        facts->problem = mem_copy_string(span_from_string(admin->error));
}

void ctl_facts_daemon(struct ctl_facts *gathered, struct ctl_admin *admin)
{
    struct doctor_daemon *facts = &gathered->facts->daemon;

    facts->own_version = mem_copy_string(SPAN(PACKAGE_VERSION));
    ctl_admin_begin(admin, "status");
    if (ctl_admin_ask(admin, &gathered->status) == CTL_ADMIN_END) {
        facts->is_running = DOCTOR_YES;
        note_status(gathered);
        facts->is_replaced = is_replaced(gathered->daemon);
    } else {
        answer_clear(&gathered->status);
        look_for_daemon(gathered, admin);
    }
}

/* --- its unit --- */

/* The value behind "NAME="; NULL: there is no such line. */
static char *property(struct span text, const char *name)
{
    struct span key = span_from_string(name);

    while (text.len > 0) {
        struct span line = span_first(text, span_find(text, '\n'));
        text = span_from(text, line.len + 1);
        if (span_starts_with(line, key) && line.len > key.len && line.data[key.len] == '=')
            return mem_copy_string(span_from(line, key.len + 1));
    }
    return NULL;
}

void ctl_facts_unit(struct ctl_facts *gathered)
{
    static const char *const command[] = {
        "systemctl", "show", "--property=LoadState,ActiveState,UnitFileState", UNIT, NULL};
    struct doctor_daemon *facts = &gathered->facts->daemon;
    struct buf text;

    facts->has_systemd = access(SYSTEMD_RUNS, F_OK) == 0;
    if (!facts->has_systemd)
        return;
    buf_init(&text, TEXT_MAX);
    if (ctl_command_output(command, &text)) {
        facts->unit_load = property(buf_span(&text), "LoadState");
        facts->unit_active = property(buf_span(&text), "ActiveState");
        facts->unit_enabled = property(buf_span(&text), "UnitFileState");
    }
    buf_clear(&text);
}
