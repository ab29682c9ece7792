/* AppArmor, the sockets, and what stands in the way. */
#include "doctor_parts.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define PROFILE_NAME "onion-grater"
#define PROFILE_FILE "/etc/apparmor.d/onion-grater"
#define RESTRICTION "kernel.apparmor_restrict_unprivileged_unconfined"

static char *copy(const char *text)
{
    return mem_copy_string(span_from_string(text));
}

static bool is_text(const char *text, const char *other)
{
    return text && strcmp(text, other) == 0;
}

/* --- AppArmor --- */

static void judge_own_profile(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_apparmor *apparmor = &facts->apparmor;
    bool is_confined = is_text(apparmor->label, PROFILE_NAME);

    if (apparmor->is_loaded == DOCTOR_NO)
        doctor_add(findings, DOCTOR_WARNING, "apparmor-profile",
                   copy("apparmor_parser -r " PROFILE_FILE),
                   "the AppArmor profile of the daemon is not loaded");
    else if (is_text(apparmor->mode, "complain"))
        doctor_add(findings, DOCTOR_WARNING, "apparmor-profile",
                   copy("apt-get install apparmor-utils; aa-enforce " PROFILE_FILE),
                   "the AppArmor profile of the daemon only complains, and restricts nothing");
    else if (apparmor->label && !is_confined)
        doctor_add(findings, DOCTOR_WARNING, "apparmor-profile", doctor_service(facts, "restart"),
                   "the daemon runs as \"%s\", not under its AppArmor profile", apparmor->label);
    else if (apparmor->is_loaded == DOCTOR_YES || is_confined)
        doctor_add(findings, DOCTOR_OK, "apparmor-profile", NULL,
                   "the AppArmor profile of the daemon is loaded%s%s",
                   apparmor->mode ? ", mode " : "", apparmor->mode ? apparmor->mode : "");
    else
        doctor_add(findings, DOCTOR_NOT_SEEN, "apparmor-profile", NULL,
                   "whether the AppArmor profile of the daemon is loaded");
}

static void judge_evidence(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    if (facts->apparmor.kernel_labels)
        doctor_add(findings, DOCTOR_OK, "evidence", NULL,
                   "the kernel tells the AppArmor labels of clients");
    else if (facts->policy.wants_kernel_labels)
        doctor_add(findings, DOCTOR_PROBLEM, "evidence",
                   copy("have \"apparmor-evidence: any\", or Linux 6.17 or later"),
                   "profiles ask for labels by the kernel (kernel-only), which this one does not "
                   "tell: they match nobody");
    else
        doctor_add(findings, DOCTOR_OK, "evidence", NULL,
                   "AppArmor labels of clients are read from /proc; from Linux 6.17 on the kernel "
                   "tells them, which is better evidence");
}

static void judge_restriction(const struct doctor_apparmor *apparmor,
                              struct doctor_findings *findings)
{
    if (!apparmor->has_restriction)
        doctor_add(findings, DOCTOR_OK, "apparmor-restriction", NULL,
                   "this kernel does not know " RESTRICTION " (from Linux 6.12 on)");
    else if (apparmor->is_restricted == DOCTOR_UNSEEN)
        doctor_add(findings, DOCTOR_NOT_SEEN, "apparmor-restriction", NULL,
                   "whether " RESTRICTION " is on");
    else if (apparmor->is_restricted == DOCTOR_YES)
        doctor_add(findings, DOCTOR_OK, "apparmor-restriction", NULL, RESTRICTION " is on");
    else
        doctor_add(findings, DOCTOR_WARNING, "apparmor-restriction",
                   copy("echo " RESTRICTION "=1 > /etc/sysctl.d/60-onion-grater.conf; sysctl "
                        "--system"),
                   "any unconfined program may take the AppArmor label of another one: " RESTRICTION
                   " is off");
}

void doctor_judge_apparmor(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_apparmor *apparmor = &facts->apparmor;
    bool wants_labels = facts->policy.wants_labels || facts->policy.wants_kernel_labels;

    if (apparmor->is_on == DOCTOR_NO) {
        doctor_add(findings, wants_labels ? DOCTOR_PROBLEM : DOCTOR_WARNING, "apparmor",
                   copy("apt-get install apparmor; have \"apparmor=1 security=apparmor\" on the "
                        "kernel's command line; reboot"),
                   wants_labels ? "AppArmor is off: profiles that ask for a label match nobody"
                                : "AppArmor is off: clients are told apart by their users alone, "
                                  "and nothing confines the daemon but itself");
        return;
    }
    doctor_add(findings, DOCTOR_OK, "apparmor", NULL, "AppArmor is on");
    judge_own_profile(facts, findings);
    judge_evidence(facts, findings);
    judge_restriction(apparmor, findings);
}

/* --- sockets --- */

static void judge_directory(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_sockets *sockets = &facts->sockets;
    bool is_owner_right = !sockets->dir_owner || is_text(sockets->dir_owner, "root") ||
                          is_text(facts->account.user, sockets->dir_owner);

    if (sockets->is_dir_there != DOCTOR_YES)
        return;
    if (sockets->is_dir_open)
        doctor_add(findings, DOCTOR_PROBLEM, "runtime-dir",
                   doctor_command("chmod go-w", sockets->runtime_dir, NULL),
                   "others than its owner may write to %s, and put sockets of their own there",
                   sockets->runtime_dir);
    if (!is_owner_right)
        doctor_add(findings, DOCTOR_PROBLEM, "runtime-dir",
                   doctor_command("chown", facts->account.user ? facts->account.user : "root",
                                  sockets->runtime_dir, NULL),
                   "%s belongs to user %s", sockets->runtime_dir, sockets->dir_owner);
}

static char *chmod_command(const struct doctor_socket *socket)
{
    char *mode = mem_printf("%04o", (unsigned)socket->right_mode);
    char *command = doctor_command("chmod", mode, socket->path, NULL);

    free(mode);
    return command;
}

/* False: nothing is wrong with it. */
static bool judge_socket(const struct doctor_socket *socket, struct doctor_findings *findings)
{
    if (socket->is_there == DOCTOR_NO)
        doctor_add(findings, DOCTOR_PROBLEM, "socket", copy("onion-graterctl reload"),
                   "the socket %s is not there; the daemon was not told of its profile yet, or "
                   "could not make it",
                   socket->path);
    else if (!socket->is_socket)
        doctor_add(findings, DOCTOR_PROBLEM, "socket", doctor_command("ls -l", socket->path, NULL),
                   "%s is no socket, so that none can be made there", socket->path);
    else if (socket->mode != socket->right_mode)
        doctor_add(findings, DOCTOR_WARNING, "socket", chmod_command(socket),
                   "the socket %s has mode %04o in place of %04o", socket->path,
                   (unsigned)socket->mode, (unsigned)socket->right_mode);
    else if (socket->right_owner && !is_text(socket->owner, socket->right_owner))
        doctor_add(findings, DOCTOR_WARNING, "socket",
                   doctor_command("chown", socket->right_owner, socket->path, NULL),
                   "the socket %s belongs to %s in place of %s", socket->path, socket->owner,
                   socket->right_owner);
    else
        return false;
    return true;
}

void doctor_judge_sockets(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_sockets *sockets = &facts->sockets;
    size_t good = 0, bad = 0;

    judge_directory(facts, findings);
    /* Without a daemon there are none, or those that the next one replaces. */
    if (facts->daemon.is_running != DOCTOR_YES || facts->daemon.problem)
        return;
    for (size_t i = 0; i < sockets->count; i++) {
        if (sockets->items[i].is_there == DOCTOR_UNSEEN)
            continue;
        if (judge_socket(&sockets->items[i], findings))
            bad++;
        else
            good++;
    }
    if (bad == 0 && good > 0)
        doctor_add(findings, DOCTOR_OK, "socket", NULL,
                   "%zu socket%s with the right mode%s and owner%s", good, good == 1 ? "" : "s",
                   good == 1 ? "" : "s", good == 1 ? "" : "s");
    else if (good + bad == 0)
        doctor_add(findings, DOCTOR_NOT_SEEN, "socket", NULL, "the sockets of the daemon");
}

/* --- others --- */

static void judge_port(const struct doctor_port *port, struct doctor_findings *findings)
{
    const char *holder = port->holder ? port->holder : "an unknown process";

    if (port->is_daemon)
        return;
    if (port->is_ours)
        doctor_add(findings, DOCTOR_PROBLEM, "port",
                   copy("have another listen-port in /etc/onion-grater/onion-grater.yml"),
                   "port %lu, at which the daemon is to listen, is taken by %s", port->port,
                   holder);
    else if (!port->is_tor)
        doctor_add(findings, DOCTOR_WARNING, "port",
                   mem_printf("ss -ltnp 'sport = :%lu'", port->port),
                   "%s listens at port %lu, where applications expect the control port of tor",
                   holder, port->port);
}

void doctor_judge_others(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_old *old = &facts->old;
    const struct doctor_ports *ports = &facts->ports;

    for (size_t i = 0; i < old->processes.count; i++) {
        const char *process = old->processes.items[i];
        doctor_add(findings, DOCTOR_PROBLEM, "old-process",
                   mem_printf("kill %.*s", (int)strcspn(process, " "), process),
                   "an onion-grater in Python runs besides: process %s", process);
    }
    for (size_t i = 0; i < old->files.count; i++)
        doctor_add(findings, DOCTOR_WARNING, "old-file",
                   doctor_command("rm -r", old->files.items[i], NULL),
                   "%s is left of an onion-grater in Python, and used no more",
                   old->files.items[i]);
    for (size_t i = 0; i < old->folders.count; i++)
        doctor_add(findings, DOCTOR_WARNING, "old-file",
                   mem_printf("mv %s/*.yml /etc/onion-grater.d/; onion-graterctl reload",
                              old->folders.items[i]),
                   "profiles in %s are not read any more", old->folders.items[i]);
    if (ports->is_seen == DOCTOR_UNSEEN)
        doctor_add(findings, DOCTOR_NOT_SEEN, "port", NULL,
                   "which processes listen at the ports of control ports");
    for (size_t i = 0; i < ports->count; i++)
        judge_port(&ports->items[i], findings);
}
