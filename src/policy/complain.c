/* Complain mode's own profile, and its limits.
 *
 * The profile is written as text from the tables of commands and events and read by the ordinary
 * loader, so it is a profile like any other. Keys of GETINFO, GETCONF and RESETCONF get a rule for
 * one key each: what a profile's own rules say of the other keys of the command still holds.
 *
 * An application that is being watched sends what it sends to a tor of its own. On a shared one,
 * some of that must not arrive: TAKEOWNERSHIP would end tor with the application and gets its 250
 * from here. What ends tor at once is refused, and so is a configuration by which a program would
 * have more than the control port itself, for longer than complain mode lasts: plug-ins are
 * programs that tor runs, an onion service set up by options has targets that nobody checks, and
 * another control port has no filter in front of it. Option names that are not whole are tor's to
 * guess (control-protocol 7.7), so they are refused as well. */
#include "complain.h"

#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "keyword.h"
#include "kvline.h"
#include "mem.h"
#include "option.h"
#include "profile_load.h"
#include "words.h"

#define COMPLAIN_NAME "complain mode"
#define COMPLAIN_TEXT_MAX (64 * 1024)

/* --- the profile --- */

/* The rules of the commands whose arguments are not one text. */
static const struct {
    enum keyword_id id;
    const char *rules;
} special_rules[] = {
    {KEYWORD_GETINFO, "['[^ ]*']"},
    {KEYWORD_GETCONF, "['[^ ]*']"},
    {KEYWORD_RESETCONF, "[{pattern: '__OwningControllerProcess', reply: ['250 OK']}, "
                        "'[^ =]*(?:=(?:\"(?:[^\"\\\\]|\\\\.)*\"|[^ \"][^ ]*)?)?']"},
    {KEYWORD_TAKEOWNERSHIP, "[{pattern: '.*', reply: ['250 OK']}]"},
};

static const char *rules_of(const struct keyword *keyword)
{
    for (size_t i = 0; i < sizeof special_rules / sizeof *special_rules; i++)
        if (special_rules[i].id == keyword->id)
            return special_rules[i].rules;
    return "['.*']";
}

static void write_profile(struct buf *out)
{
    const struct keyword *keyword;

    buf_append_string(out, "- name: '" COMPLAIN_NAME "'\n"
                           "  apparmor-profiles: ['*']\n"
                           "  users: ['*']\n"
                           "  commands:\n");
    for (size_t i = 0; (keyword = keyword_at(i)); i++)
        if (!(keyword->flags & KEYWORD_IS_LOCAL) && keyword->id != KEYWORD_SETEVENTS)
            buf_printf(out, "    '%s': %s\n", keyword_label(keyword), rules_of(keyword));
    buf_append_string(out, "  events:\n");
    for (size_t i = 0; event_at(i); i++)
        buf_printf(out, "    %s:\n", event_at(i));
}

struct profile_file *complain_file_new(void)
{
    static const struct name_resolver nobody = {0};
    struct diag_list diags;
    struct buf text;

    diag_list_init(&diags);
    buf_init(&text, COMPLAIN_TEXT_MAX);
    write_profile(&text);
    struct profile_file *file = profile_load(COMPLAIN_NAME, buf_span(&text), &nobody, &diags);
    buf_clear(&text);
    diag_list_clear(&diags);
    /* Not to complain is to refuse: a profile that could not be made would be no hole. */
    return file;
}

struct policy_view complain_view(const struct policy_view *view)
{
    struct policy_view wider = {.count = view->count + 1};

    wider.profiles = mem_zalloc(wider.count, sizeof(const struct profile *));
    for (size_t i = 0; i < view->count; i++)
        wider.profiles[i] = view->profiles[i];
    wider.profiles[view->count] = view->complain;
    return wider;
}

/* --- what is never forwarded --- */

static const char *const ending_signals[] = {"HALT", "TERM", "INT", "SHUTDOWN", NULL};

static const char *const guarded_options[] = {
    "CacheDirectory",
    "ClientTransportPlugin",
    "ControlPort",
    "ControlPortFileGroupReadable",
    "ControlPortWriteToFile",
    "ControlSocket",
    "ControlSocketsGroupWritable",
    "CookieAuthFile",
    "CookieAuthFileGroupReadable",
    "CookieAuthentication",
    "DataDirectory",
    "ExtORPortCookieAuthFile",
    "HashedControlPassword",
    "HiddenServiceDir",
    "HiddenServiceOptions",
    "HiddenServicePort",
    "KeyDirectory",
    "Log",
    "PidFile",
    "ServerTransportPlugin",
    "User",
    "__ControlPort",
    "__HashedControlSessionPassword",
    "__OwningControllerFD",
    "__OwningControllerProcess",
    NULL,
};

static const char guarded_reason[] =
    "not forwarded in complain mode either: this option runs programs, writes files or opens ways "
    "past the filter";
static const char guessed_reason[] =
    "not forwarded in complain mode either: an option whose name tor would have to guess";

static bool is_one_of(const char *const *names, struct span name)
{
    for (; *names; names++)
        if (span_equals_nocase(name, span_from_string(*names)))
            return true;
    return false;
}

static const char *refuse_option(struct span name)
{
    if (is_one_of(guarded_options, name))
        return guarded_reason;
    return option_find(name) ? NULL : guessed_reason;
}

static const char *refuse_pairs(struct span arguments)
{
    struct kv_pair pair;
    const char *reason = NULL;

    while (!reason && kv_next(GRAMMAR_QUOTED, &arguments, &pair) == KV_PAIR)
        reason = refuse_option(pair.key);
    return reason;
}

/* Each line of the data is taken for one that begins with an option, also where it continues the
 * one before: to refuse too much is safe. */
static const char *refuse_lines(struct span data)
{
    const char *reason = NULL;

    while (!reason && data.len > 0) {
        size_t len = span_find(data, '\n');
        struct span line = span_first(data, len > 0 ? len - 1 : 0);
        struct span word;
        data = span_from(data, len + 1);
        if (words_next(&line, &word) && word.data[0] != '#')
            reason = refuse_option(span_first(word, span_find(word, '#')));
    }
    return reason;
}

static const char *refuse_signal(struct span arguments)
{
    struct span word;

    if (words_next(&arguments, &word) && is_one_of(ending_signals, word))
        return "not forwarded in complain mode either: it would end tor for everybody";
    return NULL;
}

const char *complain_refusal(const struct keyword *keyword, struct span arguments, struct span data)
{
    if (keyword->id == KEYWORD_SIGNAL)
        return refuse_signal(arguments);
    if (keyword->id == KEYWORD_SETCONF || keyword->id == KEYWORD_RESETCONF)
        return refuse_pairs(arguments);
    return keyword->id == KEYWORD_LOADCONF ? refuse_lines(data) : NULL;
}

bool complain_is_grave(const struct keyword *keyword, struct span arguments)
{
    static const enum keyword_id grave[] = {
        KEYWORD_SETCONF,    KEYWORD_RESETCONF,    KEYWORD_LOADCONF,
        KEYWORD_SAVECONF,   KEYWORD_MAPADDRESS,   KEYWORD_POSTDESCRIPTOR,
        KEYWORD_DROPGUARDS, KEYWORD_DROPTIMEOUTS, KEYWORD_TAKEOWNERSHIP,
    };

    if (keyword->id == KEYWORD_SIGNAL)
        return !span_equals_nocase(arguments, SPAN("NEWNYM")) &&
               !span_equals_nocase(arguments, SPAN("ACTIVE"));
    for (size_t i = 0; i < sizeof grave / sizeof *grave; i++)
        if (grave[i] == keyword->id)
            return true;
    return false;
}
