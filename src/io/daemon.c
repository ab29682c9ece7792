/* The event loop and what hangs on it: one policy generation, the sockets that it asks for, the
 * relays, and signals. A reload builds the next generation whole and then swaps; sessions hold on
 * to theirs (design 3.1). One thread; nothing here waits but the loop itself. */
#include "daemon.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "activation.h"
#include "clients.h"
#include "complain.h"
#include "containment.h"
#include "cookie_files.h"
#include "gate.h"
#include "listener_set.h"
#include "log.h"
#include "mem.h"
#include "names.h"
#include "notify.h"
#include "peer.h"
#include "peer_notice.h"
#include "profile_dir.h"
#include "relay.h"
#include "secrets.h"
#include "tcp_listener.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

/* The client's, tor's, and one that holds the client's process. */
#define DAEMON_SESSION_DESCRIPTORS 3
/* Descriptors that are no session's: listeners, files being read, the loop's own. */
#define DAEMON_SPARE_DESCRIPTORS 128
#define DAEMON_SIGNALS 3

struct daemon {
    const struct options *options;
    struct event_base *base;
    struct event *signals[DAEMON_SIGNALS];
    int runtime_lock;
    struct policy *policy;
    struct containment containment;
    struct notify notify;
    struct listener_set listeners;
    struct cookie_files cookies;
    struct upstream upstream;
    struct peer_system peers;
    struct secrets secrets;
    struct torauth_secrets secrets_interface;
    struct tor_facts facts;
    struct onion_registry registry;
    struct quota quota;
    struct counters counters;
    struct gate gate;
    struct relay_host host;
    struct clients clients;
    struct tcp_listener tcp_listener;
};

/* --- profiles --- */

static struct profile_dirs daemon_profile_dirs(const struct options *options)
{
    struct profile_dirs dirs = profile_dirs_default;

    if (options->profiles.count > 0) {
        dirs.paths = (const char *const *)options->profiles.items;
        dirs.count = options->profiles.count;
        dirs.may_be_missing = false;
    }
    return dirs;
}

/* `daemon`: NULL for a check, whose result is the same on every machine. */
static struct policy *daemon_load(const struct options *options, const struct daemon *daemon,
                                  struct diag_list *diags, struct profile_dir_counts *counts)
{
    const struct policy *former = daemon ? daemon->policy : NULL;
    struct profile_dirs dirs = daemon_profile_dirs(options);

    dirs.places = daemon ? &daemon->containment.places : NULL;
    struct policy *policy = profile_dirs_load(&dirs, former, &names_of_system, diags, counts);
    if (policy) {
        policy->kernel_evidence_only = strcmp(options->apparmor_evidence, OPTIONS_KERNEL_ONLY) == 0;
        if (options->complain)
            policy_set_complain(policy, complain_file_new());
        if (daemon)
            peer_notice_profiles(&daemon->peers, policy, diags);
    }
    return policy;
}

/* At start, and with each reload. */
static void daemon_warn_of_complain(const struct policy *policy)
{
    if (policy->complain)
        log_at(LOG_LEVEL_WARNING, "complain mode is on: what the profiles refuse is forwarded to "
                                  "tor all the same, for every client of this machine; nothing "
                                  "is protected while it lasts");
}

/* --- sockets --- */

struct own_targets {
    struct target *items;
    size_t count;
};

static void daemon_add_own(void *context, const struct listener *listener)
{
    struct own_targets *own = context;

    if (listener_target(listener, &own->items[own->count]))
        own->count++;
}

/* Onion services may lead neither to us nor to the place where tor takes commands from us. */
static void daemon_note_own(struct daemon *daemon)
{
    size_t max = listener_set_count(&daemon->listeners) + TCP_LISTENER_SOCKETS + 1;
    struct own_targets own = {.items = mem_zalloc(max, sizeof *own.items)};

    listener_set_each(&daemon->listeners, daemon_add_own, &own);
    own.count += tcp_listener_targets(&daemon->tcp_listener, own.items + own.count);
    own.items[own.count++] = upstream_target(&daemon->upstream.address);
    tor_facts_set_own(&daemon->facts, own.items, own.count);
    free(own.items);
}

static bool daemon_update_listeners(struct daemon *daemon, struct diag_list *diags)
{
    bool has_shared = listener_set_update(&daemon->listeners, daemon->policy, diags);

    daemon_note_own(daemon);
    return has_shared;
}

/* --- reload --- */

static bool daemon_profile_is_gone(const struct session *session, void *context)
{
    const struct daemon *daemon = context;
    const struct policy_view *view = session_view(session);

    for (size_t i = 0; i < view->count; i++)
        if (!policy_find_profile(daemon->policy, view->profiles[i]->name))
            return true;
    return false;
}

/* To the service manager, which shows the line to the admin. */
static void daemon_notify_ready(const struct daemon *daemon,
                                const struct profile_dir_counts *counts, size_t errors)
{
    char *status = mem_printf("%zu profiles from %zu files, %zu errors, %zu sockets%s",
                              counts->profiles, counts->files, errors, daemon->listeners.count,
                              daemon->peers.has_apparmor ? "" : "; AppArmor is not enabled");

    notify_ready(&daemon->notify, status);
    free(status);
}

static void daemon_reload(struct daemon *daemon)
{
    struct profile_dir_counts counts = {0};
    struct diag_list diags;

    notify_reloading(&daemon->notify);
    diag_list_init(&diags);
    struct policy *policy = daemon_load(daemon->options, daemon, &diags, &counts);
    if (policy) {
        policy_unref(daemon->policy);
        daemon->policy = policy;
        containment_judge(&daemon->containment, policy, &diags);
        daemon_update_listeners(daemon, &diags);
        cookie_files_update(&daemon->cookies, daemon->policy, &diags);
        relay_host_end(&daemon->host, daemon_profile_is_gone, daemon, "profile removed");
    }
    log_diags(&diags);
    if (policy) {
        log_at(LOG_LEVEL_NOTICE, "reloaded: %zu profiles from %zu files, %zu errors, %zu sockets",
               counts.profiles, counts.files, diags.errors, daemon->listeners.count);
        daemon_warn_of_complain(policy);
    } else {
        log_at(LOG_LEVEL_ERROR, "not reloaded: the former profiles stay in use");
    }
    if (policy)
        daemon_notify_ready(daemon, &counts, diags.errors);
    else
        notify_ready(&daemon->notify, "not reloaded: the former profiles stay in use");
    diag_list_clear(&diags);
}

static void daemon_on_signal(evutil_socket_t number, short what, void *context)
{
    struct daemon *daemon = context;

    (void)what;
    if (number == SIGHUP) {
        daemon_reload(daemon);
        return;
    }
    log_at(LOG_LEVEL_NOTICE, "stopping: %s", strsignal((int)number));
    notify_stopping(&daemon->notify);
    event_base_loopbreak(daemon->base);
}

/* --- start and stop --- */

/* Two daemons that make and remove sockets in one directory would remove each other's. */
static bool daemon_lock_runtime_dir(struct daemon *daemon)
{
    const char *path = daemon->options->runtime_dir;
    struct buf reason;

    buf_init(&reason, 1024);
    bool done = socket_path_make_directory(path, &reason);
    if (done) {
        daemon->runtime_lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        done = daemon->runtime_lock >= 0 && flock(daemon->runtime_lock, LOCK_EX | LOCK_NB) == 0;
        if (!done && errno == EWOULDBLOCK)
            buf_append_string(&reason, "another onion-grater uses this directory");
        else if (!done)
            buf_append_string(&reason, strerror(errno));
    }
    buf_append_char(&reason, '\0');
    if (!done)
        log_at(LOG_LEVEL_ERROR, "runtime-dir %s: %s", path, buf_span(&reason).data);
    buf_clear(&reason);
    return done;
}

/* Fewer sessions are better than clients that are accepted and cannot be served. */
static unsigned daemon_fit_sessions(unsigned wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    rlim_t spare = limit.rlim_cur > DAEMON_SPARE_DESCRIPTORS
                       ? limit.rlim_cur - DAEMON_SPARE_DESCRIPTORS
                       : DAEMON_SESSION_DESCRIPTORS;
    rlim_t possible = spare / DAEMON_SESSION_DESCRIPTORS;
    if (possible >= wanted)
        return wanted;
    log_at(LOG_LEVEL_WARNING,
           "only %ju descriptors may be open, so there may be %ju sessions instead of %u; raise "
           "LimitNOFILE or lower limits: sessions",
           (uintmax_t)limit.rlim_cur, (uintmax_t)possible, wanted);
    return (unsigned)possible;
}

static void daemon_init_host(struct daemon *daemon)
{
    const struct options *options = daemon->options;
    struct span address = span_from_string(options->client_address);

    daemon->host.base = daemon->base;
    daemon->host.upstream = &daemon->upstream;
    daemon->host.peers = &daemon->peers;
    daemon->host.tcp_clients = &daemon->clients.tcp;
    daemon->host.facts = &daemon->facts;
    daemon->host.registry = &daemon->registry;
    daemon->host.cookies = &daemon->cookies;
    daemon->host.secrets = &daemon->secrets_interface;
    daemon->host.quota = &daemon->quota;
    daemon->host.gate = &daemon->gate;
    daemon->host.counters = &daemon->counters;
    daemon->host.limits = options->session_limits;
    daemon->host.max_held = options->all_buffers;
    daemon->host.variables = (struct template_variables){
        .client_address = address,
        .client_port = SPAN("0"),
        .server_address = address,
        .server_port = SPAN("0"),
    };
    daemon->host.reply_timeout.tv_sec = (time_t)options->reply_timeout;
    daemon->host.write_timeout.tv_sec = (time_t)options->write_timeout;
    relay_host_start(&daemon->host);
}

static bool daemon_init(struct daemon *daemon, struct activation *passed)
{
    static const int numbers[DAEMON_SIGNALS] = {SIGTERM, SIGINT, SIGHUP};
    const struct options *options = daemon->options;
    struct buf reason;

    daemon->base = event_base_new();
    if (!daemon->base) {
        log_at(LOG_LEVEL_ERROR, "no event loop: %s", strerror(errno));
        return false;
    }
    buf_init(&reason, 256);
    upstream_parse(options->tor_control, &daemon->upstream.address, &reason);
    buf_clear(&reason);
    daemon->upstream.name = options->tor_control;
    peer_system_init(&daemon->peers);
    secrets_init(&daemon->secrets, options->cookie_path, options->password_file,
                 &daemon->containment.places);
    daemon->secrets_interface = secrets_interface(&daemon->secrets);
    tor_facts_init(&daemon->facts);
    onion_registry_init(&daemon->registry);
    cookie_files_init(&daemon->cookies, options->runtime_dir);
    quota_init(&daemon->quota, daemon_fit_sessions(options->max_sessions),
               options->max_sessions_per_uid, options->max_sessions_per_address,
               options->log_lines);
    gate_init(&daemon->gate, &daemon->counters);
    clients_init(&daemon->clients, daemon->base, &daemon->policy, &daemon->peers, &daemon->upstream,
                 &daemon->host);
    listener_set_init(&daemon->listeners, daemon->base, options->runtime_dir,
                      &daemon->containment.places, clients_accept, &daemon->clients);
    listener_set_adopt(&daemon->listeners, passed);
    tcp_listener_init(&daemon->tcp_listener, daemon->base, options, clients_accept,
                      &daemon->clients);
    daemon_init_host(daemon);
    for (size_t i = 0; i < DAEMON_SIGNALS; i++) {
        daemon->signals[i] = evsignal_new(daemon->base, numbers[i], daemon_on_signal, daemon);
        if (!daemon->signals[i] || event_add(daemon->signals[i], NULL) < 0)
            return false;
    }
    return true;
}

static void daemon_clear(struct daemon *daemon)
{
    if (!daemon->base)
        return;
    listener_set_clear(&daemon->listeners);
    tcp_listener_clear(&daemon->tcp_listener);
    clients_clear(&daemon->clients);
    relay_host_stop(&daemon->host, "onion-grater stops");
    for (size_t i = 0; i < DAEMON_SIGNALS; i++)
        if (daemon->signals[i])
            event_free(daemon->signals[i]);
    notify_clear(&daemon->notify);
    quota_clear(&daemon->quota);
    gate_clear(&daemon->gate);
    tor_facts_clear(&daemon->facts);
    onion_registry_clear(&daemon->registry);
    cookie_files_clear(&daemon->cookies);
    secrets_clear(&daemon->secrets);
    peer_system_clear(&daemon->peers);
    policy_unref(daemon->policy);
    containment_clear(&daemon->containment);
    if (daemon->runtime_lock >= 0)
        close(daemon->runtime_lock);
    event_base_free(daemon->base);
}

static void daemon_announce(void *context, const struct listener *listener)
{
    (void)context;
    log_at(LOG_LEVEL_NOTICE, "listening on %s", listener->spec.path);
}

static bool daemon_open_tcp(struct daemon *daemon)
{
    struct buf reason;

    buf_init(&reason, 1024);
    bool done = tcp_listener_start(&daemon->tcp_listener, &reason);
    buf_append_char(&reason, '\0');
    if (!done)
        log_at(LOG_LEVEL_ERROR, "%s: %s", daemon->tcp_listener.name, buf_span(&reason).data);
    else if (tcp_listener_is_open(&daemon->tcp_listener))
        log_at(LOG_LEVEL_NOTICE, "listening on %s", daemon->tcp_listener.name);
    if ((daemon->tcp_listener.is_wanted || listener_set_has_tcp(&daemon->listeners)) &&
        !sock_diag_works(&daemon->clients.tcp.diag))
        log_at(LOG_LEVEL_WARNING,
               "the kernel does not tell whose TCP connections are (its module "
               "tcp_diag is missing): no local client over TCP matches a profile");
    buf_clear(&reason);
    return done;
}

/* What is open now stays open; what has to be opened again, to be named here. */
static bool daemon_contain(struct daemon *daemon)
{
    struct profile_dirs dirs = daemon_profile_dirs(daemon->options);
    struct target own[TCP_LISTENER_SOCKETS];
    bool reopens_tcp = daemon->tcp_listener.interface != NULL;
    struct containment_setup setup = {
        .options = daemon->options,
        .policy = daemon->policy,
        .profile_dirs = &dirs,
        .tor = &daemon->upstream.address,
        .bind_port =
            reopens_tcp && tcp_listener_targets(&daemon->tcp_listener, own) > 0 ? own[0].port : 0,
        .has_apparmor = daemon->peers.has_apparmor,
        .serves_tcp = daemon->tcp_listener.is_wanted || listener_set_has_tcp(&daemon->listeners),
    };

    return containment_enter(&daemon->containment, &setup);
}

/* Profiles and sockets; false: it cannot serve. */
static bool daemon_open(struct daemon *daemon)
{
    struct profile_dir_counts counts;
    struct diag_list diags;

    diag_list_init(&diags);
    daemon->policy = daemon_load(daemon->options, daemon, &diags, &counts);
    bool done = daemon->policy && daemon_lock_runtime_dir(daemon) &&
                daemon_update_listeners(daemon, &diags);
    if (done)
        cookie_files_update(&daemon->cookies, daemon->policy, &diags);
    log_diags(&diags);
    done = done && daemon_open_tcp(daemon) && daemon_contain(daemon);
    if (done) {
        peer_notice_system(&daemon->peers);
        listener_set_each(&daemon->listeners, daemon_announce, NULL);
        log_at(LOG_LEVEL_NOTICE, "onion-grater %s started: %zu profiles from %zu files, %zu errors",
               PACKAGE_VERSION, counts.profiles, counts.files, diags.errors);
        upstream_look(&daemon->upstream);
        daemon_warn_of_complain(daemon->policy);
        notify_watch(&daemon->notify, daemon->base);
        daemon_notify_ready(daemon, &counts, diags.errors);
    }
    diag_list_clear(&diags);
    return done;
}

/* An event that is not set for lack of memory would leave a session hanging: see mem.h. */
static void *daemon_allocate(size_t size)
{
    return mem_resize(NULL, size, 1);
}

static void *daemon_reallocate(void *memory, size_t size)
{
    return mem_resize(memory, size, 1);
}

static void daemon_log_from_libevent(int severity, const char *message)
{
    enum log_level level = LOG_LEVEL_DEBUG;

    if (severity == EVENT_LOG_ERR)
        level = LOG_LEVEL_ERROR;
    else if (severity == EVENT_LOG_WARN)
        level = LOG_LEVEL_WARNING;
    log_at(level, "libevent: %s", message);
}

int daemon_run(const struct options *options)
{
    struct daemon *daemon = mem_zalloc(1, sizeof *daemon);
    struct activation passed;

    daemon->options = options;
    daemon->runtime_lock = -1;
    signal(SIGPIPE, SIG_IGN);
    event_set_log_callback(daemon_log_from_libevent);
    event_set_mem_functions(daemon_allocate, daemon_reallocate, free);
    activation_take(&passed);
    notify_init(&daemon->notify);
    bool done = daemon_init(daemon, &passed) && daemon_open(daemon);
    activation_clear(&passed);
    if (done && event_base_dispatch(daemon->base) < 0) {
        log_at(LOG_LEVEL_ERROR, "the event loop failed: %s", strerror(errno));
        done = false;
    }
    daemon_clear(daemon);
    free(daemon);
    return done ? 0 : 1;
}

size_t daemon_check(const struct options *options)
{
    struct profile_dir_counts counts;
    struct diag_list diags;
    struct buf line;

    diag_list_init(&diags);
    policy_unref(daemon_load(options, NULL, &diags, &counts));
    for (size_t i = 0; i < diags.count; i++) {
        buf_init(&line, 4096);
        diag_format(&line, &diags.items[i]);
        buf_append_char(&line, '\0');
        log_plain(buf_span(&line).data);
        buf_clear(&line);
    }
    char *summary = mem_printf("%zu profiles from %zu files, %zu errors", counts.profiles,
                               counts.files, diags.errors);
    log_plain(summary);
    free(summary);
    size_t errors = diags.errors;
    diag_list_clear(&diags);
    return errors;
}
