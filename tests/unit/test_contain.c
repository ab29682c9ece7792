/* Which files are left, which processes can be looked into, and which privileges are gone. */
#include "contain.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "contain_fixture.h"

/* --- files -------------------------------------------------------------------------------------- */

static char tree[] = "/tmp/contain.XXXXXX"; /* open, shut, made: folders */
static char parent_proc[64];

static const char *in_tree(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", tree, name);
    return path;
}

static void put(const char *name)
{
    int fd = open(in_tree(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);

    cr_assert(fd >= 0 && write(fd, "#!/bin/true\n", 12) == 12, "%s", name);
    close(fd);
}

static void make_tree(void)
{
    cr_assert(mkdtemp(tree));
    cr_assert(mkdir(in_tree("open"), 0755) == 0);
    cr_assert(mkdir(in_tree("shut"), 0755) == 0);
    cr_assert(mkdir(in_tree("made"), 0755) == 0);
    put("open/file");
    put("shut/file");
    put("made/file");
    put("made/other");
    char *target = strdup(in_tree("shut/file"));
    cr_assert(symlink(target, in_tree("open/link")) == 0);
    free(target);
    snprintf(parent_proc, sizeof parent_proc, "/proc/%jd", (intmax_t)getpid());
}

static void remove_tree(void)
{
    static const char *const names[] = {
        "open/file", "open/link", "open/new",  "shut/file", "shut/new", "made/file", "made/other",
        "made/new",  "made/sock", "made/link", "made/folder", "made/fifo", "open",      "shut",     "made",      "",
    };

    for (size_t i = 0; i < COUNT(names); i++)
        remove(in_tree(names[i]));
}

static enum contain_result files(struct buf *why)
{
    char open_path[64], made_path[64];
    const char *readable[] = {open_path, "/proc", "/etc", "/usr", "/bin", "/nonexistent/folder"};
    const char *writable[] = {made_path};
    struct contain_reach reach = {
        .readable = readable,
        .readable_count = COUNT(readable),
        .writable = writable,
        .writable_count = 1,
        .connect_port = 1,
        .bind_port = 0,
    };

    snprintf(open_path, sizeof open_path, "%s/open", tree);
    snprintf(made_path, sizeof made_path, "%s/made", tree);
    /* CAP_PERFMON alone lets root read the memory of others. */
    if (contain_capabilities(NULL, 0, why) != CONTAIN_DONE)
        return CONTAIN_FAILED;
    return contain_files(&reach, why);
}

static int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    int result = outcome(fd);

    if (fd >= 0)
        close(fd);
    return result;
}

static int read_open(void)
{
    return try_open(in_tree("open/file"), O_RDONLY);
}

static int read_shut(void)
{
    return try_open(in_tree("shut/file"), O_RDONLY);
}

static int read_made(void)
{
    return try_open(in_tree("made/file"), O_RDONLY);
}

static int read_by_link(void)
{
    return try_open(in_tree("open/link"), O_RDONLY);
}

static int read_past_root(void)
{
    char path[128];

    snprintf(path, sizeof path, "/proc/self/root%s/shut/file", tree);
    return try_open(path, O_RDONLY);
}

static int list_open(void)
{
    return try_open(in_tree("open"), O_RDONLY | O_DIRECTORY);
}

static int list_shut(void)
{
    return try_open(in_tree("shut"), O_RDONLY | O_DIRECTORY);
}

static int list_root(void)
{
    return try_open("/", O_RDONLY | O_DIRECTORY);
}

static int write_open(void)
{
    return try_open(in_tree("open/file"), O_WRONLY);
}

static int write_shut(void)
{
    return try_open(in_tree("shut/file"), O_WRONLY);
}

static int write_made(void)
{
    return try_open(in_tree("made/file"), O_WRONLY);
}

static int make_in_open(void)
{
    return try_open(in_tree("open/new"), O_WRONLY | O_CREAT);
}

static int make_in_shut(void)
{
    return try_open(in_tree("shut/new"), O_WRONLY | O_CREAT);
}

static int make_in_made(void)
{
    return try_open(in_tree("made/new"), O_WRONLY | O_CREAT);
}

static int make_socket(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s/made/sock", tree);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
        return errno;
    return outcome(unlink(address.sun_path));
}

static int make_folder(void)
{
    return outcome(mkdir(in_tree("made/folder"), 0700));
}

static int make_link(void)
{
    return outcome(symlink("file", in_tree("made/link")));
}

static int make_fifo(void)
{
    return outcome(mkfifo(in_tree("made/fifo"), 0600));
}

static int remove_open(void)
{
    return outcome(unlink(in_tree("open/file")));
}

static int remove_shut(void)
{
    return outcome(unlink(in_tree("shut/file")));
}

static int replace_made(void)
{
    char *from = strdup(in_tree("made/other"));
    int result = outcome(rename(from, in_tree("made/file")));

    free(from);
    return result;
}

static int move_out(void)
{
    char *from = strdup(in_tree("made/file"));
    int result = outcome(rename(from, in_tree("shut/new")));

    free(from);
    return result;
}

static int execute_usr(void)
{
    return outcome(execl("/bin/true", "true", NULL));
}

static int execute_made(void)
{
    return outcome(execl(in_tree("made/file"), "file", NULL));
}

static int try_parent(const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", parent_proc, name);
    return try_open(path, O_RDONLY);
}

static int parents_stat(void)
{
    return try_parent("stat");
}

static int parents_status(void)
{
    return try_parent("status");
}

static int parents_name(void)
{
    return try_parent("comm");
}

static int parents_unit(void)
{
    return try_parent("cgroup");
}

static int parents_label(void)
{
    return try_parent("attr/current");
}

static int parents_environment(void)
{
    return try_parent("environ");
}

static int parents_memory(void)
{
    return try_parent("mem");
}

static int read_link_of_parent(const char *name)
{
    char path[128], target[128];

    snprintf(path, sizeof path, "%s/%s", parent_proc, name);
    return outcome(readlink(path, target, sizeof target));
}

static int parents_executable(void)
{
    return read_link_of_parent("exe");
}

static int parents_descriptor(void)
{
    return read_link_of_parent("fd/1");
}

Test(files, rows, .init = make_tree, .fini = remove_tree)
{
    static const struct row rows[] = {
        WORKS(read_open),        DENIED(read_shut),         WORKS(read_made),
        DENIED(read_by_link),    DENIED(read_past_root),    WORKS(list_open),
        DENIED(list_shut),       DENIED(list_root),         DENIED(write_open),
        DENIED(write_shut),      WORKS(write_made),         DENIED(make_in_open),
        DENIED(make_in_shut),    WORKS(make_in_made),       WORKS(make_socket),
        DENIED(make_folder),     DENIED(make_link),         DENIED(make_fifo),
        DENIED(remove_open),     DENIED(remove_shut),       DENIED(move_out),
        WORKS(replace_made),     DENIED(execute_usr),       DENIED(execute_made),
        WORKS(parents_stat),     WORKS(parents_status),     WORKS(parents_name),
        WORKS(parents_unit),     WORKS(parents_label),      DENIED(parents_environment),
        DENIED(parents_memory),  DENIED(parents_executable), DENIED(parents_descriptor),
        WORKS(try_names),
    };

    run_rows(files, rows, COUNT(rows));
}

static long landlock_version(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return outcome(connect(fd, (struct sockaddr *)&address, sizeof address));
}

static int connect_allowed_port(void)
{
    return connect_to(1);
}

static int connect_other_port(void)
{
    return connect_to(2);
}

static int bind_any_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return outcome(bind(fd, (struct sockaddr *)&address, sizeof address));
}

Test(files, ports, .init = make_tree, .fini = remove_tree)
{
    static const struct row rows[] = {
        {"connect_allowed_port", connect_allowed_port, ECONNREFUSED},
        DENIED(connect_other_port),
        DENIED(bind_any_port),
    };

    if (landlock_version() < 4)
        cr_skip_test("Landlock before version 4 (Linux 6.7) knows no ports");
    run_rows(files, rows, COUNT(rows));
}

static int try_kill_parent(void)
{
    return outcome(kill(getppid(), 0));
}

Test(files, signals, .init = make_tree, .fini = remove_tree)
{
    static const struct row rows[] = {FORBIDDEN(try_kill_parent)};

    if (landlock_version() < 6)
        cr_skip_test("Landlock before version 6 (Linux 6.12) knows no signals");
    run_rows(files, rows, COUNT(rows));
}

/* --- privileges --------------------------------------------------------------------------------- */

static enum contain_result no_layer(struct buf *why)
{
    (void)why;
    return CONTAIN_DONE;
}

static enum contain_result no_capabilities(struct buf *why)
{
    return contain_capabilities(NULL, 0, why);
}

static enum contain_result some_capabilities(struct buf *why)
{
    static const int keep[] = {CAP_CHOWN, CAP_SYS_PTRACE, CAP_CHOWN, 9999, -1};

    return contain_capabilities(keep, COUNT(keep), why);
}

static int has_new_privileges(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : EPERM;
}

/* The numbers of a line of /proc/self/status, such as "CapEff:". */
static unsigned long long status_of(const char *key)
{
    char line[256];
    unsigned long long value = ~0ULL;
    FILE *status = fopen("/proc/self/status", "r");

    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, key, strlen(key)) == 0)
            value = strtoull(line + strlen(key), NULL, 16);
    if (status)
        fclose(status);
    return value;
}

static int has_none(void)
{
    return status_of("CapEff:") | status_of("CapPrm:") | status_of("CapInh:") |
                   status_of("CapAmb:")
               ? EPERM
               : 0;
}

static int has_two(void)
{
    const unsigned long long two = 1ULL << CAP_CHOWN | 1ULL << CAP_SYS_PTRACE;

    return status_of("CapEff:") == two && status_of("CapPrm:") == two &&
                   contain_has_capability(CAP_CHOWN) && !contain_has_capability(CAP_FOWNER)
               ? 0
               : EPERM;
}

Test(privileges, none)
{
    static const struct row privileges[] = {{"no_new_privs", has_new_privileges, 0}};
    static const struct row none[] = {{"no capability", has_none, 0}};

    run_rows(no_layer, privileges, COUNT(privileges));
    run_rows(no_capabilities, none, COUNT(none));
}

Test(privileges, some)
{
    static const struct row two[] = {{"two capabilities", has_two, 0}};
    static const struct row none[] = {{"what is not there is not kept", has_none, 0}};
    bool has_both = contain_has_capability(CAP_CHOWN) && contain_has_capability(CAP_SYS_PTRACE);

    if (has_both)
        run_rows(some_capabilities, two, COUNT(two));
    else if (geteuid() != 0)
        run_rows(some_capabilities, none, COUNT(none));
    else
        cr_skip_test("this root has not both CAP_CHOWN and CAP_SYS_PTRACE");
}
