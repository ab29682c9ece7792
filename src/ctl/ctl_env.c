/* env prints what run sets: one place says what an application is told. */
#include "ctl_env.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_input.h"
#include "ctl_options.h"
#include "ctl_setup.h"
#include "environment.h"
#include "listener_set.h"

#define SOCKS_SOCKET "/run/tor/socks"
#define SOCKS_TCP "127.0.0.1:9050"
#define NOT_EXECUTABLE 126 /* as a shell has it */
#define NOT_FOUND 127

static const char *default_socks(void)
{
    struct stat status;

    return stat(SOCKS_SOCKET, &status) == 0 && S_ISSOCK(status.st_mode) ? "unix:" SOCKS_SOCKET
                                                                        : SOCKS_TCP;
}

/* False: wrong usage, reported. */
static bool read_options(const struct ctl_verb *verb, const char *form, struct ctl_setup *setup,
                         const char **socks, int argc, char **argv)
{
    static const struct option rows[] = {
        {"config", required_argument, NULL, 0},
        {"profiles", required_argument, NULL, 0},
        {"runtime-dir", required_argument, NULL, 0},
        {"socks", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    int row, option;

    optind = 1;
    while ((option = ctl_next_option(verb, argc, argv, form, rows, &row)) != -1) {
        if (option == CTL_OPTION_BAD)
            return false;
        if (option == 's')
            *socks = optarg;
        else if (!ctl_setup_set(setup, argv[0], rows[row].name, optarg))
            return false;
    }
    return true;
}

static bool make_environment(const struct ctl_setup *setup, const char *verb,
                             const struct profile *profile, const char *socks,
                             struct environment *environment)
{
    const struct environment_places places = {
        .runtime_dir = setup->options.runtime_dir,
        .shared_socket = LISTENER_SET_SHARED,
        .listen_address = setup->options.listen_address,
        .listen_port = setup->options.listen_port,
        .socks = socks,
    };
    struct buf reason;

    buf_init(&reason, 1024);
    bool done = environment_of_profile(profile, &places, environment, &reason);
    if (!done)
        fprintf(stderr, "onion-graterctl %s: profile %s: %.*s\n", verb, profile->name,
                (int)reason.len, buf_span(&reason).data);
    buf_clear(&reason);
    return done;
}

static int print_environment(const struct environment *environment)
{
    struct buf out;

    buf_init(&out, 65536);
    environment_write(environment, &out);
    fwrite(buf_span(&out).data, 1, out.len, stdout);
    buf_clear(&out);
    return ctl_finish_output("env", EXIT_SUCCESS);
}

/* Returns only if the command cannot be started. */
static int run_command(const struct environment *environment, char **command)
{
    for (size_t i = 0; i < environment->count; i++)
        if (setenv(environment->variables[i].name, environment->variables[i].value, 1) < 0)
            return CTL_FAILED;
    execvp(command[0], command);
    fprintf(stderr, "onion-graterctl run: %s: %s\n", command[0], strerror(errno));
    return errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
}

/* `command`: NULL for env. */
static int with_profile(struct ctl_setup *setup, const char *verb, const char *name,
                        const char *socks, char **command)
{
    struct environment environment = {.count = 0};
    int status = CTL_FAILED;

    if (!ctl_setup_load(setup, verb))
        return CTL_USAGE;
    const struct profile *profile = ctl_setup_find(setup, verb, name);
    if (profile && make_environment(setup, verb, profile, socks, &environment))
        status = command ? run_command(&environment, command) : print_environment(&environment);
    environment_clear(&environment);
    return status;
}

static int env_run(int argc, char **argv)
{
    const char *socks = default_socks();
    struct ctl_setup setup;
    int status = CTL_USAGE;

    ctl_setup_init(&setup);
    if (read_options(&ctl_env, ":", &setup, &socks, argc, argv)) {
        if (optind + 1 == argc)
            status = with_profile(&setup, "env", argv[optind], socks, NULL);
        else
            ctl_usage_error("env", "give the name of one profile");
    }
    ctl_setup_clear(&setup);
    return status;
}

static int run_run(int argc, char **argv)
{
    const char *socks = default_socks();
    struct ctl_setup setup;
    int status = CTL_USAGE;

    ctl_setup_init(&setup);
    if (read_options(&ctl_run, "+:", &setup, &socks, argc, argv)) {
        if (optind + 2 < argc && strcmp(argv[optind + 1], "--") == 0)
            status = with_profile(&setup, "run", argv[optind], socks, argv + optind + 2);
        else
            ctl_usage_error("run", "give the name of one profile, --, and the command");
    }
    ctl_setup_clear(&setup);
    return status;
}

#define OPTIONS                                                                          \
    "  --config FILE        the daemon's configuration\n"                                \
    "  --profiles DIR       a directory in place of the default ones; may be repeated\n" \
    "  --runtime-dir DIR    where the daemon makes its sockets\n"                        \
    "  --socks ADDRESS      tor's SOCKS port: unix:PATH or ADDRESS:PORT\n"

const struct ctl_verb ctl_env = {
    .name = "env",
    .arguments = "[OPTION...] NAME",
    .summary = "print the environment for clients of a profile",
    .options = OPTIONS,
    .run = env_run,
};

const struct ctl_verb ctl_run = {
    .name = "run",
    .arguments = "[OPTION...] NAME -- COMMAND...",
    .summary = "run a command in that environment",
    .options = OPTIONS,
    .run = run_run,
};
