/* A client as the command line describes it, for verbs that ask what would become of one. */
#ifndef OG_CTL_IDENTITY_H
#define OG_CTL_IDENTITY_H

#include <stdbool.h>

#include "identity.h"
#include "options.h"
#include "policy.h"
#include "template.h"

/* Rows of a verb's getopt_long table; hand those options to ctl_identity_set by their names. */
#define CTL_IDENTITY_OPTIONS                                          \
    {"user", required_argument, NULL, CTL_IDENTITY_OPTION},           \
        {"uid", required_argument, NULL, CTL_IDENTITY_OPTION},        \
        {"group", required_argument, NULL, CTL_IDENTITY_OPTION},      \
        {"label", required_argument, NULL, CTL_IDENTITY_OPTION},      \
        {"executable", required_argument, NULL, CTL_IDENTITY_OPTION}, \
        {"unit", required_argument, NULL, CTL_IDENTITY_OPTION},       \
        {"host", required_argument, NULL, CTL_IDENTITY_OPTION},       \
        {"server", required_argument, NULL, CTL_IDENTITY_OPTION},     \
        {"socket", required_argument, NULL, CTL_IDENTITY_OPTION},     \
    {                                                                 \
        "profile", required_argument, NULL, CTL_IDENTITY_OPTION       \
    }
#define CTL_IDENTITY_OPTION 1000

struct ctl_identity {
    struct identity identity;
    const char *user;    /* as given, like the next ones; borrowed from argv; NULL: not given */
    const char *socket;  /* came in by the socket of that profile */
    const char *profile; /* this profile, whatever its qualifiers say */
    char *host;          /* in its canonical form; owned */
    char *server;        /* where the client of --host connected to; owned */
    bool is_given;       /* the command line says something of the client */
};

void ctl_identity_init(struct ctl_identity *client);
void ctl_identity_clear(struct ctl_identity *client);

/* Takes one option; false: reported to standard error. */
bool ctl_identity_set(struct ctl_identity *client, const char *verb, const char *name,
                      const char *value);

/* Fills in what was not said: the client is a process of whoever asks. False: what was said does
 * not go together, reported. */
bool ctl_identity_complete(struct ctl_identity *client, const char *verb);

/* For people: "user alice (1000), ..."; the caller frees it. */
char *ctl_identity_text(const struct ctl_identity *client);

/* What templates stand for; borrowed from the client and the options. */
struct template_variables ctl_identity_variables(const struct ctl_identity *client,
                                                 const struct options *options);

#endif
