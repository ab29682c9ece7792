/* The command table: every command that tor 0.4.9 knows (control-protocol 1.6), one row each.
 *
 * A command that is not in the table does not exist for us: it is refused, whatever a rule says. */
#ifndef OG_KEYWORD_H
#define OG_KEYWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

enum keyword_id {
    KEYWORD_ADD_ONION,
    KEYWORD_ATTACHSTREAM,
    KEYWORD_AUTHCHALLENGE,
    KEYWORD_AUTHENTICATE,
    KEYWORD_CLOSECIRCUIT,
    KEYWORD_CLOSESTREAM,
    KEYWORD_DEL_ONION,
    KEYWORD_DROPGUARDS,
    KEYWORD_DROPOWNERSHIP,
    KEYWORD_DROPTIMEOUTS,
    KEYWORD_EXTENDCIRCUIT,
    KEYWORD_GETCONF,
    KEYWORD_GETINFO,
    KEYWORD_HSFETCH,
    KEYWORD_HSPOST,   /* +HSPOST */
    KEYWORD_LOADCONF, /* +LOADCONF */
    KEYWORD_MAPADDRESS,
    KEYWORD_ONION_CLIENT_AUTH_ADD,
    KEYWORD_ONION_CLIENT_AUTH_REMOVE,
    KEYWORD_ONION_CLIENT_AUTH_VIEW,
    KEYWORD_POSTDESCRIPTOR, /* +POSTDESCRIPTOR */
    KEYWORD_PROTOCOLINFO,
    KEYWORD_QUIT,
    KEYWORD_REDIRECTSTREAM,
    KEYWORD_RESETCONF,
    KEYWORD_RESOLVE,
    KEYWORD_SAVECONF,
    KEYWORD_SETCIRCUITPURPOSE,
    KEYWORD_SETCONF,
    KEYWORD_SETEVENTS,
    KEYWORD_SETROUTERPURPOSE,
    KEYWORD_SIGNAL,
    KEYWORD_TAKEOWNERSHIP,
    KEYWORD_USEFEATURE,
};

/* How tor reads the arguments: the letters of control-protocol 1.4. */
enum keyword_grammar {
    GRAMMAR_ANY,        /* tor ignores them */
    GRAMMAR_POSITIONAL, /* P: words cut at spaces */
    GRAMMAR_KV,         /* positional words, then K: key=value, no quotes */
    GRAMMAR_KV_FLAGS,   /* positional words, then Kf: as K, but "key" alone is allowed */
    GRAMMAR_QUOTED,     /* Q: key=value with quoted strings, "key" alone is allowed */
    GRAMMAR_CREDENTIAL, /* C */
};

/* What a success looks like (control-protocol 1.6, 2.3, 2.4). An error reply, code 4xx or 5xx,
 * is legal for every command. */
enum keyword_reply {
    REPLY_SHAPE_STATUS,  /* one line: 250 or 251 text */
    REPLY_SHAPE_GETINFO, /* one part a key, "250-key=value" or "250+key=" and data, then 250 OK */
    REPLY_SHAPE_GETCONF, /* "250-Name=value" lines, the last "250 Name=value"; or 250 OK */
    REPLY_SHAPE_LINES,   /* any lines, no data block, then the last one */
};

enum keyword_flag {
    KEYWORD_IS_BLOCK = 1 << 0,    /* "+NAME" with a data block; does not exist as a single line */
    KEYWORD_IS_LOCAL = 1 << 1,    /* answered by onion-grater, never forwarded (design 4.1) */
    KEYWORD_HAS_KEYS = 1 << 2,    /* several keys, each judged on its own (design 3.5) */
    KEYWORD_IS_SECRET = 1 << 3,   /* its arguments hold keys or passwords: wiped, never logged */
    KEYWORD_IS_OBSOLETE = 1 << 4, /* tor only answers that it is gone */
};

struct keyword {
    const char *name; /* tor's spelling; a block command without its plus */
    enum keyword_id id;
    enum keyword_grammar grammar;
    enum keyword_reply reply;
    unsigned flags;          /* enum keyword_flag */
    unsigned min_words;      /* positional words that tor demands */
    unsigned max_words;      /* and allows (UINT_MAX: any); K grammars: those before the pairs */
    const char *const *keys; /* NULL-terminated: keywords of K grammars, for logs; or NULL */
};

/* The row for a name in any case. `is_block`: the line began with "+" (the name comes without it).
 * NULL if tor knows no such command in that form. */
const struct keyword *keyword_find(struct span name, bool is_block);

/* Row by position, for listings and tests; NULL past the end. */
const struct keyword *keyword_at(size_t index);

/* "GETINFO" or "+LOADCONF": how a person writes it; static. */
const char *keyword_label(const struct keyword *keyword);

#endif
