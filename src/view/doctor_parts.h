/* What the files of doctor share. Not for others. */
#ifndef OG_DOCTOR_PARTS_H
#define OG_DOCTOR_PARTS_H

#include "doctor.h"

/* Adds a finding. `remedy` is taken over; NULL: there is none. */
void doctor_add(struct doctor_findings *findings, enum doctor_level level, const char *topic,
                char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* "systemctl VERB onion-grater", or what it is without systemd; the caller frees it. */
char *doctor_service(const struct doctor_facts *facts, const char *verb);

/* A command for a remedy: `command` as it is, and behind it the words up to NULL, each of them
 * quoted where it has to be. */
char *doctor_command(const char *command, ...) __attribute__((sentinel));

/* The texts with ", " between them; the caller frees it. */
char *doctor_join(const struct doctor_list *list);

/* One file each. */
void doctor_judge_daemon(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_policy(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_tor(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_account(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_apparmor(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_sockets(const struct doctor_facts *facts, struct doctor_findings *findings);
void doctor_judge_others(const struct doctor_facts *facts, struct doctor_findings *findings);

#endif
