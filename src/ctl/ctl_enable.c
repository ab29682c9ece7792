/* A shipped profile is switched on by a link to it in the admin's directory, and off by taking that
 * link away. What is not such a link is the admin's own work and stays as it is. */
#include "ctl_enable.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_input.h"
#include "ctl_options.h"
#include "mem.h"
#include "names.h"
#include "profile_load.h"
#include "read_file.h"
#include "yaml_tree.h"

#define ADMIN_DIR "/etc/onion-grater.d"
#define RELOAD_HINT "reload the daemon to make it so: systemctl reload onion-grater"

struct places {
    const char *from; /* the shipped profiles */
    const char *into; /* the admin's directory */
};

struct switched {
    const char *verb;
    const char *name;
    char *profile; /* the shipped file */
    char *link;
};

static int report(const struct switched *what, const char *path, const char *text)
{
    fprintf(stderr, "onion-graterctl %s: %s: %s\n", what->verb, path, text);
    return CTL_FAILED;
}

/* The name is one of a file, without folders and .yml. */
static bool is_name(const char *name)
{
    const char *dot = strrchr(name, '.');

    return name[0] != '\0' && name[0] != '.' && !strchr(name, '/') &&
           !(dot && strcmp(dot, ".yml") == 0);
}

/* Whether a link is there and leads to the shipped profile. */
static bool is_our_link(const struct switched *what)
{
    char target[PATH_MAX];
    ssize_t len = readlink(what->link, target, sizeof target - 1);

    if (len < 0)
        return false;
    target[len] = '\0';
    return strcmp(target, what->profile) == 0;
}

/* Whether the profile can be used as it is; what is wrong goes to standard error. */
static bool is_sound(const struct switched *what)
{
    struct diag_list diags;
    struct buf text, reason;
    struct stat status;

    buf_init(&reason, 512);
    diag_list_init(&diags);
    bool done = read_file(what->profile, YAML_MAX_SIZE, &text, &status, &reason) == READ_FILE_OK;
    if (done) {
        struct profile_file *file =
            profile_load(what->profile, buf_span(&text), &names_of_system, &diags);
        done = file != NULL;
        profile_file_unref(file);
    } else {
        buf_append_char(&reason, '\0');
        report(what, what->profile, buf_span(&reason).data);
    }
    for (size_t i = 0; i < diags.count; i++) {
        struct buf line;
        buf_init(&line, 4096);
        diag_format(&line, &diags.items[i]);
        fprintf(stderr, "%.*s\n", (int)line.len, buf_span(&line).data);
        buf_clear(&line);
    }
    diag_list_clear(&diags);
    buf_clear(&text);
    buf_clear(&reason);
    return done;
}

static int enable_one(const struct switched *what)
{
    if (is_our_link(what)) {
        printf("%s is on already\n", what->name);
        return EXIT_SUCCESS;
    }
    if (!is_sound(what))
        return CTL_FAILED;
    if (symlink(what->profile, what->link) == 0) {
        printf("%s -> %s\n%s\n", what->link, what->profile, RELOAD_HINT);
        return EXIT_SUCCESS;
    }
    if (errno == EEXIST)
        return report(what, what->link,
                      "there is a file of this name already, and it is the one that counts; remove "
                      "it to use the shipped profile");
    return report(what, what->link, strerror(errno));
}

static int disable_one(const struct switched *what)
{
    struct stat status;

    if (lstat(what->link, &status) < 0 && errno == ENOENT) {
        if (access(what->profile, F_OK) < 0)
            return report(what, what->profile, "there is no shipped profile of this name");
        printf("%s is off already\n", what->name);
        return EXIT_SUCCESS;
    }
    if (!is_our_link(what))
        return report(what, what->link,
                      "this is no link to the shipped profile, so it stays; remove it by hand if "
                      "it should go");
    if (unlink(what->link) < 0)
        return report(what, what->link, strerror(errno));
    printf("removed %s\n%s\n", what->link, RELOAD_HINT);
    return EXIT_SUCCESS;
}

static int switch_name(const char *verb, const struct places *places, const char *name,
                       int (*act)(const struct switched *what))
{
    struct switched what = {.verb = verb, .name = name};

    if (!is_name(name)) {
        fprintf(stderr,
                "onion-graterctl %s: give the name of a shipped profile, without folder "
                "and .yml\n",
                verb);
        return CTL_USAGE;
    }
    what.profile = mem_printf("%s/%s.yml", places->from, name);
    what.link = mem_printf("%s/%s.yml", places->into, name);
    int status = act(&what);
    free(what.profile);
    free(what.link);
    return status;
}

static int switch_names(const struct ctl_verb *verb, int argc, char **argv,
                        int (*act)(const struct switched *what))
{
    static const struct option rows[] = {
        {"from", required_argument, NULL, 'f'},
        {"into", required_argument, NULL, 'i'},
        {NULL, 0, NULL, 0},
    };
    struct places places = {.from = SHIPPED_PROFILES_DIR, .into = ADMIN_DIR};
    char *from = NULL;
    int option, worst = EXIT_SUCCESS;

    optind = 1;
    while ((option = ctl_next_option(verb, argc, argv, ":", rows, NULL)) != -1) {
        if (option == CTL_OPTION_BAD)
            return CTL_USAGE;
        *(option == 'f' ? &places.from : &places.into) = optarg;
    }
    if (optind == argc)
        return ctl_usage_error(argv[0], "give the names of shipped profiles, from %s", places.from);
    /* A link's target is read from where the link is, not from here. */
    if (places.from[0] != '/')
        from = realpath(places.from, NULL);
    places.from = from ? from : places.from;
    for (int i = optind; i < argc; i++) {
        int status = switch_name(argv[0], &places, argv[i], act);
        worst = status > worst ? status : worst;
    }
    free(from);
    return ctl_finish_output(argv[0], worst);
}

static int enable_run(int argc, char **argv)
{
    return switch_names(&ctl_enable, argc, argv, enable_one);
}

static int disable_run(int argc, char **argv)
{
    return switch_names(&ctl_disable, argc, argv, disable_one);
}

#define OPTIONS                                          \
    "  --from DIR    where the profiles are installed\n" \
    "  --into DIR    where the links are made\n"

const struct ctl_verb ctl_enable = {
    .name = "enable",
    .arguments = "[OPTION...] NAME...",
    .summary = "switch shipped profiles on",
    .options = OPTIONS,
    .run = enable_run,
};

const struct ctl_verb ctl_disable = {
    .name = "disable",
    .arguments = "[OPTION...] NAME...",
    .summary = "switch shipped profiles off",
    .options = OPTIONS,
    .run = disable_run,
};
