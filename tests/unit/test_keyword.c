/* The command table. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>

#include "ascii.h"
#include "keyword.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

struct row {
    const char *label;
    enum keyword_id id;
    char grammar; /* P, K, f (Kf), Q, C, or - for any */
    enum keyword_reply reply;
    const char *flags; /* local, secret, keys, obsolete: l s k o */
    unsigned min, max;
};

#define ANY UINT_MAX

static const struct row rows[] = {
    {"ADD_ONION", KEYWORD_ADD_ONION, 'K', REPLY_SHAPE_LINES, "s", 1, 1},
    {"ATTACHSTREAM", KEYWORD_ATTACHSTREAM, 'K', REPLY_SHAPE_STATUS, "", 2, 2},
    {"AUTHCHALLENGE", KEYWORD_AUTHCHALLENGE, 'C', REPLY_SHAPE_STATUS, "ls", 1, 2},
    {"AUTHENTICATE", KEYWORD_AUTHENTICATE, 'C', REPLY_SHAPE_STATUS, "ls", 0, 1},
    {"CLOSECIRCUIT", KEYWORD_CLOSECIRCUIT, 'f', REPLY_SHAPE_STATUS, "", 1, 1},
    {"CLOSESTREAM", KEYWORD_CLOSESTREAM, 'P', REPLY_SHAPE_STATUS, "", 2, ANY},
    {"DEL_ONION", KEYWORD_DEL_ONION, 'P', REPLY_SHAPE_STATUS, "", 1, 1},
    {"DROPGUARDS", KEYWORD_DROPGUARDS, 'P', REPLY_SHAPE_STATUS, "", 0, 0},
    {"DROPOWNERSHIP", KEYWORD_DROPOWNERSHIP, '-', REPLY_SHAPE_STATUS, "", 0, ANY},
    {"DROPTIMEOUTS", KEYWORD_DROPTIMEOUTS, 'P', REPLY_SHAPE_STATUS, "", 0, 0},
    {"EXTENDCIRCUIT", KEYWORD_EXTENDCIRCUIT, 'f', REPLY_SHAPE_STATUS, "", 1, 1},
    {"GETCONF", KEYWORD_GETCONF, 'P', REPLY_SHAPE_GETCONF, "k", 0, ANY},
    {"GETINFO", KEYWORD_GETINFO, 'P', REPLY_SHAPE_GETINFO, "k", 0, ANY},
    {"HSFETCH", KEYWORD_HSFETCH, 'K', REPLY_SHAPE_STATUS, "", 1, 1},
    {"+HSPOST", KEYWORD_HSPOST, 'K', REPLY_SHAPE_STATUS, "", 0, 0},
    {"+LOADCONF", KEYWORD_LOADCONF, 'P', REPLY_SHAPE_STATUS, "s", 0, 0},
    {"MAPADDRESS", KEYWORD_MAPADDRESS, 'K', REPLY_SHAPE_LINES, "", 0, 0},
    {"ONION_CLIENT_AUTH_ADD", KEYWORD_ONION_CLIENT_AUTH_ADD, 'K', REPLY_SHAPE_STATUS, "s", 2, 2},
    {"ONION_CLIENT_AUTH_REMOVE", KEYWORD_ONION_CLIENT_AUTH_REMOVE, 'P', REPLY_SHAPE_STATUS, "", 1,
     1},
    {"ONION_CLIENT_AUTH_VIEW", KEYWORD_ONION_CLIENT_AUTH_VIEW, 'P', REPLY_SHAPE_LINES, "", 0, 1},
    {"+POSTDESCRIPTOR", KEYWORD_POSTDESCRIPTOR, 'K', REPLY_SHAPE_STATUS, "", 0, 0},
    {"PROTOCOLINFO", KEYWORD_PROTOCOLINFO, 'P', REPLY_SHAPE_LINES, "l", 0, ANY},
    {"QUIT", KEYWORD_QUIT, '-', REPLY_SHAPE_STATUS, "l", 0, ANY},
    {"REDIRECTSTREAM", KEYWORD_REDIRECTSTREAM, 'P', REPLY_SHAPE_STATUS, "", 2, ANY},
    {"RESETCONF", KEYWORD_RESETCONF, 'Q', REPLY_SHAPE_STATUS, "ks", 0, 0},
    {"RESOLVE", KEYWORD_RESOLVE, 'f', REPLY_SHAPE_STATUS, "", 0, 0},
    {"SAVECONF", KEYWORD_SAVECONF, 'f', REPLY_SHAPE_STATUS, "", 0, 0},
    {"SETCIRCUITPURPOSE", KEYWORD_SETCIRCUITPURPOSE, 'K', REPLY_SHAPE_STATUS, "", 1, 1},
    {"SETCONF", KEYWORD_SETCONF, 'Q', REPLY_SHAPE_STATUS, "s", 0, 0},
    {"SETEVENTS", KEYWORD_SETEVENTS, 'P', REPLY_SHAPE_STATUS, "", 0, ANY},
    {"SETROUTERPURPOSE", KEYWORD_SETROUTERPURPOSE, '-', REPLY_SHAPE_STATUS, "o", 0, ANY},
    {"SIGNAL", KEYWORD_SIGNAL, 'P', REPLY_SHAPE_STATUS, "", 1, 1},
    {"TAKEOWNERSHIP", KEYWORD_TAKEOWNERSHIP, '-', REPLY_SHAPE_STATUS, "", 0, ANY},
    {"USEFEATURE", KEYWORD_USEFEATURE, 'P', REPLY_SHAPE_STATUS, "", 0, ANY},
};

static unsigned flags_of(const struct row *row)
{
    unsigned flags = row->label[0] == '+' ? KEYWORD_IS_BLOCK : 0;

    for (const char *flag = row->flags; *flag; flag++)
        flags |= *flag == 'l' ? (unsigned)KEYWORD_IS_LOCAL : *flag == 's' ? KEYWORD_IS_SECRET
               : *flag == 'k' ? (unsigned)KEYWORD_HAS_KEYS : KEYWORD_IS_OBSOLETE;
    return flags;
}

Test(keyword, table)
{
    static const char letters[] = "-PKfQC"; /* in the order of enum keyword_grammar */

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        bool is_block = row->label[0] == '+';
        const struct keyword *keyword = keyword_find(span_from_string(row->label + is_block),
                                                     is_block);
        cr_assert_not_null(keyword, "row %zu: %s is not found", i, row->label);
        cr_expect_eq(keyword->id, row->id, "row %zu: %s", i, row->label);
        cr_expect_eq(letters[keyword->grammar], row->grammar, "row %zu: %s", i, row->label);
        cr_expect_eq(keyword->reply, row->reply, "row %zu: %s", i, row->label);
        cr_expect_eq(keyword->flags, flags_of(row), "row %zu: %s", i, row->label);
        cr_expect_eq(keyword->min_words, row->min, "row %zu: %s", i, row->label);
        cr_expect_eq(keyword->max_words, row->max, "row %zu: %s", i, row->label);
        cr_expect_str_eq(keyword_label(keyword), row->label, "row %zu", i);
        cr_expect_str_eq(keyword->name, row->label + is_block, "row %zu", i);
        cr_expect_null(keyword_find(span_from_string(keyword->name), !is_block),
                       "row %zu: %s exists in one form only", i, row->label);
    }
}

Test(keyword, positions)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct keyword *keyword = keyword_at(i);
        cr_assert_not_null(keyword, "row %zu", i);
        cr_expect_eq(keyword->id, rows[i].id, "row %zu: %s", i, rows[i].label);
    }
    cr_expect_null(keyword_at(COUNT(rows)));
    cr_expect_null(keyword_at((size_t)-1));
}

/* Each name in lower and mixed case, cut short, made longer, with one byte changed. */
Test(keyword, whole_names_in_any_case)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is_block = rows[i].label[0] == '+';
        const char *name = rows[i].label + is_block;
        size_t len = strlen(name);
        char text[40] = {0};
        for (size_t at = 0; at < len; at++)
            text[at] = at % 3 ? ascii_to_lower(name[at]) : name[at];
        const struct keyword *keyword = keyword_find(span_make(text, len), is_block);
        cr_assert_not_null(keyword, "row %zu: %s", i, text);
        cr_expect_eq(keyword->id, rows[i].id, "row %zu: %s", i, text);
        for (size_t shorter = 0; shorter < len; shorter++)
            cr_expect_null(keyword_find(span_make(text, shorter), is_block), "row %zu: %.*s", i,
                           (int)shorter, text);
        cr_expect_null(keyword_find(span_make(text, len + 1), is_block), "row %zu: NUL behind", i);
        text[len] = 'X';
        cr_expect_null(keyword_find(span_make(text, len + 1), is_block), "row %zu: %s", i, text);
    }
}

Test(keyword, what_tor_does_not_know)
{
    static const char *const names[] = {
        "", " ", "+", "GET", "GETINFOS", "+GETINFO", "GETINFO ", " GETINFO", "GETINFO\r",
        "AUTH", "EVENTS", "POSTDESCRIPTORS", "\xc5\xbfIGNAL", "S\xc4\xb0GNAL", "ADD-ONION",
        "ADD_ONION:", "zzz", "\xff", "\x01", "MAPADDRES\xd3",
    };

    for (size_t i = 0; i < COUNT(names); i++) {
        cr_expect_null(keyword_find(span_from_string(names[i]), false), "row %zu: %s", i, names[i]);
        cr_expect_null(keyword_find(span_from_string(names[i]), true), "row %zu: %s", i, names[i]);
    }
}

static void expect_key(struct span command, const char *key)
{
    const struct keyword *keyword = keyword_find(command, false);

    cr_assert_not_null(keyword->keys);
    for (size_t i = 0; keyword->keys[i]; i++)
        if (strcmp(keyword->keys[i], key) == 0)
            return;
    cr_expect_fail("%s has no %s", keyword->name, key);
}

Test(keyword, known_keys)
{
    static const char *const onion[] = {"Port", "Flags", "MaxStreams", "PoWDefensesEnabled",
                                        "PoWQueueRate", "PoWQueueBurst", "ClientAuthV3",
                                        "ClientAuth"};

    for (size_t i = 0; i < COUNT(onion); i++)
        expect_key(SPAN("ADD_ONION"), onion[i]);
    expect_key(SPAN("ATTACHSTREAM"), "HOP");
    expect_key(SPAN("CLOSECIRCUIT"), "IfUnused");
    expect_key(SPAN("EXTENDCIRCUIT"), "purpose");
    expect_key(SPAN("HSFETCH"), "SERVER");
    expect_key(SPAN("ONION_CLIENT_AUTH_ADD"), "ClientName");
    expect_key(SPAN("SETCIRCUITPURPOSE"), "purpose");
    cr_expect_null(keyword_find(SPAN("GETINFO"), false)->keys);
}
