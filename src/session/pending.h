/* The replies that a client is owed, in the order of its commands, whoever gives them. */
#ifndef OG_PENDING_H
#define OG_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "add_onion.h"
#include "buf.h"
#include "decide.h"
#include "keyword.h"
#include "onion_set.h"
#include "reply_plan.h"
#include "subscription.h"

enum pending_kind {
    PENDING_LOCAL,       /* ready: `text` is the whole reply */
    PENDING_GREETING,    /* PROTOCOLINFO: ready as soon as tor's version is known, or cannot be */
    PENDING_WAITING,     /* to be sent to tor as soon as we are logged in */
    PENDING_SENT,        /* sent; tor owes the reply */
    PENDING_RESUBSCRIBE, /* our own SETEVENTS after a reconnect; the client is owed nothing */
};

/* What of the decision is needed when the command's turn at tor comes. */
struct pending_claim {
    enum onion_claim kind;
    const struct profile *claimant;    /* also of a rule that allowed ADD_ONION or
                                          ONION_CLIENT_AUTH_ADD without a claim; borrowed */
    const struct onion_create *create; /* borrowed */
    struct source rule;
    bool is_rewritten;
    bool is_complaint;  /* it did not stand, and complain mode let it pass */
    bool is_unreported; /* the observer has yet to hear of the command */
    bool is_reserved;   /* a place in the registry is taken */
};

struct pending {
    enum pending_kind kind;
    const struct keyword *keyword;
    struct buf text;         /* LOCAL: reply; WAITING: the command's arguments */
    struct buf data;         /* WAITING: data block */
    struct reply_plan *plan; /* WAITING, SENT */
    const char *ends;        /* LOCAL: the session ends behind it, and this is why; else NULL */
    size_t weight;           /* WAITING, SENT: what it takes of SESSION_TOR_WINDOW */
    bool is_detached;        /* ADD_ONION with Detach */
    struct pending_claim claim;
    struct onion_address address; /* ADD_ONION: the one that tor gave; else the one it names */
    unsigned servers;             /* HSFETCH: how many SERVER= it names */
    struct event_set *events;     /* SETEVENTS: the set that a 250 makes valid */
    bool is_probe;                /* our own GETINFO stream-status; the client is owed nothing */
    struct pending *next;
};

struct pending_queue {
    struct pending *head;
    struct pending *tail;
    size_t count;
};

struct pending *pending_push(struct pending_queue *queue, enum pending_kind kind,
                             const struct keyword *keyword);
/* Bytes of memory that the queue takes. */
size_t pending_held(const struct pending_queue *queue);

/* Puts one before all others. */
struct pending *pending_push_front(struct pending_queue *queue, enum pending_kind kind,
                                   const struct keyword *keyword);
/* Puts one behind the first. */
struct pending *pending_push_second(struct pending_queue *queue, enum pending_kind kind,
                                    const struct keyword *keyword);
/* Drops the head, with secrets wiped. */
void pending_pop(struct pending_queue *queue);
void pending_clear(struct pending_queue *queue);

#endif
