/* Who listens at the port that is ours, and at the one where applications look for tor.
 *
 * The kernel's tables say which socket listens, and the descriptors of all processes, which root
 * may see, say whose it is. */
#include "ctl_facts.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl_process.h"
#include "mem.h"

#define USUAL_PORT 9051
#define TABLE_MAX (16 * 1024 * 1024)
#define LISTENS 0x0a /* TCP_LISTEN, as the tables have it */
#define INODES_MAX 64

/* The sockets that listen at one port. */
struct port_search {
    const struct ctl_facts *gathered;
    struct doctor_port *port;
    unsigned long inodes[INODES_MAX];
    size_t count;
};

/* "  12: 0100007F:235B 00000000:0000 0A ... UID TIMEOUT INODE ..." */
static void take_row(struct port_search *search, const char *row)
{
    unsigned port, state;
    unsigned long inode;

    if (sscanf(row, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu",
               &port, &state, &inode) != 3)
        return;
    if (port == search->port->port && state == LISTENS && search->count < INODES_MAX)
        search->inodes[search->count++] = inode;
}

static void take_table(struct port_search *search, const char *path)
{
    struct buf text;
    bool is_read = ctl_process_read_path(path, TABLE_MAX, &text);
    struct span rest = buf_span(&text);

    while (is_read && rest.len > 0) {
        struct span line = span_first(rest, span_find(rest, '\n'));
        char *row = mem_copy_string(line);
        take_row(search, row);
        free(row);
        rest = span_from(rest, line.len + 1);
    }
    buf_clear(&text);
}

static bool is_searched(const struct port_search *search, unsigned long inode)
{
    for (size_t i = 0; i < search->count; i++)
        if (search->inodes[i] == inode)
            return true;
    return false;
}

static bool holds_socket(const struct port_search *search, pid_t pid)
{
    char *path = mem_printf("/proc/%jd/fd", (intmax_t)pid);
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool holds = false;

    free(path);
    while (folder && !holds && (entry = readdir(folder))) {
        char target[64];
        unsigned long inode;
        ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        if (len <= 0)
            continue;
        target[len] = '\0';
        holds = sscanf(target, "socket:[%lu]", &inode) == 1 && is_searched(search, inode);
    }
    if (folder)
        closedir(folder);
    return holds;
}

/* Of a socket that was passed in, the service manager is a holder, too. */
static bool look_at_process(void *context, const struct ctl_process *process)
{
    struct port_search *search = context;
    struct doctor_port *port = search->port;

    if (!holds_socket(search, process->pid))
        return true;
    port->is_daemon |= process->pid == search->gathered->daemon;
    port->is_tor |= strcmp(process->name, "tor") == 0;
    if (!port->holder || process->pid != 1) {
        free(port->holder);
        port->holder = mem_printf("%s (process %jd)", process->name, (intmax_t)process->pid);
    }
    return true;
}

static void look_at_port(struct ctl_facts *gathered, unsigned long number, bool is_ours)
{
    struct doctor_ports *ports = &gathered->facts->ports;
    struct doctor_port port = {.port = number, .is_ours = is_ours};
    struct port_search search = {.gathered = gathered, .port = &port};

    take_table(&search, "/proc/net/tcp");
    take_table(&search, "/proc/net/tcp6");
    if (search.count == 0)
        return;
    ctl_process_each(look_at_process, &search);
    if (!port.holder && !gathered->facts->is_root) {
        ports->is_seen = DOCTOR_UNSEEN;
        return;
    }
    ports->items = mem_resize(ports->items, ports->count + 1, sizeof *ports->items);
    ports->items[ports->count++] = port;
}

void ctl_facts_ports(struct ctl_facts *gathered)
{
    const struct options *options = &gathered->setup->options;
    unsigned long own = 0;

    gathered->facts->ports.is_seen = DOCTOR_YES;
    if (options->listen_port)
        span_to_number(span_from_string(options->listen_port), UINT16_MAX, &own);
    else if (options->listen_address || options->listen_interface)
        own = USUAL_PORT;
    if (own > 0)
        look_at_port(gathered, own, true);
    if (own != USUAL_PORT)
        look_at_port(gathered, USUAL_PORT, false);
}
