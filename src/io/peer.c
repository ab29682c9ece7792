/* Who a peer is, from the strongest evidence that there is (design 2).
 *
 * The kernel notes credentials when a client connects, and a label when it makes its socket (Linux
 * 6.17 and later): no race, no file, no word of the peer's own. What /proc says is true of the
 * moment of the look-up, so where both speak they have to agree. A process that connected and then
 * became another program under another label is nobody. */
#include "peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "mem.h"
#include "peer_label.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

#define PEER_GROUPS_FIRST 32
#define PEER_GROUPS_MAX 65536 /* NGROUPS_MAX */

static void peer_find_credentials(int fd, struct identity *identity)
{
    struct ucred credentials;
    socklen_t len = sizeof credentials;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0 ||
        len != sizeof credentials)
        return;
    if (credentials.uid == (uid_t)-1 || credentials.gid == (gid_t)-1)
        return;
    identity->has_credentials = true;
    identity->uid = credentials.uid;
    identity->gid = credentials.gid;
    identity->pid = credentials.pid;
}

static void peer_find_groups(int fd, struct identity *identity)
{
    size_t count = PEER_GROUPS_FIRST;
    gid_t *groups = mem_zalloc(count, sizeof *groups);
    socklen_t len = (socklen_t)(count * sizeof *groups);

    /* With too little room the kernel says how much it takes. */
    while (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0) {
        size_t wanted = len / sizeof *groups;
        if (errno != ERANGE || wanted <= count || wanted > PEER_GROUPS_MAX) {
            free(groups);
            return;
        }
        count = wanted;
        groups = mem_resize(groups, count, sizeof *groups);
        len = (socklen_t)(count * sizeof *groups);
    }
    identity->has_groups = true;
    identity->groups = groups;
    identity->group_count = len / sizeof *groups;
}

/* Without SO_PEERPIDFD the pid may have changed hands since the connect; process_look compares the
 * start of whoever has it now. */
static int peer_find_pidfd(int fd, pid_t pid)
{
    int pidfd = -1;
    socklen_t len = sizeof pidfd;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
        return pidfd;
    return errno == ENOPROTOOPT ? process_open(pid) : -1;
}

void peer_identify(int fd, struct peer *peer_out)
{
    *peer_out = (struct peer){
        .identity = {.transport = IDENTITY_UNIX},
        .pidfd = -1,
        .accepted = process_ticks_now(),
    };
    peer_find_credentials(fd, &peer_out->identity);
    if (!peer_out->identity.has_credentials)
        return;
    if (peer_out->identity.pid > 0)
        peer_out->pidfd = peer_find_pidfd(fd, peer_out->identity.pid);
    peer_find_groups(fd, &peer_out->identity);
}

void peer_clear(struct peer *peer)
{
    identity_clear(&peer->identity);
    if (peer->pidfd >= 0)
        close(peer->pidfd);
    peer->pidfd = -1;
}

/* --- what is looked up --- */

static const char peer_silent[] = "/proc does not tell its label";

static void peer_take_facts(struct peer_system *system, const struct identity_needs *needs,
                            struct process_facts *facts, struct identity *identity)
{
    if (facts->label)
        identity_set_label(identity, facts->label, strlen(facts->label), EVIDENCE_PROC);
    identity->executable = facts->executable;
    identity->unit = facts->unit;
    facts->executable = NULL;
    facts->unit = NULL;
    if (!facts->executable_denied || !needs->executable || system->said_denied)
        return;
    system->said_denied = true;
    log_at(LOG_LEVEL_INFO, "%s; profiles with executables do not match them",
           facts->executable_denied);
}

static bool peer_same_label(const struct identity *a, const struct identity *b)
{
    if (a->label_state != b->label_state)
        return false;
    return a->label_state != IDENTITY_CONFINED || strcmp(a->label, b->label) == 0;
}

static void peer_drop_label(struct identity *identity, const char *doubt)
{
    free(identity->label);
    identity->label = NULL;
    identity->label_state = IDENTITY_LABEL_UNKNOWN;
    identity->label_evidence = EVIDENCE_NONE;
    identity->label_doubt = doubt;
}

static void peer_drop_executable(struct identity *identity)
{
    free(identity->executable);
    identity->executable = NULL;
}

/* Puts the kernel's word in the place of /proc's, unless that says otherwise. Of a process that is
 * gone, or that we may not see, there is no other word. */
static void peer_prefer_kernel(struct identity *identity, enum process_look look, struct span label)
{
    bool proc_spoke = look == PROCESS_SEEN && identity->label_doubt != peer_silent;
    struct identity noted = {0};

    if (look == PROCESS_CHANGED)
        return;
    identity_set_label(&noted, label.data, label.len, EVIDENCE_KERNEL);
    if (proc_spoke && !peer_same_label(&noted, identity)) {
        peer_drop_label(identity, "the kernel's label and /proc differ");
        peer_drop_executable(identity);
    } else {
        peer_drop_label(identity, noted.label_doubt);
        identity->label_state = noted.label_state;
        identity->label_evidence = noted.label_evidence;
        identity->label = noted.label;
        noted.label = NULL;
    }
    identity_clear(&noted);
}

static void peer_ask_kernel(struct peer_system *system, int socket, enum process_look look,
                            struct identity *identity)
{
    struct buf label;

    buf_init(&label, PEER_LABEL_MAX);
    if (peer_label_ask(socket, &label)) {
        system->has_kernel_labels = true;
        peer_prefer_kernel(identity, look, buf_span(&label));
    }
    buf_clear(&label);
}

/* Who has a pid namespace of his own can write in the name of any process in it (unix(7),
 * SCM_CREDENTIALS), also of one that has exec'ed into an allowed program since it connected. */
static void peer_doubt_nested(struct identity *identity)
{
    peer_drop_executable(identity);
    if (identity->label_evidence == EVIDENCE_PROC)
        peer_drop_label(identity, "the process is in a pid namespace, where others can write in "
                                  "its name");
}

enum process_look peer_look(struct peer_system *system, const struct identity_needs *needs,
                            int socket, pid_t pid, int pidfd, uint64_t latest,
                            struct identity *identity)
{
    struct process_wants wants = {
        .label = needs->label,
        .executable = needs->executable,
        .unconfined_executable = needs->unconfined_path,
        .unit = needs->unit,
    };
    struct process_facts facts;

    enum process_look look = process_look(pid, pidfd, &wants, latest, &facts);
    identity->label_doubt = look == PROCESS_SEEN ? peer_silent : process_look_text(look);
    peer_take_facts(system, needs, &facts, identity);
    if (needs->label && socket >= 0)
        peer_ask_kernel(system, socket, look, identity);
    if (facts.is_nested)
        peer_doubt_nested(identity);
    process_facts_clear(&facts);
    return look;
}

/* --- all together --- */

void peer_investigate(struct peer_system *system, int fd, const struct identity_needs *needs,
                      struct peer *peer)
{
    struct identity *identity = &peer->identity;
    struct identity_needs looked_up = *needs;

    identity->is_tor = peer_tor_is_process(&system->tor, identity);
    looked_up.label =
        system->has_apparmor && (needs->label || peer_tor_wants_label(&system->tor, identity));
    looked_up.unconfined_path = looked_up.label && needs->unconfined_path;
    if (identity_needs_process(&looked_up) && !identity->is_tor) {
        peer_look(system, &looked_up, fd, identity->pid, peer->pidfd, peer->accepted, identity);
        identity->is_tor = peer_tor_is_alike(&system->tor, identity);
    }
    if (!looked_up.label)
        identity->label_doubt =
            needs->label ? "AppArmor is not enabled" : "no profile asks for one";
}

/* A process of our own user could read tor's cookie itself: where one that is not called tor stands
 * in for tor, as test tools do, there is nothing to keep from it. */
static bool peer_is_stand_in(const struct peer *peer)
{
    return peer->identity.uid == geteuid() &&
           process_is_named(peer->identity.pid, peer->pidfd, "tor") == PROCESS_NAMED_OTHERWISE;
}

void peer_note_tor(struct peer_system *system, int fd)
{
    struct identity_needs needs = {.label = true};
    struct identity found = {0};
    struct peer peer;

    /* Each session comes here, and nearly always it is the same tor. */
    peer_find_credentials(fd, &found);
    if (found.has_credentials && peer_tor_is_current(&system->tor, &found))
        return;
    peer_identify(fd, &peer);
    if (peer.identity.has_credentials) {
        peer_tor_clear(&system->tor);
        if (!peer_is_stand_in(&peer)) {
            peer_investigate(system, fd, &needs, &peer);
            peer_tor_set(&system->tor, &peer.identity, peer.pidfd);
            peer.pidfd = -1;
        }
    }
    peer_clear(&peer);
}

void peer_system_init(struct peer_system *system)
{
    *system = (struct peer_system){.has_apparmor = peer_label_is_enabled()};
    system->has_kernel_labels = system->has_apparmor && peer_label_is_answered();
    peer_tor_init(&system->tor);
}

void peer_system_clear(struct peer_system *system)
{
    peer_tor_clear(&system->tor);
}
