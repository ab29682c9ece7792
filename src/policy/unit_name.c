/* Which unit a process is in.
 *
 * A line of /proc/PID/cgroup is "ID:CONTROLLERS:PATH"; systemd keeps its units in the unified
 * hierarchy ("0::PATH") or in its own of the first version ("N:name=systemd:PATH"). The path is
 * slices, then the unit, then whatever that unit made of its part of the tree. Below the unit
 * names prove nothing: a user's service manager (user@UID.service) and a container choose theirs
 * freely. So the first component that is no slice is the unit, as systemd itself says, or there is
 * none. A path outside of our cgroup namespace begins with "..", which is no unit either. */
#include "unit_name.h"

#include <stdbool.h>

static bool ends_with(struct span text, struct span suffix)
{
    return text.len > suffix.len && span_equals(span_from(text, text.len - suffix.len), suffix);
}

/* The kinds of units that processes can be in. */
static bool is_unit(struct span name)
{
    static const struct span suffixes[] = {SPAN(".service"), SPAN(".scope"), SPAN(".socket"),
                                           SPAN(".mount"), SPAN(".swap")};

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (ends_with(name, suffixes[i]))
            return true;
    return false;
}

static struct span find_in_path(struct span path)
{
    struct span name = {0};

    do {
        if (path.len == 0 || path.data[0] != '/')
            return span_make(NULL, 0);
        path = span_from(path, 1);
        name = span_first(path, span_find(path, '/'));
        path = span_from(path, name.len);
    } while (ends_with(name, SPAN(".slice")));
    /* systemd puts "_" before a name that the kernel could take for one of its files. */
    if (name.len > 0 && name.data[0] == '_')
        name = span_from(name, 1);
    return is_unit(name) ? name : span_make(NULL, 0);
}

/* Takes the line's path if the line is one of systemd's. */
static bool take_line(struct span line, struct span *path_out)
{
    size_t id = span_find(line, ':');
    struct span rest = span_from(line, id + 1);
    size_t controllers = span_find(rest, ':');
    struct span names = span_first(rest, controllers);
    bool is_unified = names.len == 0 && span_equals(span_first(line, id), SPAN("0"));

    if (controllers == rest.len || (!is_unified && !span_equals(names, SPAN("name=systemd"))))
        return false;
    *path_out = span_from(rest, controllers + 1);
    return true;
}

struct span unit_name_find(struct span cgroups)
{
    struct span unit = {0}, path;

    while (cgroups.len > 0) {
        struct span line = span_first(cgroups, span_find(cgroups, '\n'));
        cgroups = span_from(cgroups, line.len + 1);
        if (!take_line(line, &path))
            continue;
        struct span found = find_in_path(path);
        if (unit.len > 0 && found.len > 0 && !span_equals(unit, found))
            return span_make(NULL, 0);
        if (found.len > 0)
            unit = found;
    }
    return unit;
}
