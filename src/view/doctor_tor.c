/* tor, the way to it, and who else goes there. */
#include "doctor_parts.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define RESTART_TOR "; systemctl restart tor"

static char *copy(const char *text)
{
    return mem_copy_string(span_from_string(text));
}

static const char *or_unknown(const char *text)
{
    return text ? text : "unknown";
}

/* --- is it there? --- */

static void judge_absence(const struct doctor_tor *tor, struct doctor_findings *findings)
{
    if (tor->is_running == DOCTOR_YES)
        doctor_add(findings, DOCTOR_PROBLEM, "tor",
                   copy(tor->is_tcp ? "have ControlPort in /etc/tor/torrc" RESTART_TOR
                                    : "have \"ControlSocket /run/tor/control GroupWritable "
                                      "RelaxDirModeCheck\" in /etc/tor/torrc" RESTART_TOR),
                   "tor runs, but there is no control port of it at %s", or_unknown(tor->address));
    else if (tor->is_installed == DOCTOR_NO)
        doctor_add(findings, DOCTOR_PROBLEM, "tor", copy("apt-get install tor"),
                   "there is no control port at %s, and tor is not installed",
                   or_unknown(tor->address));
    else
        doctor_add(findings, DOCTOR_PROBLEM, "tor", copy("systemctl start tor"),
                   "tor does not run: nothing listens at %s", or_unknown(tor->address));
}

static void judge_presence(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_tor *tor = &facts->tor;

    if (tor->is_answering == DOCTOR_YES)
        doctor_add(findings, DOCTOR_OK, "tor", NULL, "tor %s answers at %s",
                   tor->version ? tor->version : "of an unknown version", or_unknown(tor->address));
    else if (tor->is_answering == DOCTOR_NO)
        doctor_add(findings, DOCTOR_PROBLEM, "tor", NULL,
                   "what listens at %s does not answer as tor does", or_unknown(tor->address));
    else if (tor->is_there == DOCTOR_NO)
        judge_absence(tor, findings);
    else
        doctor_add(findings, DOCTOR_NOT_SEEN, "tor", NULL, "you may not ask tor at %s",
                   or_unknown(tor->address));
    if (facts->daemon.tor_problem)
        doctor_add(findings, DOCTOR_PROBLEM, "tor-login", copy("journalctl -u onion-grater -e"),
                   "the daemon says of tor: %s", facts->daemon.tor_problem);
}

/* --- may the service get in, and who else? --- */

static void judge_login(const struct doctor_tor *tor, struct doctor_findings *findings)
{
    if (tor->offers_null && tor->is_tcp)
        doctor_add(findings, DOCTOR_PROBLEM, "tor-open",
                   copy("have \"CookieAuthentication 1\" in /etc/tor/torrc" RESTART_TOR),
                   "tor's control port asks for no authentication: every program of this machine "
                   "gets past onion-grater");
    if (!tor->offers_null && !tor->offers_cookie && tor->offers_password && !tor->has_password_file)
        doctor_add(findings, DOCTOR_PROBLEM, "tor-login",
                   copy("have \"CookieAuthentication 1\" in /etc/tor/torrc" RESTART_TOR),
                   "tor asks for a password, and no control-password-file is configured");
    if (tor->offers_cookie && tor->is_cookie_open == DOCTOR_YES)
        doctor_add(
            findings, DOCTOR_PROBLEM, "tor-open", doctor_command("chmod o=", tor->cookie, NULL),
            "everybody may read tor's cookie, %s, and so get past onion-grater", tor->cookie);
}

static void judge_reach(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_tor *tor = &facts->tor;
    const struct doctor_account *account = &facts->account;
    const char *user = account->user ? account->user : "onion-grater";
    const char *group = account->group ? account->group : "debian-tor";

    if (tor->is_there == DOCTOR_NO)
        return;
    if (tor->service_reaches == DOCTOR_UNSEEN)
        doctor_add(findings, DOCTOR_NOT_SEEN, "tor-reach", NULL,
                   "whether user %s reaches tor's control port", user);
    else if (tor->service_reaches == DOCTOR_NO)
        doctor_add(findings, DOCTOR_PROBLEM, "tor-reach",
                   doctor_command("usermod -aG", group, user, NULL),
                   "user %s may not connect to %s", user, or_unknown(tor->address));
    else
        doctor_add(findings, DOCTOR_OK, "tor-reach", NULL, "user %s reaches tor's control port",
                   user);
    if (!tor->offers_cookie || tor->offers_null)
        return;
    if (tor->service_reads == DOCTOR_UNSEEN)
        doctor_add(findings, DOCTOR_NOT_SEEN, "tor-cookie", NULL,
                   "whether user %s may read tor's cookie", user);
    else if (tor->service_reads == DOCTOR_NO)
        doctor_add(findings, DOCTOR_PROBLEM, "tor-cookie",
                   copy("have \"CookieAuthFileGroupReadable 1\" in /etc/tor/torrc" RESTART_TOR),
                   "user %s may not read tor's cookie, %s", user, or_unknown(tor->cookie));
    else
        doctor_add(findings, DOCTOR_OK, "tor-cookie", NULL, "user %s may read tor's cookie", user);
}

void doctor_judge_tor(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    judge_presence(facts, findings);
    judge_login(&facts->tor, findings);
    judge_reach(facts, findings);
}

/* --- the service's user, and tor's group --- */

/* Of no use where the service gets in without it, as root or by a password over TCP. */
static void judge_membership(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_account *account = &facts->account;

    if (!account->group || !account->user || account->exists == DOCTOR_NO)
        return;
    if (account->is_member == DOCTOR_YES)
        doctor_add(findings, DOCTOR_OK, "group", NULL, "user %s is in group %s", account->user,
                   account->group);
    else if (account->is_member == DOCTOR_NO && facts->tor.service_reaches != DOCTOR_YES &&
             strcmp(account->user, "root") != 0)
        doctor_add(findings, DOCTOR_PROBLEM, "group",
                   doctor_command("usermod -aG", account->group, account->user, NULL),
                   "user %s is not in group %s, which tor gives its control socket and its cookie "
                   "to; the daemon has to be restarted afterwards",
                   account->user, account->group);
}

/* "gpasswd -d USER GROUP; ..." */
static char *removal_command(const struct doctor_account *account)
{
    char *all = copy("");

    for (size_t i = 0; i < account->others.count; i++) {
        char *one = doctor_command("gpasswd -d", account->others.items[i], account->group, NULL);
        char *longer = mem_printf("%s%s%s", all, i > 0 ? "; " : "", one);
        free(all);
        free(one);
        all = longer;
    }
    return all;
}

/* Users, by what /etc/group says. */
static void judge_other_users(const struct doctor_account *account,
                              struct doctor_findings *findings)
{
    if (account->others.count == 0)
        return;
    char *names = doctor_join(&account->others);
    doctor_add(findings, DOCTOR_WARNING, "group-others", removal_command(account),
               "all programs of %s may do everything with tor, past every profile: they are in "
               "group %s",
               names, account->group);
    free(names);
}

void doctor_judge_account(const struct doctor_facts *facts, struct doctor_findings *findings)
{
    const struct doctor_account *account = &facts->account;

    if (account->exists == DOCTOR_NO)
        doctor_add(findings, DOCTOR_PROBLEM, "account", copy("systemd-sysusers"),
                   "there is no user %s, as which the service would run",
                   or_unknown(account->user));
    judge_membership(facts, findings);
    judge_other_users(account, findings);
    for (size_t i = 0; i < account->programs.count; i++)
        doctor_add(findings, DOCTOR_WARNING, "group-others",
                   copy("take the group out of what starts it (SupplementaryGroups=), and give it "
                        "a profile"),
                   "%s runs in group %s, and may do everything with tor, past every profile",
                   account->programs.items[i], account->group);
}
