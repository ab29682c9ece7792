/* Entries with fields for systemd's journal, in its native protocol (systemd's
 * JOURNAL_NATIVE_PROTOCOL; systemd.journal-fields(7)): what log.h writes where there is a journal.
 *
 * The ids name kinds of messages for good; systemd/onion-grater.catalog explains each
 * (journalctl -x). */
#ifndef OG_JOURNAL_H
#define OG_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

#define JOURNAL_ID_REFUSED "afeaebe4aec048f598722fbd551c99df"
#define JOURNAL_ID_COMPLAINT "25d963a436f34797966706cafae258dd"
#define JOURNAL_ID_COMPLAIN_MODE "2b9a05acdff04c34abb7771b464e76d0"
#define JOURNAL_ID_TOR "ef9edfc943624389a8f48c5a13f4c44c"
#define JOURNAL_ID_PROFILE "07a2ef9d3371454db15f25a79f84220a"
#define JOURNAL_ID_TURNED_AWAY "b9f09aa3afe74f5792d0b89876927ec2"

struct journal_field {
    const char *name;  /* upper case, as the journal wants it */
    struct span value; /* printable ASCII: what is not is escaped by the caller */
};

/* -1, or a socket for journal_send. */
int journal_open(void);

/* One entry. `id`: one of the above, or NULL. Never waits. False: it did not get there; say it in
 * another way. */
bool journal_send(int fd, const char *path, char priority, const char *id, struct span message,
                  const struct journal_field *fields, size_t count);

#endif
