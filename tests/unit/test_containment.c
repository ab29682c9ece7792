/* What is asked of containment by profiles and paths: what may stay, what a message blames. */
#include "containment_needs.h"
#include "containment_places.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profile_fixture.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- profiles ----------------------------------------------------------------------------------- */

#define APPARMOR 1
#define TCP 2
#define HIDEPID 4

static struct containment_scene scene_of(unsigned flags)
{
    return (struct containment_scene){
        .has_apparmor = flags & APPARMOR,
        .serves_tcp = flags & TCP,
        .hides_processes = flags & HIDEPID,
    };
}

Test(needs, looker)
{
    static const struct {
        const char *qualifiers;
        unsigned always; /* scenes in which it is a reason, and with any more of them */
        const char *reason;
    } rows[] = {
        {"socket: true, users: [alice]", 8, NULL},
        {"socket: true, users: ['*'], apparmor-profiles: [app]", HIDEPID | APPARMOR, "hidepid"},
        {"socket: true, users: ['*'], apparmor-profiles: ['*']", 8, NULL},
        {"socket: true, apparmor-profiles: [app, /usr/bin/app]", APPARMOR, "paths"},
        {"socket: true, executables: [/usr/bin/app]", 0, "executables"},
        {"socket: true, users: [alice], executables: ['*']", 8, NULL},
        {"socket: true, units: [app.service]", HIDEPID, "hidepid"},
        {"socket: true, users: [alice], units: ['*']", 8, NULL},
        {"socket: true, groups: [staff]", 8, NULL},
        {"users: ['*'], apparmor-profiles: ['*']", TCP, "TCP"},
        {"users: ['*'], apparmor-profiles: [/usr/bin/app]", APPARMOR, "paths"},
        {"hosts: [10.0.0.1]", 8, NULL},
        {"hosts: [10.0.0.1], users: ['*'], apparmor-profiles: ['*']", TCP, "TCP"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *yaml = NULL;
        cr_assert(asprintf(&yaml, "- {name: app, %s, commands: {GETINFO: [version]}}\n",
                           rows[i].qualifiers) > 0);
        struct policy *policy = fixture_policy(yaml);
        for (unsigned flags = 0; flags < 8; flags++) {
            struct containment_scene scene = scene_of(flags);
            const char *reason;
            const struct profile *looker = containment_find_looker(&scene, policy, &reason);
            bool expected = (rows[i].always & ~flags) == 0;
            /* Another reason may come first where the scene has more to it. */
            bool others = strstr(rows[i].qualifiers, "users: ['*'], apparmor") != NULL &&
                          !strstr(rows[i].qualifiers, "socket") && (flags & TCP);
            cr_expect((looker != NULL) == (expected || others), "row %zu, scene %u: %s", i, flags,
                      reason ? reason : "(none)");
            cr_expect((reason != NULL) == (looker != NULL), "row %zu, scene %u", i, flags);
            if (flags == rows[i].always)
                cr_expect(reason && strstr(reason, rows[i].reason), "row %zu: %s", i,
                          reason ? reason : "(none)");
        }
        policy_unref(policy);
        free(yaml);
    }
}

Test(needs, giver)
{
    struct row {
        char socket[64];
        bool gives;
    } rows[] = {
        {"true", false},
        {"{mode: '0600'}", false},
        {"{user: alice}", geteuid() != FIXTURE_ALICE},
        {"{group: staff}", getegid() != FIXTURE_STAFF},
        {"", false},
        {"", false},
    };

    snprintf(rows[4].socket, sizeof rows[4].socket, "{user: '%u'}", (unsigned)geteuid());
    snprintf(rows[5].socket, sizeof rows[5].socket, "{group: '%u'}", (unsigned)getegid());
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *yaml = NULL;
        cr_assert(asprintf(&yaml,
                           "- {name: plain, socket: true, users: [bob], commands: {QUIT: ['']}}\n"
                           "- {name: app, users: [bob], socket: %s, commands: {QUIT: ['']}}\n",
                           rows[i].socket) > 0);
        struct policy *policy = fixture_policy(yaml);
        const struct profile *giver = containment_find_giver(policy);
        cr_expect(giver ? rows[i].gives && strcmp(giver->name, "app") == 0 : !rows[i].gives,
                  "row %zu: %s", i, rows[i].socket);
        policy_unref(policy);
        free(yaml);
    }
}

/* --- places ------------------------------------------------------------------------------------- */

static char tree[] = "/tmp/places.XXXXXX";

static const char *in_tree(const char *name)
{
    static char paths[4][128];
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", tree, name);
    return path;
}

static void put(const char *name)
{
    int fd = open(in_tree(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    cr_assert(fd >= 0);
    close(fd);
}

static void make_tree(void)
{
    cr_assert(mkdtemp(tree));
    cr_assert(mkdir(in_tree("a"), 0755) == 0 && mkdir(in_tree("a/deep"), 0755) == 0 &&
              mkdir(in_tree("b"), 0755) == 0 && mkdir(in_tree("ab"), 0755) == 0);
    put("a/file");
    put("a/deep/file");
    put("b/file");
    put("ab/file");
    cr_assert(symlink("../b/file", in_tree("a/out")) == 0);
    cr_assert(symlink("../a/file", in_tree("b/in")) == 0);
    cr_assert(symlink("a", in_tree("alias")) == 0);
}

static void remove_tree(void)
{
    static const char *const names[] = {
        "a/file", "a/out", "a/deep/file", "a/deep", "a",     "old/file", "old/out", "old/deep/file",
        "old/deep", "old", "b/in", "b/file", "b", "ab/file", "ab", "alias", "",
    };

    for (size_t i = 0; i < COUNT(names); i++)
        remove(in_tree(names[i]));
}

Test(places, barred, .init = make_tree, .fini = remove_tree)
{
    static const struct {
        const char *path;
        bool reading, making; /* barred */
    } rows[] = {
        {"a/file", false, true},       {"a/deep/file", false, true}, {"a/out", true, true},
        {"b/file", true, true},        {"b/in", false, true},        {"ab/file", true, true},
        {"alias/file", false, true},   {"a/missing", false, true},   {"b/missing", false, true},
        {"missing/file", false, false}, {"a/../b/file", true, true}, {"b/../a/file", false, true},
    };
    struct containment_places places = {.in_force = true};

    containment_list_add(&places.readable, in_tree("a"));
    containment_list_add(&places.readable, in_tree("alias")); /* the same once more */
    containment_list_add(&places.readable, in_tree("missing"));
    cr_assert(places.readable.count == 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *path = in_tree(rows[i].path);
        cr_expect(containment_bars_reading(&places, path) == rows[i].reading, "row %zu: reading %s",
                  i, rows[i].path);
        cr_expect(containment_bars_making(&places, path) == rows[i].making, "row %zu: making %s", i,
                  rows[i].path);
        cr_expect(!containment_bars_reading(NULL, path) && !containment_bars_making(NULL, path));
    }
    /* What may be written to may be read. */
    containment_list_add_folder_of(&places.writable, in_tree("b/x.sock"));
    containment_list_add_folder_of(&places.writable, in_tree("missing/x.sock"));
    containment_list_add_folder_of(&places.writable, NULL);
    cr_assert(places.writable.count == 1);
    cr_expect(!containment_bars_making(&places, in_tree("b/new")));
    cr_expect(!containment_bars_reading(&places, in_tree("b/file")));
    /* Known by what they are, not by their names. */
    cr_assert(rename(in_tree("a"), in_tree("old")) == 0 && mkdir(in_tree("a"), 0755) == 0);
    put("a/file");
    cr_expect(!containment_bars_reading(&places, in_tree("old/file")));
    cr_expect(containment_bars_reading(&places, in_tree("a/file")));
    places.in_force = false;
    cr_expect(!containment_bars_reading(&places, in_tree("a/file")));
    containment_places_clear(&places);
}

Test(places, coming, .init = make_tree, .fini = remove_tree)
{
    static const struct {
        const char *path;
        const char *place; /* NULL: none is added */
    } rows[] = {
        {"a", "a"},         {"a/deep", "a/deep"}, {"a/new", "a"},      {"a/new/newer/still", "a"},
        {"new", ""},        {"alias/new", "a"},   {"a/file/odd", "a/file"},
    };
    static const struct {
        const char *path;
        size_t count;
    } outside[] = {{"/", 1}, {"/no-such-folder-anywhere/file", 0}, {"/no-such-folder", 0}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct containment_places places = {.in_force = true};
        char expected[128];
        snprintf(expected, sizeof expected, "%s/%s", tree, rows[i].place);
        containment_list_add_coming(&places.readable, in_tree(rows[i].path));
        struct stat wanted;
        cr_assert(stat(expected, &wanted) == 0);
        bool is_one = places.readable.count == 1;
        cr_expect(is_one && places.readable.ids[0].inode == wanted.st_ino, "row %zu: %s gives %s", i,
                  rows[i].path, is_one ? places.readable.paths[0] : "(none)");
        containment_places_clear(&places);
    }
    for (size_t i = 0; i < COUNT(outside); i++) {
        struct containment_list list = {0};
        struct containment_places places = {0};
        containment_list_add_coming(&list, outside[i].path);
        cr_expect(list.count == outside[i].count, "outside %zu", i);
        places.readable = list;
        containment_places_clear(&places);
    }
}

/* A file's own folder, and that of what it is a link to. */
Test(places, file, .init = make_tree, .fini = remove_tree)
{
    struct containment_places places = {.in_force = true};

    containment_list_add_file(&places.readable, in_tree("a/out"));
    containment_list_add_file(&places.readable, NULL);
    cr_expect(places.readable.count == 2);
    cr_expect(!containment_bars_reading(&places, in_tree("a/out")));
    cr_expect(!containment_bars_reading(&places, in_tree("b/file")));
    cr_expect(containment_bars_reading(&places, in_tree("ab/file")));
    containment_places_clear(&places);
}
