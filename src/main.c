/* onion-grater: options, configuration, and then the daemon.
 *
 * Exit status: 0, 1 for a failure, 2 for wrong usage or configuration. */
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "config_file.h"
#include "daemon.h"
#include "log.h"
#include "options.h"

#define EXIT_USAGE 2

/* Keys and cookies pass through this process: no core file, no debugger of the same user. And as
 * many descriptors as we may have. */
static void main_harden(void)
{
    struct rlimit none = {0, 0}, files;

    umask(022);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static bool main_options_fit(const struct options *options)
{
    struct buf reason;

    buf_init(&reason, 1024);
    bool fit = options_fit(options, &reason);
    buf_append_char(&reason, '\0');
    if (!fit)
        log_at(LOG_LEVEL_ERROR, "%s", buf_span(&reason).data);
    buf_clear(&reason);
    return fit;
}

/* Command line, then configuration file, then defaults. */
static enum options_result main_read_options(struct options *options, int argc, char **argv)
{
    struct options from_file;
    struct diag_list diags;

    enum options_result result = options_parse(options, argc, argv);
    if (result != OPTIONS_OK)
        return result;
    options_init(&from_file);
    diag_list_init(&diags);
    const char *path = options->config ? options->config : OPTIONS_DEFAULT_CONFIG;
    if (!config_file_load(path, options->config != NULL, &from_file, &diags))
        result = OPTIONS_WRONG;
    log_diags(&diags);
    diag_list_clear(&diags);
    options_inherit(options, &from_file);
    options_complete(options);
    return result == OPTIONS_OK && !main_options_fit(options) ? OPTIONS_WRONG : result;
}

static int main_run(const struct options *options)
{
    log_set_level(options->log_level);
    if (options->check)
        return daemon_check(options) > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
    return daemon_run(options);
}

int main(int argc, char **argv)
{
    struct options options;
    int status = EXIT_SUCCESS;

    main_harden();
    log_open(LOG_LEVEL_INFO);
    options_init(&options);
    switch (main_read_options(&options, argc, argv)) {
    case OPTIONS_OK:
        status = main_run(&options);
        break;
    case OPTIONS_DONE:
        break;
    case OPTIONS_WRONG:
        status = EXIT_USAGE;
        break;
    }
    options_clear(&options);
    return status;
}
