/* The event loop and what hangs on it: one policy generation, the sockets that it asks for, the
 * relays, the admin's socket, and signals. One thread; nothing here waits but the loop itself. */
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
#include "clock.h"
#include "daemon_parts.h"
#include "log.h"
#include "mem.h"
#include "peer_notice.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

/* The client's, tor's, and one that holds the client's process. */
#define DAEMON_SESSION_DESCRIPTORS 3
/* Descriptors that are no session's: listeners, files being read, the loop's own. */
#define DAEMON_SPARE_DESCRIPTORS 128

/* --- signals --- */

static void daemon_on_reminder(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    daemon_warn_of_complain(context);
}

static void daemon_on_signal(evutil_socket_t number, short what, void *context)
{
    struct daemon *daemon = context;
    struct reload_report report;

    (void)what;
    if (number == SIGHUP) {
        daemon_reload(daemon, &report);
        reload_report_clear(&report);
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
    daemon->host.watch = &daemon->watch;
    daemon->host.refusals = &daemon->refusals;
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
    event_assign(&daemon->complain_reminder, daemon->base, -1, 0, daemon_on_reminder, daemon);
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
    admin_stop(&daemon->admin);
    metrics_file_stop(&daemon->metrics_file);
    event_del(&daemon->complain_reminder);
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
    diag_list_clear(&daemon->generation.diags);
    refusals_clear(&daemon->refusals);
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

/* For the log, once all is open. */
static void daemon_announce_start(struct daemon *daemon)
{
    const struct generation *generation = &daemon->generation;

    peer_notice_system(&daemon->peers);
    listener_set_each(&daemon->listeners, daemon_announce, NULL);
    log_at(LOG_LEVEL_NOTICE, "onion-grater %s started: %zu profiles from %zu files, %zu errors",
           PACKAGE_VERSION, generation->counts.profiles, generation->counts.files,
           generation->diags.errors);
    upstream_look(&daemon->upstream);
    daemon_warn_of_complain(daemon);
}

static void daemon_fill_metrics(void *context, struct buf *out)
{
    daemon_write_metrics(context, out);
}

/* Profiles and sockets; false: it cannot serve. */
static bool daemon_open(struct daemon *daemon)
{
    struct diag_list *diags = &daemon->generation.diags;

    bool done = daemon_load_first(daemon) && daemon_lock_runtime_dir(daemon);
    if (done) {
        daemon_open_admin(daemon);
        done = daemon_update_listeners(daemon, diags);
        cookie_files_update(&daemon->cookies, daemon->policy, diags);
    }
    log_diags(diags);
    if (!done || !daemon_open_tcp(daemon) || !daemon_contain(daemon))
        return false;
    daemon_announce_start(daemon);
    metrics_file_start(&daemon->metrics_file, daemon->base, daemon->options->metrics_file,
                       daemon_fill_metrics, daemon);
    notify_watch(&daemon->notify, daemon->base);
    daemon_notify_ready(daemon);
    return true;
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
    daemon->started_ms = clock_wall_ms();
    daemon->started_mono_ms = clock_monotonic_ms();
    diag_list_init(&daemon->generation.diags);
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
