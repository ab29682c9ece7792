/* The daemon that runs, and the profiles as they lie there. */
#include "doctor_parts.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

static bool is_text(const char *text, const char *other)
{
    return text && strcmp(text, other) == 0;
}

static char *copy(const char *text)
{
    return mem_copy_string(span_from_string(text));
}

/* --- the daemon --- */

static void judge_unit(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_daemon *daemon = &facts->daemon;

    if (!daemon->has_systemd || !daemon->unit_load)
        return;
    if (is_text(daemon->unit_load, "masked"))
        doctor_add(findings, DOCTOR_PROBLEM, "unit", copy("systemctl unmask onion-grater"),
                   "the service is masked, so systemd does not start it");
    else if (!is_text(daemon->unit_load, "loaded"))
        doctor_add(findings, DOCTOR_WARNING, "unit", NULL,
                   "systemd has no unit onion-grater.service that it can use (%s)",
                   daemon->unit_load);
    else if (is_text(daemon->unit_active, "failed"))
        doctor_add(findings, DOCTOR_PROBLEM, "unit", copy("journalctl -u onion-grater -e"),
                   "the service has failed; its log says why");
    else if (is_text(daemon->unit_enabled, "disabled"))
        doctor_add(findings, DOCTOR_WARNING, "unit", copy("systemctl enable onion-grater"),
                   "the service is not started with the machine");
    else
        doctor_add(findings, DOCTOR_OK, "unit", NULL, "systemd has the service as %s, %s",
                   daemon->unit_active ? daemon->unit_active : "unknown",
                   daemon->unit_enabled ? daemon->unit_enabled : "unknown");
}

static void judge_version(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_daemon *daemon = &facts->daemon;

    if (!is_text(daemon->version, daemon->own_version))
        doctor_add(findings, DOCTOR_WARNING, "version", doctor_service(facts, "restart"),
                   "the daemon that runs is version %s, and %s is installed",
                   daemon->version ? daemon->version : "unknown", daemon->own_version);
    else if (daemon->is_replaced)
        doctor_add(findings, DOCTOR_WARNING, "version", doctor_service(facts, "restart"),
                   "the daemon's program was replaced since it was started");
}

static void judge_state(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_daemon *daemon = &facts->daemon;

    if (daemon->is_failed)
        doctor_add(findings, DOCTOR_PROBLEM, "reload", copy("onion-graterctl reload"),
                   "the last reload failed, and the profiles from before it are in use");
    /* Those that are there still are told with the profiles. */
    if (daemon->errors > 0 && facts->policy.errors == 0)
        doctor_add(findings, DOCTOR_PROBLEM, "reload", copy("onion-graterctl reload"),
                   "the profiles had %lu error%s when the daemon has read them", daemon->errors,
                   daemon->errors == 1 ? "" : "s");
    if (daemon->complains)
        doctor_add(findings, DOCTOR_WARNING, "complain-mode", copy("onion-graterctl status"),
                   "complain mode is on: what profiles refuse is forwarded to tor");
    if (daemon->reached.count == 0)
        return;
    char *reached = doctor_join(&daemon->reached);
    doctor_add(findings, DOCTOR_WARNING, "limits", copy("man 5 onion-grater.yml"),
               "limits were reached since the daemon has started: %s", reached);
    free(reached);
}

void doctor_judge_daemon(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_daemon *daemon = &facts->daemon;

    if (daemon->is_running == DOCTOR_NO)
        doctor_add(findings, DOCTOR_PROBLEM, "daemon", doctor_service(facts, "start"),
                   "the daemon is not running");
    else if (daemon->is_denied)
        doctor_add(findings, DOCTOR_NOT_SEEN, "daemon", NULL,
                   "there is an admin socket of the daemon, which you may not ask");
    else if (daemon->problem)
        doctor_add(findings, DOCTOR_PROBLEM, "daemon", doctor_service(facts, "restart"),
                   "the daemon does not answer: %s", daemon->problem);
    else if (daemon->is_running == DOCTOR_YES)
        doctor_add(findings, DOCTOR_OK, "daemon", NULL, "the daemon runs, version %s",
                   daemon->version ? daemon->version : "unknown");
    if (daemon->is_running == DOCTOR_YES && !daemon->is_denied && !daemon->problem) {
        judge_version(facts, findings);
        judge_state(facts, findings);
    }
    judge_unit(facts, findings);
}

/* --- profiles --- */

void doctor_judge_policy(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_policy *policy = &facts->policy;
    const char *option = policy->profiles_option ? policy->profiles_option : "";

    if (policy->is_readable == DOCTOR_UNSEEN)
        doctor_add(findings, DOCTOR_NOT_SEEN, "profiles", NULL,
                   "you may not read the configuration, or all of the profiles");
    else if (policy->errors > 0)
        doctor_add(
            findings, DOCTOR_PROBLEM, "profiles", mem_printf("onion-graterctl check%s", option),
            "configuration and profiles have %zu error%s, the first: %s", policy->errors,
            policy->errors == 1 ? "" : "s", policy->first_error ? policy->first_error : "unknown");
    else if (policy->profiles == 0)
        doctor_add(findings, DOCTOR_WARNING, "profiles",
                   copy("ls /usr/share/onion-grater/profiles; onion-graterctl enable NAME"),
                   "there is no profile, so nobody is allowed anything");
    else if (policy->warnings > 0)
        doctor_add(
            findings, DOCTOR_WARNING, "profiles", mem_printf("onion-graterctl check%s", option),
            "%zu profile%s, for which check has %zu warning%s", policy->profiles,
            policy->profiles == 1 ? "" : "s", policy->warnings, policy->warnings == 1 ? "" : "s");
    else
        doctor_add(findings, DOCTOR_OK, "profiles", NULL, "%zu profile%s, without a warning",
                   policy->profiles, policy->profiles == 1 ? "" : "s");
}
