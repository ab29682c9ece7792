/* What runs: tor, an onion-grater in Python, programs in tor's group. */
#include "ctl_facts.h"

#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl_process.h"
#include "mem.h"

#define OLD_NAME "onion-grater"
#define OLDER_NAME "tor-controlport-filter"
#define GROUPS_LOOKED_AT 256
#define PROGRAMS_MAX 20

/* Whether it is a program of a user that is in the group anyway. */
static bool is_of_member(const struct ctl_facts *gathered, uid_t uid)
{
    const struct doctor_list *others = &gathered->facts->account.others;
    const struct passwd *user = getpwuid(uid);

    for (size_t i = 0; user && i < others->count; i++)
        if (strcmp(others->items[i], user->pw_name) == 0)
            return true;
    return false;
}

static bool is_in_group(const struct ctl_facts *gathered, struct span status)
{
    unsigned long numbers[GROUPS_LOOKED_AT];
    size_t count = ctl_process_numbers(status, "Groups", numbers, GROUPS_LOOKED_AT - 4);

    count += ctl_process_numbers(status, "Gid", numbers + count, 4);
    for (size_t i = 0; i < count; i++)
        if (numbers[i] == gathered->tor_gid)
            return true;
    return false;
}

/* Those of root, of tor and of the service have their rights without it. */
static bool gets_past(const struct ctl_facts *gathered, pid_t pid)
{
    unsigned long uids[4];
    struct buf status;
    bool gets = ctl_process_read(pid, "status", &status) &&
                ctl_process_numbers(buf_span(&status), "Uid", uids, 4) == 4 &&
                is_in_group(gathered, buf_span(&status));

    buf_clear(&status);
    return gets && uids[1] != 0 && uids[1] != gathered->tor_uid &&
           uids[1] != gathered->service_uid && !is_of_member(gathered, (uid_t)uids[1]);
}

static void note_old(const struct ctl_process *process, struct doctor_list *processes)
{
    char *text = mem_printf("%jd (%s)", (intmax_t)process->pid, process->name);

    doctor_list_add(processes, text);
    free(text);
}

static void note_program(const struct ctl_process *process, struct doctor_list *programs)
{
    char *text = mem_printf("%s (process %jd)", process->name, (intmax_t)process->pid);

    doctor_list_add(programs, text);
    free(text);
}

static bool look_at_process(void *context, const struct ctl_process *process)
{
    struct ctl_facts *gathered = context;
    struct doctor_facts *facts = gathered->facts;

    if (strcmp(process->name, "tor") == 0)
        facts->tor.is_running = DOCTOR_YES;
    if (ctl_process_is_script(process, OLD_NAME) || ctl_process_is_script(process, OLDER_NAME))
        note_old(process, &facts->old.processes);
    if (gathered->tor_gid != (gid_t)-1 && gathered->tor_gid != 0 &&
        facts->account.programs.count < PROGRAMS_MAX && gets_past(gathered, process->pid))
        note_program(process, &facts->account.programs);
    return true;
}

void ctl_facts_processes(struct ctl_facts *gathered)
{
    struct doctor_tor *tor = &gathered->facts->tor;

    if (ctl_process_each(look_at_process, gathered) && tor->is_running == DOCTOR_UNSEEN)
        tor->is_running = DOCTOR_NO;
}
