/* The verbs of the admin socket (onion-graterctl(8)): each answers one request with lines, a verb a
 * function. All of them are done at once; nothing here waits. */
#include <limits.h>
#include <string.h>

#include "admin_json.h"
#include "daemon_parts.h"
#include "log.h"
#include "mem.h"

static const char admin_switch_text[] = "yes or no belongs behind on=, events= and values=";

/* --- looking --- */

static void verb_status(struct daemon *daemon, struct admin_connection *connection,
                        const struct admin_request *request)
{
    (void)request;
    daemon_write_status(daemon, admin_output(connection));
    admin_end(connection);
}

static void verb_metrics(struct daemon *daemon, struct admin_connection *connection,
                         const struct admin_request *request)
{
    struct json json;
    struct buf text;

    (void)request;
    buf_init(&text, ADMIN_OUTPUT_MAX / 8);
    daemon_write_metrics(daemon, &text);
    admin_json_begin(&json, admin_output(connection), "metrics");
    json_member_string(&json, "text", buf_span(&text));
    admin_json_end(&json);
    buf_clear(&text);
    admin_end(connection);
}

/* --- watching --- */

/* The filter that the request describes. False: answered, and nothing is to be cleared. */
static bool read_filter(struct admin_connection *connection, const struct admin_request *request,
                        struct watch_filter *filter)
{
    const char *uid = admin_request_get(request, "uid");
    const char *session = admin_request_get(request, "session");
    const char *verdict = admin_request_get(request, "verdict");
    unsigned long number = 0, session_number = 0;

    *filter = (struct watch_filter){.has_uid = uid, .has_session = session, .has_outcome = verdict};
    if ((uid && !span_to_number(span_from_string(uid), UINT32_MAX, &number)) ||
        (session && !span_to_number(span_from_string(session), UINT32_MAX, &session_number))) {
        admin_fail(connection, "request", "a number belongs behind uid= and session=");
        return false;
    }
    if (verdict && !tally_find_outcome(span_from_string(verdict), &filter->outcome)) {
        admin_fail(connection, "request",
                   "verdict= is allowed, rewritten, answered, rejected or complained");
        return false;
    }
    if (!admin_request_switch(request, "events", &filter->wants_events) ||
        !admin_request_switch(request, "values", &filter->wants_values)) {
        admin_fail(connection, "request", "%s", admin_switch_text);
        return false;
    }
    filter->uid = (uid_t)number;
    filter->session = session_number;
    return true;
}

static void verb_watch(struct daemon *daemon, struct admin_connection *connection,
                       const struct admin_request *request)
{
    const char *profile = admin_request_get(request, "profile");
    struct watch_filter filter;
    struct json json;

    if (!read_filter(connection, request, &filter))
        return;
    if (filter.wants_values && !connection->is_root) {
        admin_fail(connection, "denied", "only root may see the values in commands");
        return;
    }
    if (profile)
        filter.profile = mem_copy_string(span_from_string(profile));
    admin_json_begin(&json, admin_output(connection), "watching");
    json_member_text(&json, "version", PACKAGE_VERSION);
    admin_json_end(&json);
    admin_watch(connection, &daemon->watch, &filter);
}

/* --- refusals --- */

static void write_refusal(struct buf *out, const struct refusal *refusal)
{
    struct json json;

    admin_json_begin(&json, out, "refusal");
    json_member_number(&json, "time_ms", refusal->time_ms);
    json_member_number(&json, "session", refusal->session);
    json_key(&json, "profiles");
    json_open_array(&json);
    for (size_t i = 0; i < refusal->profile_count; i++)
        json_text(&json, refusal->profiles[i]);
    json_close_array(&json);
    json_key(&json, "uid");
    if (refusal->has_uid)
        json_number(&json, refusal->uid);
    else
        json_null(&json);
    json_member_text(&json, "label", refusal->label);
    json_member_text(&json, "executable", refusal->executable);
    admin_json_rule(&json,
                    (struct source){refusal->rule_file, refusal->rule_line, refusal->rule_column});
    json_member_text(&json, "reason", refusal->reason);
    json_member_text(&json, "command", refusal->command);
    json_member_text(&json, "complaint", refusal->complaint);
    admin_json_end(&json);
}

static bool refusal_is_of(const struct refusal *refusal, const char *profile)
{
    for (size_t i = 0; profile && i < refusal->profile_count; i++)
        if (strcmp(refusal->profiles[i], profile) == 0)
            return true;
    return !profile;
}

static void verb_refusals(struct daemon *daemon, struct admin_connection *connection,
                          const struct admin_request *request)
{
    const char *profile = admin_request_get(request, "profile");
    const char *last = admin_request_get(request, "last");
    const struct refusals *refusals = &daemon->refusals;
    unsigned long wanted = REFUSALS_MAX;
    size_t matching = 0;

    if (last && !span_to_number(span_from_string(last), REFUSALS_MAX, &wanted)) {
        admin_fail(connection, "request", "a number up to %d belongs behind last=", REFUSALS_MAX);
        return;
    }
    for (size_t i = 0; i < refusals->count; i++)
        matching += refusal_is_of(&refusals->items[i], profile);
    for (size_t i = 0; i < refusals->count; i++)
        if (refusal_is_of(&refusals->items[i], profile) && matching-- <= wanted)
            write_refusal(admin_output(connection), &refusals->items[i]);
    admin_end(connection);
}

/* --- orders --- */

static void verb_reload(struct daemon *daemon, struct admin_connection *connection,
                        const struct admin_request *request)
{
    struct buf *out = admin_output(connection);
    struct reload_report report;
    struct json json;

    (void)request;
    daemon_reload(daemon, &report);
    daemon_write_messages(daemon, out);
    for (size_t i = 0; i < report.change_count; i++) {
        admin_json_begin(&json, out, "change");
        json_member_text(&json, "what", policy_change_text(report.changes[i].change));
        json_member_text(&json, "profile", report.changes[i].name);
        admin_json_end(&json);
    }
    admin_json_begin(&json, out, "reloaded");
    json_member_bool(&json, "ok", report.is_done);
    json_member_number(&json, "generation", daemon->generation.number);
    json_member_number(&json, "profiles", daemon->generation.counts.profiles);
    json_member_number(&json, "files", daemon->generation.counts.files);
    json_member_number(&json, "errors", daemon->generation.diags.errors);
    json_member_number(&json, "sockets", listener_set_count(&daemon->listeners));
    json_member_number(&json, "sessions_closed", report.sessions_closed);
    admin_json_end(&json);
    reload_report_clear(&report);
    admin_end(connection);
}

static void verb_close(struct daemon *daemon, struct admin_connection *connection,
                       const struct admin_request *request)
{
    const char *session = admin_request_get(request, "session");
    unsigned long number;
    struct json json;

    if (!session || !span_to_number(span_from_string(session), ULONG_MAX, &number)) {
        admin_fail(connection, "request", "session=NUMBER belongs here; status lists them");
        return;
    }
    if (!relay_host_close(&daemon->host, number, "closed by an admin")) {
        admin_fail(connection, "not-found", "there is no session %lu", number);
        return;
    }
    admin_json_begin(&json, admin_output(connection), "closed");
    json_member_number(&json, "session", number);
    admin_json_end(&json);
    admin_end(connection);
}

static void verb_complain(struct daemon *daemon, struct admin_connection *connection,
                          const struct admin_request *request)
{
    const char *profile = admin_request_get(request, "profile");
    size_t sessions_closed;
    struct json json;
    bool is_on;

    if (!profile || !admin_request_get(request, "on")) {
        admin_fail(connection, "request", "profile=NAME on=yes|no belongs here");
        return;
    }
    if (!admin_request_switch(request, "on", &is_on)) {
        admin_fail(connection, "request", "%s", admin_switch_text);
        return;
    }
    if (!daemon_set_complain(daemon, profile, is_on, &sessions_closed)) {
        admin_fail(connection, "not-found", "there is no profile %s in use", profile);
        return;
    }
    admin_json_begin(&json, admin_output(connection), "complain");
    json_member_text(&json, "profile", profile);
    json_member_bool(&json, "on", is_on);
    json_member_number(&json, "sessions_closed", sessions_closed);
    admin_json_end(&json);
    admin_end(connection);
}

/* --- all of them --- */

static const struct {
    const char *name;
    const char *arguments; /* that it takes */
    void (*run)(struct daemon *daemon, struct admin_connection *connection,
                const struct admin_request *request);
} verbs[] = {
    {"status", "", verb_status},
    {"watch", "profile uid verdict session events values", verb_watch},
    {"reload", "", verb_reload},
    {"close", "session", verb_close},
    {"complain", "profile on", verb_complain},
    {"refusals", "profile last", verb_refusals},
    {"metrics", "", verb_metrics},
};

static void daemon_serve_admin(void *context, struct admin_connection *connection,
                               const struct admin_request *request)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (!span_equals(request->verb, span_from_string(verbs[i].name)))
            continue;
        if (admin_request_has_only(request, verbs[i].arguments))
            verbs[i].run(context, connection, request);
        else
            admin_fail(connection, "request", "%s takes no argument but: %s", verbs[i].name,
                       verbs[i].arguments[0] ? verbs[i].arguments : "none");
        return;
    }
    admin_fail(connection, "request",
               "there is no such verb; status, watch, reload, close, complain, refusals or metrics "
               "belongs here");
}

void daemon_open_admin(struct daemon *daemon)
{
    struct buf reason;

    buf_init(&reason, 1024);
    daemon->admin.serve = daemon_serve_admin;
    daemon->admin.context = daemon;
    if (!admin_start(&daemon->admin, daemon->base, daemon->options->runtime_dir, &reason)) {
        buf_append_char(&reason, '\0');
        log_at(LOG_LEVEL_ERROR,
               "no admin socket in %s, so onion-graterctl cannot ask this daemon: %s",
               daemon->options->runtime_dir, buf_span(&reason).data);
    }
    buf_clear(&reason);
}
