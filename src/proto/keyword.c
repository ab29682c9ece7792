/* The command table (control-protocol 1.6), sorted by name.
 *
 * Words are what tor counts before it refuses by itself; for the key=value grammars they are the
 * positional ones in front of the pairs. Grammar ANY means that tor looks at none of them. */
#include "keyword.h"

#include <limits.h>

#include "ascii.h"

#define ANY_COUNT UINT_MAX
#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct keyword table[] = {
    {"ADD_ONION", KEYWORD_ADD_ONION, GRAMMAR_KV, REPLY_SHAPE_LINES, KEYWORD_IS_SECRET, 1, 1,
     KEYS("Port", "Flags", "MaxStreams", "PoWDefensesEnabled", "PoWQueueRate", "PoWQueueBurst",
          "ClientAuthV3", "ClientAuth")},
    {"ATTACHSTREAM", KEYWORD_ATTACHSTREAM, GRAMMAR_KV, REPLY_SHAPE_STATUS, 0, 2, 2, KEYS("HOP")},
    {"AUTHCHALLENGE", KEYWORD_AUTHCHALLENGE, GRAMMAR_CREDENTIAL, REPLY_SHAPE_STATUS,
     KEYWORD_IS_LOCAL | KEYWORD_IS_SECRET, 1, 2, NULL},
    {"AUTHENTICATE", KEYWORD_AUTHENTICATE, GRAMMAR_CREDENTIAL, REPLY_SHAPE_STATUS,
     KEYWORD_IS_LOCAL | KEYWORD_IS_SECRET, 0, 1, NULL},
    {"CLOSECIRCUIT", KEYWORD_CLOSECIRCUIT, GRAMMAR_KV_FLAGS, REPLY_SHAPE_STATUS, 0, 1, 1,
     KEYS("IfUnused")},
    {"CLOSESTREAM", KEYWORD_CLOSESTREAM, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS, 0, 2, ANY_COUNT,
     NULL},
    {"DEL_ONION", KEYWORD_DEL_ONION, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS, 0, 1, 1, NULL},
    {"DROPGUARDS", KEYWORD_DROPGUARDS, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS, 0, 0, 0, NULL},
    {"DROPOWNERSHIP", KEYWORD_DROPOWNERSHIP, GRAMMAR_ANY, REPLY_SHAPE_STATUS, 0, 0, ANY_COUNT,
     NULL},
    {"DROPTIMEOUTS", KEYWORD_DROPTIMEOUTS, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS, 0, 0, 0, NULL},
    {"EXTENDCIRCUIT", KEYWORD_EXTENDCIRCUIT, GRAMMAR_KV_FLAGS, REPLY_SHAPE_STATUS, 0, 1, 1,
     KEYS("purpose")},
    {"GETCONF", KEYWORD_GETCONF, GRAMMAR_POSITIONAL, REPLY_SHAPE_GETCONF, KEYWORD_HAS_KEYS, 0,
     ANY_COUNT, NULL},
    {"GETINFO", KEYWORD_GETINFO, GRAMMAR_POSITIONAL, REPLY_SHAPE_GETINFO, KEYWORD_HAS_KEYS, 0,
     ANY_COUNT, NULL},
    {"HSFETCH", KEYWORD_HSFETCH, GRAMMAR_KV, REPLY_SHAPE_STATUS, 0, 1, 1, KEYS("SERVER")},
    {"HSPOST", KEYWORD_HSPOST, GRAMMAR_KV, REPLY_SHAPE_STATUS, KEYWORD_IS_BLOCK, 0, 0,
     KEYS("SERVER", "HSADDRESS")},
    {"LOADCONF", KEYWORD_LOADCONF, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS,
     KEYWORD_IS_BLOCK | KEYWORD_IS_SECRET, 0, 0, NULL},
    {"MAPADDRESS", KEYWORD_MAPADDRESS, GRAMMAR_KV, REPLY_SHAPE_LINES, 0, 0, 0, NULL},
    {"ONION_CLIENT_AUTH_ADD", KEYWORD_ONION_CLIENT_AUTH_ADD, GRAMMAR_KV, REPLY_SHAPE_STATUS,
     KEYWORD_IS_SECRET, 2, 2, KEYS("Flags", "ClientName")},
    {"ONION_CLIENT_AUTH_REMOVE", KEYWORD_ONION_CLIENT_AUTH_REMOVE, GRAMMAR_POSITIONAL,
     REPLY_SHAPE_STATUS, 0, 1, 1, NULL},
    {"ONION_CLIENT_AUTH_VIEW", KEYWORD_ONION_CLIENT_AUTH_VIEW, GRAMMAR_POSITIONAL,
     REPLY_SHAPE_LINES, 0, 0, 1, NULL},
    {"POSTDESCRIPTOR", KEYWORD_POSTDESCRIPTOR, GRAMMAR_KV, REPLY_SHAPE_STATUS, KEYWORD_IS_BLOCK, 0,
     0, KEYS("purpose", "cache")},
    {"PROTOCOLINFO", KEYWORD_PROTOCOLINFO, GRAMMAR_POSITIONAL, REPLY_SHAPE_LINES, KEYWORD_IS_LOCAL,
     0, ANY_COUNT, NULL},
    {"QUIT", KEYWORD_QUIT, GRAMMAR_ANY, REPLY_SHAPE_STATUS, KEYWORD_IS_LOCAL, 0, ANY_COUNT, NULL},
    {"REDIRECTSTREAM", KEYWORD_REDIRECTSTREAM, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS, 0, 2,
     ANY_COUNT, NULL},
    {"RESETCONF", KEYWORD_RESETCONF, GRAMMAR_QUOTED, REPLY_SHAPE_STATUS,
     KEYWORD_HAS_KEYS | KEYWORD_IS_SECRET, 0, 0, NULL},
    {"RESOLVE", KEYWORD_RESOLVE, GRAMMAR_KV_FLAGS, REPLY_SHAPE_STATUS, 0, 0, 0, KEYS("mode")},
    {"SAVECONF", KEYWORD_SAVECONF, GRAMMAR_KV_FLAGS, REPLY_SHAPE_STATUS, 0, 0, 0, KEYS("FORCE")},
    {"SETCIRCUITPURPOSE", KEYWORD_SETCIRCUITPURPOSE, GRAMMAR_KV, REPLY_SHAPE_STATUS, 0, 1, 1,
     KEYS("purpose")},
    {"SETCONF", KEYWORD_SETCONF, GRAMMAR_QUOTED, REPLY_SHAPE_STATUS, KEYWORD_IS_SECRET, 0, 0, NULL},
    {"SETEVENTS", KEYWORD_SETEVENTS, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS, 0, 0, ANY_COUNT, NULL},
    {"SETROUTERPURPOSE", KEYWORD_SETROUTERPURPOSE, GRAMMAR_ANY, REPLY_SHAPE_STATUS,
     KEYWORD_IS_OBSOLETE, 0, ANY_COUNT, NULL},
    {"SIGNAL", KEYWORD_SIGNAL, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS, 0, 1, 1, NULL},
    {"TAKEOWNERSHIP", KEYWORD_TAKEOWNERSHIP, GRAMMAR_ANY, REPLY_SHAPE_STATUS, 0, 0, ANY_COUNT,
     NULL},
    {"USEFEATURE", KEYWORD_USEFEATURE, GRAMMAR_POSITIONAL, REPLY_SHAPE_STATUS, 0, 0, ANY_COUNT,
     NULL},
};

#define TABLE_SIZE (sizeof table / sizeof *table)

/* Order of a name in any case against a row's, both in upper case. */
static int compare(struct span name, const char *row)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_to_upper(name.data[i]);
        if (c != row[i] || row[i] == '\0')
            return c < row[i] ? -1 : 1;
    }
    return row[name.len] == '\0' ? 0 : -1;
}

const struct keyword *keyword_find(struct span name, bool is_block)
{
    size_t low = 0, high = TABLE_SIZE;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, table[middle].name);
        if (order == 0) {
            bool row_is_block = (table[middle].flags & KEYWORD_IS_BLOCK) != 0;
            return row_is_block == is_block ? &table[middle] : NULL;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct keyword *keyword_at(size_t index)
{
    return index < TABLE_SIZE ? &table[index] : NULL;
}

const char *keyword_label(const struct keyword *keyword)
{
    if (!(keyword->flags & KEYWORD_IS_BLOCK))
        return keyword->name;
    if (keyword->id == KEYWORD_HSPOST)
        return "+HSPOST";
    return keyword->id == KEYWORD_LOADCONF ? "+LOADCONF" : "+POSTDESCRIPTOR";
}
