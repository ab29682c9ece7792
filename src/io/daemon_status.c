/* The daemon as it stands: as lines for the admin socket, and as metrics. Nothing here says whom a
 * client talks to, or what about. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin_json.h"
#include "clock.h"
#include "daemon_parts.h"
#include "log.h"
#include "metrics.h"

/* Behind so much of the reply further sessions are counted only. */
#define STATUS_SESSIONS_MAX (ADMIN_OUTPUT_MAX / 2)

/* --- the daemon, tor, the policy --- */

static const char *complain_text(const struct policy *policy)
{
    if (policy->complain)
        return "all";
    return policy->complaining.count > 0 ? "some" : "off";
}

static void write_daemon(const struct daemon *daemon, struct buf *out)
{
    struct json json;

    admin_json_begin(&json, out, "daemon");
    json_member_text(&json, "version", PACKAGE_VERSION);
    json_member_number(&json, "protocol", ADMIN_PROTOCOL);
    json_member_number(&json, "pid", (unsigned long)getpid());
    json_member_number(&json, "uid", geteuid());
    json_member_number(&json, "started_ms", daemon->started_ms);
    json_member_number(&json, "age_ms", clock_monotonic_ms() - daemon->started_mono_ms);
    json_member_text(&json, "log_level", log_level_name(daemon->options->log_level));
    json_member_text(&json, "complain", complain_text(daemon->policy));
    json_member_bool(&json, "apparmor", daemon->peers.has_apparmor);
    json_member_bool(&json, "kernel_labels", daemon->peers.has_kernel_labels);
    json_member_text(&json, "containment", daemon->containment.summary);
    json_member_number(&json, "watchers", watch_count(&daemon->watch));
    admin_json_end(&json);
}

static const char *text_or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void write_tor(const struct daemon *daemon, struct buf *out)
{
    const struct upstream *upstream = &daemon->upstream;
    struct json json;

    admin_json_begin(&json, out, "tor");
    json_member_text(&json, "address", upstream->name);
    json_member_text(&json, "state", upstream_state_text(upstream->state));
    json_key(&json, "since_ms");
    if (upstream->since_ms)
        json_number(&json, upstream->since_ms);
    else
        json_null(&json);
    json_member_text(&json, "version", text_or_null(daemon->facts.version));
    json_member_text(&json, "reason", text_or_null(upstream->reason));
    admin_json_end(&json);
}

static size_t warnings_of(const struct diag_list *diags)
{
    size_t count = 0;

    for (size_t i = 0; i < diags->count; i++)
        count += diags->items[i].severity == DIAG_WARNING;
    return count;
}

static void write_policy(const struct daemon *daemon, struct buf *out)
{
    const struct generation *generation = &daemon->generation;
    struct json json;

    admin_json_begin(&json, out, "policy");
    json_member_number(&json, "generation", generation->number);
    json_member_number(&json, "loaded_ms", generation->loaded_ms);
    json_member_number(&json, "files", generation->counts.files);
    json_member_number(&json, "profiles", generation->counts.profiles);
    json_member_number(&json, "errors", generation->diags.errors);
    json_member_number(&json, "warnings", warnings_of(&generation->diags));
    json_member_bool(&json, "failed", generation->has_failed);
    admin_json_end(&json);
}

void daemon_write_messages(const struct daemon *daemon, struct buf *out)
{
    const struct diag_list *diags = &daemon->generation.diags;
    struct json json;

    for (size_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        admin_json_begin(&json, out, "message");
        json_member_text(&json, "severity", diag->severity == DIAG_ERROR ? "error" : "warning");
        json_member_text(&json, "file", diag->file);
        json_member_number(&json, "line", diag->line);
        json_member_number(&json, "column", diag->column);
        json_member_text(&json, "text", diag->text);
        admin_json_end(&json);
    }
}

/* --- profiles and listeners --- */

static void write_profile(const struct daemon *daemon, const struct profile_file *file,
                          const struct profile *profile, struct buf *out)
{
    struct json json;

    admin_json_begin(&json, out, "profile");
    json_member_text(&json, "name", profile->name);
    json_member_text(&json, "file", file->path);
    json_member_number(&json, "line", profile->where.line);
    json_member_bool(&json, "socket", profile->socket.is_wanted);
    json_member_bool(&json, "complain",
                     daemon->policy->complain || complaining_has(daemon->policy, profile->name));
    json_member_bool(&json, "kept", file->is_kept);
    admin_json_end(&json);
}

static void write_profiles(const struct daemon *daemon, struct buf *out)
{
    const struct policy *policy = daemon->policy;

    for (size_t i = 0; i < policy->count; i++)
        for (size_t j = 0; j < policy->files[i]->count; j++)
            write_profile(daemon, policy->files[i], &policy->files[i]->profiles[j], out);
}

static void write_listener(struct buf *out, const char *address, const char *profile, bool is_tcp,
                           bool is_passed)
{
    struct json json;

    admin_json_begin(&json, out, "listener");
    json_member_text(&json, "address", address);
    json_member_text(&json, "profile", profile);
    json_member_text(&json, "kind", is_tcp ? "tcp" : "unix");
    json_member_bool(&json, "passed", is_passed);
    admin_json_end(&json);
}

static void visit_listener(void *context, const struct listener *listener)
{
    write_listener(context, listener->spec.path, listener->spec.profile, listener->is_tcp,
                   !listener->owns_file);
}

static void write_listeners(const struct daemon *daemon, struct buf *out)
{
    listener_set_each(&daemon->listeners, visit_listener, out);
    if (tcp_listener_is_open(&daemon->tcp_listener))
        write_listener(out, daemon->tcp_listener.name, NULL, true, false);
}

/* --- limits and counters --- */

static void write_limit(void *context, const struct metrics_limit *limit)
{
    struct json json;

    admin_json_begin(&json, context, "limit");
    json_member_text(&json, "name", limit->name);
    json_key(&json, "used");
    if (limit->has_used)
        json_number(&json, limit->used);
    else
        json_null(&json);
    json_member_number(&json, "max", limit->max);
    json_member_number(&json, "reached", limit->reached);
    admin_json_end(&json);
}

static void write_counter(void *context, const char *name, unsigned long long value)
{
    struct json json;

    admin_json_begin(&json, context, "counter");
    json_member_text(&json, "name", name);
    json_member_number(&json, "value", value);
    admin_json_end(&json);
}

/* --- sessions --- */

struct session_writer {
    struct buf *out;
    size_t left_out;
};

static void write_tally(struct json *json, const struct tally *tally)
{
    for (int kind = 0; kind < TALLY_COUNT; kind++)
        json_member_number(json, tally_name((enum tally_kind)kind), tally->count[kind]);
}

static const char *transport_text(enum identity_transport transport)
{
    switch (transport) {
    case IDENTITY_UNIX:
        return "unix";
    case IDENTITY_TCP_LOCAL:
        return "tcp-local";
    case IDENTITY_TCP_REMOTE:
        return "tcp-remote";
    }
    return "unix";
}

static void write_session(void *context, const struct relay_status *status)
{
    struct session_writer *writer = context;
    struct json json;

    if (writer->out->len > STATUS_SESSIONS_MAX) {
        writer->left_out++;
        return;
    }
    admin_json_begin(&json, writer->out, "session");
    json_member_number(&json, "number", status->number);
    admin_json_view(&json, status->view);
    admin_json_who(&json, status->identity);
    json_member_text(&json, "label_doubt", status->identity->label_doubt);
    json_member_text(&json, "transport", transport_text(status->identity->transport));
    json_member_text(&json, "address", status->address);
    json_member_text(&json, "socket", status->socket);
    json_member_text(&json, "no_match", status->no_match);
    json_member_bool(&json, "complain", status->view->complain != NULL);
    json_member_text(&json, "tor", status->tor);
    json_member_number(&json, "age_ms", status->age_ms);
    write_tally(&json, status->tally);
    json_member_number(&json, "buffered", status->buffered);
    json_member_number(&json, "waiting", status->waiting);
    admin_json_end(&json);
}

static void write_sessions(const struct daemon *daemon, struct buf *out)
{
    struct session_writer writer = {.out = out};
    struct json json;

    relay_host_each(&daemon->host, write_session, &writer);
    if (writer.left_out == 0)
        return;
    admin_json_begin(&json, out, "left-out");
    json_member_number(&json, "count", writer.left_out);
    admin_json_end(&json);
}

/* --- both forms --- */

static struct metrics_source source_of(const struct daemon *daemon)
{
    return (struct metrics_source){
        .version = PACKAGE_VERSION,
        .options = daemon->options,
        .counters = &daemon->counters,
        .quota = &daemon->quota,
        .started_ms = daemon->started_ms,
        .held = daemon->host.held,
        .tor_is_reachable = daemon->upstream.state == UPSTREAM_REACHABLE,
        .profiles = daemon->generation.counts.profiles,
        .profile_errors = daemon->generation.diags.errors,
        .has_failed = daemon->generation.has_failed,
        .complains = daemon->policy->complain || daemon->policy->complaining.count > 0,
        .loaded_ms = daemon->generation.loaded_ms,
    };
}

void daemon_write_status(const struct daemon *daemon, struct buf *out)
{
    struct metrics_source source = source_of(daemon);

    write_daemon(daemon, out);
    write_tor(daemon, out);
    write_policy(daemon, out);
    daemon_write_messages(daemon, out);
    write_profiles(daemon, out);
    write_listeners(daemon, out);
    metrics_each_limit(&source, write_limit, out);
    metrics_each_counter(&source, write_counter, out);
    write_sessions(daemon, out);
}

void daemon_write_metrics(const struct daemon *daemon, struct buf *out)
{
    struct metrics_source source = source_of(daemon);

    metrics_write(&source, out);
}
